/// A piece of input for somebody to see what is wrong with it, on a screen that others may see too.
enum Excerpt {
    /// Enough for a message's first segments or a row.
    private static let charactersMax = 2000
    /// Card, telephone and record numbers are longer; results, codes and dates in parts are not.
    private static let digitsMin = 6

    /// The beginning of `text`, with all but the last two digits of long numbers hidden.
    ///
    /// A time without separators is such a number too. Names are not recognised: this hides what identifies, not who.
    static func masked(_ text: String) -> String {
        var masked = ""
        var number = ""
        func flush() {
            let isLong = number.count >= self.digitsMin
            masked += isLong ? String(repeating: "*", count: number.count - 2) + number.suffix(2) : number
            number = ""
        }
        for character in text.prefix(self.charactersMax) {
            if character.isWholeNumber {
                number.append(character)
            } else {
                flush()
                masked.append(character)
            }
        }
        flush()
        return text.count > self.charactersMax ? masked + "…" : masked
    }
}
