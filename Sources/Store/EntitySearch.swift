package import CityModel
internal import GRDB
internal import OrderedCollections
package import Query

/// A query over entities, as the store answers it.
package struct EntitySearch: Sendable {
    package var filter: EntityFilter
    /// The most confidential class that may be seen, counted or let be noticed.
    package var classificationMax: Classification
    package var ordering: Ordering?
    package var offset: Int
    package var limit: Int
    /// Whether all matches are to be counted, not only those of the page.
    package var wantsCount: Bool
    package var now: Instant
    package var limits: SearchLimits
    /// Only entities whose number is in it; nil looks at all. Visits alone ask for one.
    package var share: ReadShare?
    /// A name that tells the filter and the ordering exactly, where the same is asked for again and again: then the order is kept in memory.
    package var keptAs: String?

    package init(
        filter: EntityFilter, classificationMax: Classification, ordering: Ordering? = nil, offset: Int = 0, limit: Int,
        wantsCount: Bool = false, now: Instant, limits: SearchLimits = .init()
    ) {
        self.filter = filter
        self.classificationMax = classificationMax
        self.ordering = ordering
        (self.offset, self.limit, self.wantsCount) = (offset, limit, wantsCount)
        (self.now, self.limits) = (now, limits)
    }
}

/// What one query may cost.
package struct SearchLimits: Sendable {
    package var duration: Duration
    /// Matches that can be put in order, which takes all of them at once.
    package var orderedCountMax: Int
    package init(duration: Duration = .seconds(10), orderedCountMax: Int = 20_000) {
        self.duration = duration
        self.orderedCountMax = orderedCountMax
    }
}

/// An entity that a search found. It is there as an `Entity` only where it had to be read to decide.
package struct FoundEntity: Sendable {
    package let stored: StoredEntity
    package let entity: Entity?

    package init(stored: StoredEntity, entity: Entity?) { (self.stored, self.entity) = (stored, entity) }
}

package struct EntityPage: Sendable {
    package var entities: [FoundEntity]
    /// All matches, when they were asked to be counted.
    package var count: Int?
    package var hasMore: Bool

    package init(entities: [FoundEntity], count: Int?, hasMore: Bool) { (self.entities, self.count, self.hasMore) = (entities, count, hasMore) }
}

/// How each candidate of one search is asked whether it matches.
struct EntityTest {
    /// Whether every candidate does.
    let isMet: Bool
    /// Asked of the document's bytes, where that can be.
    let plain: PlainFilter?
    /// Those that the filter looks at; while nothing has expired, no others are read.
    let attributes: Set<IRI>

    init(_ filter: EntityFilter, isMet: Bool = false, terms: TermTable) {
        self.isMet = isMet
        plain = isMet ? nil : PlainFilter(filter, terms: terms)
        attributes = filter.attributesRead
    }
}

extension ReadSnapshot {
    /// - Throws: `CityError.tooComplexQuery` when the time is up, `.tooManyResults` when there are too many to be ordered.
    package func search(_ search: EntitySearch) throws -> EntityPage {
        if let ordering = search.ordering { return try orderedPage(search, ordering) }
        let candidates = try CandidatePlanner(snapshot: self).plan(search.filter)
        let isIndexEnough = try candidates.isExact && !hasExpired(search.now)
        if isIndexEnough, search.classificationMax == .special { return try indexPage(search, candidates) }
        let countsByVisit = search.wantsCount && !isIndexEnough
        var page = EntityPage(entities: [], count: nil, hasMore: false)
        var count = 0
        try visitMatches(search, candidates) { found in
            count += 1
            if count > search.offset + search.limit { page.hasMore = true } else if count > search.offset { page.entities.append(found) }
            return countsByVisit || !page.hasMore
        }
        if search.wantsCount { page.count = countsByVisit ? count : try indexCount(search, candidates) }
        return page
    }

    /// Visits every entity that matches, as long as `visit` returns true.
    package func visitMatches(_ search: EntitySearch, _ visit: (FoundEntity) throws -> Bool) throws {
        try visitMatches(search, CandidatePlanner(snapshot: self).plan(search.filter), visit)
    }

