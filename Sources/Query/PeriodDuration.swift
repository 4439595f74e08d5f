public import CityModel

/// The length of an aggregation period (clause 4.5.19.1): an ISO 8601 duration, of which months and years are those of the
/// calendar.
public struct PeriodDuration: Hashable, Sendable {
    public let months: Int
    public let microseconds: Int64

    /// Zero stands for the whole time range.
    public static let wholeRange = PeriodDuration(months: 0, microseconds: 0)
    /// Larger numbers in one designator are refused.
    public static let numberMax = 1_000_000

    public init(months: Int, microseconds: Int64) { (self.months, self.microseconds) = (months, microseconds) }

    public var isWholeRange: Bool { months == 0 && microseconds == 0 }

    /// Parses `P3Y6M4DT12H30M5.5S` or `P2W`; only seconds may have a fraction. Nil when the text is anything else, and for
    /// more than 10 000 years.
    public init?(_ text: String) {
        var rest = Substring(text)
        guard rest.popFirst() == "P", !rest.isEmpty else { return nil }
        var (months, microseconds) = (0, Int64(0))
        // Weeks stand alone; of the others, each comes at most once and in order.
        var designators = rest.last == "W" ? Self.weekDesignator[...] : Self.dateDesignators[...]
        var isTime = false
        while !rest.isEmpty {
            if rest.first == "T" {
                rest.removeFirst()
                guard !isTime, !rest.isEmpty else { return nil }
                (isTime, designators) = (true, Self.timeDesignators[...])
            }
            guard let (number, fraction) = Self.number(&rest), let letter = rest.popFirst(),
                let index = designators.firstIndex(where: { $0.letter == letter }), fraction == 0 || letter == "S"
            else { return nil }
            months += number * designators[index].months
            microseconds += Int64(number) * designators[index].microseconds + fraction
            designators = designators[(index + 1)...]
        }
        guard months <= Self.monthsMax else { return nil }
        (self.months, self.microseconds) = (months, microseconds)
    }

    private static let monthsMax = 120_000
    private typealias Designator = (letter: Character, months: Int, microseconds: Int64)
    private static let weekDesignator: [Designator] = [("W", 0, 7 * 86_400_000_000)]
    private static let dateDesignators: [Designator] = [("Y", 12, 0), ("M", 1, 0), ("D", 0, 86_400_000_000)]
    private static let timeDesignators: [Designator] = [("H", 0, 3_600_000_000), ("M", 0, 60_000_000), ("S", 0, 1_000_000)]

    /// Digits, and a fraction in microseconds after a dot or a comma.
    private static func number(_ rest: inout Substring) -> (Int, Int64)? {
        let digits = rest.prefix { ("0"..."9").contains($0) }
        guard !digits.isEmpty, let number = Int(digits), number <= numberMax else { return nil }
        rest.removeFirst(digits.count)
        guard rest.first == "." || rest.first == "," else { return (number, 0) }
        rest.removeFirst()
        let fraction = rest.prefix { ("0"..."9").contains($0) }
        guard !fraction.isEmpty else { return nil }
        rest.removeFirst(fraction.count)
        let six = (fraction + "000000").prefix(6)
        return Int64(six).map { (number, $0) }
    }
}

extension PeriodDuration {
    /// Where period number `index` from `start` begins. Months are counted from `start` itself, so that from January 31st
    /// the periods of a month begin on February 28th, March 31st, April 30th.
    public func start(ofPeriod index: Int, from start: Instant) -> Instant {
        let shifted = months == 0 ? start : start.adding(months: months * index)
        return Instant(microseconds: shifted.microseconds + microseconds * Int64(index))
    }

    /// The number of the period from `start` that `moment` is in; negative before `start`.
    public func period(of moment: Instant, from start: Instant) -> Int {
        guard !isWholeRange else { return 0 }
        let length = Double(months) * 30.436875 * 86_400_000_000 + Double(microseconds)
        var index = Int((Double(moment.microseconds - start.microseconds) / length).rounded(.down))
        // The guess is at most a few periods off where months differ in length.
        while self.start(ofPeriod: index, from: start) > moment { index -= 1 }
        while self.start(ofPeriod: index + 1, from: start) <= moment { index += 1 }
        return index
    }
}

extension Instant {
    /// The same day of the month and clock reading in UTC so many months later; the month's last day where it is shorter.
    fileprivate func adding(months: Int) -> Instant {
        var civil = utc
        let total = civil.year * 12 + civil.month - 1 + months
        (civil.year, civil.month) = (total >= 0 ? total / 12 : (total - 11) / 12, ((total % 12) + 12) % 12 + 1)
        civil.day = min(civil.day, CivilTime.dayCount(year: civil.year, month: civil.month))
        return Instant(utc: civil)
    }
}

extension PeriodDuration: CustomStringConvertible {
    /// An ISO 8601 duration that reads back as the same one: `P1M`, `PT1H`, `P7D`, `PT0.5S`.
    public var description: String {
        guard !isWholeRange else { return "PT0S" }
        var text = "P"
        var rest = microseconds
        func append(_ unit: Int64, _ letter: String) {
            if rest >= unit { text += "\(rest / unit)\(letter)" }
            rest %= unit
        }
        if months >= 12 { text += "\(months / 12)Y" }
        if months % 12 > 0 { text += "\(months % 12)M" }
        append(86_400_000_000, "D")
        if rest > 0 { text += "T" }
        append(3_600_000_000, "H")
        append(60_000_000, "M")
        let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000)
        guard rest > 0 else { return text }
        guard fraction > 0 else { return text + "\(seconds)S" }
        let digits = String(1_000_000 + fraction).dropFirst()
        return text + "\(seconds).\(digits.prefix(digits.count - digits.reversed().prefix { $0 == "0" }.count))S"
    }
}
