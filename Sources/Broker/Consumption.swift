package import CityModel
internal import OrderedCollections
package import Query
package import Store
package import Trust

/// A query over entities with its page (clause 5.7.2).
package struct EntityQuery: Sendable {
    package var filter: EntityFilter
    package var ordering: Ordering?
    package var offset: Int
    package var limit: Int
    package var wantsCount: Bool
    /// A name that tells the filter and the ordering exactly, where the same is asked for again and again.
    package var keptAs: String?

    package init(filter: EntityFilter, ordering: Ordering? = nil, offset: Int = 0, limit: Int, wantsCount: Bool = false, keptAs: String? = nil) {
        self.filter = filter
        self.ordering = ordering
        (self.offset, self.limit, self.wantsCount, self.keptAs) = (offset, limit, wantsCount, keptAs)
    }
}

/// Consumption of entities (clauses 5.7.1 and 5.7.2). What the access does not let be seen is not there: not in a page, not
/// in a count, not in an error.
extension Broker {
    /// - Parameter types: when given, an entity that it does not select is not there (clause 4.17).
    /// - Throws: `resourceNotFound`.
    package func retrieve(
        _ id: IRI, selecting types: TypeSelection? = nil, _ access: ReadAccess, at now: Instant
    ) async throws -> FoundEntity {
        try await show(access, at: now, isBrief: true) { try Self.find(id, selecting: types, access, at: now, $0) }
    }

    /// The same without waiting for anything.
    /// - Returns: nil where that is not possible, where `retrieve` would throw, and where the reading has to be accounted for.
    package func glimpse(
        _ id: IRI, selecting types: TypeSelection? = nil, _ access: ReadAccess, at now: Instant
    ) -> (found: FoundEntity, moment: FileMoment)? {
        guard let file = try? file(toRead: access) else { return nil }
        let moment = file.moment
        let found = try? file.readNow { snapshot in
            let found = try Self.find(id, selecting: types, access, at: now, snapshot)
            return try snapshot.personalUse().isEmpty ? found : nil
        }
        guard case .some(.some(let found)) = found else { return nil }
        return (found, moment)
    }

    private static func find(
        _ id: IRI, selecting types: TypeSelection?, _ access: ReadAccess, at now: Instant, _ snapshot: ReadSnapshot
    ) throws -> FoundEntity {
        guard let stored = try snapshot.storedEntity(id), stored.classification <= access.classificationMax else { throw notFound(id) }
        if let types, try !types.matches(snapshot.entityTypes(stored)) { throw notFound(id) }
        guard let expiry = stored.expiresAt, expiry <= now else {
            snapshot.show(stored)
            return FoundEntity(stored: stored, entity: nil)
        }
        guard let entity = try snapshot.entity(stored).unexpired(at: now) else { throw notFound(id) }
        snapshot.show(stored)
        return FoundEntity(stored: stored, entity: entity)
    }

    /// What was found as a value.
    package func entity(_ found: FoundEntity, _ access: ReadAccess) throws -> Entity {
        try found.entity ?? file(toRead: access).entity(found.stored)
    }

    /// Of the entities with these identifiers, those that are there and may be seen.
    package func retrieve(_ ids: Set<IRI>, _ access: ReadAccess, at now: Instant) async throws -> [Entity] {
        try await show(access, at: now) { snapshot in
            try ids.compactMap { id in
                let entity = try snapshot.visibleEntity(id, access, at: now)
                if entity != nil, let stored = try snapshot.storedEntity(id) { snapshot.show(stored) }
                return entity
            }
        }
    }

    /// The types of an entity; none where there is none, or it may not be seen. Nothing else of it is told.
    package func types(of id: IRI, _ access: ReadAccess, at now: Instant) async throws -> [IRI] {
        try await file(toRead: access).read { try $0.visibleEntity(id, access, at: now)?.types ?? [] }
    }

    package func query(_ query: EntityQuery, _ access: ReadAccess, at now: Instant) async throws -> EntityPage {
        let search = search(query, access, at: now)
        return try await show(access, at: now, isBrief: true) { snapshot in
            let page = try snapshot.search(search)
            for found in page.entities { snapshot.show(found.stored) }
            return page
        }
    }

