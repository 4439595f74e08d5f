package import CityModel
internal import OrderedCollections
package import Query
package import Store
package import Trust

/// The operations on entity maps (clause 5.14). Whoever may read may make one; it is known to who made it alone.
extension Broker {
    /// Makes a map of the entities that match a query (clause 5.14.4). Its page plays no part.
    /// - Parameter remote: entities that context sources found, with the maps that they made, by registration.
    /// - Parameter queryKey: what the query asks, where later requests are to be held against it.
    /// - Parameter lifetime: how long it should live; the limits have the last word.
    /// - Throws: `tooManyResults` when more match than a map holds.
    package func makeEntityMap(
        of query: EntityQuery, remote: [RemoteEntities] = [], queryKey: String? = nil, lifetime: PeriodDuration? = nil, _ access: ReadAccess,
        at now: Instant
    ) async throws -> EntityMap {
        let countMax = configuration.entityMapLimits.entityCountMax
        let query = search(query, access, at: now)
        let ids = try await file(toRead: access).read { snapshot in try snapshot.identifiers(query, countMax: countMax) }
        return try keep(RemoteEntities.merged(ids, remote), remote, queryKey, filter: query.filter, lifetime, access, at: now)
    }

    /// Entities of one map.
    package var entityMapCountMax: Int { configuration.entityMapLimits.entityCountMax }

    /// Makes a map of entities of which there is a temporal evolution (clause 5.14.5).
    /// - Parameter remote: entities that context sources found, with the maps that they made, by registration.
    package func makeEntityMap(
        of filter: EntityFilter, _ temporal: TemporalQuery?, order: HistorySearch.Order? = nil, remote: [RemoteEntities] = [],
        lifetime: PeriodDuration? = nil, _ access: ReadAccess, at now: Instant
    ) async throws -> EntityMap {
        guard let temporal else { throw CityError.badRequestData("timerel: a temporal query is needed (clause 5.14.5.4)") }
        let countMax = configuration.entityMapLimits.entityCountMax
        let limits = configuration.searchLimits
        let search = HistorySearch(
            filter: filter, temporal: temporal, classificationMax: access.classificationMax, order: order, offset: 0, limit: countMax + 1,
            wantsCount: false, now: now, limits: SearchLimits(duration: limits.duration, orderedCountMax: limits.orderedCountMax))
        let ids = try await file(toRead: access).read { try $0.searchHistory(search).matches.map(\.entity.id) }
        // The temporal query of a later request may be another (clause 5.5.14): not to match one takes no entity out.
        return try keep(RemoteEntities.merged(ids, remote), remote, nil, filter: nil, lifetime, access, at: now)
    }

    /// Makes a map of one entity, for whoever retrieves it again (clause 4.3.6.7).
    /// - Parameter remote: the sources that have some of it.
    /// - Parameter isHere: whether some of it is held here.
    package func makeEntityMap(
        of id: IRI, remote: [RemoteEntities] = [], isHere: Bool = true, lifetime: PeriodDuration? = nil, _ access: ReadAccess, at now: Instant
    ) throws -> EntityMap {
        try keep(RemoteEntities.merged(isHere ? [id] : [], remote), remote, nil, filter: nil, lifetime, access, at: now)
    }

    /// Entities that match no more are in the map no longer (clause 5.5.9.3).
    package func removeEntries(at positions: [Int], of id: IRI) { entityMaps.withLock { $0.removeEntries(at: positions, of: id) } }

    /// A source uses this map for its part from now on (clause 5.7.1.4).
    package func linkEntityMap(_ id: IRI, _ registration: IRI, to linked: IRI) { entityMaps.withLock { $0.link(id, registration, to: linked) } }

    private func keep(
        _ entries: [EntityMap.Entry], _ remote: [RemoteEntities], _ queryKey: String?, filter: EntityFilter?, _ lifetime: PeriodDuration?,
        _ access: ReadAccess, at now: Instant
    ) throws -> EntityMap {
        let limits = configuration.entityMapLimits
        guard entries.count <= limits.entityCountMax else {
            throw CityError.tooManyResults("an EntityMap holds at most \(limits.entityCountMax) entities; narrow the query")
        }
        let latest = now.adding(seconds: limits.lifetimeSecondsMax)
        let wanted = lifetime?.start(ofPeriod: 1, from: now) ?? now.adding(seconds: limits.lifetimeSecondsDefault)
        let map = EntityMap(
            id: IRI(known: "urn:ngsi-ld:EntityMap:" + Self.randomText()), expiresAt: min(wanted, latest), entries: entries,
            linkedMaps: .init(remote.compactMap { part in part.map.map { (part.registration, $0) } }, uniquingKeysWith: { first, _ in first }),
            queryKey: queryKey, filter: filter, maker: access)
        entityMaps.withLock { $0.put(map, at: now) }
        return map
    }

