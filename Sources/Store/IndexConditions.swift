internal import CityModel
internal import GRDB
internal import OrderedCollections
internal import Query

/// What a query's term says of rows in the index by attribute value.
extension QueryTerm {
    /// Conditions on a row of the value index that hold for at least one row of every entity the term matches; nil when
    /// there are none, because the term can match entities without the attribute. A row that is `IndexValue.present`
    /// says nothing of its value, so it is a candidate of every comparison.
    var indexConditions: [(sql: String, arguments: StatementArguments)]? {
        let anyValue: [(String, StatementArguments)] = [("1", [])]
        let unknown: (String, StatementArguments) = ("value = ?", [IndexValue.present.databaseValue])
        guard path.isPlain else { return anyValue }
        switch condition {
        case .equal(let values):
            let known = values.compactMap(IndexValue.init)
            guard known.count == values.count else { return anyValue }
            return known.map { ("value = ?", [$0.databaseValue]) } + [unknown]
        case .inside(let range):
            if let low = MomentText.earliest(range.min), let high = MomentText.latest(range.max) { return [("value BETWEEN ? AND ?", [low, high]), unknown] }
            guard case .number(let low)? = IndexValue(range.min), case .number(let high)? = IndexValue(range.max) else { return anyValue }
            return [("value BETWEEN ? AND ?", [low, high]), unknown]
        case .compare(let comparison, let value):
            if let low = MomentText.earliest(value), let high = MomentText.latest(value) {
                switch comparison {
                // Texts come before what says nothing of its value, and after numbers.
                case .greater, .greaterOrEqual: return [("value >= ? AND value < x''", [low]), unknown]
                case .less, .lessOrEqual: return [("value BETWEEN '' AND ?", [high]), unknown]
                }
            }
            guard case .number(let number)? = IndexValue(value) else { return anyValue }
            switch comparison {
            case .greater, .greaterOrEqual: return [("value \(comparison.rawValue) ? AND value < ''", [number]), unknown]
            case .less, .lessOrEqual: return [("value \(comparison.rawValue) ?", [number]), unknown]
            }
        case .exists, .like, .outside: return anyValue
        case .unequal, .unlike: return nil
        }
    }
}

extension QueryTerm {
    /// The values that it asks an attribute to equal, when a row of the index that holds one is a match for sure; else nil. A
    /// text that was cut is no proof, and the index holds integers as doubles.
    var indexedValues: [IndexValue]? {
        guard path.isPlain, path.entityMember == nil, case .equal(let values) = condition else { return nil }
        let indexed = values.compactMap(IndexValue.init)
        guard indexed.count == values.count else { return nil }
        let areTold = indexed.allSatisfy { value in
            switch value {
            case .text(let text): text.utf8.count <= IndexValue.textByteCountMax - 4 && text.utf8.allSatisfy { $0 < 0x80 }
            case .number(let number): abs(number) < 9_007_199_254_740_992
            case .present, .sealedPlace: false
            }
        }
        return areTold ? indexed : nil
    }
}

/// Between which texts a date and time lies in the index. Values are there as they were written, each with its offset, which is less than a day: so with a day more
/// on either side all of them are found, and then compared as moments.
private enum MomentText {
    private static let daySeconds = 86_400.0

    /// Nil for other values.
    static func earliest(_ value: QueryValue) -> String? { instant(value).map { text($0.adding(seconds: -daySeconds)) } }
    static func latest(_ value: QueryValue) -> String? { instant(value).map { text($0.adding(seconds: daySeconds)) } }

    private static func instant(_ value: QueryValue) -> Instant? {
        guard case .moment(let moment) = value, moment.kind == .dateTime else { return nil }
        return moment.instant
    }

    /// A colon comes after all digits: what lies beyond the years that texts have is before or after all of them.
    private static func text(_ moment: Instant) -> String {
        let year = moment.utc.year
        return year < 0 ? "" : year > 9999 ? ":" : moment.description
    }
}

extension IndexValue {
    /// Nil for values whose order or equality is not that of the index: moments and booleans.
    init?(_ value: QueryValue) {
        switch value {
        case .integer, .number:
            guard let number = value.doubleValue else { return nil }
            self = .number(number)
        case .text(let text):
            guard value.momentValue == nil else { return nil }
            self.init(text: text)
        case .bool: self = .present
        case .moment: return nil
        }
    }
}

/// Between which numbers the terms of a conjunction hold the value of one attribute.
struct NumberSpan {
    typealias Bound = (comparison: QueryTerm.Comparison, value: Double)
    let attribute: IRI
    private(set) var low: Bound?
    private(set) var high: Bound?

    /// The spans of the attributes that have both ends.
    static func spans(of operands: [QueryExpression]) -> [NumberSpan] {
        var spans: OrderedDictionary<IRI, NumberSpan> = [:]
        for case .term(let term) in operands {
            guard term.path.isPlain, term.path.entityMember == nil, case .compare(let comparison, let value) = term.condition,
                case .number(let number)? = IndexValue(value)
            else { continue }
            let attribute = term.path.root.iri
            spans[attribute, default: NumberSpan(attribute: attribute)].narrow((comparison, number))
        }
        return spans.values.filter { $0.low != nil && $0.high != nil }
    }

    private init(attribute: IRI) { self.attribute = attribute }

    private mutating func narrow(_ bound: Bound) {
        switch bound.comparison {
        case .greater, .greaterOrEqual: if low.map({ bound.value > $0.value }) ?? true { low = bound }
        case .less, .lessOrEqual: if high.map({ bound.value < $0.value }) ?? true { high = bound }
        }
    }

    /// Conditions on a row of the value index, as `QueryTerm.indexConditions`.
    var indexConditions: [(sql: String, arguments: StatementArguments)] {
        guard let low, let high else { return [("1", [])] }
        let inside = "value \(low.comparison.rawValue) ? AND value \(high.comparison.rawValue) ?"
        return [(inside, [low.value, high.value]), ("value = ?", [IndexValue.present.databaseValue])]
    }
}
