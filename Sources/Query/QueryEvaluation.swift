public import CityModel
internal import OrderedCollections

extension QueryExpression {
    /// How many linked entities are looked up for one entity at most; those past it count as not found.
    public static let lookupCountMax = 1_000

    /// Whether the entity meets the query.
    /// - Parameter lookup: finds the entities that relationships point at; only asked when the query follows some.
    /// - Complexity: number of terms × instances and values of the attributes; texts for patterns are read once.
    public func matches(_ entity: Entity, lookup: (IRI) -> Entity? = { _ in nil }) -> Bool {
        var lookupCount = 0
        return holds(for: entity) { iri in
            lookupCount += 1
            return lookupCount <= QueryExpression.lookupCountMax ? lookup(iri) : nil
        }
    }

    private func holds(for entity: Entity, lookup: (IRI) -> Entity?) -> Bool {
        switch self {
        case .term(let term): term.matches(entity, lookup: lookup)
        case .and(let operands): operands.allSatisfy { $0.holds(for: entity, lookup: lookup) }
        case .or(let operands): operands.contains { $0.holds(for: entity, lookup: lookup) }
        }
    }
}

extension QueryTerm {
    /// Whether some instance that the path leads to meets the condition (clause 4.9: of several instances any will do).
    func matches(_ entity: Entity, lookup: (IRI) -> Entity?) -> Bool {
        path.leadsTo(in: entity, lookup: lookup) { condition.holds(for: $0) }
    }
}

// MARK: - Conditions

extension QueryTerm.Condition {
    /// Whether a property of this value meets it.
    public func holds(forValue value: JSON) -> Bool { holds(for: .value(value)) }

    func holds(for target: PathTarget) -> Bool {
        switch self {
        case .exists: true
        case .equal(let values): target.contains { json in values.contains { json.order(to: $0) == .same } }
        case .unequal(let values): !target.contains { json in values.contains { json.order(to: $0) == .same } }
        case .inside(let range): target.isComparable && target.containsWhole { $0.isInside(range) }
        case .outside(let range): !target.containsWhole { $0.isInside(range) }
        case .compare(let comparison, let value):
            target.isComparable && target.containsWhole { comparison.accepts($0.order(to: value)) }
        case .like(let pattern):
            target.isComparable && target.containsWhole { $0.text.map(pattern.matches) ?? false }
        case .unlike(let pattern):
            target.isComparable && target.containsWhole { $0.text != nil }
                && !target.containsWhole { $0.text.map(pattern.matches) ?? false }
        }
    }
}

extension QueryTerm.Comparison {
    /// Nil is the order of values of different types, which do not compare.
    func accepts(_ order: ValueOrder?) -> Bool {
        switch self {
        case .greater: order == .after
        case .greaterOrEqual: order == .after || order == .same
        case .less: order == .before
        case .lessOrEqual: order == .before || order == .same
        }
    }
}

/// How one value stands to another.
enum ValueOrder {
    case before, same, after

    init<Value: Comparable>(_ left: Value, _ right: Value) { self = left < right ? .before : left > right ? .after : .same }
}

/// A single value that a path led to, ready to be compared.
enum TargetScalar {
    case json(JSON)
    case instant(Instant)

    var text: String? {
        switch self {
        case .json(let json): json.stringValue
        case .instant(let instant): instant.description
        }
    }

    /// How this value stands to the query's; nil when their types differ. Equal booleans are `same`, different ones nil.
    func order(to value: QueryValue) -> ValueOrder? {
        switch (self, value) {
        case (.instant(let instant), _):
            guard let moment = value.momentValue, moment.kind == .dateTime else { return nil }
            return ValueOrder(instant, moment.instant)
        case (.json(.integer(let left)), .integer(let right)): return ValueOrder(left, right)
        case (.json(.integer(let left)), .number(let right)): return ValueOrder(Double(left), right)
        case (.json(.number(let left)), .integer), (.json(.number(let left)), .number):
            return value.doubleValue.map { ValueOrder(left, $0) }
        case (.json(.bool(let left)), .bool(let right)): return left == right ? .same : nil
        case (.json(.string(let left)), .moment(let right)):
            guard let left = Moment(left), left.kind == right.kind else { return nil }
            return ValueOrder(left.instant, right.instant)
        case (.json(.string(let left)), .text(let right)):
            if let first = Moment(left), let second = Moment(right), first.kind == second.kind {
                return ValueOrder(first.instant, second.instant)
            }
            return left.hasSameCodePoints(as: right) ? .same : left.precedes(right) ? .before : .after
        case (.json(.object(let members)), _):
            // A JSON-LD typed value (clause C.6) counts as the text it carries.
            return members["@value"].flatMap { if case .object = $0 { nil } else { TargetScalar.json($0).order(to: value) } }
        default: return nil
        }
    }

    func isInside(_ range: QueryRange) -> Bool {
        guard let toMin = order(to: range.min), let toMax = order(to: range.max) else { return false }
        return toMin != .before && toMax != .after
    }
}
