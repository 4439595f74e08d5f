internal import CityModel
internal import OrderedCollections

/// Makes one entity of what several sources say of it (clauses 4.5.5.3, 5.7.1.4 and 5.7.2.4).
struct EntityMerge {
    private(set) var entity: Entity?
    private let now: Instant

    init(_ local: Entity?, at now: Instant) { (entity, self.now) = (local, now) }

    /// Takes in what a source says, of equal standing with all others.
    mutating func add(_ other: Entity) {
        guard var entity else { return entity = other }
        entity.unite(with: other)
        // Without an expiry at one of them it does not expire; else it does at the last of the moments.
        entity.expiresAt = entity.expiresAt.flatMap { own in other.expiresAt.map { max(own, $0) } }
        for (name, instances) in other.attributes {
            entity.attributes[name] = merged(entity.attributes[name] ?? [], instances)
        }
        self.entity = entity
    }

    /// Takes in attributes of which nothing is known elsewhere.
    mutating func supplement(_ other: Entity) {
        guard var entity else { return entity = other }
        entity.unite(with: other)
        for (name, instances) in other.attributes where entity.attributes[name] == nil { entity.attributes[name] = instances }
        self.entity = entity
    }

    private func merged(_ first: [Attribute], _ second: [Attribute]) -> [Attribute] {
        var merged = first
        for instance in second where !isPast(instance) {
            if let place = merged.firstIndex(where: { $0.datasetID == instance.datasetID }) {
                if isPast(merged[place]) || instance.isMoreRecent(than: merged[place]) { merged[place] = instance }
            } else {
                merged.append(instance)
            }
        }
        return merged
    }

    private func isPast(_ attribute: Attribute) -> Bool { attribute.expiresAt.map { $0 <= now } ?? false }
}

extension Entity {
    fileprivate mutating func unite(with other: Entity) {
        for type in other.types where !types.contains(type) { types.append(type) }
        for scope in other.scopes where !scopes.contains(scope) { scopes.append(scope) }
        createdAt = [createdAt, other.createdAt].compactMap { $0 }.min()
        modifiedAt = [modifiedAt, other.modifiedAt].compactMap { $0 }.max()
    }
}

extension Attribute {
    /// By `observedAt` where there is one, else by `modifiedAt`. Of two that are equal the first stays.
    fileprivate func isMoreRecent(than other: Attribute) -> Bool {
        switch (observedAt, other.observedAt) {
        case (let mine?, let theirs?) where mine != theirs: mine > theirs
        case (_?, nil): true
        case (nil, _?): false
        default: (modifiedAt ?? .distantPast) > (other.modifiedAt ?? .distantPast)
        }
    }
}

extension Instant {
    fileprivate static let distantPast = Instant(microseconds: .min)
}
