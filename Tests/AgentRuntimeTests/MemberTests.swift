import AgentRuntime
import Records
import Testing

@Suite("What rules ask about an institution is read from its card")
struct MemberTests {
    @Test(
        "Levels are ordered, and what is none is the lowest",
        arguments: [
            ("3A", 33), ("3b", 32), ("3C", 31), ("3", 30), ("2A", 23), ("1", 10), ("", 0), ("A3", 0), ("4A", 0),
        ]
    )
    func level(text: String, number: UInt8) { #expect(Member.level(text) == number) }

    @Test(
        "A district lies in its city and province",
        arguments: [
            ("330102", ["330000", "330100", "330102"]), ("330100", ["330000", "330100"]), ("330000", ["330000"]),
            ("110102", ["110000", "110100", "110102"]), ("", []), ("3301", []), ("33010x", []),
        ]
    )
    func area(code: String, path: [String]) { #expect(Member.area(code) == AreaPath(path)) }
}