    private func visitMatches(_ search: EntitySearch, _ candidates: Candidates, _ visit: (FoundEntity) throws -> Bool) throws {
        let test = EntityTest(search.filter, isMet: candidates.isExact, terms: terms)
        let deadline = ContinuousClock.now + search.limits.duration
        var seen: Set<Int64> = []
        var visited = 0
        // Under rules a document costs much, also where it is one that came before.
        let isJoined = !candidates.mayRepeat || !isRuled
        let share = search.share.map { " WHERE " + $0.condition(on: "found.entity") } ?? ""
        for select in candidates.selects {
            // Without a limit SQLite would lose the order of a part of a join, and take the entities in another.
            let found = "(\(select.sql) LIMIT -1) AS found"
            let cursor = try rows(
                isJoined
                    ? "SELECT \(StoredEntity.columns) FROM \(found) CROSS JOIN entity ON entity.id = found.entity\(share)"
                    : "SELECT found.entity FROM \(found)\(share)", select.arguments)
            while let row = try cursor.next() {
                visited += 1
                if visited % 128 == 0, ContinuousClock.now > deadline {
                    throw CityError.tooComplexQuery("this query takes longer than \(search.limits.duration); narrow it, by type for example")
                }
                let number = try row.decode(Int64.self, atIndex: 0)
                if candidates.mayRepeat, !seen.insert(number).inserted { continue }
                guard let stored = try isJoined ? StoredEntity(row) : storedEntity(number: number), stored.classification <= search.classificationMax,
                    let found = try match(stored, search, test)
                else { continue }
                guard try visit(found) else { return }
            }
        }
    }

    /// A page straight from an index whose candidates are the matches. The offset is skipped within the index.
    private func indexPage(_ search: EntitySearch, _ candidates: Candidates) throws -> EntityPage {
        var page = EntityPage(entities: [], count: nil, hasMore: false)
        for select in candidates.selects {
            let sql = "SELECT \(StoredEntity.columns) FROM (\(select.sql) LIMIT ? OFFSET ?) AS found CROSS JOIN entity ON entity.id = found.entity"
            let cursor = try rows(sql, select.arguments + [search.limit + 1, search.offset])
            while let row = try cursor.next() {
                guard page.entities.count < search.limit else {
                    page.hasMore = true
                    break
                }
                guard let stored = try StoredEntity(row) else { continue }
                page.entities.append(FoundEntity(stored: stored, entity: nil))
            }
        }
        if search.wantsCount { page.count = try indexCount(search, candidates) }
        return page
    }

    /// How many of candidates that are the matches may be seen. Reads no document.
    private func indexCount(_ search: EntitySearch, _ candidates: Candidates) throws -> Int {
        var count = 0
        for select in candidates.selects {
            var (sql, arguments) = ("SELECT count(*) FROM (\(select.sql)) AS found", select.arguments)
            if search.classificationMax < .special {
                sql += " CROSS JOIN entity ON entity.id = found.entity WHERE classification <= ?"
                arguments += [search.classificationMax.rank]
            }
            count += try row(sql, arguments)?.decode(Int.self, atIndex: 0) ?? 0
        }
        return count
    }

    private func orderedPage(_ search: EntitySearch, _ ordering: Ordering) throws -> EntityPage {
        let matches = try order(search, ordering)
        var entities: [FoundEntity] = []
        for match in matches.dropFirst(search.offset).prefix(search.limit) {
            guard let stored = try storedEntity(number: match.entity) else { continue }
            let hasExpired = stored.expiresAt.map { $0 <= search.now } ?? false
            entities.append(FoundEntity(stored: stored, entity: hasExpired ? try entity(stored).unexpired(at: search.now) : nil))
        }
        return EntityPage(
            entities: entities, count: search.wantsCount ? matches.count : nil, hasMore: matches.count > search.offset + search.limit)
    }

    /// The entity as it is now when it matches; nil when it does not, or has expired.
    func match(_ stored: StoredEntity, _ search: EntitySearch, _ test: EntityTest) throws -> FoundEntity? {
        if let expiry = stored.expiresAt, expiry <= search.now {
            // No index knows what has expired meanwhile.
            guard let entity = try entity(stored).unexpired(at: search.now), matches(entity, search) else { return nil }
            return FoundEntity(stored: stored, entity: entity)
        }
        guard try test.isMet || test.plain?.holds(for: stored.document) ?? matches(decoder.entity(stored.document, keeping: test.attributes), search)
        else { return nil }
        return FoundEntity(stored: stored, entity: nil)
    }

    private func matches(_ entity: Entity, _ search: EntitySearch) -> Bool {
        search.filter.matches(entity) { target in
            guard let stored = try? storedEntity(target), stored.classification <= search.classificationMax else { return nil }
            return try? self.entity(stored).unexpired(at: search.now)
        }
    }

    func hasExpired(_ now: Instant) throws -> Bool {
        try row("SELECT 1 FROM entity WHERE expires_us <= ? LIMIT 1", [now.microseconds]) != nil
    }
}

extension Entity {
    /// The entity without the attributes that have expired; nil when it has expired itself (clause 4.22).
    package func unexpired(at now: Instant) -> Entity? {
        if let expiresAt, expiresAt <= now { return nil }
        guard let firstExpiry, firstExpiry <= now else { return self }
        var entity = self
        for (name, instances) in attributes {
            let living = instances.filter { $0.expiresAt.map { $0 > now } ?? true }
            if living.isEmpty { entity.attributes[name] = nil } else { entity.attributes[name] = living }
        }
        return entity
    }
}
