import Primitives

/// One value of a type that the vector files name.
enum CanonicalSample {
    static let textMax = 64
    static let listMax = 4
    static let variants: UInt32 = .max

    static func encode(type: String, value: String) -> [UInt8]? {
        var encoder = CanonicalEncoder()
        switch type {
        case "bool": encoder.encode(value == "true")
        case "u8": encoder.encode(UInt8(value) ?? 0)
        case "u16": encoder.encode(UInt16(value) ?? 0)
        case "u32": encoder.encode(UInt32(value) ?? 0)
        case "u64": encoder.encode(UInt64(value) ?? 0)
        case "i64": encoder.encode(Int64(value) ?? 0)
        case "length": encoder.encode(length: Int(value) ?? 0)
        case "variant": encoder.encode(variant: UInt32(value) ?? 0)
        case "string": encoder.encode(value)
        case "bytes": encoder.encode(bytes: Hex.decode(value) ?? [])
        case "fixed": encoder.encode(fixed: Hex.decode(value) ?? [])
        case "strings": encoder.encode(value.split(separator: ",").map(String.init))
        case "optional-u64": encoder.encode(UInt64(value))
        case "optional-u32": encoder.encode(UInt32(value))
        case "optional-string": encoder.encode(value == "none" ? nil : value)
        default: return nil
        }
        return encoder.bytes
    }

    /// Reads the whole of `bytes` as a value of `type` and writes it as the vector files do.
    static func decode(
        type: String,
        bytes: [UInt8],
        textMax: Int = Self.textMax,
        variants: UInt32 = Self.variants
    ) throws(CanonicalError) -> String? {
        var decoder = CanonicalDecoder(bytes)
        let value: String?
        switch type {
        case "bool": value = String(try decoder.decode(Bool.self))
        case "u8": value = String(try decoder.decode(UInt8.self))
        case "u16": value = String(try decoder.decode(UInt16.self))
        case "u32": value = String(try decoder.decode(UInt32.self))
        case "u64": value = String(try decoder.decode(UInt64.self))
        case "i64": value = String(try decoder.decode(Int64.self))
        case "length": value = String(try decoder.decodeLength(max: CanonicalDecoder.lengthMax))
        case "variant": value = String(try decoder.decodeVariant(count: variants))
        case "string": value = try decoder.decodeString(max: textMax)
        case "bytes": value = Hex.encode(try decoder.decodeBytes(max: textMax))
        case "fixed": value = Hex.encode(try decoder.decode(fixed: 3))
        case "strings":
            value = try decoder.decodeStrings(max: Self.listMax, lengthMax: textMax).joined(separator: ",")
        case "optional-u64": value = try decoder.decodeOptionalUInt64().map { String($0) } ?? "none"
        case "optional-u32": value = try decoder.decodeOptionalUInt32().map { String($0) } ?? "none"
        case "optional-string": value = try decoder.decodeOptionalString(max: textMax) ?? "none"
        default: value = nil
        }
        try decoder.finish()
        return value
    }
}
