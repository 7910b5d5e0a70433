package import Primitives
package import Records

/// A clinician's cases that nobody has reviewed yet.
package struct OpenCases: Hashable, Sendable, CanonicalCodable {
    /// More than may be opened at a time: what was opened without contact is added whatever is open already.
    package static let casesMax = 128

    /// One case and until when it is to be reviewed.
    package struct Case: Hashable, Sendable, CanonicalCodable {
        package var id: GrantID
        package var deadline: Timestamp

        package init(id: GrantID, deadline: Timestamp) {
            self.id = id
            self.deadline = deadline
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.id)
            encoder.encode(self.deadline)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.id = try decoder.decode()
            self.deadline = try decoder.decode()
        }
    }

    package var cases: [Case]

    package init(cases: [Case] = []) { self.cases = cases }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.cases) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.cases = try decoder.decodeArray(max: Self.casesMax)
    }
}
