import ImportPipeline
import Testing

@Suite("An import goes as fast and at the times that its operator allows")
struct ImportPaceTests {
    @Test("Without a rate nothing waits")
    func unlimited() {
        #expect(ImportPace().delay(exams: 1_000_000, elapsed: 1) == 0)
    }

    @Test("At a rate the next exam waits until those before it are due, and makes up for lost time")
    func rate() {
        let pace = ImportPace(examsPerSecond: 50)
        #expect(pace.delay(exams: 0, elapsed: 0) == 0)
        #expect(pace.delay(exams: 100, elapsed: 0) == 2000)
        #expect(pace.delay(exams: 100, elapsed: 1500) == 500)
        #expect(pace.delay(exams: 100, elapsed: 9000) == 0)
        #expect(pace.delay(exams: 1, elapsed: -5) == 20)
        #expect(pace.delay(exams: .max, elapsed: 0) == .max)
    }

    @Test(
        "A window is open from its start until before its end, also across midnight",
        arguments: [
            ("09:00-17:30", 9 * 60 - 1, 1), ("09:00-17:30", 9 * 60, 0), ("09:00-17:30", 17 * 60 + 29, 0),
            ("09:00-17:30", 17 * 60 + 30, 15 * 60 + 30), ("22:00-06:00", 23 * 60, 0), ("22:00-06:00", 0, 0),
            ("22:00-06:00", 6 * 60, 16 * 60), ("22:00-06:00", 21 * 60 + 59, 1), ("00:00-00:01", 1, 1439),
        ]
    )
    func window(text: String, minute: Int, wait: Int) throws {
        #expect(try #require(DailyWindow(text)).wait(at: minute) == wait)
    }

    @Test(
        "Anything else is no window",
        arguments: [
            "", "22:00", "22:00-", "-06:00", "24:00-06:00", "22:60-06:00", "2:00-6:00", "22:00-22:00", "٢٢:00-06:00",
            "22:00-06:00-",
        ]
    )
    func noWindow(text: String) {
        #expect(DailyWindow(text) == nil)
    }
}
