/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z on the proleptic Gregorian calendar without leap seconds.
public struct Instant: Hashable, Sendable, Comparable {
    public let microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }
    public init(milliseconds: Int64) { microseconds = milliseconds * 1000 }
    public init(seconds: Int64) { microseconds = seconds * 1_000_000 }

    /// Milliseconds since 1970, rounded towards the past.
    public var milliseconds: Int64 { microseconds.floorDivided(by: 1000) }
    /// Seconds since 1970, rounded towards the past.
    public var seconds: Int64 { microseconds.floorDivided(by: 1_000_000) }

    public static func < (left: Instant, right: Instant) -> Bool { left.microseconds < right.microseconds }
    public func adding(seconds: Double) -> Instant { Instant(microseconds: microseconds + Int64((seconds * 1_000_000).rounded())) }
}

/// A calendar date and clock reading of UTC or of another fixed offset.
public struct CivilTime: Hashable, Sendable {
    public var year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, microsecond: Int

    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0) {
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second, self.microsecond) = (hour, minute, second, microsecond)
    }

    /// Whether the date exists and the clock reading is one (24:00 and leap seconds are not).
    public var isValid: Bool {
        (1...12).contains(month) && (1...CivilTime.dayCount(year: year, month: month)).contains(day)
            && (0...23).contains(hour) && (0...59).contains(minute) && (0...59).contains(second)
            && (0...999_999).contains(microsecond)
    }

    public static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Instant {
    /// The moment at which UTC shows `civil`.
    public init(utc civil: CivilTime) {
        let days = Self.dayNumber(year: civil.year, month: civil.month, day: civil.day)
        let seconds = ((days * 24 + civil.hour) * 60 + civil.minute) * 60 + civil.second
        microseconds = Int64(seconds) * 1_000_000 + Int64(civil.microsecond)
    }

    /// What UTC shows at this moment.
    public var utc: CivilTime {
        let days = Int(microseconds.floorDivided(by: 86_400_000_000))
        let remainder = Int(microseconds % 86_400_000_000)
        let inDay = remainder < 0 ? remainder + 86_400_000_000 : remainder
        let (year, month, day) = Self.date(dayNumber: days)
        let seconds = inDay / 1_000_000
        return CivilTime(
            year: year, month: month, day: day, hour: seconds / 3600, minute: seconds / 60 % 60, second: seconds % 60,
            microsecond: inDay % 1_000_000)
    }

    /// Days from 1970-01-01, by counting in 400-year eras that begin in March (after H. Hinnant's calendar algorithms).
    static func dayNumber(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func date(dayNumber: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = dayNumber + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthShifted = (5 * dayOfYear + 2) / 153
        let month = monthShifted < 10 ? monthShifted + 3 : monthShifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthShifted + 2) / 5 + 1)
    }
}

extension Instant: CustomStringConvertible {
    /// Parses an ISO 8601 date and time with `Z` or an offset, as NGSI-LD writes them (clause 4.6.3). The fraction may
    /// follow a dot or a comma; digits past the sixth are dropped. Nil when the text is anything else
    /// or its year in UTC is not within 0000 and 9999.
    public init?(_ text: String) {
        var text = text
        guard let parsed = text.withUTF8({ Instant(utf8: $0) }) else { return nil }
        self = parsed
    }

    /// The same of a text's bytes.
    package init?(utf8: UnsafeBufferPointer<UInt8>) {
        var reader = DigitReader(utf8)
        guard let year = reader.digits(4), reader.take("-"), let month = reader.digits(2), reader.take("-"),
            let day = reader.digits(2), reader.take("T"), let hour = reader.digits(2), reader.take(":"),
            let minute = reader.digits(2), reader.take(":"), let second = reader.digits(2),
            let microsecond = reader.fraction(), let offsetSeconds = reader.offset(), reader.isAtEnd
        else { return nil }
        let civil = CivilTime(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second, microsecond: microsecond)
        guard civil.isValid else { return nil }
        let moment = Instant(microseconds: Instant(utc: civil).microseconds - Int64(offsetSeconds) * 1_000_000)
        guard (0...9999).contains(moment.utc.year) else { return nil }
        self = moment
    }

    /// ISO 8601 in UTC with as many fraction digits as needed: none, three or six.
    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(27)
        appendDateTime(to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The same without the `Z`, in ASCII.
    public func appendDateTime(to bytes: inout [UInt8]) {
        let civil = utc
        func two(_ number: Int, _ separator: UInt8? = nil) {
            bytes.append(48 + UInt8(truncatingIfNeeded: number / 10))
            bytes.append(48 + UInt8(truncatingIfNeeded: number % 10))
            if let separator { bytes.append(separator) }
        }
        // Arithmetic can lead beyond the years that the form has; it ends at its borders.
        let year = min(max(civil.year, 0), 9999)
        two(year / 100)
        two(year % 100, UInt8(ascii: "-"))
        two(civil.month, UInt8(ascii: "-"))
        two(civil.day, UInt8(ascii: "T"))
        two(civil.hour, UInt8(ascii: ":"))
        two(civil.minute, UInt8(ascii: ":"))
        two(civil.second)
        guard civil.microsecond != 0 else { return }
        bytes.append(UInt8(ascii: "."))
        two(civil.microsecond / 10_000)
        let rest = civil.microsecond % 10_000
        bytes.append(48 + UInt8(truncatingIfNeeded: rest / 1000))
        guard civil.microsecond % 1000 != 0 else { return }
        bytes.append(48 + UInt8(truncatingIfNeeded: rest / 100 % 10))
        two(rest % 100)
    }
}

/// Reads fixed-width digits and separators from ASCII text.
private struct DigitReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { index == bytes.count }

    private var digit: Int? {
        guard index < bytes.count, bytes[index] >= 48, bytes[index] <= 57 else { return nil }
        return Int(bytes[index] - 48)
    }

    mutating func digits(_ count: Int) -> Int? {
        var number = 0
        for _ in 0..<count {
            guard let digit else { return nil }
            number = number * 10 + digit
            index += 1
        }
        return number
    }

    mutating func take(_ separator: Unicode.Scalar) -> Bool {
        guard index < bytes.count, UInt32(bytes[index]) == separator.value else { return false }
        index += 1
        return true
    }

    /// Microseconds; 0 when there is no fraction, nil when a separator is followed by no digit.
    mutating func fraction() -> Int? {
        guard take(".") || take(",") else { return 0 }
        var number = 0, count = 0
        while let digit {
            index += 1
            if count < 6 { number = number * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in min(count, 6)..<6 { number *= 10 }
        return number
    }

    /// Seconds east of UTC: `Z`, `+hh:mm`, `-hh:mm`, `+hhmm`.
    mutating func offset() -> Int? {
        if take("Z") { return 0 }
        let sign: Int
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = digits(2) else { return nil }
        _ = take(":")
        guard let minutes = digits(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}

extension Int64 {
    /// Division that rounds towards negative infinity. `divisor` is positive.
    func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
