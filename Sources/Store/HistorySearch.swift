package import CityModel
internal import GRDB
internal import OrderedCollections
package import Query

/// A query over the temporal evolution of entities (clause 5.7.4).
package struct HistorySearch: Sendable {
    /// `attributes`: of which the entity has at least one with a record within the interval. `query`, `geo` and `scopes` are
    /// held against what was recorded within it.
    package var filter: EntityFilter
    package var temporal: TemporalQuery
    package var classificationMax: Classification
    /// By identifier; nil as it comes.
    package var order: Order?
    package var offset: Int
    package var limit: Int
    package var wantsCount: Bool
    package var now: Instant
    package var limits: SearchLimits

    package enum Order: Sendable { case ascending, descending }

    package init(
        filter: EntityFilter, temporal: TemporalQuery, classificationMax: Classification, order: Order? = nil, offset: Int = 0, limit: Int,
        wantsCount: Bool = false, now: Instant, limits: SearchLimits = .init()
    ) {
        (self.filter, self.temporal, self.classificationMax, self.order) = (filter, temporal, classificationMax, order)
        (self.offset, self.limit, self.wantsCount, self.now, self.limits) = (offset, limit, wantsCount, now, limits)
    }

    /// Records of one entity that `q` and geo-queries are held against.
    static let evaluationCountMax = 100_000
}

/// An entity whose history was found.
package struct HistoryMatch: Sendable {
    package let entity: HistoricEntity
    /// When its scopes were those that were asked for; nil when none were (clauses 4.18 and C.5.16).
    package let validity: [Range<Instant>]?

    package init(entity: HistoricEntity, validity: [Range<Instant>]? = nil) { (self.entity, self.validity) = (entity, validity) }
}

package struct HistoryPage: Sendable {
    package var matches: [HistoryMatch] = []
    /// All matches, when they were asked to be counted.
    package var count: Int?
    package var hasMore = false
}

extension ReadSnapshot {
    /// - Parameter noteThinned: told what is gone of an attribute, where `query` or `geo` were held against it and found nothing.
    /// - Parameter isAnswered: whether something of a match is answered; what is not is neither in the page nor counted.
    /// - Throws: `tooComplexQuery` when the time is up, `tooManyResults` when there are too many to be ordered.
    package func searchHistory(
        _ search: HistorySearch, noting noteThinned: (IRI, ThinnedSpan) -> Void = { _, _ in }, where isAnswered: (HistoryMatch) throws -> Bool = { _ in true }
    ) throws -> HistoryPage {
        if let order = search.order { return try orderedHistoryPage(search, order, noteThinned, isAnswered) }
        var page = HistoryPage()
        var count = 0
        try visitHistories(search, noteThinned, isAnswered) { match in
            count += 1
            if count > search.offset + search.limit { page.hasMore = true } else if count > search.offset { page.matches.append(match) }
            return search.wantsCount || !page.hasMore
        }
        if search.wantsCount { page.count = count }
        return page
    }

    private func orderedHistoryPage(
        _ search: HistorySearch, _ order: HistorySearch.Order, _ noteThinned: (IRI, ThinnedSpan) -> Void, _ isAnswered: (HistoryMatch) throws -> Bool
    ) throws -> HistoryPage {
        var matches: [HistoryMatch] = []
        try visitHistories(search, noteThinned, isAnswered) { match in
            guard matches.count < search.limits.orderedCountMax else {
                throw CityError.tooManyResults("orderBy: more than \(search.limits.orderedCountMax) entities match; narrow the query")
            }
            matches.append(match)
            return true
        }
        matches.sort { order == .ascending ? $0.entity.id < $1.entity.id : $1.entity.id < $0.entity.id }
        return HistoryPage(
            matches: Array(matches.dropFirst(search.offset).prefix(search.limit)), count: search.wantsCount ? matches.count : nil,
            hasMore: matches.count > search.offset + search.limit)
    }

    /// First the entities that are there now, then those that are past.
    private func visitHistories(
        _ search: HistorySearch, _ noteThinned: (IRI, ThinnedSpan) -> Void, _ isAnswered: (HistoryMatch) throws -> Bool,
        _ visit: (HistoryMatch) throws -> Bool
    ) throws {
        let window = HistoryWindow(
            search.temporal, now: search.now, search.classificationMax, deadline: .now + search.limits.duration)
        let identity = search.filter.identity
        func judge(_ entity: HistoricEntity) throws -> Bool {
            guard identity.matches(Entity(id: entity.id, types: entity.types)), let match = try match(entity, search.filter, window, noteThinned),
                try isAnswered(match)
            else { return true }
            return try visit(match)
        }
        var seen: Set<Int64> = []
        let candidates = try CandidatePlanner(snapshot: self).plan(identity)
        for select in candidates.selects {
            let cursor = try rows(select.sql, select.arguments)
            while let row = try cursor.next() {
                try window.checkDeadline()
                let number = try row.decode(Int64.self, atIndex: 0)
                if candidates.mayRepeat, !seen.insert(number).inserted { continue }
                guard let stored = try storedEntity(number: number), let entity = try historicEntity(stored, search.classificationMax)
                else { continue }
                guard try judge(entity) else { return }
            }
        }
        for select in pastSelects(identity) {
            let cursor = try rows(select.sql, select.arguments)
            while let row = try cursor.next() {
                try window.checkDeadline()
                guard let entity = try historicEntity(row), entity.classification <= search.classificationMax, seen.insert(entity.number).inserted else { continue }
                guard try judge(entity) else { return }
            }
        }
    }

