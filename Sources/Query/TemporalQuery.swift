public import CityModel

/// Which instances of attributes are wanted by their time (clause 4.11).
public struct TemporalQuery: Hashable, Sendable {
    public enum Relation: Hashable, Sendable {
        /// Before the moment, which is excluded.
        case before(Instant)
        /// From the moment on, which is included.
        case after(Instant)
        /// From the first, included, to the second, excluded.
        case between(Instant, Instant)
    }

    /// The timestamps that can be asked for (clause 4.8).
    public enum Property: String, CaseIterable, Hashable, Sendable {
        case observedAt, createdAt, modifiedAt, deletedAt
    }

    /// Nil: at any time, as long as the instance has the timestamp.
    public let relation: Relation?
    public let property: Property

    public init(_ relation: Relation?, of property: Property = .observedAt) { (self.relation, self.property) = (relation, property) }

    /// The temporal query of a request, nil when it has none. `timeproperty` alone asks for the instances that have it.
    /// - Throws: `badRequestData` that names the parameter at fault.
    public static func parsing(
        timerel: String?, timeAt: String?, endTimeAt: String? = nil, timeproperty: String? = nil
    ) throws(CityError) -> TemporalQuery? {
        if timerel == nil, timeAt != nil || endTimeAt != nil { throw .badRequestData("timerel: is missing") }
        if timerel == nil, timeproperty == nil { return nil }
        return TemporalQuery(
            try timerel.map { text throws(CityError) in try relation(text, timeAt: timeAt, endTimeAt: endTimeAt) },
            of: try property(timeproperty ?? Property.observedAt.rawValue))
    }

    /// The first moment that matches; nil when there is no bound.
    public var lowerBound: Instant? {
        switch relation {
        case .after(let start), .between(let start, _): start
        case .before, nil: nil
        }
    }

    /// The first moment that matches no more; nil when there is no bound.
    public var upperBound: Instant? {
        switch relation {
        case .before(let end), .between(_, let end): end
        case .after, nil: nil
        }
    }

    public func matches(_ instant: Instant) -> Bool {
        (lowerBound.map { instant >= $0 } ?? true) && (upperBound.map { instant < $0 } ?? true)
    }

    private static func relation(_ timerel: String, timeAt: String?, endTimeAt: String?) throws(CityError) -> Relation {
        let start = try instant(timeAt, parameter: "timeAt")
        switch timerel {
        case "before": return .before(start)
        case "after": return .after(start)
        case "between":
            let end = try instant(endTimeAt, parameter: "endTimeAt")
            guard start <= end else { throw .badRequestData("endTimeAt: lies before timeAt") }
            return .between(start, end)
        default: throw .badRequestData("timerel: \(timerel) is not before, after or between")
        }
    }

    private static func property(_ name: String) throws(CityError) -> Property {
        guard let property = Property(rawValue: name) else {
            let known = Property.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequestData("timeproperty: \(name) is not one of \(known)")
        }
        return property
    }

    private static func instant(_ text: String?, parameter: String) throws(CityError) -> Instant {
        guard let text, !text.isEmpty else { throw .badRequestData("\(parameter): is missing") }
        guard let instant = Instant(text) else { throw .badRequestData("\(parameter): \(text) is not a date and time in UTC") }
        return instant
    }
}
