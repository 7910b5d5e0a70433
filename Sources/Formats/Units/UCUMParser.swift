/// Reads unit expressions by the grammar of UCUM (section 2, table 1).
///
/// Two things go beyond the grammar because LOINC's own units need them: an annotation may follow a number
/// (`/100{WBC}`), and a parenthesis. Division is read from left to right, also after a leading slash: `/a.b` is `b/a`
/// (UCUM section 2.3; the definition of the oersted depends on it).
struct UCUMParser {
    /// No unit in use nests twice.
    static let depthMax = 8
    /// Bits of a factor: 2^1024 is beyond 10^300.
    static let bitsMax = 1024
    static let exponentMax = 99

    /// What has been multiplied so far.
    private struct Product {
        var dimension = UnitDimension.none
        var factor = Ratio.one
        var scale = UCUMUnit.Scale.ratio
        var annotations: [String] = []
        var hasUnits = false
        var amountsAbove = false
        var amountsBelow = false
        var terms = 0
    }

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private let table: UCUMTable

    private init(_ bytes: [UInt8], table: UCUMTable) {
        self.bytes = bytes
        self.table = table
    }

    static func unit(_ code: some StringProtocol, table: UCUMTable) throws(UnitRefusal) -> UCUMUnit {
        guard !code.isEmpty else { throw .empty }
        let bytes = Array(code.utf8)
        guard bytes.count <= UCUMUnit.bytesMax else { throw .tooLong }
        var parser = UCUMParser(bytes, table: table)
        let isInverted = parser.take(UInt8(ascii: "/"))
        let product = try parser.term(isInverted: isInverted)
        guard parser.position == bytes.count else { throw .syntax }
        let amounts = UCUMTable.amounts.contains { product.dimension[$0] != 0 }
        return UCUMUnit(
            code: String(code),
            dimension: product.dimension,
            factor: product.factor,
            scale: product.scale,
            annotations: product.annotations,
            isBareAnnotation: !product.hasUnits,
            isAmountFraction: product.amountsAbove && product.amountsBelow && !amounts
        )
    }

    /// One unit with its prefix, without exponent or annotation.
    static func isSimpleUnit(_ code: String, table: UCUMTable) -> Bool { table.atom(code) != nil }

