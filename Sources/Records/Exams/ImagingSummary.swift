/// What an imaging study consists of (FHIR R4 ImagingStudy, DICOM study).
package struct ImagingSummary: Hashable, Sendable {
    /// DICOM Study Instance UID, digits and dots.
    package var studyUID: String?
    package var started: ClinicalTime?
    /// DICOM modality codes, in the source's order.
    package var modalities: [Coding]
    package var description: String?
    /// As the source counts them; it need not list them all.
    package var numberOfSeries: UInt32?
    package var numberOfInstances: UInt32?
    package var series: [Series]

    package init(
        studyUID: String?,
        started: ClinicalTime?,
        modalities: [Coding],
        description: String?,
        numberOfSeries: UInt32?,
        numberOfInstances: UInt32?,
        series: [Series]
    ) {
        self.studyUID = studyUID
        self.started = started
        self.modalities = modalities
        self.description = description
        self.numberOfSeries = numberOfSeries
        self.numberOfInstances = numberOfInstances
        self.series = series
    }

    /// Images of one modality, made in one go.
    package struct Series: Hashable, Sendable {
        /// DICOM Series Instance UID.
        package var uid: String
        package var modality: Coding
        package var description: String?
        package var bodySite: Coding?
        package var numberOfInstances: UInt32?
        package var instances: [Instance]
        /// Maker, model and station of the device that made it.
        package var device: String?

        package init(
            uid: String,
            modality: Coding,
            description: String?,
            bodySite: Coding?,
            numberOfInstances: UInt32?,
            instances: [Instance]
        ) {
            self.uid = uid
            self.modality = modality
            self.description = description
            self.bodySite = bodySite
            self.numberOfInstances = numberOfInstances
            self.instances = instances
        }
    }

    /// One image or other object of a series.
    package struct Instance: Hashable, Sendable {
        /// DICOM SOP Instance UID.
        package var uid: String
        /// DICOM SOP Class UID.
        package var sopClass: String

        package init(uid: String, sopClass: String) {
            self.uid = uid
            self.sopClass = sopClass
        }
    }
}
