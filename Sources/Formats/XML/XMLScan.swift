/// Looks over a text before the parser sees it, for what the parser itself would not survive or must not obey.
enum XMLScan {
    /// The widest elements of CDA have a dozen attributes; the parser compares each with each.
    static let attributesMax = 256

    /// Refuses a document type declaration, and tags with too many attributes.
    ///
    /// A text that is not well-formed may end the scan early: the parser refuses it for that.
    static func check(_ text: [UInt8]) throws(XMLError) {
        var scanner = Scanner(text: text)
        while scanner.skip(to: UInt8(ascii: "<")) {
            let start = scanner.index
            if scanner.take("<!--") {
                scanner.skip(past: "-->")
            } else if scanner.take("<![CDATA[") {
                scanner.skip(past: "]]>")
            } else if scanner.take("<!") {
                throw XMLError(code: .documentType, offset: start)
            } else if scanner.take("<?") {
                scanner.skip(past: "?>")
            } else {
                guard scanner.tag() <= Self.attributesMax else {
                    throw XMLError(code: .tooManyAttributes, offset: start)
                }
            }
        }
    }

    private struct Scanner {
        let text: [UInt8]
        var index = 0

        /// Stops at the next `byte`, or returns `false` at the end.
        mutating func skip(to byte: UInt8) -> Bool {
            while self.index < self.text.count {
                if self.text[self.index] == byte { return true }
                self.index += 1
            }
            return false
        }

        mutating func take(_ prefix: StaticString) -> Bool {
            let length = prefix.utf8CodeUnitCount
            guard self.matches(prefix, at: self.index) else { return false }
            self.index += length
            return true
        }

        mutating func skip(past end: StaticString) {
            while self.index < self.text.count {
                if self.matches(end, at: self.index) {
                    self.index += end.utf8CodeUnitCount
                    return
                }
                self.index += 1
            }
        }

        private func matches(_ string: StaticString, at start: Int) -> Bool {
            let length = string.utf8CodeUnitCount
            guard start + length <= self.text.count else { return false }
            for offset in 0..<length where unsafe self.text[start + offset] != string.utf8Start[offset] { return false }
            return true
        }

        /// Moves behind a tag and counts its attributes.
        mutating func tag() -> Int {
            var count = 0
            self.index += 1
            while self.index < self.text.count {
                let byte = self.text[self.index]
                self.index += 1
                switch byte {
                case UInt8(ascii: ">"): return count
                case UInt8(ascii: "="): count += 1
                case UInt8(ascii: "\""), UInt8(ascii: "'"):
                    guard self.skip(to: byte) else { return count }
                    self.index += 1
                default: break
                }
            }
            return count
        }
    }
}
