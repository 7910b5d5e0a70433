import Formats
import Primitives
import Records
import Testing

@Suite("FHIR dates and times")
struct FHIRTimeTests {
    @Test(
        "A time is the instant it means",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00+08:00", 951_796_800_000),
            ("1969-12-31T23:59:59.999Z", -1), ("2026-03-01T10:30:00.2509-05:30", 1_772_380_800_250),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000), ("9999-12-31T23:59:59Z", 253_402_300_799_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("2026-01-01T00:00:00+14:00", 1_767_175_200_000),
            ("1800", -5_364_662_400_000), ("2026-03", 1_772_323_200_000), ("2024-02-29", 1_709_164_800_000),
        ]
    )
    func instants(_ text: String, _ milliseconds: Int64) {
        let time = FHIRTime.dateTime(text)
        #expect(time?.text == text)
        #expect(time?.earliest == Timestamp(milliseconds: milliseconds))
    }

    @Test("Precision and offset are kept")
    func precision() {
        #expect(FHIRTime.dateTime("2026")?.precision == .year)
        #expect(FHIRTime.dateTime("2026-03")?.precision == .month)
        #expect(FHIRTime.dateTime("2026-03-01")?.precision == .day)
        #expect(FHIRTime.dateTime("2026-03-01")?.offsetMinutes == nil)
        #expect(FHIRTime.dateTime("2026-03-01T00:00:00-03:30")?.offsetMinutes == -210)
        #expect(FHIRTime.dateTime("2026-03-01T00:00:00.0Z")?.precision == .fraction)
    }

    @Test(
        "What is no time is refused",
        arguments: [
            "", "2026-", "2026-00", "2026-13", "2026-02-29", "2100-02-29", "2026-04-31", "0000", "202", "20260",
            "2026-1", "2026-01-1", "2026-01-01T", "2026-01-01T24:00:00Z", "2026-01-01T23:60:00Z",
            "2026-01-01T23:59:61Z", "2026-01-01T10:00Z", "2026-01-01T10:00:00", "2026-01-01T10:00:00.Z",
            "2026-01-01T10:00:00+8:00", "2026-01-01T10:00:00+14:30", "2026-01-01T10:00:00+0800",
            "2026-01-01t10:00:00Z", "2026-01-01T10:00:00z", " 2026", "2026 ", "２０２６", "2026-01T10:00:00Z",
            "-2026", "2026-01-01T10:00:00Z0",
        ]
    )
    func refused(_ text: String) { #expect(FHIRTime.dateTime(text) == nil) }

    @Test("A date has no time and an instant has one")
    func kinds() {
        #expect(FHIRTime.date("2026-01-01T10:00:00Z") == nil)
        #expect(FHIRTime.instant("2026-01-01") == nil)
        #expect(FHIRTime.instant("2026-01-01T10:00:00Z") != nil)
        #expect(FHIRTime.isTimeOfDay("23:59:60"))
        #expect(FHIRTime.isTimeOfDay("00:00:00.5"))
        #expect(!FHIRTime.isTimeOfDay("24:00:00"))
        #expect(!FHIRTime.isTimeOfDay("10:00"))
    }
}
