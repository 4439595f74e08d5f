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
}

extension Federation {
    /// Retrieves the evolution of an entity here and from all sources that may have some of it (clause 5.7.3.4).
    /// - Parameter attributes: those that are wanted (`attrs`); nil for all.
    /// - Returns: nil when no source matches: then it is for the broker alone to answer.
    package func retrieveEvolution(
        of id: IRI, _ selection: EvolutionSelection, attributes: Set<IRI>?, limits: EvolutionLimits, _ origin: Origin
    ) async throws -> DistributedEvolution? {
        var specification = SourceSpecification()
        specification.selectors = [.init(ids: [id])]
        (specification.attributes, specification.datasets) = (attributes, selection.datasets?.datasets)
        (specification.temporal, specification.isOfHistory) = (selection.temporal, true)
        let matching = try await matching(specification, [.retrieveTemporal], origin)
        guard !matching.isEmpty else { return nil }
        let answers = await askAll(matching.sources, origin) { source in
            await readEvolutions(
                ask(source.registration, origin) { context in source.retrieval(of: id, selection, attributes: attributes, context) },
                of: source, isMany: false, limit: 1, selection, origin)
        }
        let warnings = matching.loopWarnings + answers.flatMap(\.warnings)
        func locally(_ selection: EvolutionSelection, _ limits: EvolutionLimits) async throws -> EvolutionPage? {
            do {
                return try await broker.retrieveEvolution(of: id, selection, limits: limits, origin.access, at: origin.asker.now)
            } catch CityError.resourceNotFound { return nil }
        }
        let foreign = zip(matching.sources, answers).flatMap { source, answer in answer.entities.filter { $0.id == id }.map { (source, $0) } }
        if foreign.isEmpty { return DistributedEvolution(page: try await locally(selection, limits), warnings: warnings) }
        let local = try await locally(selection.ofInstances, limits.ofInstances(for: selection))
        var merge = EvolutionMerge(local?.entities.first)
        for isAuxiliary in [false, true] {
            for (source, entity) in foreign where (source.registration.mode == .auxiliary) == isAuxiliary {
                if isAuxiliary { merge.supplement(entity) } else { merge.add(entity) }
            }
        }
        var assembly = EvolutionAssembly(selection: selection, limits: limits)
        assembly.ends = (answers.map(\.end) + [local?.end(of: selection)]).compactMap { $0 }
        let page = try assembly.page(merge.entity.map { [$0] } ?? [])
        return DistributedEvolution(page: page.entities.isEmpty ? nil : page, warnings: warnings)
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
