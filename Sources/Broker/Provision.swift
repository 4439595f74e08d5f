package import CityModel
package import LinkedData
package import Query
package import Store
package import Trust

/// Provision of entities (clauses 5.6.1 to 5.6.6, 5.6.17 to 5.6.19). Each operation is one write: durable when it returns,
/// nothing done when it throws. Where a selection of types is given, an entity that it does not select is not there
/// (clause 4.17).
extension Broker {
    /// - Throws: `alreadyExists`.
    package func create(_ entity: Entity, _ access: WriteAccess, at now: Instant, provenance: Provenance = .init()) async throws {
        try await file(toWrite: access).write { transaction in
            guard try transaction.create(entity, provenance, at: now) else {
                throw CityError.alreadyExists("entity \(entity.id) exists already")
            }
        }
    }

    /// - Throws: `resourceNotFound`.
    package func replace(
        _ entity: Entity, selecting types: TypeSelection? = nil, _ access: WriteAccess, at now: Instant
    ) async throws {
        try await edit(entity.id, types, access, at: now) { $0 = $0.replaced(by: entity, at: now) }
    }

    package func append(
        _ fragment: EntityFragment, to id: IRI, selecting types: TypeSelection? = nil, overwriting: Bool, _ access: WriteAccess,
        at now: Instant
    ) async throws -> UpdateResult {
        try await edit(id, types, access, at: now) { $0.append(fragment, overwriting: overwriting, at: now) }
    }

    package func update(
        _ fragment: EntityFragment, of id: IRI, selecting types: TypeSelection? = nil, _ access: WriteAccess, at now: Instant
    ) async throws -> UpdateResult {
        try await edit(id, types, access, at: now) { $0.update(fragment, at: now) }
    }

    /// - Parameter observedAt: replaces the `observedAt` of every merged attribute that has one and is not given another.
    /// - Parameter language: the language of bare texts that are merged into language properties.
    package func merge(
        _ fragment: EntityFragment, into id: IRI, selecting types: TypeSelection? = nil, observedAt: Instant? = nil,
        language: String? = nil, _ access: WriteAccess, at now: Instant
    ) async throws -> UpdateResult {
        try await edit(id, types, access, at: now) {
            $0.merge(fragment, options: .init(observedAt: observedAt, language: language), at: now)
        }
    }

    package func delete(_ id: IRI, selecting types: TypeSelection? = nil, _ access: WriteAccess, at now: Instant) async throws {
        try await file(toWrite: access).write { transaction in
            if let types { try transaction.checkTypes(of: id, types) }
            guard try transaction.delete(id, at: now) else { throw Broker.notFound(id) }
        }
    }

    package func updateAttribute(
        _ name: IRI, of id: IRI, selecting types: TypeSelection? = nil, _ fragment: AttributeFragment, _ access: WriteAccess,
        at now: Instant
    ) async throws {
        try await edit(id, types, access, at: now) { try $0.updatePartially(name, fragment, at: now) }
    }

    package func replaceAttribute(
        _ name: IRI, of id: IRI, selecting types: TypeSelection? = nil, with instances: [Attribute], _ access: WriteAccess,
        at now: Instant
    ) async throws {
        try await edit(id, types, access, at: now) { try $0.replaceAttribute(name, with: instances, at: now) }
    }

    package func deleteAttribute(
        _ name: IRI, of id: IRI, selecting types: TypeSelection? = nil, datasetID: IRI? = nil, all: Bool = false,
        _ access: WriteAccess, at now: Instant
    ) async throws {
        try await file(toWrite: access).write { transaction in
            if let types { try transaction.checkTypes(of: id, types) }
            if try transaction.deletePastAttribute(name, of: id, datasetID: datasetID, all: all, access, at: now) { return }
            try transaction.edit(id, at: now) { try $0.deleteAttribute(name, datasetID: datasetID, all: all, at: now) }
        }
    }

    /// Removes all scopes of an entity (clause 5.6.5.4, where the attribute is `scope`).
    package func deleteScopes(
        of id: IRI, selecting types: TypeSelection? = nil, _ access: WriteAccess, at now: Instant
    ) async throws {
        try await file(toWrite: access).write { transaction in
            if let types { try transaction.checkTypes(of: id, types) }
            if try transaction.deletePastScopes(of: id, access, at: now) { return }
            try transaction.edit(id, at: now) { entity in
                guard !entity.scopes.isEmpty else { throw CityError.resourceNotFound("entity \(id) has no scope") }
                entity.scopes = []
                entity.modifiedAt = now
            }
        }
    }

    static func notFound(_ id: IRI) -> CityError { .resourceNotFound("there is no entity \(id)") }

    @discardableResult
    private func edit<Result: Sendable>(
        _ id: IRI, _ types: TypeSelection?, _ access: WriteAccess, at now: Instant,
        _ body: @escaping @Sendable (inout Entity) throws -> Result
    ) async throws -> Result {
        try await file(toWrite: access).write { transaction in
            if let types { try transaction.checkTypes(of: id, types) }
            return try transaction.edit(id, at: now, body)
        }
    }
}

/// The same steps inside a transaction, for operations on one entity and on many.
extension WriteTransaction {
    /// - Returns: false, having done nothing, when the entity exists.
    func create(_ entity: Entity, _ provenance: Provenance, at now: Instant) throws -> Bool {
        if let stored = try storedEntity(entity.id) {
            let old = try self.entity(stored)
            guard old.unexpired(at: now) == nil else { return false }
            try delete(stored, old, at: now)
        }
        try insert(entity.created(at: now), provenance: provenance, at: now)
        return true
    }

    /// - Throws: `resourceNotFound` without such an entity, and what `body` throws.
    func edit<Result>(
        _ id: IRI, at now: Instant, provenance: Provenance = .init(), _ body: (inout Entity) throws -> Result
    ) throws -> Result {
        guard let stored = try storedEntity(id) else { throw Broker.notFound(id) }
        let old = try entity(stored)
        guard let living = old.unexpired(at: now) else { throw Broker.notFound(id) }
        var new = living
        let result = try body(&new)
        try update(stored, from: old, to: new, provenance: provenance, at: now)
        return result
    }

    /// - Throws: `resourceNotFound` when the entity is there and the selection does not match its types.
    func checkTypes(of id: IRI, _ types: TypeSelection) throws {
        guard let stored = try storedEntity(id), try !types.matches(entityTypes(stored)) else { return }
        throw Broker.notFound(id)
    }

    /// - Returns: whether there was such an entity.
    func delete(_ id: IRI, at now: Instant) throws -> Bool {
        guard let stored = try storedEntity(id) else { return false }
        let entity = try entity(stored)
        try delete(stored, entity, at: now)
        return entity.unexpired(at: now) != nil
    }
}
