package import Broker
package import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query

/// An evolution put together of what several sources have of it.
package struct DistributedEvolution: Sendable {
    /// Nil when nobody has anything of what was asked for.
    package let page: EvolutionPage?
    package let warnings: [SourceWarning]
    /// Whether this broker has some of it.
    package let isHere: Bool
    /// The sources that have some of it, with the maps that they used.
    package let remote: [RemoteEntities]
}

extension Federation {
    /// Retrieves the evolution of an entity here and from all sources that may have some of it (clause 5.7.3.4).
    /// - Parameter attributes: those that are wanted (`attrs`); nil for all.
    /// - Parameter map: says which sources have some of it, so that no others are asked.
    /// - Returns: nil when no source matches: then it is for the broker alone to answer.
    package func retrieveEvolution(
        of id: IRI, _ selection: EvolutionSelection, attributes: Set<IRI>?, limits: EvolutionLimits, through map: EntityMap? = nil, _ origin: Origin
    ) async throws -> DistributedEvolution? {
        var specification = SourceSpecification()
        specification.selectors = [.init(ids: [id])]
        (specification.attributes, specification.datasets) = (attributes, selection.datasets?.datasets)
        (specification.temporal, specification.isOfHistory) = (selection.temporal, true)
        var matching = try await matching(specification, [.retrieveTemporal], origin)
        if let map { matching.keep(holdersOf: id, in: map) }
        guard !matching.isEmpty else { return nil }
        let answers = await askAll(matching.sources, origin) { source in
            let reply = await ask(source.registration, origin) { context in
                var forward = source.retrieval(of: id, selection, attributes: attributes, context)
                forward.entityMap = map?.linkedMaps[source.registration.id]
                return forward
            }
            return await readEvolutions(reply, of: source, isMany: false, limit: 1, selection, origin)
        }
        if let map { for (source, answer) in zip(matching.sources, answers) { link(map, source, to: answer.entityMap) } }
        let warnings = matching.loopWarnings + answers.flatMap(\.warnings)
        func locally(_ selection: EvolutionSelection, _ limits: EvolutionLimits) async throws -> EvolutionPage? {
            do {
                return try await broker.retrieveEvolution(of: id, selection, limits: limits, origin.access, at: origin.asker.now)
            } catch CityError.resourceNotFound { return nil }
        }
        let foreign = zip(matching.sources, answers).flatMap { source, answer in answer.entities.filter { $0.id == id }.map { (source, $0) } }
        guard !foreign.isEmpty else {
            let page = try await locally(selection, limits)
            return DistributedEvolution(page: page, warnings: warnings, isHere: page != nil, remote: [])
        }
        let local = try await locally(selection.ofInstances, limits.ofInstances(for: selection))
        var merge = EvolutionMerge(local?.entities.first)
        for isAuxiliary in [false, true] {
            for (source, entity) in foreign where (source.registration.mode == .auxiliary) == isAuxiliary {
                if isAuxiliary { merge.supplement(entity) } else { merge.add(entity) }
            }
        }
        var assembly = EvolutionAssembly(selection: selection, limits: limits)
        assembly.ends = (answers.map(\.end) + [local?.end(of: selection)]).compactMap { $0 }
        assembly.dropped = local?.dropped ?? []
        let page = try assembly.page(merge.entity.map { [$0] } ?? [])
        let remote = zip(matching.sources, answers).filter { $1.entities.contains { $0.id == id } }.map { source, answer in
            RemoteEntities(registration: source.registration.id, ids: [id], map: answer.entityMap)
        }
        return DistributedEvolution(page: page.entities.isEmpty ? nil : page, warnings: warnings, isHere: local != nil, remote: remote)
    }
}

extension EvolutionSelection {
    /// The same where aggregates are yet to be made.
    var ofInstances: EvolutionSelection {
        var selection = self
        if aggregation != nil { (selection.aggregation, selection.lastN) = (nil, nil) }
        return selection
    }
}

extension EvolutionLimits {
    /// Of an aggregate all instances are needed.
    func ofInstances(for selection: EvolutionSelection) -> EvolutionLimits {
        var limits = self
        if selection.aggregation != nil { limits.instanceCountMax = totalCountMax }
        return limits
    }
}

extension EvolutionPage {
    /// The last moment that it holds, in the order of reading, where there is more.
    func end(of selection: EvolutionSelection) -> Instant? {
        guard isPartial else { return nil }
        return selection.ofInstances.lastN == nil ? times?.upperBound : times?.lowerBound
    }
}
