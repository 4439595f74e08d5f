/// How a time is written: a named form, or a pattern of the letters that `strptime` made usual.
public enum TimeFormat: Hashable, Sendable {
    /// Date, or date and time, with or without offset: `2024-02-29`, `2024-02-29T12:30:00+01:00`, `2024-02-29 12:30`.
    case iso8601
    /// Seconds since 1970 UTC, with or without fraction.
    case unixSeconds
    case unixMilliseconds
    /// Days of the 1900 date system of spreadsheets: 40347 is 2010-06-18.
    case excelSerial
    case pattern([Element])

    public enum Element: Hashable, Sendable {
        /// `%Y`: four digits.
        case year
        /// `%y`: two digits; 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068 (POSIX).
        case yearOfCentury
        /// `%m`, `%d`, `%H`, `%M`, `%S`: one or two digits; two where no separator follows.
        case month, day, hour, minute, second
        /// `%I` with `%p`: hours of the half day, `AM` or `PM`.
        case hourOfHalfDay, halfDay
        /// `%f`: one to nine digits after the decimal sign.
        case fraction
        /// `%z`: `Z`, `+hh:mm`, `+hhmm` or `+hh`.
        case offset
        /// `%b`: the English month name or its first three letters.
        case monthName
        /// `%*`, at the end only: whatever follows does not count, such as the end of an interval.
        case rest
        /// Anything else stands for itself; a blank for any number of blanks.
        case literal(UInt8)
    }

    public static let names = ["iso8601", "unix", "unix-ms", "excel-serial"]

    /// Nil when the text is neither a name nor a pattern that fixes a date.
    public init?(_ text: String) {
        switch text {
        case "iso8601": self = .iso8601
        case "unix": self = .unixSeconds
        case "unix-ms": self = .unixMilliseconds
        case "excel-serial": self = .excelSerial
        default:
            guard let elements = Self.elements(text), Self.isComplete(elements) else { return nil }
            self = .pattern(elements)
        }
    }

    private static func elements(_ text: String) -> [Element]? {
        var elements: [Element] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                elements.append(.literal(byte))
                continue
            }
            guard let letter = bytes.popFirst(), let element = element(letter) else { return nil }
            elements.append(contentsOf: element)
        }
        return elements.count <= 64 ? elements : nil
    }

    private static func element(_ letter: UInt8) -> [Element]? {
        switch letter {
        case UInt8(ascii: "Y"): [.year]
        case UInt8(ascii: "y"): [.yearOfCentury]
        case UInt8(ascii: "m"): [.month]
        case UInt8(ascii: "d"): [.day]
        case UInt8(ascii: "H"): [.hour]
        case UInt8(ascii: "I"): [.hourOfHalfDay]
        case UInt8(ascii: "p"): [.halfDay]
        case UInt8(ascii: "M"): [.minute]
        case UInt8(ascii: "S"): [.second]
        case UInt8(ascii: "f"): [.fraction]
        case UInt8(ascii: "z"): [.offset]
        case UInt8(ascii: "b"): [.monthName]
        case UInt8(ascii: "*"): [.rest]
        case UInt8(ascii: "F"): [.year, .literal(UInt8(ascii: "-")), .month, .literal(UInt8(ascii: "-")), .day]
        case UInt8(ascii: "T"): [.hour, .literal(UInt8(ascii: ":")), .minute, .literal(UInt8(ascii: ":")), .second]
        case UInt8(ascii: "%"): [.literal(UInt8(ascii: "%"))]
        default: nil
        }
    }

    /// Whether a pattern says at least the year; what is finer and missing is the first month, day, or midnight.
    private static func isComplete(_ elements: [Element]) -> Bool {
        (elements.contains(.year) || elements.contains(.yearOfCentury))
            && !elements.dropLast().contains(.rest) && elements.contains(.hourOfHalfDay) == elements.contains(.halfDay)
    }
}
