package import CityModel
internal import Broker
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Trust

/// The part of a write that one source is to get.
package struct ProvisionPart: Sendable {
    package let source: MatchedSource
    /// The attributes of it; nil when the write is about the entity as a whole.
    package let attributes: Set<IRI>?
}

/// Where the parts of a write go (clauses 4.3.6.2 and 4.3.6.3): what is proxied goes to its sources and not here, all else stays
/// here and goes to the inclusive sources too.
package struct ProvisionPlan: Sendable {
    package var parts: [ProvisionPart] = []
    /// Proxied parts whose sources do not offer the operation.
    package var unsupported: [ProvisionPart] = []
    /// Proxied parts whose sources the request has been to.
    package var looping: [ProvisionPart] = []
    /// Parts that rules do not let whoever asks write.
    package var refused: [ProvisionPart] = []
    /// What is left for this broker; nil when the write is about the entity as a whole.
    package var remaining: Set<IRI>?
    /// Whether nothing is left for this broker.
    package var isTaken = false

    package var isLocalOnly: Bool { partCount == 0 }
    package var partCount: Int { parts.count + unsupported.count + looping.count + refused.count }
    /// Whether one proxied source has all that is written.
    package var isOneSource: Bool { isTaken && partCount == 1 }
}

extension Federation {
    /// Plans a write of one entity.
    /// - Parameter types: what the request says of them; where it says nothing, those of the entity here count.
    /// - Parameter attributes: those that are written; nil when it is about the entity as a whole.
    package func plan(
        _ operation: SourceOperation, _ id: IRI, types: [IRI], attributes: Set<IRI>?, _ origin: Origin
    ) async throws -> ProvisionPlan {
        try await self.plan([operation], id, types: types, attributes: attributes, try await candidates(origin), origin)
    }

    /// - Parameter operations: of which a source has to offer one.
    /// - Parameter candidates: looked up once for all entries of a batch.
    func plan(
        _ operations: Set<SourceOperation>, _ id: IRI, types: [IRI], attributes: Set<IRI>?, _ candidates: Candidates, _ origin: Origin
    ) async throws -> ProvisionPlan {
        var plan = ProvisionPlan(remaining: attributes)
        var specification = SourceSpecification()
        specification.selectors = [.init(ids: [id])]
        specification.attributes = attributes
        specification.isOfHistory = !SourceOperation.temporal.isDisjoint(with: operations)
        let matching = candidates.matching(specification, nil)
        guard !matching.isEmpty else { return plan }
        let known = types.isEmpty ? try await typesHere(id, specification.isOfHistory, origin) : types
        let sources = matching.sources.compactMap { $0.narrowed(to: id, known) }
        let looping = matching.looping.compactMap { $0.narrowed(to: id, known) }
        func isAllowed(_ part: ProvisionPart) -> Bool {
            origin.permit?.allows(part.attributes ?? attributes, of: id, known, at: part.source, isErasing: !SourceOperation.erasing.isDisjoint(with: operations)) ?? true
        }
        for mode in [Registration.Mode.exclusive, .redirect] {
            let before = plan.remaining
            for (source, isLooping) in sources.map({ ($0, false) }) + looping.map({ ($0, true) }) where source.registration.mode == mode {
                guard let covered = source.covered(of: before) else { continue }
                let part = ProvisionPart(source: source, attributes: covered.attributes)
                if isAllowed(part) { plan.take(part, operations, isLooping: isLooping) } else { plan.refused.append(part) }
                plan.remaining = plan.remaining.map { $0.subtracting(covered.attributes ?? []) }
                if source.attributes == nil { plan.isTaken = true }
            }
        }
        if let attributes, !attributes.isEmpty, plan.remaining?.isEmpty ?? false { plan.isTaken = true }
        guard !plan.isTaken else { return plan }
        for source in sources where source.registration.mode == .inclusive && !source.registration.operations.isDisjoint(with: operations) {
            guard let covered = source.covered(of: plan.remaining) else { continue }
            let part = ProvisionPart(source: source, attributes: covered.attributes)
            if isAllowed(part) { plan.parts.append(part) } else { plan.refused.append(part) }
        }
        return plan
    }

    private func typesHere(_ id: IRI, _ isOfHistory: Bool, _ origin: Origin) async throws -> [IRI] {
        if isOfHistory { return try await broker.typesOfEvolution(of: id, origin.access) }
        return try await broker.types(of: id, origin.access, at: origin.asker.now)
    }
}

extension ProvisionPlan {
    fileprivate mutating func take(_ part: ProvisionPart, _ operations: Set<SourceOperation>, isLooping: Bool) {
        if isLooping { looping.append(part) } else if part.source.registration.operations.isDisjoint(with: operations) { unsupported.append(part) } else { parts.append(part) }
    }
}

extension MatchedSource {
    /// With the elements that are about an entity; nil when none is.
    fileprivate func narrowed(to id: IRI, _ types: [IRI]) -> MatchedSource? {
        let about = information.filter { $0.admits(id, types: types) }
        return about.isEmpty ? nil : MatchedSource(registration: registration, information: about)
    }

    /// Which of the attributes are registered; nil when none is.
    fileprivate func covered(of wanted: Set<IRI>?) -> (attributes: Set<IRI>?, Void)? {
        guard let wanted else { return (nil, ()) }
        guard let attributes else { return (wanted, ()) }
        let covered = attributes.intersection(wanted)
        return covered.isEmpty ? nil : (covered, ())
    }
}
