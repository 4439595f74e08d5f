internal import CityModel
internal import Foundation
internal import GRDB
internal import Policy
internal import Query

/// A way to find the entities that a filter may match, through one index: a superset of the matches, never less.
struct Candidates {
    /// SELECT statements that each yield the numbers of entities as `entity`.
    var selects: [(sql: String, arguments: StatementArguments)]
    /// Whether an entity can come up more than once.
    var mayRepeat: Bool
    /// Whether every candidate is a match, so that no entity needs to be read to decide.
    var isExact = false

    static func merged(_ parts: [Candidates]) -> Candidates {
        Candidates(selects: parts.flatMap(\.selects), mayRepeat: true)
    }
}

/// Finds the candidates of a filter: every index that applies offers its own, the one with the fewest is taken.
struct CandidatePlanner {
    let snapshot: ReadSnapshot
    /// Candidates are counted up to here to compare the indexes; beyond, all count the same.
    private static let probeCountMax = 1000

    func plan(_ filter: EntityFilter) throws -> Candidates {
        if let ids = filter.ids { return byIdentifier(ids) }
        if let alternatives = filter.alternatives {
            var merged = Candidates.merged(try alternatives.map(plan))
            merged.isExact = false
            return merged
        }
        var offers = try offers(filter)
        guard var best = offers.popLast() else { return everything() }
        guard !offers.isEmpty else { return best }
        var fewest = try probe(best)
        for offer in offers.reversed() where fewest > 1 {
            let count = try probe(offer, upTo: fewest)
            if count < fewest { (best, fewest) = (offer, count) }
        }
        return best
    }

    /// Every index that applies; where counts tie, the last is taken.
    private func offers(_ filter: EntityFilter) throws -> [Candidates] {
        var offers: [Candidates] = []
        let types = filter.types.flatMap(candidateTypes)
        if let prefix = filter.idPattern?.literalPrefix { offers.append(byIdentifier(prefix: prefix)) }
        if let types {
            var byType = byType(numbers(types))
            byType.isExact = filter.isTypesAndQuery && filter.query == nil
            offers.append(byType)
        }
        if let attributes = filter.attributes { offers.append(try byPresence(attributes, types: types)) }
        if let scopes = filter.scopes.flatMap(byScope) { offers.append(scopes) }
        if let geo = filter.geo, let box = geo.boundingBox { offers.append(try byPlace(box, attribute: geo.property, types: types)) }
        if let query = filter.query { offers.append(contentsOf: try byValue(query, types: types)) }
        if let exact = try byEquality(filter) { offers = [exact] }
        return offers
    }

    /// - Parameter countMax: more than so many are not told apart.
    private func probe(_ candidates: Candidates, upTo countMax: Int = probeCountMax) throws -> Int {
        var count = 0
        for select in candidates.selects {
            // Only compared: under rules too it is counted what there is, for asking the rules costs more than what is compared here.
            let whole = snapshot.isRuled ? select.sql.replacing("FROM entity", with: "FROM main.entity") : select.sql
            count += try snapshot.row("SELECT count(*) FROM (\(whole) LIMIT ?)", select.arguments + [countMax - count])?.decode(Int.self, atIndex: 0) ?? 0
            if count >= countMax { return countMax }
        }
        return count
    }

    private func numbers(_ names: [IRI]) -> [Int64] { names.compactMap(snapshot.terms.number(of:)) }

    /// Types of which every entity that the selection matches has at least one; nil when there are no such types.
    private func candidateTypes(_ selection: TypeSelection) -> [IRI]? {
        switch selection {
        case .any: return nil
        case .type(let type): return [type]
        case .or(let operands):
            let parts = operands.map(candidateTypes)
            return parts.contains { $0 == nil } ? nil : parts.flatMap { $0 ?? [] }
        case .and(let operands): return operands.compactMap(candidateTypes).min { $0.count < $1.count }
        }
    }
}

// MARK: - One function for each index

extension CandidatePlanner {
    private func everything() -> Candidates {
        Candidates(selects: [("SELECT id AS entity FROM entity ORDER BY id", [])], mayRepeat: false)
    }

    private func byIdentifier(_ ids: Set<IRI>) -> Candidates {
        Candidates(selects: ids.sorted().map { ("SELECT id AS entity FROM entity WHERE iri = ?", [$0.text]) }, mayRepeat: false)
    }

