public import CityModel

/// What a query term compares with.
public enum QueryValue: Hashable, Sendable {
    case integer(Int64)
    /// A number that is not a 64-bit integer.
    case number(Double)
    /// Quoted text, an IRI, or a bare word.
    case text(String)
    case bool(Bool)
    case moment(Moment)

    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    public var textValue: String? { if case .text(let text) = self { text } else { nil } }

    /// The moment that the value says, also when it was written in quotes.
    public var momentValue: Moment? {
        switch self {
        case .moment(let moment): moment
        case .text(let text): Moment(text)
        default: nil
        }
    }
}

/// Both ends of a range, both included. They are numbers, or moments of one kind, or texts.
public struct QueryRange: Hashable, Sendable {
    public let min: QueryValue
    public let max: QueryValue

    /// Nil when the ends are not of one kind.
    public init?(min: QueryValue, max: QueryValue) {
        switch (min, max) {
        case (.integer, .integer), (.integer, .number), (.number, .integer), (.number, .number), (.text, .text): break
        case (.moment(let first), .moment(let last)) where first.kind == last.kind: break
        default: return nil
        }
        self.min = min
        self.max = max
    }
}

/// A date and time, a date, or a time of day, all in UTC (clause 4.6.3). Moments of different kinds do not compare.
public struct Moment: Hashable, Sendable {
    public enum Kind: Hashable, Sendable { case dateTime, date, time }

    public let kind: Kind
    /// A date stands for its midnight, a time of day for that time on 1970-01-01.
    public let instant: Instant

    public init(kind: Kind, instant: Instant) {
        self.kind = kind
        self.instant = instant
    }

    /// Nil when the text is in none of the three forms.
    public init?(_ text: String) {
        let utf8 = text.utf8
        guard (9...40).contains(utf8.count), let first = utf8.first, (48...57).contains(first) else { return nil }
        if let instant = Instant(text) {
            self.init(kind: .dateTime, instant: instant)
        } else if utf8.count == 10, let instant = Instant(text + "T00:00:00Z") {
            self.init(kind: .date, instant: instant)
        } else if utf8.last == UInt8(ascii: "Z"), let instant = Instant("1970-01-01T" + text) {
            self.init(kind: .time, instant: instant)
        } else {
            return nil
        }
    }
}

extension Moment: CustomStringConvertible {
    public var description: String {
        let text = instant.description
        return switch kind {
        case .dateTime: text
        case .date: String(text.prefix(10))
        case .time: String(text.dropFirst(11))
        }
    }
}

extension QueryValue: CustomStringConvertible {
    /// The value in the query language.
    public var description: String {
        switch self {
        case .integer(let value): value.description
        case .number(let value): value.description
        case .text(let text): JSON.string(text).description
        case .bool(let flag): flag.description
        case .moment(let moment): moment.description
        }
    }

    /// Reads a value that stands without quotes; nil when the number is beyond what a double holds.
    init?(bare text: String) {
        if text == "true" || text == "false" {
            self = .bool(text == "true")
        } else if QueryValue.isNumber(text) {
            guard let value = QueryValue(number: text) else { return nil }
            self = value
        } else if let moment = Moment(text) {
            self = .moment(moment)
        } else {
            self = .text(text)
        }
    }

    private init?(number text: String) {
        if let value = Int64(text) {
            self = .integer(value)
        } else {
            guard let value = Double(text), value.isFinite else { return nil }
            self = Int64(exactly: value).map(QueryValue.integer) ?? .number(value)
        }
    }

    /// Whether the text is a number by RFC 8259 section 6.
    static func isNumber(_ text: String) -> Bool {
        var rest = Substring(text).utf8
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { (48...57).contains($0) } ?? false }
        func dropDigits(_ rest: inout Substring.UTF8View) -> Bool {
            guard isDigit(rest.first) else { return false }
            rest = rest.drop { isDigit($0) }
            return true
        }
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        if rest.first == UInt8(ascii: "0") { rest.removeFirst() } else if !dropDigits(&rest) { return false }
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            guard dropDigits(&rest) else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
            guard dropDigits(&rest) else { return false }
        }
        return rest.isEmpty
    }
}
