public import CityModel

/// A condition on time (clause 4.11). Built here, used by what reads history.
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

    public let relation: Relation
    public let property: Property

    /// - Throws: `badRequestData` that names the parameter at fault.
    public init(timerel: String, timeAt: String?, endTimeAt: String? = nil, timeproperty: String? = nil) throws(CityError) {
        let start = try Self.instant(timeAt, parameter: "timeAt")
        switch timerel {
        case "before": relation = .before(start)
        case "after": relation = .after(start)
        case "between":
            let end = try Self.instant(endTimeAt, parameter: "endTimeAt")
            guard start <= end else { throw .badRequestData("endTimeAt: lies before timeAt") }
            relation = .between(start, end)
        default: throw .badRequestData("timerel: \(timerel) is not before, after or between")
        }
        let name = timeproperty ?? Property.observedAt.rawValue
        guard let property = Property(rawValue: name) else {
            let known = Property.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequestData("timeproperty: \(name) is not one of \(known)")
        }
        self.property = property
    }

    public func matches(_ instant: Instant) -> Bool {
        switch relation {
        case .before(let end): instant < end
        case .after(let start): instant >= start
        case .between(let start, let end): instant >= start && instant < end
        }
    }

    private static func instant(_ text: String?, parameter: String) throws(CityError) -> Instant {
        guard let text else { throw .badRequestData("\(parameter): is missing") }
        guard let instant = Instant(text) else { throw .badRequestData("\(parameter): \(text) is not a date and time in UTC") }
        return instant
    }
}
