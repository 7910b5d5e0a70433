import Formats
import Primitives
import Records
import Testing

@Suite("Dates and times of tables are read or refused, never guessed")
struct CSVTimeTests {
    struct Sample: Sendable {
        var text: String
        var format: String?
        /// Milliseconds since 1970; `nil` if the text is refused.
        var milliseconds: Int64?
        var precision = ClinicalTime.Precision.day
        var offset: Int?
    }

    static let samples = [
        Sample(text: "2026-05-10", milliseconds: 1_778_371_200_000),
        Sample(text: "2026/5/1", milliseconds: 1_777_593_600_000),
        Sample(text: "2026.05.10", milliseconds: 1_778_371_200_000),
        Sample(text: "20260510", milliseconds: 1_778_371_200_000),
        Sample(text: "2026年5月10日", milliseconds: 1_778_371_200_000),
        Sample(text: "2026年5月", milliseconds: 1_777_593_600_000, precision: .month),
        Sample(text: "2026-05", milliseconds: 1_777_593_600_000, precision: .month),
        Sample(text: "1985", milliseconds: 473_385_600_000, precision: .year),
        Sample(text: "2024-02-29 23:59", milliseconds: 1_709_222_340_000, precision: .minute, offset: 480),
        Sample(text: "2026-05-10T08:30:00Z", milliseconds: 1_778_401_800_000, precision: .second, offset: 0),
        Sample(text: "2026-05-10T08:30:00.5+08:00", milliseconds: 1_778_373_000_500, precision: .fraction, offset: 480),
        Sample(text: "2026-05-10 8:30:00", milliseconds: 1_778_373_000_000, precision: .second, offset: 480),
        Sample(text: "2026年5月10日 08:30", milliseconds: 1_778_373_000_000, precision: .minute, offset: 480),
        Sample(text: "202605100830-0500", milliseconds: 1_778_419_800_000, precision: .minute, offset: -300),
        Sample(text: "20260510083000", milliseconds: 1_778_373_000_000, precision: .second, offset: 480),
        Sample(text: "20260510T083000Z", milliseconds: 1_778_401_800_000, precision: .second, offset: 0),
        Sample(text: "5/10/2026", format: "M/d/yyyy", milliseconds: 1_778_371_200_000),
        Sample(text: "10.05.26", format: "dd.MM.yy", milliseconds: 1_778_371_200_000),
        Sample(
            text: "10/5/2026 12:05 AM",
            format: "d/M/yyyy h:mm a",
            milliseconds: 1_778_342_700_000,
            precision: .minute,
            offset: 480
        ),
        Sample(
            text: "10-05-2026 12:05:00.25 pm",
            format: "dd-MM-yyyy hh:mm:ss.S a",
            milliseconds: 1_778_385_900_250,
            precision: .fraction,
            offset: 480
        ),
    ]

    /// A table with the text in its time column.
    private func time(_ text: String, _ format: String?) throws -> Result<ClinicalTime, FormatRefusal>? {
        var extra: [MappingNode.Member] = [.init("utcOffset", .text("+08:00"))]
        if let format { extra.append(.init("timeFormats", .list([.text(format)]))) }
        guard case .map(let members) = try CSVVectors.small().node else { return nil }
        let mapping = try CSVMapping(.map(members + extra))
        let input = CSVVectors.input(CSVVectors.smallHeader + "P1,n,o,\"\(text)\",i,1,u\n", mapping)
        if let refused = input.refused.first { return .failure(refused.piece.refusal) }
        return (input.exams.first?.exam.issued).map { .success($0) }
    }

    @Test("A time keeps its text, precision and offset", arguments: samples)
    func reads(_ sample: Sample) throws {
        let time = try #require(try self.time(sample.text, sample.format)?.get())
        #expect(time.text == sample.text)
        #expect(time.precision == sample.precision)
        #expect(time.offsetMinutes == sample.offset)
        #expect(time.earliest.milliseconds == sample.milliseconds)
    }

    @Test(
        "What is no time, or could be two, is refused",
        arguments: [
            "2026-02-30", "2026-13-01", "2025-02-29", "2026-00-10", "0000-01-01", "5/10/2026", "10.05.2026", "260510",
            "202605", "46152", "2026-05-10 24:00", "2026-05-10 08:60", "2026-05-10 08:30:61", "2026-05-10 08",
            "2026-05-10T08:30+15:00", "2026-05-10x", "2026/05", "2026-5-10-1", "2026-05/10", "20260230", "2026051008",
            "２０２６-05-10", "=NOW()", "2026-05-10 08:30:00.", "2026年5月10", "yesterday", "-2026-05-10",
        ]
    )
    func refuses(text: String) throws {
        #expect(try self.time(text, nil) == .failure(FormatRefusal(CSVRefusal.badDate)))
    }

    @Test(
        "A pattern that names no date is refused",
        arguments: [
            "", "MM/dd", "yyyy dd", "yyyy-MM-dd HH", "yyyy-MM-dd hh:mm", "yyyy-MM-dd HH:mm a", "yyyyy", "q",
            "yyyy yyyy",
        ]
    )
    func refusesPattern(pattern: String) {
        #expect(CSVTimeFormat(pattern) == nil)
    }

    @Test("A text that two formats read differently is refused")
    func ambiguous() throws {
        guard case .map(let members) = try CSVVectors.small().node else { return }
        let formats = MappingNode.list([.text("d/M/yyyy"), .text("M/d/yyyy")])
        let mapping = try CSVMapping(.map(members + [.init("timeFormats", formats)]))
        let text = CSVVectors.smallHeader + "P,n,o1,13/5/2026,i,1,u\nP,n,o2,5/5/2026,i,1,u\nP,n,o3,5/6/2026,i,1,u\n"
        let input = CSVVectors.input(text, mapping)
        #expect(input.exams.map(\.exam.source.value) == ["o1", "o2"])
        #expect(input.refused.map(\.line) == [4])
    }
}