    /// Folds all entities that match into one value, reading only some of their attributes: for figures. What is personal is left out of them, so that nothing
    /// has to be accounted for.
    package func fold<Value: Sendable>(
        _ filter: EntityFilter, keeping attributes: Set<IRI>, into initial: Value, _ access: ReadAccess, at now: Instant,
        _ add: @escaping @Sendable (inout Value, Entity) throws -> Void
    ) async throws -> Value {
        var search = search(EntityQuery(filter: filter, limit: .max / 2), access, at: now)
        search.classificationMax = min(search.classificationMax, .partner)
        return try await file(toRead: access).read { [search] snapshot in
            var value = initial
            try snapshot.visitMatches(search) { found in
                try add(&value, try snapshot.entity(found, keeping: attributes))
                return true
            }
            return value
        }
    }

    /// Up to `limit` entities that may be seen, after the one with number `number`, whatever they are: for exports.
    /// - Returns: them, and the number to go on after; nil at the end.
    package func entities(
        after number: Int64, limit: Int, _ access: ReadAccess, at now: Instant
    ) async throws -> (entities: [StoredEntity], next: Int64?) {
        try await show(access, at: now) { snapshot in
            let page = try snapshot.entities(after: number, limit: limit)
            let shown = page.filter { $0.classification <= access.classificationMax }
            for stored in shown { snapshot.show(stored) }
            return (shown, page.last?.number)
        }
    }

    func search(_ query: EntityQuery, _ access: ReadAccess, at now: Instant) -> EntitySearch {
        let limits = configuration.searchLimits
        var search = EntitySearch(
            filter: query.filter, classificationMax: access.classificationMax, ordering: query.ordering, offset: query.offset,
            limit: query.limit, wantsCount: query.wantsCount, now: now,
            limits: SearchLimits(duration: limits.duration, orderedCountMax: limits.orderedCountMax))
        search.keptAs = query.keptAs
        return search
    }

    /// Deletes the entities that match, or removes attributes from them (clause 5.6.21), `purgeBatchCount` in one write.
    /// - Parameter attributes: what to do with the attributes of each match; nil deletes the entity.
    package func purge(_ filter: EntityFilter, attributes: PurgedAttributes?, _ access: WriteAccess, at now: Instant) async throws {
        let file = try file(toWrite: access)
        let query = EntityQuery(filter: filter, limit: .max / 2)
        let search = search(query, access.reading, at: now)
        let ids = try await file.read { snapshot in
            var ids: [IRI] = []
            try snapshot.visitMatches(search) { found in
                ids.append(found.stored.id)
                return true
            }
            return ids
        }
        for start in stride(from: 0, to: ids.count, by: Self.purgeBatchCount) {
            let part = ids[start..<min(start + Self.purgeBatchCount, ids.count)]
            try await file.write { transaction in
                for id in part { try transaction.purge(id, attributes, search, at: now) }
            }
        }
    }

    private static var purgeBatchCount: Int { 500 }
}

/// Which attributes a purge removes.
package enum PurgedAttributes: Sendable {
    case drop(Set<IRI>)
    case keep(Set<IRI>)
}

extension WriteTransaction {
    /// An entity that stopped matching since it was found is left alone.
    fileprivate func purge(_ id: IRI, _ attributes: PurgedAttributes?, _ search: EntitySearch, at now: Instant) throws {
        guard let stored = try storedEntity(id), try search.filter.matches(entity(stored), lookup: { _ in nil }) else { return }
        guard let attributes else {
            _ = try delete(id, at: now)
            return
        }
        try edit(id, at: now) { entity in
            let names = entity.attributes.keys.filter { name in
                switch attributes {
                case .drop(let dropped): dropped.contains(name)
                case .keep(let kept): !kept.contains(name)
                }
            }
            for name in names { try entity.deleteAttribute(name, datasetID: nil, all: true, at: now) }
        }
    }
}

extension ReadSnapshot {
    /// The entity as it is now, when it is there and may be seen: the file is read as the access has it.
    package func visibleEntity(_ id: IRI, _ access: ReadAccess, at now: Instant) throws -> Entity? {
        try visibleEntity(id, .upTo(access.classificationMax), at: now)
    }

    package func visibleEntity(_ id: IRI, _ sight: Sight, at now: Instant) throws -> Entity? {
        guard let stored = try storedEntity(id), stored.classification <= sight.classificationMax,
            let entity = try entity(stored).unexpired(at: now)
        else { return nil }
        return try seen(entity, stored.classification, by: sight)
    }
}