    private func byIdentifier(prefix: String) -> Candidates {
        let sql = "SELECT id AS entity FROM entity WHERE iri >= ? AND iri < ? ORDER BY iri"
        return Candidates(selects: [(sql, [prefix, prefix + "\u{10FFFF}"])], mayRepeat: false)
    }

    private func byType(_ types: [Int64]) -> Candidates {
        let select = "SELECT entity FROM entity_type WHERE type = ?"
        // SQLite merges the ordered halves of a UNION as it goes and drops repetitions.
        let sql = types.isEmpty ? "SELECT id AS entity FROM entity WHERE 0" : Array(repeating: select, count: types.count).joined(separator: " UNION ")
        let arguments = StatementArguments(types)
        return Candidates(selects: [(sql + (types.isEmpty ? "" : " ORDER BY 1"), arguments)], mayRepeat: false)
    }

    private func byPlace(_ box: BoundingBox, attribute: IRI, types: [IRI]?) throws -> Candidates {
        // Where rules tell places roughly, it is looked around what is asked for, by where things are: each candidate is asked what is told of it.
        let metres = snapshot.seen?.current.ruling?.placeMetresMax ?? 0
        let box = metres > 0 ? box.widened(metres: Double(metres)) : box
        let sql = """
            SELECT \(PlaceNumber.entityOfRow) AS entity FROM \(metres > 0 ? "main.entity_place" : "entity_place")
            WHERE west <= ? AND east >= ? AND south <= ? AND north >= ? AND \(PlaceNumber.attributeOfRow) IN (?, \(IndexRows.anyAttribute))
            """
        let number = snapshot.terms.number(of: attribute) ?? -1
        // Of what is sealed no index tells where it is.
        let sealed = try byValue(attribute: attribute, types: types, conditions: [("value = ?", [IndexValue.sealedPlace.databaseValue])])
        return .merged([Candidates(selects: [(sql, [box.east, box.west, box.north, box.south, number])], mayRepeat: true), sealed])
    }

    private func byScope(_ query: ScopeQuery) -> Candidates? {
        switch query {
        case .pattern(let pattern): return byScope(pattern)
        case .and(let operands): return operands.lazy.compactMap(byScope).first
        case .or(let operands):
            let parts = operands.map(byScope)
            return parts.contains { $0 == nil } ? nil : .merged(parts.compactMap { $0 })
        }
    }

    /// By the names that a pattern begins with; nil when it begins with a wildcard.
    private func byScope(_ pattern: ScopePattern) -> Candidates? {
        var names: [String] = []
        for level in pattern.levels {
            guard case .name(let name) = level else { break }
            names.append(name)
        }
        guard !names.isEmpty else { return nil }
        let scope = "/" + names.joined(separator: "/")
        var selects: [(sql: String, arguments: StatementArguments)] = [("SELECT entity FROM entity_scope WHERE scope = ?", [scope])]
        if pattern.includesDescendants || names.count < pattern.levels.count {
            // "0" is the character after "/".
            selects.append(("SELECT entity FROM entity_scope WHERE scope >= ? AND scope < ?", [scope + "/", scope + "0"]))
        }
        return Candidates(selects: selects, mayRepeat: true)
    }

    /// Entities that have at least one of the attributes.
    private func byPresence(_ attributes: [IRI], types: [IRI]?) throws -> Candidates {
        .merged(try attributes.map { try byValue(attribute: $0, types: types, conditions: [("1", [])]) })
    }

    private func byValue(_ query: QueryExpression, types: [IRI]?) throws -> [Candidates] {
        switch query {
        case .and(let operands):
            let spans = try NumberSpan.spans(of: operands).map {
                try byValue(attribute: $0.attribute, types: types, conditions: $0.indexConditions)
            }
            return try operands.flatMap { try byValue($0, types: types) } + spans
        case .or(let operands):
            let parts = try operands.map { try byValue($0, types: types).last }
            return parts.contains { $0 == nil } ? [] : [.merged(parts.compactMap { $0 })]
        case .term(let term): return try byValue(term, types: types).map { [$0] } ?? []
        }
    }

