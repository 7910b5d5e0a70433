/// A person who does not exist: the number's area code belongs to no place.
struct SyntheticPatient: Sendable {
    private static let families = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙"]
    private static let givens = ["秀英", "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "艳", "勇", "杰"]
    private static let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    private static let checks = Array("10X98765432")

    let index: Int
    let name: String
    let isFemale: Bool
    let birthDate: String
    let residentNumber: String

    /// The `index`-th person; the same one every time.
    init(_ index: Int) {
        var random = SeededRandom(UInt64(index) &+ 0x5eed)
        self.index = index
        self.name = Self.families[Int(random.next() % 12)] + Self.givens[Int(random.next() % 14)]
        // Together these are different for the first ten million people.
        let day = index / 1000
        let year = 1930 + day / 336 % 80
        let month = day / 28 % 12 + 1
        let dayOfMonth = day % 28 + 1
        self.birthDate = "\(year)-\(Self.two(month))-\(Self.two(dayOfMonth))"
        let order = index % 1000
        self.isFemale = order.isMultiple(of: 2)
        let digits = "999999\(year)\(Self.two(month))\(Self.two(dayOfMonth))" + String(String(order + 1000).dropFirst())
        // GB 11643: ISO 7064 MOD 11-2.
        let sum = zip(digits, Self.weights).reduce(0) { $0 + ($1.0.wholeNumberValue ?? 0) * $1.1 }
        self.residentNumber = digits + String(Self.checks[sum % 11])
    }

    /// As the command line takes it.
    var identifier: String { "CN-RIC:" + self.residentNumber }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