    private var next: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard self.next == byte else { return false }
        self.position += 1
        return true
    }

    private mutating func term(isInverted: Bool) throws(UnitRefusal) -> Product {
        var product = Product()
        var isInverted = isInverted
        while true {
            try self.component(into: &product, isInverted: isInverted)
            if self.take(UInt8(ascii: ".")) {
                isInverted = false
            } else if self.take(UInt8(ascii: "/")) {
                isInverted = true
            } else {
                return product
            }
        }
    }

    private mutating func component(into product: inout Product, isInverted: Bool) throws(UnitRefusal) {
        guard let first = self.next else { throw .syntax }
        switch first {
        case UInt8(ascii: "("):
            guard self.depth < Self.depthMax else { throw .tooDeep }
            self.depth += 1
            self.position += 1
            let inner = try self.term(isInverted: false)
            guard self.take(UInt8(ascii: ")")) else { throw .syntax }
            self.depth -= 1
            try Self.multiply(&product, by: inner, isInverted: isInverted)
            try self.annotation(into: &product)
        case UInt8(ascii: "{"):
            try self.annotation(into: &product)
            product.terms += 1
        case _ where JSONReader.isDigit(first) && !self.isPowerOfTen:
            let factor = try self.number()
            try Self.multiply(&product, by: Product(factor: factor, hasUnits: true, terms: 1), isInverted: isInverted)
            try self.annotation(into: &product)
        default:
            let unit = try self.simpleUnit()
            try Self.multiply(&product, by: unit, isInverted: isInverted)
            try self.annotation(into: &product)
        }
    }

    /// `10*` and `10^` are units that begin with digits.
    private var isPowerOfTen: Bool {
        let rest = self.bytes[self.position...]
        return rest.starts(with: "10*".utf8) || rest.starts(with: "10^".utf8)
    }

    private mutating func number() throws(UnitRefusal) -> Ratio {
        let start = self.position
        while let byte = self.next, JSONReader.isDigit(byte) { self.position += 1 }
        let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        guard text.utf8.count <= 30, let number = DecimalNumber(text) else { throw .tooLarge }
        guard !number.digits.isZero else { throw .zeroFactor }
        return Ratio(number.digits)
    }

    private mutating func simpleUnit() throws(UnitRefusal) -> Product {
        let start = self.position
        if self.isPowerOfTen {
            self.position += 3
        } else {
            var isInside = false
            scan: while let byte = self.next {
                switch byte {
                case UInt8(ascii: "["): isInside = true
                case UInt8(ascii: "]"): isInside = false
                case 0x21...0x7e where isInside: break
                case _ where Self.endsUnit(byte): break scan
                case 0x21...0x7e: break
                default: throw .syntax
                }
                self.position += 1
            }
        }
        guard self.position > start else { throw .syntax }
        let code = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        guard let atom = self.table.atom(code) else { throw .unknown }
        let exponent = try self.exponent()
        var unit = Product(scale: atom.scale, hasUnits: true, terms: 1)
        guard exponent == 1 || atom.scale == .ratio else { throw .specialInProduct }
        unit.dimension = unit.dimension.multiplied(by: atom.dimension, exponent: exponent)
        unit.factor = try Self.power(atom.factor, exponent)
        let amount = UCUMTable.amounts.reduce(0) { $0 + unit.dimension[$1] }
        unit.amountsAbove = amount > 0
        unit.amountsBelow = amount < 0
        return unit
    }

    /// Digits and signs begin an exponent, the rest is punctuation of the grammar.
    private static func endsUnit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "{"),
            UInt8(ascii: "}"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private mutating func exponent() throws(UnitRefusal) -> Int {
        guard let first = self.next else { return 1 }
        let isSigned = first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
        guard isSigned || JSONReader.isDigit(first) else { return 1 }
        if isSigned { self.position += 1 }
        var value = 0
        let start = self.position
        while let byte = self.next, JSONReader.isDigit(byte) {
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            guard value <= Self.exponentMax else { throw .badExponent }
            self.position += 1
        }
        guard self.position > start, value > 0 else { throw .badExponent }
        return first == UInt8(ascii: "-") ? -value : value
    }

    private mutating func annotation(into product: inout Product) throws(UnitRefusal) {
        guard self.take(UInt8(ascii: "{")) else { return }
        let start = self.position
        while let byte = self.next, byte != UInt8(ascii: "}") {
            guard (0x21...0x7e).contains(byte), byte != UInt8(ascii: "{") else { throw .badAnnotation }
            self.position += 1
        }
        let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        guard self.take(UInt8(ascii: "}")) else { throw .badAnnotation }
        product.annotations.append(text)
    }

    private static func power(_ base: Ratio, _ exponent: Int) throws(UnitRefusal) -> Ratio {
        guard let result = base.power(abs(exponent), bitsMax: Self.bitsMax) else { throw .tooLarge }
        return exponent < 0 ? result.inverse ?? .one : result
    }

    private static func multiply(_ product: inout Product, by other: Product, isInverted: Bool) throws(UnitRefusal) {
        product.terms += other.terms
        // A temperature or a level stands alone: what its product with something else means is not defined (UCUM 4.2).
        guard product.terms == 1 || (product.scale == .ratio && other.scale == .ratio),
            !isInverted || other.scale == .ratio
        else { throw .specialInProduct }
        product.dimension = product.dimension.multiplied(by: other.dimension, exponent: isInverted ? -1 : 1)
        product.factor = product.factor * (isInverted ? other.factor.inverse ?? .one : other.factor)
        guard product.factor.bitCount <= Self.bitsMax else { throw .tooLarge }
        if other.scale != .ratio { product.scale = other.scale }
        product.annotations += other.annotations
        product.hasUnits = product.hasUnits || other.hasUnits
        product.amountsAbove = product.amountsAbove || (isInverted ? other.amountsBelow : other.amountsAbove)
        product.amountsBelow = product.amountsBelow || (isInverted ? other.amountsAbove : other.amountsBelow)
    }
}
