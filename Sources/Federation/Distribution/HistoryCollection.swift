package import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query

/// All that context sources have of a temporal query, neither a page of its entities nor a part of their instances: what a snapshot
/// freezes (clause 5.16.1.4).
extension Federation {
    /// Asks every source that matches for all it has: page by page, and where a source ends a page before the last instances
    /// (clause 6.3.10), for what follows.
    /// - Parameter countMax: entities of all sources together.
    /// - Parameter instanceCountMax: the same of their instances.
    /// - Returns: nil when no source matches.
    /// - Throws: `tooManyResults`.
    package func everything(
        _ wanted: DistributedEvolutionQuery, countMax: Int, instanceCountMax: Int, _ origin: Origin
    ) async throws -> (found: HistoriesElsewhere, warnings: [SourceWarning])? {
        guard let matching = try await matching(wanted, origin) else { return nil }
        let room = CollectedHistories(countMax: countMax, instanceCountMax: instanceCountMax)
        let answers = await askAll(matching.sources, origin) { source in await histories(of: source, wanted, room, origin) }
        guard answers.reduce(0, { $0 + $1.evolutions.count }) <= countMax else {
            throw CityError.tooManyResults("context sources have more than \(countMax) entities; narrow the query")
        }
        guard answers.reduce(0, { $0 + $1.instanceCount }) <= instanceCountMax else {
            throw CityError.tooManyResults("context sources have more than \(instanceCountMax) instances; narrow the interval")
        }
        var parts: OrderedDictionary<IRI, [ForeignPart]> = [:]
        for (source, answer) in zip(matching.sources, answers) {
            for evolution in answer.evolutions.values {
                parts[evolution.id, default: []].append(
                    ForeignPart(
                        evolution: evolution, isAuxiliary: source.registration.mode == .auxiliary, classification: source.registration.classification))
            }
        }
        return (wanted.found(parts), matching.loopWarnings + answers.flatMap(\.warnings))
    }

    private func histories(
        of source: MatchedSource, _ wanted: DistributedEvolutionQuery, _ room: CollectedHistories, _ origin: Origin
    ) async -> CollectedHistories {
        var (collected, offset) = (room, 0)
        while !collected.isFull {
            let page = await ask(source, wanted, ids: nil, offset: offset, limit: limits.gatheredCountMax, origin)
            let fresh = collected.add(page)
            if let end = page.end { await complete(fresh, from: end, &collected, source, wanted, origin) }
            offset += page.answeredCount
            guard page.isCut, !fresh.isEmpty else { break }
        }
        return collected
    }

    /// Asks for the instances of some entities that follow where an answer ended, until there are no more.
    private func complete(
        _ ids: [IRI], from end: Instant, _ collected: inout CollectedHistories, _ source: MatchedSource, _ wanted: DistributedEvolutionQuery,
        _ origin: Origin
    ) async {
        var open = [(ids: ids, from: end)]
        while let (ids, from) = open.popLast(), !collected.isFull {
            guard let part = ids.inAddresses.first else { continue }
            let others = ids.filter { !part.contains($0) }
            if !others.isEmpty { open.append((others, from)) }
            let rest = wanted.following(from, of: part.compactMap { collected.evolutions[$0] })
            let answer = await ask(source, rest, ids: part, limit: part.count, origin)
            let answered = collected.extend(answer, among: part, from: from)
            if answer.endsEarly, !answered.isEmpty { open.append((part.filter { !answered.contains($0) }, from)) }
            guard let end = answer.end else { continue }
            if end == from {
                collected.warnings.append(SourceWarning(.invalid, source.registration.id, "the source ends its answer where it began"))
            } else {
                open.append((answered, end))
            }
        }
    }
}

private struct ForeignPart: Sendable {
    let evolution: TemporalEntity
    let isAuxiliary: Bool
    let classification: Classification
}

/// What was collected of one source so far.
private struct CollectedHistories {
    let countMax: Int, instanceCountMax: Int
    private(set) var evolutions: OrderedDictionary<IRI, TemporalEntity> = [:]
    private(set) var instanceCount = 0
    var warnings: [SourceWarning] = []

    init(countMax: Int, instanceCountMax: Int) { (self.countMax, self.instanceCountMax) = (countMax, instanceCountMax) }

    var isFull: Bool { evolutions.count > countMax || instanceCount > instanceCountMax }

