import Formats
import TestSupport
import Testing

@Suite("A table is read row by row")
struct CSVReaderTests {
    /// A table and the rows in it: cells, or the code of a refusal.
    struct Sample: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var rows: [[String]]
        var delimiter = CSVDialect.Delimiter.comma
        var quoting = CSVDialect.Quoting.double
        var testDescription: String { self.name }
    }

    static let samples = [
        // RFC 4180 section 2, rules 1 to 7.
        Sample(
            name: "line ends",
            text: "a,b\r\nc,d\ne,f\rg,h",
            rows: [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]
        ),
        Sample(name: "quotes", text: "\"a\",\"b,c\"\r\n\"d\r\ne\",f", rows: [["a", "b,c"], ["d\r\ne", "f"]]),
        Sample(name: "doubled quotes", text: "\"a\"\"b\"\"\",\"\"\"\"\n", rows: [["a\"b\"", "\""]]),
        Sample(name: "empty cells", text: ",\n\"\",\n,", rows: [["", ""], ["", ""], ["", ""]]),
        Sample(name: "spaces are text", text: " a , \"b\"\n", rows: [["a", "\"b\""]]),
        Sample(name: "stray quotes are text", text: "5\" tube,a\"b\"\n", rows: [["5\" tube", "a\"b\""]]),
        Sample(name: "no line end at the end", text: "a,b\nc,", rows: [["a", "b"], ["c", ""]]),
        Sample(name: "empty lines", text: "\n\r\na\n", rows: [[""], [""], ["a"]]),
        Sample(name: "tabs", text: "a,b\tc\n", rows: [["a,b", "c"]], delimiter: .tab),
        Sample(name: "semicolons", text: "1,5;\"x;y\"\n", rows: [["1,5", "x;y"]], delimiter: .semicolon),
        Sample(name: "pipes", text: "a|b|c", rows: [["a", "b", "c"]], delimiter: .pipe),
        Sample(name: "no quoting", text: "\"a\",b\n\"c,d\n", rows: [["\"a\"", "b"], ["\"c", "d"]], quoting: .none),
        Sample(
            name: "something after a closing quote",
            text: "a,\"b\"x\nc,d\n",
            rows: [["csv.bad-quote"], ["c", "d"]]
        ),
        Sample(
            name: "a stray quote damages its line only",
            text: "a,\"b\nc,d\ne,\"f\"\ng,h\n",
            rows: [["csv.bad-quote"], ["c", "d"], ["e", "f"], ["g", "h"]]
        ),
        Sample(
            name: "an unclosed quote at the end damages its line only",
            text: "a,\"b\nc,d\ne,f",
            rows: [["csv.unclosed-quote"], ["c", "d"], ["e", "f"]]
        ),
        Sample(
            name: "lines that a fault was found behind hold no line ends",
            text: "a,\"b\nc,\"d\ne\"x\nf,\"g\nh\"\n",
            rows: [["csv.bad-quote"], ["csv.unclosed-quote"], ["e\"x"], ["f", "g\nh"]]
        ),
    ]

    private static func rows(_ sample: Sample, _ bytes: [UInt8], chunk: Int) -> [[String]] {
        let dialect = CSVDialect(characterSet: .utf8, delimiter: sample.delimiter, quoting: sample.quoting)
        return self.rows(dialect, bytes, chunk: chunk)
    }

    private static func read(
        _ dialect: CSVDialect,
        _ bytes: [UInt8],
        chunk: Int,
        limits: CSVLimits = .standard
    ) -> [CSVRow] {
        var reader = CSVReader(dialect, limits: limits)
        var rows: [CSVRow] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + chunk)
            reader.append(bytes[start..<end])
            start = end
            while let row = reader.next() { rows.append(row) }
        }
        reader.finish()
        while let row = reader.next() { rows.append(row) }
        return rows
    }

    private static func rows(_ dialect: CSVDialect, _ bytes: [UInt8], chunk: Int) -> [[String]] {
        self.read(dialect, bytes, chunk: chunk).map { row in
            if let refusal = row.refusal { return [refusal.code] }
            return row.texts(dialect).map { $0 ?? "undecodable" }
        }
    }

    @Test("A text gives its rows, in whatever chunks it comes", arguments: samples)
    func rows(_ sample: Sample) {
        let bytes = Array(sample.text.utf8)
        for chunk in 1...bytes.count {
            #expect(Self.rows(sample, bytes, chunk: chunk) == sample.rows, "chunks of \(chunk)")
        }
    }

    @Test("Offsets and line numbers are the file's, and a byte order mark is no text", arguments: [1, 3, 1000])
    func places(chunk: Int) {
        let bytes = [0xef, 0xbb, 0xbf] + Array("a,b\r\n\"c\nd\",e\n\nf,g\n\"h,\ni,j".utf8)
        let rows = Self.read(CSVDialect(characterSet: .utf8, delimiter: .comma), bytes, chunk: chunk)
        #expect(rows.map(\.offset) == [3, 8, 16, 17, 21, 25])
        #expect(rows.map(\.line) == [1, 2, 4, 5, 6, 7])
        #expect(rows.allSatisfy { Array(bytes[$0.offset...].prefix($0.bytes.count)) == Array($0.bytes) })
        #expect(rows[4].refusal == .unclosedQuote)
    }

    /// Half of each character is a delimiter, quote or line end.
    @Test("Characters are not cut in half", arguments: [CharacterSet.gb18030, .big5, .shiftJIS])
    func multibyte(set: CharacterSet) {
        let pair: [UInt8] = [0x83, 0x7c]
        let four: [UInt8] = set == .gb18030 ? [0x95, 0x32, 0x82, 0x36] : []
        let bytes = pair + four + [0x7c] + pair + [0x0a] + Array("x|y".utf8)
        let rows = Self.read(CSVDialect(characterSet: set, delimiter: .pipe), bytes, chunk: 1)
        #expect(rows.map(\.cellCount) == [2, 2])
        #expect(rows.first.map { Array($0.bytes) } == pair + four + [0x7c] + pair)
    }

    @Test("UTF-16 is read by units", arguments: [CharacterSet.utf16LittleEndian, .utf16BigEndian], [1, 2, 3, 1000])
    func wide(set: CharacterSet, chunk: Int) {
        // U+2C2C and U+0A0A and U+2222 have the bytes of a comma, a line end and a quote.
        let text = "\u{feff}a,\"b \"\"\u{2c2c}\r\n\"\n\u{0a0a}\u{2222},血\u{20000}\r\n"
        let bytes = text.utf16.flatMap { unit -> [UInt8] in
            let pair = [UInt8(unit >> 8), UInt8(unit & 0xff)]
            return set == .utf16BigEndian ? pair : pair.reversed()
        }
        let rows = Self.rows(CSVDialect(characterSet: set, delimiter: .comma), bytes, chunk: chunk)
        #expect(rows == [["a", "b \"\u{2c2c}"], ["\u{0a0a}\u{2222}", "血\u{20000}"]])
    }

    @Test("A row is bounded in bytes and cells, and the next one is read", arguments: [1, 7, 1000])
    func limits(chunk: Int) {
        var limits = CSVLimits()
        limits.rowBytesMax = 16
        limits.columnsMax = 3
        let text = "a,b\n0123456789abcdef0\n1,2,3,4\n\"0123456789\nabcdef\",x\nc,d\n0123456789abcdefgh"
        let dialect = CSVDialect(characterSet: .utf8, delimiter: .comma)
        let rows = Self.read(dialect, Array(text.utf8), chunk: chunk, limits: limits)
        #expect(
            rows.map(\.refusal) == [
                nil, .rowTooLarge, .tooManyColumns, .unclosedQuote, nil, nil, .rowTooLarge,
            ]
        )
        #expect(rows.map(\.line) == [1, 2, 3, 4, 5, 6, 7])
        #expect(rows.allSatisfy { $0.bytes.count <= 16 + chunk })
    }

    @Test("UTF-16 stays in step behind a row that is too large", arguments: [1, 2, 3, 5, 7, 1000])
    func wideLimits(chunk: Int) {
        var limits = CSVLimits()
        limits.rowBytesMax = 16
        let bytes = "0123456789abcdef0\r\na,b\n".utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        let dialect = CSVDialect(characterSet: .utf16LittleEndian, delimiter: .comma)
        let rows = Self.read(dialect, bytes, chunk: chunk, limits: limits)
        #expect(rows.map(\.refusal) == [.rowTooLarge, nil])
        #expect(rows.last?.texts(dialect) == ["a", "b"])
    }

    @Test("A file of quotes that never close is read in time that grows with its length alone")
    func quoteBomb() {
        // Each line could begin a row of four thousand cells; scanning so far for each would take minutes.
        let line = String(repeating: "b", count: 200) + "\",\"\n"
        let bytes = Array(String(repeating: line, count: 100_000).utf8)
        let dialect = CSVDialect(characterSet: .utf8, delimiter: .comma)
        var reader = CSVReader(dialect)
        reader.append(bytes[...])
        reader.finish()
        var lines: [Int] = []
        while let row = reader.next() {
            guard row.refusal != nil else { continue }
            lines.append(row.line)
        }
        #expect(lines == Array(1...100_000))
    }
}
