import Primitives
import Records

/// Reads dates and times of DICOM (PS3.5 table 6.2-1: DA, TM, DT), and the older forms with dots and colons that its
/// notes ask readers to take.
enum DICOMTime {
    /// A date, `YYYYMMDD` or `YYYY.MM.DD`.
    static func date(_ text: String) -> ClinicalTime? { self.dateTime(date: text, time: nil, offset: nil) }

    /// A date with a time, `HH`, `HHMM`, `HHMMSS` or `HHMMSS.F` to six digits, or with colons between; and an offset
    /// from UTC in minutes.
    ///
    /// The text is that of a DT value: date, time and offset one after the other, with the digits of the source.
    static func dateTime(date: String, time: String?, offset: (text: String, minutes: Int)?) -> ClinicalTime? {
        guard let day = self.day(date) else { return nil }
        var milliseconds = Int64(day.daysSinceEpoch) * 86_400_000
        var precision = ClinicalTime.Precision.day
        var text = date
        if let time {
            guard let read = self.timeOfDay(time) else { return nil }
            milliseconds += read.milliseconds
            precision = read.precision
            // Only digits may be joined without making something else of them.
            text += date.utf8.count == 8 && !time.utf8.contains(UInt8(ascii: ":")) ? time : " " + time
        }
        let counts = time == nil ? nil : offset
        return ClinicalTime(
            text: text + (counts?.text ?? ""),
            precision: precision,
            offsetMinutes: counts?.minutes,
            earliest: Timestamp(milliseconds: milliseconds - Int64(counts?.minutes ?? 0) * 60_000)
        )
    }

    /// A DT value, `YYYYMMDDHHMMSS.F&ZZXX`, of which everything after the year may be missing from the end.
    static func combined(_ text: String) -> ClinicalTime? {
        var rest = text[...]
        var offset: (text: String, minutes: Int)?
        if let sign = rest.utf8.lastIndex(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }) {
            guard let minutes = self.offset(String(rest[sign...])) else { return nil }
            offset = (String(rest[sign...]), minutes)
            rest = rest[..<sign]
        }
        if rest.utf8.count > 8 {
            return self.dateTime(date: String(rest.prefix(8)), time: String(rest.dropFirst(8)), offset: offset)
        }
        guard let digits = self.digits(rest.utf8), [4, 6, 8].contains(rest.utf8.count) else { return nil }
        let count = rest.utf8.count
        let (year, month, dayOfMonth) =
            count == 4
            ? (digits, 1, 1)
            : count == 6 ? (digits / 100, digits % 100, 1) : (digits / 10_000, digits / 100 % 100, digits % 100)
        guard let day = GregorianDate(year: year, month: month, day: dayOfMonth) else { return nil }
        return ClinicalTime(
            text: text,
            precision: count == 4 ? .year : count == 6 ? .month : .day,
            offsetMinutes: offset?.minutes,
            earliest: Timestamp(
                milliseconds: Int64(day.daysSinceEpoch) * 86_400_000 - Int64(offset?.minutes ?? 0) * 60_000
            )
        )
    }

    /// `&ZZXX`, -1200 to +1400, in minutes; -0000 is not allowed (PS3.5 table 6.2-1).
    static func offset(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
            let number = self.digits(bytes[1...]), number % 100 < 60
        else { return nil }
        let minutes = number / 100 * 60 + number % 100
        let isWest = bytes[0] == UInt8(ascii: "-")
        guard isWest ? (1...720).contains(minutes) : minutes <= 840 else { return nil }
        return isWest ? -minutes : minutes
    }

    /// A TM value as `hh:mm:ss` with its fraction, as far as it goes; `nil` if it is no time of day.
    static func clock(_ text: String) -> String? {
        guard self.timeOfDay(text) != nil else { return nil }
        guard !text.utf8.contains(UInt8(ascii: ":")) else { return text }
        var clock = ""
        for (index, digit) in text.enumerated() {
            if index == 2 || index == 4 { clock.append(":") }
            clock.append(digit)
        }
        return clock
    }

    private static func day(_ text: String) -> GregorianDate? {
        var bytes = Array(text.utf8)
        if bytes.count == 10, bytes[4] == UInt8(ascii: "."), bytes[7] == UInt8(ascii: ".") {
            bytes.remove(at: 7)
            bytes.remove(at: 4)
        }
        guard bytes.count == 8, let number = self.digits(bytes) else { return nil }
        return GregorianDate(year: number / 10_000, month: number / 100 % 100, day: number % 100)
    }

    private static func timeOfDay(_ text: String) -> (milliseconds: Int64, precision: ClinicalTime.Precision)? {
        var bytes = Array(text.utf8)
        var fraction: ArraySlice<UInt8>?
        if let dot = bytes.firstIndex(of: UInt8(ascii: ".")) {
            fraction = bytes[(dot + 1)...]
            bytes.removeSubrange(dot...)
        }
        if bytes.count == 5 || bytes.count == 8, bytes[2] == UInt8(ascii: ":") {
            if bytes.count == 8 {
                guard bytes[5] == UInt8(ascii: ":") else { return nil }
                bytes.remove(at: 5)
            }
            bytes.remove(at: 2)
        }
        guard let number = self.digits(bytes), [2, 4, 6].contains(bytes.count) else { return nil }
        let (hour, minute, second) =
            bytes.count == 2
            ? (number, 0, 0)
            : bytes.count == 4 ? (number / 100, number % 100, 0) : (number / 10_000, number / 100 % 100, number % 100)
        // 60 stands for a leap second.
        guard hour < 24, minute < 60, second <= 60 else { return nil }
        let milliseconds = Int64((hour * 60 + minute) * 60 + second) * 1000
        guard let fraction else {
            return (milliseconds, bytes.count == 2 ? .hour : bytes.count == 4 ? .minute : .second)
        }
        guard bytes.count == 6, (1...6).contains(fraction.count), self.digits(fraction) != nil else { return nil }
        var (thousandths, weight) = (Int64(0), Int64(100))
        for digit in fraction.prefix(3) {
            thousandths += Int64(digit - UInt8(ascii: "0")) * weight
            weight /= 10
        }
        return (milliseconds + thousandths, .fraction)
    }

    private static func digits(_ bytes: some Collection<UInt8>) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 14 else { return nil }
        var number = 0
        for byte in bytes {
            guard JSONReader.isDigit(byte) else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }
}
