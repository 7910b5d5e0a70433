import Foundation

extension String {
    /// The text in Unicode form C, so that one name is one sequence of characters whoever typed it.
    ///
    /// ASCII, which most texts are, is in that form already.
    var composed: String {
        self.utf8.allSatisfy { $0 < 0x80 } ? self : self.precomposedStringWithCanonicalMapping
    }

    /// An identifier as it is compared: form C, and the full-width letters and digits of Chinese input methods as ASCII.
    var composedIdentifier: String {
        guard !self.utf8.allSatisfy({ $0 < 0x80 }) else { return self }
        var folded = String.UnicodeScalarView()
        for scalar in self.composed.unicodeScalars {
            let isFullWidth = (0xff01...0xff5e).contains(scalar.value)
            folded.append(isFullWidth ? Unicode.Scalar(scalar.value - 0xfee0) ?? scalar : scalar)
        }
        return String(folded)
    }
}