    /// Visits the entities that are gone, by identifier and type.
    /// - Throws: `tooComplexQuery` when the window's deadline passes.
    package func visitPast(
        _ filter: EntityFilter, share: ReadShare?, _ window: HistoryWindow, _ visit: (HistoricEntity) throws -> Void
    ) throws {
        var seen: Set<Int64> = []
        let identity = filter.identity
        for select in pastSelects(identity) {
            let cursor = try rows(select.sql, select.arguments)
            while let row = try cursor.next() {
                try window.checkDeadline()
                guard let entity = try historicEntity(row), share?.holds(entity.number) ?? true, entity.classification <= window.classificationMax, identity.matches(Entity(id: entity.id, types: entity.types)),
                    seen.insert(entity.number).inserted
                else { continue }
                try visit(entity)
            }
        }
    }

    /// Statements that together yield every past entity that a filter by identity may match.
    private func pastSelects(_ identity: EntityFilter) -> [(sql: String, arguments: StatementArguments)] {
        let columns = Self.pastColumns
        if let ids = identity.ids { return ids.sorted().map { ("SELECT \(columns) FROM past WHERE iri = ?", [$0.text]) } }
        if let alternatives = identity.alternatives { return alternatives.flatMap(pastSelects) }
        guard let types = identity.types?.anyOf else { return [("SELECT \(columns) FROM past ORDER BY id", [])] }
        return types.compactMap(terms.number(of:)).map { type in
            ("SELECT \(columns) FROM past_type JOIN past ON past.id = past_type.past WHERE past_type.type = ? ORDER BY past_type.past", [type])
        }
    }

    /// The steps S1 to S4 of clause 5.7.4.4 for one entity.
    private func match(
        _ entity: HistoricEntity, _ filter: EntityFilter, _ window: HistoryWindow, _ noteThinned: (IRI, ThinnedSpan) -> Void
    ) throws -> HistoryMatch? {
        let validity = try filter.scopes.map { try scopeValidity(of: entity, $0, window) }
        if let validity, !validity.contains(where: { window.temporal?.overlaps($0) ?? true }) { return nil }
        guard try series(of: entity.number, attributes: filter.attributes, window.classificationMax)
            .contains(where: { try hasRecord(of: entity.number, $0, window) || !thinnedSpans(of: entity.number, $0, window).isEmpty })
        else { return nil }
        guard filter.query != nil || filter.geo != nil else { return HistoryMatch(entity: entity, validity: validity) }
        let evolution = try evolution(of: entity, filter.askedAttributes, window)
        let isMatched = (filter.query?.matches(evolution) ?? true) && (filter.geo?.matches(evolution) ?? true)
        if isMatched { return HistoryMatch(entity: entity, validity: validity) }
        guard try holdsThinned() else { return nil }
        // Any value of an attribute will do: what is gone could have made a match, never have prevented one.
        for series in try series(of: entity.number, attributes: filter.askedAttributes, window.classificationMax) {
            for span in try thinnedSpans(of: entity.number, series, window) { noteThinned(series.attribute, span) }
        }
        return nil
    }

    /// An entity that has every value at once that its attributes had within the window: a query holds for the evolution when
    /// it holds for it.
    private func evolution(of entity: HistoricEntity, _ attributes: [IRI], _ window: HistoryWindow) throws -> Entity {
        var evolution = Entity(id: entity.id, types: entity.types, scopes: entity.scopes)
        (evolution.createdAt, evolution.modifiedAt) = (entity.createdAt, entity.modifiedAt)
        var count = 0
        for series in try series(of: entity.number, attributes: attributes, window.classificationMax) {
            try visitRecords(of: entity.number, series, window) { record in
                count += 1
                guard count <= HistorySearch.evaluationCountMax else {
                    throw CityError.tooComplexQuery("q: more than \(HistorySearch.evaluationCountMax) instances of one entity; narrow the interval")
                }
                if record.deletedAt == nil { evolution.attributes[series.attribute, default: []].append(record.attribute) }
                return true
            }
        }
        return evolution
    }
}

extension TemporalQuery {
    fileprivate func overlaps(_ interval: Range<Instant>) -> Bool {
        (upperBound.map { interval.lowerBound < $0 } ?? true) && (lowerBound.map { interval.upperBound > $0 } ?? true)
    }
}

extension EntityFilter {
    /// What does not depend on time: identifiers and types.
    fileprivate var identity: EntityFilter {
        var identity = EntityFilter(ids: ids, idPattern: idPattern, types: types)
        identity.alternatives = alternatives?.map(\.identity)
        return identity
    }

    /// The attributes that `q` and the geo-query speak of.
    fileprivate var askedAttributes: [IRI] {
        var names = OrderedSet(query?.terms.filter { $0.path.entityMember == nil }.map(\.path.root.iri) ?? [])
        if let geo { names.append(geo.property) }
        return Array(names)
    }
}

extension TypeSelection {
    /// Types of which every entity that is selected has at least one; nil when there are no such types.
    fileprivate var anyOf: [IRI]? {
        switch self {
        case .any: return nil
        case .type(let type): return [type]
        case .or(let operands):
            let parts = operands.map(\.anyOf)
            return parts.contains { $0 == nil } ? nil : parts.flatMap { $0 ?? [] }
        case .and(let operands): return operands.compactMap(\.anyOf).min { $0.count < $1.count }
        }
    }
}
