package import CityModel
internal import LinkedData
internal import OrderedCollections
package import Query
package import Store
package import Trust

/// Linked entity retrieval (clause 4.5.23).
package struct Join: Sendable {
    package enum Kind: String, Sendable { case flat, inline }
    package let kind: Kind
    package let level: Int
    /// Entities met before, not to be followed again.
    package let containedBy: Set<IRI>

    package init(kind: Kind, level: Int, containedBy: Set<IRI> = []) {
        (self.kind, self.level, self.containedBy) = (kind, level, containedBy)
    }
}

/// An entity that a relationship led to.
package struct LinkedEntity: Sendable {
    package let whole: Entity
    /// What `projection` leaves of it.
    package let shown: Entity
    package let projection: Projection
}

extension Broker {
    /// The entities that relationships of these lead to.
    package func linkedEntities(
        of entities: [Entity], _ join: Join, _ view: EntityView, countMax: Int, _ access: ReadAccess, at now: Instant
    ) async throws -> [LinkedEntity] {
        try await show(access, at: now) { snapshot in
            try snapshot.linkedEntities(
                of: entities, join, view, countMax: countMax, .upTo(access.classificationMax), at: now)
        }
    }
}

extension ReadSnapshot {
    /// The entities that relationships of these lead to, level by level. Flat, each once and none of those that are there
    /// already; inline, one is followed wherever it is met.
    package func linkedEntities(
        of entities: [Entity], _ join: Join, _ view: EntityView, countMax: Int, _ sight: Sight, at now: Instant
    ) throws -> [LinkedEntity] {
        var known = join.containedBy
        if join.kind == .flat { known.formUnion(entities.map(\.id)) }
        var linked: [LinkedEntity] = []
        var level = entities.map { ($0, view.projection) }
        for _ in 0..<join.level {
            let wanted = Self.targets(of: level).filter { !known.contains($0.key) }
            guard !wanted.isEmpty, linked.count < countMax else { break }
            if join.kind == .flat { known.formUnion(wanted.keys) }
            var next: [LinkedEntity] = []
            for id in wanted.keys.sorted() {
                guard let entity = try visibleEntity(id, sight, at: now), let stored = try storedEntity(id) else { continue }
                show(stored)
                let projections = wanted[id] ?? []
                for projection in join.kind == .flat ? projections.prefix(1) : projections[...] {
                    guard let shown = view.selected(entity, projection) else { continue }
                    next.append(LinkedEntity(whole: entity, shown: view.amended(shown), projection: projection))
                }
            }
            linked += next
            level = next.map { ($0.shown, $0.projection) }
        }
        return linked
    }

    /// Where the relationships of entities lead, each with the projections that apply there.
    private static func targets(of level: [(entity: Entity, projection: Projection)]) -> OrderedDictionary<IRI, [Projection]> {
        var targets: OrderedDictionary<IRI, [Projection]> = [:]
        for (entity, projection) in level {
            for (name, instances) in entity.attributes {
                let inner = projection.linked(name)
                for target in instances.flatMap(\.targets).compactMap({ IRI($0) }) where !(targets[target]?.contains(inner) ?? false) {
                    targets[target, default: []].append(inner)
                }
            }
        }
        return targets
    }
}
