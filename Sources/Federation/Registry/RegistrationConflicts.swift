internal import CityModel
internal import Query
internal import Store

/// What forbids a proxied registration: what it claims is held here, or claimed already (clauses 4.3.6.3 and 5.9.2.4).
extension ReadSnapshot {
    /// - Throws: `conflict`.
    func checkConflicts(of new: Registration, at now: Instant) throws {
        guard new.mode.isProxied else { return }
        for record in try registrations() where record.id != new.id.text {
            guard let other = (try? Registration(record)) ?? Registration(remnantOf: record) else { continue }
            guard other.mode.isProxied, !other.hasExpired(at: now), new.mode == .exclusive || other.mode == .exclusive else { continue }
            let exclusive = new.mode == .exclusive ? new : other
            if exclusive.claimsWhatIsClaimed(by: new.mode == .exclusive ? other : new) {
                throw CityError.conflict("information: registration \(other.id) has some of it already (clause 4.3.6.3)")
            }
        }
        for info in new.information {
            if let id = try entity(claimedBy: info, at: now) {
                throw CityError.conflict("information: entity \(id) is held here and has some of it (clause 5.9.2.4)")
            }
        }
    }

    /// An entity here that has something of what an element registers.
    private func entity(claimedBy info: RegistrationInfo, at now: Instant) throws -> IRI? {
        let attributes = info.attributes.map { $0.sorted() }
        guard let entities = info.entities else { return try first(EntityFilter(attributes: attributes), at: now) }
        for entity in entities {
            var filter = EntityFilter(ids: entity.id.map { [$0] }, idPattern: entity.idPattern, attributes: attributes)
            let types = entity.types.map(TypeSelection.type)
            filter.types = types.count > 1 ? .and(types) : types.first
            if let id = try first(filter, at: now) { return id }
        }
        return nil
    }

    private func first(_ filter: EntityFilter, at now: Instant) throws -> IRI? {
        try search(EntitySearch(filter: filter, classificationMax: .special, limit: 1, now: now)).entities.first?.stored.id
    }
}

extension Registration {
    /// Whether another registration matches one of the entities and attributes that this exclusive one names.
    fileprivate func claimsWhatIsClaimed(by other: Registration) -> Bool {
        information.contains { mine in
            other.information.contains { theirs in
                if let mine = mine.attributes, let theirs = theirs.attributes, mine.isDisjoint(with: theirs) { return false }
                return (mine.entities ?? []).contains { entity in
                    guard let id = entity.id else { return false }
                    guard let entities = theirs.entities else { return true }
                    return entities.contains { $0.admits(id) && ($0.types.isEmpty || entity.types.isEmpty || !Set($0.types).isDisjoint(with: entity.types)) }
                }
            }
        }
    }
}
