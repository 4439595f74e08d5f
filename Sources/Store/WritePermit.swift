package import CityModel
internal import OrderedCollections
package import Policy

/// What whoever writes may change, where rules decide. Everything that changes an entity or its history asks it, in the same transaction.
package struct WritePermit: Hashable, Sendable {
    /// What they see: of what they do not they are told that it is not there.
    package let reading: Sight
    package let writing: Sight
    package let erasing: Sight
    /// How the identifiers of the entities begin that are theirs to write; nil where that says nothing.
    package let identifierPrefix: String?

    /// Nil where everything may be written and erased.
    package init?(reading: Sight, writing: Sight, erasing: Sight, identifierPrefix: String? = nil) {
        guard writing != .upTo(.special) || erasing != .upTo(.special) || identifierPrefix != nil else { return nil }
        (self.reading, self.writing, self.erasing, self.identifierPrefix) = (reading, writing, erasing, identifierPrefix)
    }
}

extension ReadSnapshot {
    /// What of an entity may be written; nil where nothing may.
    package func view(of entity: Int64, toWrite permit: WritePermit?) throws -> View? {
        guard let permit else { return .whole }
        return try judge(for: permit.writing).view(of: entity)
    }
}

extension WriteTransaction {
    /// - Throws: `forbidden` when the entity, as it is to be, may not be written.
    func checkCreation(of entity: Entity, _ classification: Classification, run: Int64?) throws {
        guard let permit else { return }
        try check(entity, classification, run: run, attributes: Array(entity.attributes.keys), permit.writing, isVisible: { true })
    }

    /// - Throws: `resourceNotFound` for an entity that may not be seen; `forbidden` when it may not be changed from what it was, or to what it is to
    ///   be, in the attributes that differ.
    func checkUpdate(_ stored: StoredEntity, from old: Entity, to new: Entity, _ classification: Classification, run: Int64?) throws {
        guard let permit else { return }
        let isVisible = { try self.judge(for: permit.reading).sees(stored.number) }
        let changed = new.changedAttributes(since: old)
        let (kept, gone) = (changed.filter { new.attributes[$0] != nil }, changed.filter { new.attributes[$0] == nil })
        try check(old, stored.classification, run: stored.run, attributes: kept, permit.writing, isVisible: isVisible)
        try check(new, classification, run: run, attributes: kept, permit.writing, isVisible: isVisible)
        if !gone.isEmpty { try check(old, stored.classification, run: stored.run, attributes: gone, permit.erasing, isVisible: isVisible) }
    }

    /// - Throws: `resourceNotFound`, `forbidden`.
    func checkDeletion(of stored: StoredEntity, _ entity: Entity) throws {
        guard let permit else { return }
        try check(entity, stored.classification, run: stored.run, attributes: nil, permit.erasing) {
            try self.judge(for: permit.reading).sees(stored.number)
        }
    }

    /// To be asked before the history of an entity is changed.
    /// - Parameter attributes: those whose history it is; nil for all of it.
    /// - Throws: `resourceNotFound`, `forbidden`.
    package func checkHistory(of entity: HistoricEntity, attributes: [IRI]?, isErasing: Bool) throws {
        guard let permit else { return }
        let view = try judge(for: isErasing ? permit.erasing : permit.writing).view(of: entity.number)
        try settle(view, entity.id, attributes, isVisible: { try self.judge(for: permit.reading).sees(entity.number) })
    }

    /// - Parameter isVisible: whether whoever writes sees that the entity is there.
    private func check(
        _ entity: Entity, _ classification: Classification, run: Int64?, attributes: [IRI]?, _ sight: Sight, isVisible: () throws -> Bool
    ) throws {
        let source = try run.flatMap { run in
            try row("SELECT source FROM import_run WHERE id = ?", [run])?.decode(String.self, atIndex: 0)
        }
        try settle(judge(for: sight).view(of: entity, classification, source: source), entity.id, attributes, isVisible: isVisible)
    }

    /// - Parameter view: what may be done to it; nil for nothing.
    private func settle(_ view: View?, _ id: IRI, _ attributes: [IRI]?, isVisible: () throws -> Bool) throws {
        if let prefix = permit?.identifierPrefix, !id.description.hasPrefix(prefix) {
            throw CityError.forbidden("this key is for entities whose identifiers begin with \(prefix), and \(id) does not")
        }
        let allowed = view?.attributes ?? .none
        if view != nil, attributes.map({ $0.allSatisfy(allowed.contains) }) ?? allowed.isAll { return }
        guard try isVisible() else { throw CityError.resourceNotFound("there is no entity \(id)") }
        guard let attributes, view != nil, let refused = attributes.first(where: { !allowed.contains($0) }) else {
            throw CityError.forbidden("no rule of access permits this with entity \(id)")
        }
        throw CityError.forbidden("no rule of access permits this with attribute \(refused) of entity \(id)")
    }
}
