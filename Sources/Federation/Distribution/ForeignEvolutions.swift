internal import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
internal import Trust

/// Evolutions that a source answered, read and held to what its registration says of them and to what was asked for.
struct ForeignEvolutions: Sendable {
    var entities: [TemporalEntity] = []
    /// Those of which rules do not show everything.
    var narrowed: Set<IRI> = []
    /// How many there are at the source.
    var count: Int?
    /// How many of them were in the answer, also those that are not kept.
    var answeredCount = 0
    /// Whether it may have more entities than it answered.
    var isCut = false
    /// Whether it answered fewer than it was asked for, though it has more.
    var endsEarly = false
    /// The last moment that it answers, in the order of reading, where it has more instances (clause 6.3.10).
    var end: Instant?
    /// The map that it used to answer.
    var entityMap: IRI?
    /// Its own, and those that it hands on of sources behind it.
    var warnings: [SourceWarning] = []
}

extension ForeignEvolutions {
    fileprivate mutating func add(_ entity: TemporalEntity, _ source: MatchedSource, _ sight: Sight) {
        guard let seen = sight.seen(elsewhere: entity, source.registration.classification) else { return }
        if seen.instances.count < entity.instances.count { narrowed.insert(entity.id) }
        entities.append(seen)
    }

    /// Leaves out what was found by something that is not shown, as `ForeignEntities` does.
    mutating func hold(_ query: DistributedQuery) {
        guard !narrowed.isEmpty, !query.isSplit else { return }
        entities.removeAll { narrowed.contains($0.id) && !query.filter.matches(evolution: $0) }
    }
}

extension Federation {
    /// - Parameter isMany: whether it has to be an array.
    /// - Parameter limit: the entities that were asked for; what a source answers beyond them is not looked at.
    func readEvolutions(
        _ reply: SourceReply, of source: MatchedSource, isMany: Bool, limit: Int, _ selection: EvolutionSelection, _ origin: Origin
    ) async -> ForeignEvolutions {
        let id = source.registration.id
        switch reply {
        case .answer(200, let headers, let body, let context), .answer(201, let headers, let body, let context),
            .answer(206, let headers, let body, let context):
            do {
                let elements = try Self.elements(body, isMany: isMany)
                // In JSON a context has no place in the body (clause 6.3.5).
                let isLinkedData = headers.contains { $0.name.lowercased() == "content-type" && $0.value.hasPrefix("application/ld+json") }
                var foreign = ForeignEvolutions(warnings: SourceWarning.handedOn(headers, id))
                let hasNext = headers.contains { $0.name.lowercased() == "link" && $0.value.contains("rel=\"next\"") }
                foreign.answeredCount = elements.count
                foreign.endsEarly = isMany && hasNext && !elements.isEmpty && elements.count < limit
                foreign.isCut = elements.count >= limit || foreign.endsEarly
                var contexts: [JSON: Context] = [:]
                for element in elements.prefix(limit) {
                    let context = isLinkedData ? try await self.context(of: element, context, &contexts, origin) : context
                    let entity = try EntityReader(context: context, purpose: .foreignEvolution).temporalEntity(element, time: selection.time)
                    if let kept = source.kept(entity, selection, at: origin.asker.now) { foreign.add(kept, source, origin.access.sight) }
                }
                if case .answer(206, _, _, _) = reply {
                    let times = foreign.entities.flatMap { $0.instances.values.joined().map(\.time) }
                    foreign.end = selection.lastN == nil ? times.max() : times.min()
                }
                foreign.entityMap = EntityMap.reference(headers)
                foreign.count = Self.count(headers, origin)
                return foreign
            } catch {
                return ForeignEvolutions(warnings: [SourceWarning(.invalid, id, "the answer is no valid NGSI-LD")])
            }
        default: return ForeignEvolutions(warnings: await read(reply, of: source, isMany: isMany, limit: limit, origin).warnings)
        }
    }
}

extension EvolutionSelection {
    /// The timestamp that an instance is placed by; nil where it is none of those that were asked for (clause 4.11). A query that
    /// names none places what nobody observed by when it was recorded.
    func time(_ attribute: Attribute, _ deletedAt: Instant?) -> Instant? {
        guard let temporal else { return attribute.observedAt ?? attribute.createdAt ?? deletedAt }
        let time =
            switch temporal.property {
            case .observedAt: attribute.observedAt
            case .createdAt: attribute.createdAt
            case .modifiedAt: attribute.modifiedAt
            case .deletedAt: deletedAt
            }
        return time.flatMap { temporal.matches($0) ? $0 : nil }
    }
}

extension MatchedSource {
    /// What is registered of an evolution; nil when nothing is. Instances that have expired are passed over (clause 4.5.5.3).
    fileprivate func kept(_ entity: TemporalEntity, _ selection: EvolutionSelection, at now: Instant) -> TemporalEntity? {
        guard admits(entity.id, types: entity.types) else { return nil }
        var attributes: OrderedDictionary<IRI, [TemporalInstance]> = [:]
        for (name, instances) in entity.instances where covers(name, of: entity.id, types: entity.types) {
            let kept = instances.filter { instance in
                (registration.datasets?.contains(instance.attribute.datasetID) ?? true) && instance.attribute.expiresAt.map { now < $0 } ?? true
            }
            if !kept.isEmpty { attributes[name] = kept }
        }
        var kept = entity
        kept.content = .instances(attributes)
        return kept
    }
}
