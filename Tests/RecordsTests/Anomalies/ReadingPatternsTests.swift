import Primitives
import Records
import TestSupport
import Testing

@Suite("Patterns of readings")
struct ReadingPatternsTests {
    typealias Reading = ReadingPatterns.Reading
    private static let day: Int64 = 86_400_000

    private static func reading(
        _ patient: Int64,
        at milliseconds: Int64,
        by clinician: String = "007",
        place: Int64? = nil,
        isEmergency: Bool = false
    ) -> Reading {
        Reading(
            clinician: clinician,
            patient: patient,
            place: place,
            isEmergency: isEmergency,
            time: Timestamp(milliseconds: milliseconds),
            offset: 8 * 3600
        )
    }

    private static func findings(_ readings: [Reading]) -> [(index: Int, finding: ReadingPatterns.Finding)] {
        var patterns = ReadingPatterns()
        return readings.enumerated().flatMap { index, reading in patterns.add(reading).map { (index, $0) } }
    }

    /// Ten in the morning of a day in Shanghai.
    private static func morning(_ day: Int64) -> Int64 { day * Self.day + 2 * 3_600_000 }

    @Test("The sixty-first patient of a day is told once, the same patient again counts for nothing")
    func bulk() {
        let day = (0..<200).map { Self.reading(Int64($0 / 2 * 10), at: Self.morning(20_000) + Int64($0) * 1000) }
        let found = Self.findings(day)
        #expect(found.map(\.index) == [120])
        #expect(found.map(\.finding) == [.init(kind: .readingBulk, patients: 61, limit: 60, day: 20_000)])
        let twoDays = day.prefix(120) + [Self.reading(-1, at: Self.morning(20_001))]
        #expect(Self.findings(Array(twoDays)).isEmpty, "midnight begins anew")
    }

    @Test("Whoever uses to read much is told from twice the usual day on")
    func usual() {
        var readings: [Reading] = []
        for day in 20_000..<20_005 as Range<Int64> {
            readings += (0..<50).map { Self.reading(Int64($0) * 10, at: Self.morning(day) + Int64($0) * 1000) }
        }
        readings += (0..<101).map { Self.reading(Int64($0) * 10, at: Self.morning(20_005) + Int64($0) * 1000) }
        let found = Self.findings(readings)
        #expect(found.map(\.finding) == [.init(kind: .readingBulk, patients: 101, limit: 100, day: 20_005)])
    }

    @Test("The third patient of a night is told of whoever does not use to read at night, and never of an emergency")
    func hours() {
        // Two at night where the machine stands.
        func night(_ day: Int64) -> Int64 { day * Self.day - 6 * 3_600_000 }
        let three = (0..<3).map { Self.reading(Int64($0) * 10, at: night(20_000) + Int64($0) * 1000) }
        #expect(Self.findings(three).map(\.finding) == [.init(kind: .readingHours, patients: 3, limit: 3, day: 20_000)])
        let urgent = three.map { reading in
            var reading = reading
            reading.isEmergency = true
            return reading
        }
        #expect(Self.findings(urgent).isEmpty)
        let before = [Self.reading(1, at: night(19_990)), Self.reading(1, at: night(19_995))]
        #expect(Self.findings(before + three).isEmpty, "two nights make a habit")
        let longAgo = [Self.reading(1, at: night(19_960)), Self.reading(1, at: night(19_961))]
        #expect(Self.findings(longAgo + three).count == 1)
    }

    @Test(
        "Eight own patients one after the other are told, up or down; a pause, a step aside or others' patients are not"
    )
    func neighbours() {
        func run(_ places: [Int64], pause: Int64 = 60_000, isOwn: Bool = true) -> [Int] {
            Self.findings(
                places.enumerated().map {
                    // Two records each.
                    Self.reading(
                        1000 - $1 / 2,
                        at: Self.morning(20_000) + Int64($0) * pause,
                        place: isOwn ? $1 : nil
                    )
                }
            ).filter { $0.finding.kind == .readingNeighbours }.map(\.index)
        }
        let evens = Array(stride(from: Int64(10), to: 30, by: 2))
        #expect(run(evens) == [7])
        #expect(run(evens.reversed()) == [7])
        #expect(run([10, 11, 12, 13, 14, 16, 18, 20, 22, 24]) == [9], "patients count, not records")
        #expect(run([10, 14, 18, 22, 26, 30, 34, 38]) == [7])
        #expect(run([10, 15, 20, 25, 30, 35, 40, 45]).isEmpty)
        #expect(run([10, 12, 14, 16, 40, 18, 20, 22, 24, 26]).isEmpty)
        #expect(run([10, 12, 14, 16, 18, 16, 18, 20, 22, 24]).isEmpty)
        #expect(run(evens, pause: 31 * 60_000).isEmpty)
        #expect(run(evens, isOwn: false).isEmpty)
    }

    @Test("What is told agrees with a recount of all that was read", arguments: 0..<50 as Range<UInt64>)
    func recount(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var time = Self.morning(20_000)
        var readings: [Reading] = []
        for _ in 0..<3000 {
            time += Int64.random(in: 1000..<600_000, using: &random)
            readings.append(
                Self.reading(
                    Int64.random(in: 0..<120, using: &random),
                    at: time,
                    by: ["1", "2"][Int.random(in: 0..<2, using: &random)],
                    place: Bool.random(using: &random) ? Int64.random(in: 0..<500, using: &random) : nil,
                    isEmergency: Int.random(in: 0..<10, using: &random) == 0
                )
            )
        }
        let found = Self.findings(readings)
        for kind in [AnomalyKind.readingBulk, .readingHours] {
            let told = found.filter { $0.finding.kind == kind }.map(\.index)
            let expected = readings.indices.filter { index in
                kind == .readingBulk ? Self.isBulk(readings, index) : Self.isQuiet(readings, index)
            }
            #expect(told == Array(expected), "\(kind)")
        }
    }

    private static func day(_ reading: Reading) -> Int64 {
        (reading.time.milliseconds + reading.offset * 1000) / Self.day
    }

    private static func isBulk(_ readings: [Reading], _ index: Int) -> Bool {
        let mine = readings[...index].filter { $0.clinician == readings[index].clinician }
        let days = Dictionary(grouping: mine, by: Self.day).mapValues { Set($0.map(\.patient)).count }
        let today = Self.day(readings[index])
        let before = days.filter { $0.key < today }.sorted { $0.key < $1.key }.suffix(28).map(\.value).sorted()
        let limit = max(60, before.count < 5 ? 0 : 2 * before[before.count / 2])
        let others = Set(mine.dropLast().filter { Self.day($0) == today }.map(\.patient))
        return others.count == limit && !others.contains(readings[index].patient)
    }

    private static func isQuiet(_ readings: [Reading], _ index: Int) -> Bool {
        func isNight(_ reading: Reading) -> Bool {
            !reading.isEmergency && (reading.time.milliseconds + reading.offset * 1000) % Self.day < 5 * 3_600_000
        }
        let mine = readings[...index].filter { $0.clinician == readings[index].clinician && isNight($0) }
        guard isNight(readings[index]) else { return false }
        let tonight = Self.day(readings[index])
        let nights = Set(mine.map(Self.day)).filter { tonight - 28 <= $0 && $0 < tonight }
        let others = Set(mine.dropLast().filter { Self.day($0) == tonight }.map(\.patient))
        return nights.count < 2 && others.count == 2 && !others.contains(readings[index].patient)
    }
}
