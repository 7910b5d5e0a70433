internal import Records

/// The limits of the canonical form, for values that were made in memory and not read from bytes.
extension ItemReference {
    var isBounded: Bool {
        self.code.utf8.count <= Self.codeBytesMax && self.bodySites.count <= Self.sitesMax
            && self.bodySites.allSatisfy { $0.utf8.count <= Self.textBytesMax }
            && (self.modality?.utf8.count ?? 0) <= Self.textBytesMax
            && (self.specimen?.utf8.count ?? 0) <= Self.textBytesMax
            && (self.method?.utf8.count ?? 0) <= Self.textBytesMax
    }
}

extension AreaPath {
    var isBounded: Bool {
        self.codes.count <= Self.depthMax && self.codes.allSatisfy { $0.utf8.count <= Self.codeBytesMax }
    }
}

extension OrderContext {
    var isBounded: Bool {
        self.item.isBounded && self.area.isBounded && self.offsetMinutes.magnitude <= Self.offsetMinutesMax.magnitude
            && self.consortia.count <= Self.consortiaMax && self.diagnoses.count <= Self.diagnosesMax
            && self.consortia.allSatisfy { $0.utf8.count <= Scope.nameBytesMax }
            && self.diagnoses.allSatisfy { $0.utf8.count <= Self.textBytesMax }
            && self.patient.utf8.count <= Self.textBytesMax && self.institution.utf8.count <= Self.textBytesMax
            && self.department.utf8.count <= Self.textBytesMax && self.doctor.utf8.count <= Self.textBytesMax
            && self.visit.utf8.count <= Self.textBytesMax
    }
}

extension Candidate {
    var isBounded: Bool {
        self.item.isBounded && self.performerArea.isBounded && self.marks.count <= Self.marksMax
            && self.assessments.count <= Self.assessmentsMax
            && self.key.report.utf8.count <= CandidateKey.reportBytesMax
            && self.performer.utf8.count <= Self.textBytesMax && self.label.utf8.count <= Self.textBytesMax
            && self.performerConsortia.count <= OrderContext.consortiaMax
            && self.performerConsortia.allSatisfy { $0.utf8.count <= Scope.nameBytesMax }
            && (self.value?.utf8.count ?? 0) <= Self.valueBytesMax
            && (self.referenceRange?.utf8.count ?? 0) <= Self.valueBytesMax
            && (self.unit?.utf8.count ?? 0) <= Self.textBytesMax
            && self.marks.allSatisfy(\.isBounded) && self.assessments.allSatisfy(\.isBounded)
    }
}

extension RecognitionMark {
    var isBounded: Bool {
        let isNamed =
            switch self.scope {
            case .national: true
            case .pact(let name), .consortium(let name): name.utf8.count <= Scope.nameBytesMax
            case .area(let path): path.isBounded
            }
        return isNamed && self.authority.utf8.count <= Scope.nameBytesMax
            && (self.item?.utf8.count ?? 0) <= ItemReference.codeBytesMax
    }
}

extension QualityAssessment {
    var isBounded: Bool {
        self.scheme.utf8.count <= Scope.nameBytesMax && self.item.utf8.count <= ItemReference.codeBytesMax
    }
}

extension RecognitionAccess {
    var isBounded: Bool {
        self.entries.count <= Self.entriesMax
            && self.entries.allSatisfy {
                ($0.custodian?.utf8.count ?? 0) <= Candidate.textBytesMax
                    && ($0.report?.utf8.count ?? 0) <= CandidateKey.reportBytesMax
            }
    }
}