    /// Nobody can guess it.
    package static func randomText() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in String(UInt64.random(in: .min ... .max, using: &generator), radix: 36) }.joined()
    }

    /// The map when it can be used; nil when it has expired or is unknown, whereupon a new one is made (clause 5.5.14).
    package func usableEntityMap(_ id: IRI, _ access: ReadAccess, at now: Instant) -> EntityMap? {
        entityMaps.withLock { $0.map(id, access, at: now) }
    }

    /// The map with those of its entities that may be seen (clause 5.14.1).
    /// - Throws: `resourceNotFound`.
    package func retrieveEntityMap(_ id: IRI, _ access: ReadAccess, at now: Instant) async throws -> EntityMap {
        guard var map = usableEntityMap(id, access, at: now) else { throw Self.noEntityMap(id) }
        guard access.sight != .upTo(.special) else { return map }
        let ids = map.entries.map { $0?.id }
        let isVisible = try await file(toRead: access).read { snapshot in
            try ids.map { id in try id.map { try !snapshot.isHidden($0, access.classificationMax) } ?? false }
        }
        map.keep(where: isVisible)
        return map
    }

    /// Only when it expires can be changed from outside (clauses 5.5.14 and 5.14.2), within the limits. A moment that has
    /// passed ends it.
    /// - Throws: `resourceNotFound`.
    package func updateEntityMap(_ id: IRI, expiresAt: Instant?, _ access: ReadAccess, at now: Instant) throws {
        let latest = now.adding(seconds: configuration.entityMapLimits.lifetimeSecondsMax)
        try entityMaps.withLock { shelf in
            guard shelf.map(id, access, at: now) != nil else { throw Self.noEntityMap(id) }
            if let expiresAt { shelf.setExpiry(id, min(expiresAt, latest)) }
        }
    }

    /// - Throws: `resourceNotFound`.
    package func deleteEntityMap(_ id: IRI, _ access: ReadAccess, at now: Instant) throws {
        try entityMaps.withLock { shelf in
            guard shelf.map(id, access, at: now) != nil else { throw Self.noEntityMap(id) }
            shelf.remove(id)
        }
    }

    private static func noEntityMap(_ id: IRI) -> CityError { .resourceNotFound("there is no EntityMap \(id)") }
}

/// What one context source has to add to a map: entities it found and the map that it made of them (clause 5.14.4.4).
package struct RemoteEntities: Sendable {
    package let registration: IRI
    package let ids: [IRI]
    package let map: IRI?
    package init(registration: IRI, ids: [IRI], map: IRI?) { (self.registration, self.ids, self.map) = (registration, ids, map) }

    /// First what is held here, then what is held elsewhere only.
    fileprivate static func merged(_ local: [IRI], _ remote: [RemoteEntities]) -> [EntityMap.Entry] {
        guard !remote.isEmpty else { return local.map { EntityMap.Entry($0) } }
        var order = local
        var holders = Dictionary(local.map { ($0, [EntityMap.Holder.here]) }, uniquingKeysWith: { first, _ in first })
        for part in remote {
            for id in part.ids {
                if holders[id] == nil { order.append(id) }
                holders[id, default: []].append(.registration(part.registration))
            }
        }
        return order.map { EntityMap.Entry($0, holders[$0] ?? []) }
    }
}

extension ReadSnapshot {
    /// Of the entities that match, the identifiers, in the order in which they would be answered.
    fileprivate func identifiers(_ query: EntitySearch, countMax: Int) throws -> [IRI] {
        var query = query
        (query.offset, query.limit, query.wantsCount) = (0, countMax + 1, false)
        if query.ordering != nil { return try search(query).entities.map(\.stored.id) }
        var ids: [IRI] = []
        try visitMatches(query) { found in
            ids.append(found.stored.id)
            return ids.count <= countMax
        }
        return ids
    }
}
