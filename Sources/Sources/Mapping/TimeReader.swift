internal import CityModel

/// Reads times of one format and zone.
final class TimeReader {
    /// Why a text is not a time.
    struct Invalid: Error, Hashable {
        let reason: String
    }

    private let format: TimeFormat
    private let clock: ZoneClock
    private let ambiguous: AmbiguousTime

    init(_ format: TimeFormat, zone: String, _ ambiguous: AmbiguousTime) throws(SourceError) {
        self.format = format
        self.ambiguous = ambiguous
        clock = try ZoneClock(zone: zone)
    }

    func instant(_ text: ArraySlice<UInt8>) throws(Invalid) -> Instant {
        switch format {
        case .unixSeconds: return try count(text, microsecondsPerUnit: 1_000_000)
        case .unixMilliseconds: return try count(text, microsecondsPerUnit: 1000)
        case .iso8601, .excelSerial, .pattern:
            let reading = try reading(text)
            guard let offset = reading.offsetSeconds else { return try clock.instant(reading.civil, ambiguous: ambiguous) }
            return Instant(microseconds: Instant(utc: reading.civil).microseconds - Int64(offset) * 1_000_000)
        }
    }

    /// The calendar date that the text shows, in its own zone.
    func date(_ text: ArraySlice<UInt8>) throws(Invalid) -> CivilTime {
        switch format {
        case .unixSeconds, .unixMilliseconds: return try instant(text).utc
        case .iso8601, .excelSerial, .pattern: return try reading(text).civil
        }
    }

    private func reading(_ text: ArraySlice<UInt8>) throws(Invalid) -> ClockReading {
        let reading: ClockReading?
        switch format {
        case .iso8601: reading = ClockReading(iso8601: text)
        case .excelSerial: reading = ClockReading(excelSerial: text)
        case .pattern(let elements): reading = ClockReading(text, elements)
        case .unixSeconds, .unixMilliseconds: reading = nil
        }
        guard let reading else { throw .init(reason: "the text is not written as declared") }
        guard reading.civil.isValid else { throw .init(reason: "there is no such date or time of day") }
        return reading
    }

    private func count(_ text: ArraySlice<UInt8>, microsecondsPerUnit: Int64) throws(Invalid) -> Instant {
        switch NumberReader(format: NumberFormat()).json(text) {
        case .integer(let count):
            let (microseconds, overflows) = count.multipliedReportingOverflow(by: microsecondsPerUnit)
            guard !overflows, abs(count) < 400_000_000_000 * (1_000_000 / microsecondsPerUnit) else { break }
            return Instant(microseconds: microseconds)
        case .number(let count) where abs(count * Double(microsecondsPerUnit)) < 4e17:
            return Instant(microseconds: Int64((count * Double(microsecondsPerUnit)).rounded()))
        default: break
        }
        throw .init(reason: "the text is not a number of \(microsecondsPerUnit == 1000 ? "milliseconds" : "seconds") since 1970")
    }
}

/// What a clock showed, with its offset from UTC when that was written too.
struct ClockReading {
    var civil = CivilTime(year: 0, month: 1, day: 1)
    var offsetSeconds: Int?

    init?(iso8601 text: ArraySlice<UInt8>) {
        var cursor = TimeCursor(rest: text)
        guard let year = cursor.digits(4...4) else { return nil }
        civil.year = year
        // Months, days and times may be left off from the right; separators may not.
        if cursor.take("-") {
            guard let month = cursor.digits(2...2) else { return nil }
            civil.month = month
            if cursor.take("-") {
                guard let day = cursor.digits(2...2) else { return nil }
                civil.day = day
                if !cursor.rest.isEmpty, !timeOfDay(&cursor) { return nil }
            }
        }
        guard cursor.rest.isEmpty else { return nil }
    }

    private mutating func timeOfDay(_ cursor: inout TimeCursor) -> Bool {
        guard cursor.take("T") || cursor.take("t") || cursor.take(" "), let hour = cursor.digits(2...2), cursor.take(":"),
            let minute = cursor.digits(2...2)
        else { return false }
        (civil.hour, civil.minute) = (hour, minute)
        if cursor.take(":") {
            guard let second = cursor.digits(2...2) else { return false }
            civil.second = second
            if cursor.take(".") || cursor.take(",") {
                guard let microsecond = cursor.fraction() else { return false }
                civil.microsecond = microsecond
            }
        }
        if cursor.rest.isEmpty { return true }
        offsetSeconds = cursor.offset()
        return offsetSeconds != nil
    }

    /// Day 60 is 29 February 1900, which never was; days before it count from one day later.
    init?(excelSerial text: ArraySlice<UInt8>) {
        guard
            let serial = NumberReader(format: NumberFormat()).double(text)
                ?? NumberReader(
                    format: NumberFormat(decimalSeparator: UInt8(ascii: ","))
                ).double(text), serial >= 1, serial < 2_958_466,
            Int(serial) != 60
        else { return nil }
        let days = serial < 60 ? serial + 1 : serial
        let microseconds = ((days - 25_569) * 86_400_000).rounded() * 1000
        civil = Instant(microseconds: Int64(microseconds)).utc
    }

    init?(_ text: ArraySlice<UInt8>, _ elements: [TimeFormat.Element]) {
        var cursor = TimeCursor(rest: text)
        var isAfternoon: Bool?
        for (index, element) in elements.enumerated() {
            let next = index + 1 < elements.count ? elements[index + 1] : nil
            let width = cursor.width(before: next)
            switch element {
            case .rest: cursor.rest = []
            case .literal(let byte): guard cursor.take(literal: byte) else { return nil }
            case .halfDay:
                guard let afternoon = cursor.halfDay() else { return nil }
                isAfternoon = afternoon
            case .monthName:
                guard let month = cursor.monthName() else { return nil }
                civil.month = month
            case .fraction:
                guard let microsecond = cursor.fraction() else { return nil }
                civil.microsecond = microsecond
            case .offset:
                guard let offset = cursor.offset() else { return nil }
                offsetSeconds = offset
            default: guard number(element, &cursor, width) else { return nil }
            }
        }
        guard cursor.rest.isEmpty else { return nil }
        if let isAfternoon {
            guard (1...12).contains(civil.hour) else { return nil }
            civil.hour = civil.hour % 12 + (isAfternoon ? 12 : 0)
        }
    }

    private mutating func number(_ element: TimeFormat.Element, _ cursor: inout TimeCursor, _ width: ClosedRange<Int>) -> Bool {
        switch element {
        case .year: return cursor.digits(4...4).map { civil.year = $0 } != nil
        case .yearOfCentury: return cursor.digits(2...2).map { civil.year = $0 >= 69 ? 1900 + $0 : 2000 + $0 } != nil
        case .month: return cursor.digits(width).map { civil.month = $0 } != nil
        case .day: return cursor.digits(width).map { civil.day = $0 } != nil
        case .hour, .hourOfHalfDay: return cursor.digits(width).map { civil.hour = $0 } != nil
        case .minute: return cursor.digits(width).map { civil.minute = $0 } != nil
        case .second: return cursor.digits(width).map { civil.second = $0 } != nil
        default: return false
        }
    }
}
