/// Preset dictionaries: public text that both ends know, so that even the first use of a word is short.
///
/// They are part of the format: a changed dictionary needs a new ``CompressionID``.
package enum CompressionDictionary {
    /// Names, code systems and codes of the FHIR R4 schema as they stand in laboratory and imaging reports; never
    /// anything from a record.
    ///
    /// Frequent text stands last, where DEFLATE reaches it with the shortest distances.
    package static let fhirJSON = Array(
        (Self.schemaNames + Self.codeSystems + Self.fragments).utf8
    )

    private static let schemaNames = """
        {"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:","resource":{"resourceType":"\
        ImagingStudy","started":"","numberOfSeries":,"numberOfInstances":,"series":[{"uid":"","number":,"modality":{\
        "system":"http://dicom.nema.org/resources/ontology/DCM","code":""},"instance":[{"uid":"","sopClass":{"system":\
        "urn:ietf:rfc:3986","code":"urn:oid:1.2.840.10008.5.1.4.1.1.2"},"number":,"title":""}],"procedureReference":{\
        "procedureCode":[{"interpreter":[{"endpoint":[{"description":"","bodySite":{"laterality":{"specimen":[{\
        "reference":"#specimen","receivedTime":"","collection":{"collectedDateTime":"","contained":[{"resourceType":\
        "Specimen","id":"","text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\"></div>"},\
        "extension":[{"url":"http://hl7.org/fhir/StructureDefinition/","valueString":"","valueCode":"",\
        "valueBoolean":true,"valueDateTime":"","valueReference":{"reference":"","basedOn":[{"reference":"ServiceRequest/\
        ","resultsInterpreter":[{"reference":"Practitioner/","display":""}],"performer":[{"reference":"Organization/",\
        "display":""}],"encounter":{"reference":"Encounter/"},"conclusion":"","conclusionCode":[{"presentedForm":[{\
        "contentType":"application/pdf","language":"zh-CN","data":"","hash":"","title":"","creation":""}],"media":[{\
        "comment":"","link":{"reference":"Media/"}}],"imagingStudy":[{"reference":"ImagingStudy/"}],"note":[{"text":""}]\
        ,"method":{"coding":[{"device":{"reference":"Device/"},"dataAbsentReason":{"coding":[{"system":"http://\
        terminology.hl7.org/CodeSystem/data-absent-reason","code":"unknown","display":"Unknown"}]},"hasMember":[{\
        "reference":"Observation/"},"derivedFrom":[{"focus":[{"partOf":[{"category":[{"coding":[{"component":[{"code":{\
        "coding":[{"valueRange":{"low":{"high":{"valueRatio":{"numerator":{"denominator":{"valueSampledData":{\
        "valueInteger":,"valueTime":"","valuePeriod":{"start":"","end":""},"effectivePeriod":{"start":"","end":""},
        """

    private static let codeSystems = """
        "system":"http://snomed.info/sct","code":"","display":"","system":"http://unitsofmeasure.org","code":"mmol/L",\
        "code":"umol/L","code":"g/L","code":"10*9/L","code":"10*12/L","code":"U/L","code":"mg/dL","code":"g/dL","code":\
        "mIU/L","code":"pmol/L","code":"ng/mL","code":"ug/L","code":"%","code":"fL","code":"pg","code":"s","code":"mm",\
        "code":"ratio","system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB","display":"Laboratory"}]}]\
        ,"code":"RAD","display":"Radiology","code":"HM","display":"Hematology","code":"CH","display":"Chemistry",\
        "system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"PLAC","code":"FILL","code":"ACSN","system":\
        "http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory","code":\
        "imaging","display":"Imaging","code":"vital-signs","display":"Vital Signs","system":"http://terminology.hl7.org/\
        CodeSystem/v3-ObservationInterpretation","code":"H","display":"High"}]}],"code":"L","display":"Low"}]}],"code":\
        "N","display":"Normal"}]}],"code":"A","display":"Abnormal"}]}],"code":"POS","display":"Positive","code":"NEG",\
        "display":"Negative","code":"HH","code":"LL","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/\
        referencerange-meaning","code":"normal","display":"Normal Range"}]},"appliesTo":[{"age":{"low":{"value":,"unit":\
        "a"},"use":"official","assigner":{"display":""},"period":{"start":""},"system":"urn:ietf:rfc:3986","value":\
        "urn:oid:2.16.156.10011.1.3","value":"urn:uuid:","meta":{"versionId":"1","lastUpdated":"","source":"","profile"\
        :["http://hl7.org/fhir/StructureDefinition/DiagnosticReport"],"security":[{"system":"","code":"R"}],"tag":[{\
        "status":"preliminary","status":"amended","status":"corrected","status":"registered","status":"available",
        """

    private static let fragments = """
        ,"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"","display":""}],"text":""},\
        "valueString":"","interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/\
        v3-ObservationInterpretation","code":"N","display":"Normal"}],"text":"Normal"}],{"resourceType":\
        "DiagnosticReport","id":"","identifier":[{"system":"","value":""}],"status":"final","category":[{"coding":[{\
        "system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB","display":"Laboratory"}]}],"code":{\
        "coding":[{"system":"http://loinc.org","code":"","display":""}],"text":""},"subject":{"reference":"Patient/",\
        "display":""},"effectiveDateTime":"T00:00:00+08:00","issued":"T00:00:00.000+08:00","performer":[{"reference":\
        "Organization/","display":""}],"result":[{"reference":"Observation/"},{"reference":"Observation/"}]}\
        {"resourceType":"Observation","id":"","status":"final","category":[{"coding":[{"system":"http://terminology.\
        hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}]}],"code":{"coding":[{\
        "system":"http://loinc.org","code":"","display":""}],"text":""},"subject":{"reference":"Patient/"},\
        "effectiveDateTime":"T00:00:00+08:00","issued":"T00:00:00.000+08:00","valueQuantity":{"value":0.,"unit":"",\
        "system":"http://unitsofmeasure.org","code":""},"interpretation":[{"coding":[{"system":"http://terminology.hl7.\
        org/CodeSystem/v3-ObservationInterpretation","code":"H","display":"High"}]}],"referenceRange":[{"low":{"value":\
        0.,"unit":"","system":"http://unitsofmeasure.org","code":""},"high":{"value":0.,"unit":"","system":\
        "http://unitsofmeasure.org","code":""},"text":""}]}
        """
}
