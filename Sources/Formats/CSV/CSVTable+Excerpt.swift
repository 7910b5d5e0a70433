extension CSVTable {
    /// A row as lines of column and text, without what names the patient.
    package func excerpt(of row: [UInt8]) -> String {
        guard case .table = self.mapping.layout, let read = CSVReader.row(row, self.dialect),
            let header = CSVReader.row(self.header, self.dialect)
        else { return MaskedText.excerpt(String(decoding: row, as: UTF8.self)) }
        var hidden: Set<Int> = []
        for field in [CSVPatientField.name, .family, .given].compactMap({ self.patient[$0] }) {
            if case .cell(let index) = field.place { hidden.insert(index) }
        }
        let names = header.texts(self.dialect)
        let lines = read.texts(self.dialect).enumerated().map { index, text in
            let name = index < names.count ? names[index] ?? "?" : "(column \(index + 1))"
            let shown = text.map { hidden.contains(index) ? MaskedText.name($0) : MaskedText.numbers($0) }
            return "\(name): \(shown ?? "(not in the file's character set)")"
        }
        return String(lines.joined(separator: "\n").prefix(MaskedText.charactersMax))
    }
}
