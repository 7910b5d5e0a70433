import Records

extension JSONValue {
    /// This Patient resource's demographics.
    func asPatient() throws(FHIRFault) -> PatientDemographics {
        var sex: PatientDemographics.Sex?
        if let gender = self.present(FHIRKey.gender) {
            sex = gender.string.flatMap { PatientDemographics.Sex(rawValue: $0) }
            guard sex != nil else { throw FHIRFault(.badCode, at: gender, FHIRKey.gender.name) }
        }
        return PatientDemographics(
            sourceID: try self.identity(FHIRKey.id),
            identifiers: try self.identifiers(FHIRKey.identifier),
            name: try self.personName(),
            sex: sex,
            birthDate: try self.date(FHIRKey.birthDate)
        )
    }

    /// The name that a person is known by: the official one, else the usual one, else the first.
    func personName() throws(FHIRFault) -> PersonName? {
        var best: (rank: Int, name: PersonName)?
        for value in try self.objects(FHIRKey.name) {
            let rank =
                switch try value.code(FHIRKey.use) {
                case "official": 3
                case "usual": 2
                case "old", "maiden": 0
                default: 1
                }
            guard rank > best?.rank ?? -1 else { continue }
            best = (rank, try value.asPersonName())
        }
        return best?.name
    }

    private func asPersonName() throws(FHIRFault) -> PersonName {
        var given: [String] = []
        if let names = self.present(FHIRKey.given) {
            guard names.kind == .array, names.count > 0 else {
                throw FHIRFault(.badStructure, at: names, FHIRKey.given.name)
            }
            // A null holds the place of a name that is only an extension.
            for name in names.elements where name.kind != .null { given.append(try name.asText(FHIRKey.given)) }
        }
        return PersonName(
            text: try self.text(FHIRKey.text),
            family: try self.text(FHIRKey.family),
            given: given
        )
    }
}
