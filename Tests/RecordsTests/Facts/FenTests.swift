import Primitives
import Records
import Testing

@Suite("Money is whole fen")
struct FenTests {
    @Test(
        "Yuan with at most two decimals are read exactly",
        arguments: [
            ("0", 0), ("0.00", 0), ("12", 1200), ("12.5", 1250), ("12.50", 1250), ("0.01", 1), ("007", 700),
            ("10000000", 1_000_000_000),
        ] as [(String, Int64)]
    )
    func read(text: String, fen: Int64) {
        #expect(Fen(yuan: text)?.value == fen)
    }

    @Test(
        "Anything else is no amount",
        arguments: [
            "", ".", ".5", "5.", "1.234", "-1", "+1", "1,000", " 1", "1e3", "１２", "¥1", "1.2.3", "10000000.01",
            "99999999999999999999999", "NaN",
        ]
    )
    func refused(text: String) {
        #expect(Fen(yuan: text) == nil)
    }

    @Test("What is written is read back")
    func text() {
        for value in [0, 1, 9, 10, 99, 100, 12_345, 1_000_000_000] as [Int64] {
            #expect(Fen(yuan: Fen(value).yuanText) == Fen(value))
        }
        #expect(Fen.yuanText(-105) == "-1.05")
        #expect(Fen.yuanText(.min) == "-92233720368547758.08")
    }

    @Test("The branch's price counts before the institution's and the organisation's, each from its time on")
    func prices() {
        func entry(_ scope: PriceList.Scope, _ time: Int64, _ fen: Int64, item: String = "CT") -> PriceList.Entry {
            PriceList.Entry(item: item, scope: scope, validFrom: Timestamp(milliseconds: time), amount: Fen(fen))
        }
        let list = PriceList([
            entry(.organisation, 0, 100), entry(.institution, 10, 200), entry(.branch("east"), 20, 0),
            entry(.branch("east"), 30, 400), entry(.branch("east"), 30, 500), entry(.organisation, 0, 1, item: "MR"),
        ])
        func amount(_ branch: String, _ time: Int64, _ item: String = "CT") -> Int64? {
            list.amount(of: item, branch: branch, at: Timestamp(milliseconds: time))?.value
        }
        #expect(amount("east", -1) == nil, "unset")
        #expect(amount("east", 0) == 100)
        #expect(amount("east", 10) == 200)
        #expect(amount("east", 20) == 0, "zero is a price")
        #expect(amount("east", 30) == 500)
        #expect(amount("west", 30) == 200)
        #expect(amount("west", 30, "MR") == 1)
        #expect(amount("west", 30, "DR") == nil)
    }

    @Test("A price that changes between match and decision is the one of the decision")
    func changedPrice() {
        let list = PriceList([
            PriceList.Entry(
                item: "CT",
                scope: .institution,
                validFrom: Timestamp(milliseconds: 0),
                amount: Fen(100)
            ),
            PriceList.Entry(
                item: "CT",
                scope: .institution,
                validFrom: Timestamp(milliseconds: 1500),
                amount: Fen(90)
            ),
        ])
        let match = Timestamp(milliseconds: 1000)
        let decision = Timestamp(milliseconds: 2000)
        #expect(list.amount(of: "CT", branch: "", at: match) == Fen(100))
        #expect(list.amount(of: "CT", branch: "", at: decision) == Fen(90))
    }
}
