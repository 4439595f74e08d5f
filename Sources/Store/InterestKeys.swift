internal import CityModel
internal import OrderedCollections
package import Query

/// What `q` and `geoQ` ask of every entity that matches, as far as an index can find it (clauses 4.9 and 4.10).
extension Interest.Key {
    /// Keys that take the place of a query's alternatives; with more of them nothing is known.
    private static let alternativeCountMax = 16

    /// - Returns: keys of which at least one holds for every entity that meets both; nil when there are none.
    package static func keys(query: QueryExpression?, geo: GeoQuery?) -> [Interest.Key]? {
        var known: [[Interest.Key]] = []
        if let keys = query.flatMap(keys(of:)) { known.append(keys) }
        if let geo, let box = geo.boundingBox { known.append([.place(geo.property, box)]) }
        return narrowest(known)
    }

    private static func keys(of expression: QueryExpression) -> [Interest.Key]? {
        switch expression {
        case .term(let term): return keys(of: term)
        case .and(let operands):
            let spans = NumberSpan.spans(of: operands).compactMap { span in span.range.map { [Interest.Key.span(span.attribute, $0)] } }
            return narrowest(operands.compactMap(keys(of:)) + spans)
        case .or(let operands):
            var all: [Interest.Key] = []
            for operand in operands {
                guard let keys = keys(of: operand), all.count + keys.count <= alternativeCountMax else { return nil }
                all += keys
            }
            return all
        }
    }

    private static func keys(of term: QueryTerm) -> [Interest.Key]? {
        guard term.path.isPlain, term.path.entityMember == nil else { return nil }
        let attribute = term.path.root.iri
        switch term.condition {
        case .equal(let values):
            guard values.count <= alternativeCountMax else { return nil }
            let keys = values.compactMap { value -> Interest.Key? in
                switch IndexValue(value) {
                case .number(let number)?: .number(attribute, number)
                case .text(let text)?: .text(attribute, text)
                case .present?, .sealedPlace?, nil: nil
                }
            }
            return keys.count == values.count ? keys : nil
        case .inside(let range):
            guard case .number(let low)? = IndexValue(range.min), case .number(let high)? = IndexValue(range.max), low <= high else { return nil }
            return [.span(attribute, low...high)]
        case .compare(let comparison, let value):
            guard case .number(let number)? = IndexValue(value) else { return nil }
            switch comparison {
            case .greater, .greaterOrEqual: return [.span(attribute, number...(.infinity))]
            case .less, .lessOrEqual: return [.span(attribute, (-.infinity)...number)]
            }
        case .exists, .like, .unlike, .outside, .unequal: return nil
        }
    }

    private static func narrowest(_ known: [[Interest.Key]]) -> [Interest.Key]? {
        known.min { $0.reduce(0) { $0 + $1.width } < $1.reduce(0) { $0 + $1.width } }
    }

    /// How many entities it lets through, by experience: one value few, an area some, everything above a number many.
    private var width: Int {
        switch self {
        case .number, .text: 1
        case .place: 3
        case .span(_, let span): span.lowerBound.isFinite && span.upperBound.isFinite ? 4 : 50
        }
    }
}

extension NumberSpan {
    /// Both ends; nil when nothing lies between them.
    fileprivate var range: ClosedRange<Double>? {
        guard let low, let high, low.value <= high.value else { return nil }
        return low.value...high.value
    }
}