    private func byValue(_ term: QueryTerm, types: [IRI]?) throws -> Candidates? {
        guard term.path.hops.isEmpty, term.path.entityMember == nil else { return nil }
        guard let conditions = term.indexConditions else { return nil }
        return try byValue(attribute: term.path.root.iri, types: types, conditions: conditions)
    }

    /// When the filter asks for nothing but types and the equality of one attribute, and no entity has it with a value that the
    /// index does not tell: the matches themselves, in order.
    private func byEquality(_ filter: EntityFilter) throws -> Candidates? {
        guard case .term(let term)? = filter.query, filter.isTypesAndQuery, let values = term.indexedValues,
            let attribute = snapshot.terms.number(of: term.path.root.iri)
        else { return nil }
        let types = try filter.types.flatMap(candidateTypes).map(numbers) ?? snapshot.types(having: attribute)
        guard (1...Self.unionCountMax).contains(types.count * values.count) else { return nil }
        let select = "SELECT entity FROM entity_value WHERE attribute = ? AND type = ? AND value = ?"
        for type in types {
            guard try snapshot.row(select + " LIMIT 1", [attribute, type, IndexValue.present.databaseValue]) == nil else { return nil }
        }
        let pairs = types.flatMap { type in values.map { (type, $0) } }
        let sql = Array(repeating: select, count: pairs.count).joined(separator: " UNION ") + " ORDER BY 1"
        let arguments = pairs.reduce(into: StatementArguments()) { $0 += [attribute, $1.0, $1.1.databaseValue] }
        return Candidates(selects: [(sql, arguments)], mayRepeat: false, isExact: true)
    }

    /// Selects that one statement joins.
    private static let unionCountMax = 100

    private func byValue(
        attribute: IRI, types: [IRI]?, conditions: [(sql: String, arguments: StatementArguments)]
    ) throws -> Candidates {
        guard let number = snapshot.terms.number(of: attribute) else { return Candidates(selects: [], mayRepeat: false) }
        let typeNumbers = try types.map(numbers) ?? snapshot.types(having: number)
        var selects: [(sql: String, arguments: StatementArguments)] = []
        for type in typeNumbers {
            for condition in conditions {
                let sql = "SELECT entity FROM entity_value WHERE attribute = ? AND type = ? AND \(condition.sql)"
                selects.append((sql, StatementArguments([number, type]) + condition.arguments))
            }
        }
        return Candidates(selects: selects, mayRepeat: true)
    }
}

extension EntityFilter {
    /// Whether it asks for nothing but types, of which any is enough, and a query; either may be missing.
    fileprivate var isTypesAndQuery: Bool {
        guard ids == nil, idPattern == nil, attributes == nil, scopes == nil, geo == nil, alternatives == nil else { return false }
        switch types {
        case nil, .type?: return true
        case .or(let operands)?: return operands.allSatisfy { if case .type = $0 { true } else { false } }
        case .any?, .and?: return false
        }
    }
}

extension ReadSnapshot {
    /// The types of the entities that have an attribute. Jumps from type to type; its cost does not follow the entities.
    func types(having attribute: Int64) throws -> [Int64] {
        let sql = """
            WITH RECURSIVE found (type) AS (
                SELECT min(type) FROM entity_value WHERE attribute = ?
                UNION ALL
                SELECT (SELECT min(type) FROM entity_value WHERE attribute = ? AND type > found.type) FROM found WHERE found.type IS NOT NULL
            ) SELECT type FROM found WHERE type IS NOT NULL
            """
        let cursor = try rows(sql, [attribute, attribute])
        var types: [Int64] = []
        while let row = try cursor.next() { types.append(try row.decode(Int64.self, atIndex: 0)) }
        return types
    }
}

extension BoundingBox {
    /// With so many metres around it, at least.
    fileprivate func widened(metres: Double) -> BoundingBox {
        let degrees = metres / 111_000
        let (low, high) = (max(south - degrees, -90), min(north + degrees, 90))
        let shrink = cos(min(max(abs(low), abs(high)), 89.99) * .pi / 180)
        guard degrees / shrink < 180 else { return BoundingBox(west: -180, south: low, east: 180, north: high) }
        return BoundingBox(west: west - degrees / shrink, south: low, east: east + degrees / shrink, north: high)
    }
}
