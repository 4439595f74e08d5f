internal import CityModel
internal import OrderedCollections

/// What an entity is sorted by: comparable, and cheap to keep in a heap of the first so many.
public struct OrderingKey: Comparable, Sendable {
    struct Part: Sendable {
        let value: OrderingValue
        let isReversed: Bool
    }

    let parts: [Part]
    /// Decides last, always ascending.
    let id: IRI

    public static func < (left: OrderingKey, right: OrderingKey) -> Bool {
        for (first, second) in zip(left.parts, right.parts) {
            switch first.value.order(to: second.value, isReversed: first.isReversed) {
            case .before: return true
            case .after: return false
            case .same: continue
            }
        }
        return left.id < right.id
    }

    public static func == (left: OrderingKey, right: OrderingKey) -> Bool {
        left.id == right.id && !(left < right) && !(right < left)
    }
}

/// A value in the order of clause 4.23.2: distances where asked for, then numbers, texts, objects, arrays, booleans, times,
/// dates, dates with times. Objects order by their compact JSON text, arrays element by element. A descending order turns
/// all of that around; null and absent values stay last either way.
enum OrderingValue: Sendable {
    case distance(Double)
    case number(Double)
    case text([UInt32])
    case object(String)
    case array([OrderingValue])
    case bool(Bool)
    case moment(Moment)
    case null
    case absent

    /// - Parameter term: where the value comes from; by distance, geometries become distances.
    init(_ target: PathTarget, term: Ordering.Term, in ordering: Ordering) {
        switch target {
        case .instant(let instant): self = .moment(Moment(kind: .dateTime, instant: instant))
        case .texts(let texts): self = texts.first.map { OrderingValue($0, ordering.collation) } ?? .absent
        case .value(.array(let elements)) where term.path.entityMember != nil && elements.count == 1:
            self = OrderingValue(elements[0], ordering.collation)
        case .value(let json):
            if term.direction.isByDistance, let origin = ordering.origin, let geometry = try? Geometry(json) {
                self = .distance(origin.distance(to: geometry))
            } else {
                self = OrderingValue(json, ordering.collation)
            }
        case .references(let json): self = OrderingValue(json, ordering.collation)
        }
    }

    init(_ json: JSON, _ collation: Collation) {
        switch json {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .integer(let value): self = .number(Double(value))
        case .number(let value): self = .number(value)
        case .string(let text): self = Moment(text).map(OrderingValue.moment) ?? .text(collation.key(for: text))
        case .array(let elements): self = .array(elements.map { OrderingValue($0, collation) })
        case .object(let members): self = members["@value"].map { OrderingValue($0, collation) } ?? .object(json.description)
        }
    }

    private var rank: Int {
        switch self {
        case .distance: 0
        case .number: 1
        case .text: 2
        case .object: 3
        case .array: 4
        case .bool: 5
        case .moment(let moment):
            switch moment.kind {
            case .time: 6
            case .date: 7
            case .dateTime: 8
            }
        case .null: 9
        case .absent: 10
        }
    }

    func order(to other: OrderingValue, isReversed: Bool) -> ValueOrder {
        let isLast = rank >= 9 || other.rank >= 9
        let order = order(to: other)
        guard isReversed, !isLast else { return order }
        switch order {
        case .before: return .after
        case .same: return .same
        case .after: return .before
        }
    }

    private func order(to other: OrderingValue) -> ValueOrder {
        switch (self, other) {
        case (.distance(let left), .distance(let right)), (.number(let left), .number(let right)): ValueOrder(left, right)
        case (.text(let left), .text(let right)): Self.order(left, right) { ValueOrder($0, $1) }
        case (.object(let left), .object(let right)): ValueOrder(left, right)
        case (.array(let left), .array(let right)): Self.order(left, right) { $0.order(to: $1) }
        case (.bool(let left), .bool(let right)): ValueOrder(left ? 1 : 0, right ? 1 : 0)
        case (.moment(let left), .moment(let right)) where left.kind == right.kind: ValueOrder(left.instant, right.instant)
        default: ValueOrder(rank, other.rank)
        }
    }

    /// Element by element; of two that agree as far as they go, the shorter comes first.
    private static func order<Element>(
        _ left: [Element], _ right: [Element], by compare: (Element, Element) -> ValueOrder
    ) -> ValueOrder {
        for (first, second) in zip(left, right) {
            let order = compare(first, second)
            if order != .same { return order }
        }
        return ValueOrder(left.count, right.count)
    }
}
