public import CityModel
internal import OrderedCollections

/// The order in which entities are answered (clause 4.23).
public struct Ordering: Sendable {
    public enum Direction: String, CaseIterable, Hashable, Sendable {
        case ascending = "asc", descending = "desc", nearestFirst = "dist-asc", farthestFirst = "dist-desc"

        public var isByDistance: Bool { self == .nearestFirst || self == .farthestFirst }
        var isReversed: Bool { self == .descending || self == .farthestFirst }
    }

    public struct Term: Hashable, Sendable {
        public let path: AttributePath
        public let direction: Direction
    }

    /// The first decides, then the next, and in the end the identifier, so that no two entities are equal.
    public let terms: [Term]
    /// What distances are measured from; there when a term is by distance.
    public let origin: PreparedGeometry?
    public let collation: Collation

    /// - Parameters:
    ///   - orderBy: terms between commas: a path as in `q`, or `id`, `type`, `scope`, `createdAt`, `modifiedAt`; then `;`
    ///     and a direction.
    ///   - orderFrom: the text of GeoJSON coordinates.
    ///   - orderGeometry: the geometry type of `orderFrom`; nil means `Point`.
    ///   - collation: a language tag with settings; nil means `defaultCollation`, which by clause 4.23.1 is the root.
    /// - Throws: `badRequestData` that names the parameter at fault.
    public init(
        parsing orderBy: String, orderFrom: String? = nil, orderGeometry: String? = nil, collation: String? = nil,
        defaultCollation: Collation = .root, expand: @escaping NameExpansion, limits: QueryLimits = .standard
    ) throws(CityError) {
        terms = try Self.terms(orderBy, expand: expand, limits: limits)
        origin = try Self.origin(orderFrom, type: orderGeometry, limits: limits)
        self.collation = try collation.map { tag throws(CityError) in try Collation(parsing: tag) } ?? defaultCollation
        if origin == nil, terms.contains(where: \.direction.isByDistance) {
            throw .badRequestData("orderFrom: is missing where orderBy orders by distance")
        }
    }

    /// The attributes of an entity that its key is made of.
    public var attributesRead: Set<IRI> { Set(terms.map(\.path.root.iri)) }

    /// Negative, zero or positive as `left` comes before, is, or comes after `right`. To sort many, use `sorted`, which
    /// makes each key once.
    public func compare(_ left: Entity, _ right: Entity) -> Int {
        let (first, second) = (key(for: left), key(for: right))
        return first < second ? -1 : second < first ? 1 : 0
    }

    public func sorted(_ entities: [Entity]) -> [Entity] {
        entities.map { (key: key(for: $0), entity: $0) }.sorted { $0.key < $1.key }.map(\.entity)
    }

    /// What the entity is sorted by.
    public func key(for entity: Entity) -> OrderingKey {
        OrderingKey(
            parts: terms.map { term in
                let value = entity.orderingTarget(at: term.path).map { OrderingValue($0, term: term, in: self) } ?? .absent
                return .init(value: value, isReversed: term.direction.isReversed)
            }, id: entity.id)
    }

    private static func terms(_ text: String, expand: @escaping NameExpansion, limits: QueryLimits) throws(CityError) -> [Term] {
        var scanner = try TextScanner(text, parameter: "orderBy", limits: limits)
        var terms: [Term] = []
        repeat {
            scanner.skipSpaces()
            try scanner.countNode()
            let path = try AttributePathParser(expand: expand).path(from: &scanner)
            guard path.hops.isEmpty else { throw scanner.failure("an order does not follow relationships") }
            var direction = Direction.ascending
            if scanner.take(";") {
                let word = scanner.read { $0.isLetter || $0 == "-" }
                guard let known = Direction(rawValue: word) else {
                    throw scanner.failure("\(word) is not one of \(Direction.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                direction = known
            }
            terms.append(Term(path: path, direction: direction))
            scanner.skipSpaces()
        } while scanner.take(",")
        guard scanner.isAtEnd else { throw scanner.failure("a comma expected, not \(scanner.nextInWords)") }
        return terms
    }

    private static func origin(_ coordinates: String?, type: String?, limits: QueryLimits) throws(CityError) -> PreparedGeometry? {
        guard let coordinates else { return nil }
        let geometry = try Geometry.parameter(
            type: type ?? "Point", coordinates: .string(coordinates), names: (type: "orderGeometry", coordinates: "orderFrom"),
            limits: limits)
        return try PreparedGeometry(geometry)
    }
}

extension Entity {
    /// What a path leads to for ordering: of several instances the default one counts, or else the first.
    fileprivate func orderingTarget(at path: AttributePath) -> PathTarget? {
        var target: PathTarget?
        var entity = self
        if var instances = attributes[path.root.iri], instances.count > 1 {
            let first = instances.firstIndex { $0.datasetID == nil } ?? 0
            instances.swapAt(0, first)
            entity.attributes[path.root.iri] = instances
        }
        _ = path.leadsTo(in: entity, lookup: { _ in nil }) { found in
            target = found
            return true
        }
        return target
    }
}