    /// - Returns: those that are new: what changes places while it is gone through may come twice.
    mutating func add(_ page: ForeignEvolutions) -> [IRI] {
        warnings += page.warnings
        let fresh = page.entities.filter { evolutions[$0.id] == nil }
        for evolution in fresh {
            evolutions[evolution.id] = evolution
            instanceCount += evolution.instanceCount
        }
        return fresh.map(\.id)
    }

    /// Adds what follows a moment. The instances of that moment are answered again, and this time all of them.
    /// - Returns: the entities that have any.
    mutating func extend(_ answer: ForeignEvolutions, among ids: Set<IRI>, from moment: Instant) -> [IRI] {
        warnings += answer.warnings
        let more = answer.entities.filter { ids.contains($0.id) }
        for evolution in more {
            guard let before = evolutions[evolution.id] else { continue }
            let whole = before.extended(with: evolution, from: moment)
            instanceCount += whole.instanceCount - before.instanceCount
            evolutions[evolution.id] = whole
        }
        return more.map(\.id)
    }
}

extension TemporalEntity {
    fileprivate var instanceCount: Int { instances.values.reduce(scopes.count) { $0 + $1.count } }

    fileprivate func extended(with other: TemporalEntity, from moment: Instant) -> TemporalEntity {
        var attributes = instances
        for (name, more) in other.instances { attributes[name] = (attributes[name] ?? []).filter { $0.time != moment } + more }
        var whole = self
        whole.content = .instances(attributes)
        let known = Set(scopes.map(\.time))
        whole.scopes += other.scopes.filter { !known.contains($0.time) }
        return whole
    }
}

extension DistributedEvolutionQuery {
    /// The same for what follows a moment, in the order of reading, of entities that were found. What they have then need not meet the
    /// conditions any more, so these are not asked again; which scopes they had at which time still is.
    fileprivate func following(_ moment: Instant, of found: [TemporalEntity]) -> DistributedEvolutionQuery {
        var rest = self
        if let temporal = selection.temporal { rest.selection.temporal = temporal.following(moment, isBackwards: selection.lastN != nil) }
        rest.query.conditions.removeAll { $0.name != "scopeQ" }
        // Without conditions the query would be too wide where it names no types.
        let types = OrderedSet(found.flatMap(\.types)).map(TypeSelection.type)
        let selectors = query.specification.selectors.isEmpty ? [.init()] : query.specification.selectors
        rest.query.specification.selectors = selectors.map { selector in
            selector.types == nil && !types.isEmpty ? .init(types: .or(types), ids: selector.ids, idPattern: selector.idPattern) : selector
        }
        return rest
    }

    /// What is found elsewhere, and how it is put together with what is here: as a distributed query does it.
    fileprivate func found(_ parts: OrderedDictionary<IRI, [ForeignPart]>) -> HistoriesElsewhere {
        let (filter, isSplit) = (query.filter, query.isSplit)
        let assembly = EvolutionAssembly(
            selection: selection, limits: EvolutionLimits(instanceCountMax: .max, totalCountMax: .max, periodCountMax: .max))
        return HistoriesElsewhere(ids: parts.keys, filter: isSplit ? filter.selection : filter, isSplit: isSplit) { id, local in
            let foreign = parts[id] ?? []
            var merge = EvolutionMerge(local)
            for part in foreign where !part.isAuxiliary { merge.add(part.evolution) }
            for part in foreign where part.isAuxiliary { merge.supplement(part.evolution) }
            guard let whole = merge.entity, !isSplit || filter.matches(evolution: whole),
                var answered = try assembly.page([whole]).entities.first
            else { return nil }
            // Which scopes there were is kept in any case: whoever reads the snapshot may ask for them.
            answered.scopes = whole.scopes
            return (answered, foreign.map(\.classification).max() ?? .open)
        }
    }
}

extension TemporalQuery {
    /// - Parameter isBackwards: whether what comes before the moment follows it. The moment itself is included.
    fileprivate func following(_ moment: Instant, isBackwards: Bool) -> TemporalQuery {
        if isBackwards {
            let end = Instant(microseconds: moment.microseconds + 1)
            return TemporalQuery(lowerBound.map { .between($0, end) } ?? .before(end), of: property)
        }
        return TemporalQuery(upperBound.map { .between(moment, $0) } ?? .after(moment), of: property)
    }
}
