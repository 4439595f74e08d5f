internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
internal import Trust

/// What the queries of one snapshot find, within its limits.
struct SnapshotFinding {
    let snapshot: ReadSnapshot
    let limits: SnapshotLimits
    let now: Instant
    private var entityCount = 0
    private var instanceCount = 0
    private var byteCount = 0

    init(snapshot: ReadSnapshot, limits: SnapshotLimits, now: Instant) { (self.snapshot, self.limits, self.now) = (snapshot, limits, now) }

    /// A query that fails leaves the others as they are.
    mutating func attempt<Found>(_ find: (inout SnapshotFinding) throws -> [Found]) -> Result<[Found], CityError> {
        do { return .success(try find(&self)) } catch let error as CityError { return .failure(error) } catch {
            return .failure(.internalFault("a snapshot's query failed: \(error)"))
        }
    }

    mutating func entities(of query: SnapshotQuery, _ broker: Broker, _ access: ReadAccess) throws -> [EntityToFreeze] {
        var (found, met) = ([EntityToFreeze](), Set<IRI>())
        func add(_ entity: Entity, _ classification: Classification, _ number: Int64?, source: String? = nil, key: KeyID? = nil) throws {
            guard query.elsewhere?.wholeFilter?.matches(entity) ?? true else { return }
            try count(entities: 1)
            guard let shown = query.view.selected(entity) else { return }
            try count(bytes: shown.approximateByteCount)
            found.append(EntityToFreeze(shown, classification: classification, number: number, source: source, key: key))
        }
        let search = broker.search(EntityQuery(filter: query.elsewhere?.filter ?? query.filter, limit: Int(Int32.max)), access, at: now)
        try snapshot.visitMatches(search) { match in
            let local = try match.entity ?? snapshot.entity(match.stored)
            let whole = query.elsewhere?.merge(local.id, local)
            try add(
                whole?.entity ?? local, max(whole?.classification ?? .open, match.stored.classification), match.stored.number,
                source: snapshot.source(of: match.stored.number), key: match.stored.key)
            met.insert(local.id)
            return true
        }
        for id in query.elsewhere?.ids ?? [] where !met.contains(id) {
            guard let (entity, classification) = query.elsewhere?.merge(id, nil) else { continue }
            let number = try snapshot.number(of: id)
            try add(entity, classification, number, key: number.flatMap { try snapshot.keyID(ofEntity: $0) })
        }
        return found
    }

    mutating func histories(of query: SnapshotEvolutionQuery, _ broker: Broker, _ access: ReadAccess) throws -> [HistoryToFreeze] {
        guard let temporal = query.selection.temporal else { throw CityError.badRequestData("temporalQ: is missing") }
        let (elsewhere, isSplit) = (query.elsewhere, query.elsewhere?.isSplit ?? false)
        let search = HistorySearch(
            filter: elsewhere?.filter ?? query.filter, temporal: temporal, classificationMax: access.classificationMax, offset: 0,
            limit: isSplit ? Int(Int32.max) : limits.entityCountMax + 1, now: now)
        var (found, met) = ([HistoryToFreeze](), Set<IRI>())
        for match in try snapshot.searchHistory(search).matches {
            let id = match.entity.id
            let recorded = try recorded(match, query.selection, temporal, access)
            met.insert(id)
            guard let elsewhere, isSplit || elsewhere.ids.contains(id) else {
                found.append(try counted(HistoryToFreeze(recorded)))
                continue
            }
            guard let (evolution, foreign) = try elsewhere.merge(id, recorded.evolution) else { continue }
            found.append(try counted(HistoryToFreeze(evolution, recorded, foreign: foreign, number: match.entity.number)))
        }
        for id in elsewhere?.ids ?? [] where !met.contains(id) {
            guard let (evolution, foreign) = try elsewhere?.merge(id, nil) else { continue }
            found.append(try counted(HistoryToFreeze(evolution, nil, foreign: foreign, number: snapshot.number(of: id))))
        }
        return found
    }

    private func recorded(
        _ match: HistoryMatch, _ selection: EvolutionSelection, _ temporal: TemporalQuery, _ access: ReadAccess
    ) throws -> RecordedHistory {
        let window = HistoryWindow(temporal, validity: match.validity, isBackwards: selection.lastN != nil, now: now, access.classificationMax)
        return try snapshot.recordedHistory(
            match, window, lastN: selection.lastN, countMax: limits.instanceCountMax - instanceCount, byteCountMax: limits.byteCountMax - byteCount
        ) { series in selection.projection.keeps(series.attribute) && selection.datasets?.datasets.contains(series.datasetID) ?? true }
    }

    private mutating func counted(_ history: HistoryToFreeze) throws -> HistoryToFreeze {
        try count(entities: 1)
        try count(bytes: history.byteCount)
        instanceCount += history.instanceCount
        guard instanceCount <= limits.instanceCountMax else {
            throw CityError.tooManyResults("a snapshot holds at most \(limits.instanceCountMax) instances; narrow the interval")
        }
        return history
    }

    private mutating func count(entities: Int) throws {
        entityCount += entities
        guard entityCount <= limits.entityCountMax else {
            throw CityError.tooManyResults("a snapshot holds at most \(limits.entityCountMax) entities; narrow its queries")
        }
    }

    private mutating func count(bytes: Int) throws {
        byteCount += bytes
        guard byteCount <= limits.byteCountMax else {
            throw CityError.tooManyResults("a snapshot holds at most about \(limits.byteCountMax >> 20) MiB; narrow its queries")
        }
    }
}
