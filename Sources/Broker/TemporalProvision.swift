package import CityModel
package import LinkedData
internal import OrderedCollections
internal import Store
package import Trust

/// Provision of temporal evolutions (clauses 5.6.11 to 5.6.16). They change history and leave the entity as it is now alone.
extension Broker {
    /// Adds instances to the history of an entity, which begins with them when there is none (clause 5.6.11).
    /// - Returns: whether it began.
    /// - Throws: `badRequestData` when a new history has no type.
    package func createEvolution(
        _ fragment: TemporalFragment, of id: IRI, _ access: WriteAccess, at now: Instant
    ) async throws -> Bool {
        let planned = try await plan(fragment, of: id, access, at: now)
        return try await file(toWrite: access).write { transaction in
            if let entity = try transaction.historicEntity(id, access.reading.classificationMax, evenIfEmpty: true) {
                try transaction.checkHistory(of: entity, attributes: Array(fragment.attributes.keys), isErasing: false)
                try transaction.add(fragment, planned, to: entity, at: now)
                return false
            }
            guard !fragment.types.isEmpty else { throw CityError.badRequestData("type: an entity has a type") }
            let entity = try transaction.insertHistoric(id, types: fragment.types, classification: .internalUse, at: now)
            try transaction.checkHistory(of: entity, attributes: Array(fragment.attributes.keys), isErasing: false)
            try transaction.add(fragment, planned, to: entity, isNew: true, at: now)
            return true
        }
    }

    /// - Throws: `resourceNotFound` without a history of the entity.
    package func addToEvolution(_ fragment: TemporalFragment, of id: IRI, _ access: WriteAccess, at now: Instant) async throws {
        let planned = try await plan(fragment, of: id, access, at: now)
        try await editEvolution(of: id, Array(fragment.attributes.keys), isErasing: false, evenIfEmpty: true, access) { transaction, entity in
            try transaction.add(fragment, planned, to: entity, at: now)
        }
    }

    package func deleteEvolution(of id: IRI, _ access: WriteAccess, at now: Instant) async throws {
        try await editEvolution(of: id, nil, isErasing: true, access) { transaction, entity in try transaction.eraseHistory(of: entity, at: now) }
    }

    /// Removes the instances of an attribute with one dataset or, with `all`, with any (clause 5.6.13).
    /// - Throws: `resourceNotFound` when there are none.
    package func deleteEvolutionAttribute(
        _ name: IRI, of id: IRI, datasetID: IRI?, all: Bool, _ access: WriteAccess, at now: Instant
    ) async throws {
        try await editEvolution(of: id, [name], isErasing: true, access) { transaction, entity in
            let doomed = try transaction.series(of: entity.number, attributes: [name], access.reading.classificationMax).filter { all || $0.datasetID == datasetID }
            guard !doomed.isEmpty else { throw CityError.resourceNotFound("the temporal evolution of \(id) has no such attribute \(name)") }
            for series in doomed { try transaction.erase(series, of: entity) }
            try transaction.touchPast(entity, adding: [], at: now)
        }
    }

    /// Removes the history of an entity's scopes (clause 5.6.13, where the attribute is `scope`).
    package func deleteEvolutionScopes(of id: IRI, _ access: WriteAccess, at now: Instant) async throws {
        try await editEvolution(of: id, [], isErasing: true, access) { transaction, entity in
            guard try transaction.eraseScopes(of: entity) else { throw CityError.resourceNotFound("the temporal evolution of \(id) has no scope") }
            try transaction.touchPast(entity, adding: [], at: now)
        }
    }

    /// Puts an instance in the place of another, of which creation time and identifier stay (clause 5.6.14).
    package func replaceInstance(
        _ instanceID: IRI, _ name: IRI, of id: IRI, with instance: Attribute, _ access: WriteAccess, at now: Instant
    ) async throws {
        try await editEvolution(of: id, [name], isErasing: false, access) { transaction, entity in
            guard try transaction.replace(instance: instanceID.text, name, of: entity, with: instance, at: now) else {
                throw Self.noInstance(instanceID, name, id)
            }
            try transaction.touchPast(entity, adding: [], at: now)
        }
    }

    package func deleteInstance(_ instanceID: IRI, _ name: IRI, of id: IRI, _ access: WriteAccess, at now: Instant) async throws {
        try await editEvolution(of: id, [name], isErasing: true, access) { transaction, entity in
            guard try transaction.erase(instance: instanceID.text, name, of: entity) else { throw Self.noInstance(instanceID, name, id) }
            try transaction.touchPast(entity, adding: [], at: now)
        }
    }

    private static func noInstance(_ instanceID: IRI, _ name: IRI, _ id: IRI) -> CityError {
        .resourceNotFound("the temporal evolution of \(id) has no instance \(instanceID) of \(name)")
    }

    /// - Parameter attributes: those whose history is changed; nil for all of it.
    /// - Parameter evenIfEmpty: whether an entity that is there now has an evolution before anything was recorded of it.
    private func editEvolution(
        of id: IRI, _ attributes: [IRI]?, isErasing: Bool, evenIfEmpty: Bool = false, _ access: WriteAccess,
        _ body: @escaping @Sendable (WriteTransaction, HistoricEntity) throws -> Void
    ) async throws {
        try await file(toWrite: access).write { transaction in
            guard let entity = try transaction.historicEntity(id, access.reading.classificationMax, evenIfEmpty: evenIfEmpty) else {
                throw CityError.resourceNotFound("there is no temporal evolution of an entity \(id)")
            }
            try transaction.checkHistory(of: entity, attributes: attributes, isErasing: isErasing)
            try body(transaction, entity)
        }
    }
}

extension WriteTransaction {
    /// - Parameter planned: what was packed of the instances beforehand; nil: nothing.
    /// - Parameter isNew: whether the entity has no history yet.
    fileprivate func add(
        _ fragment: TemporalFragment, _ planned: EvolutionPlan?, to entity: HistoricEntity, isNew: Bool = false, at now: Instant
    ) throws {
        watch = planned?.watch
        let isAsPlanned = planned?.holds(for: entity, isNew: isNew) ?? false
        try addTypes(fragment.types, to: entity, at: now)
        for scopes in fragment.scopes { try add(scopes.scopes, observedAt: scopes.observedAt, to: entity, at: now) }
        for (name, instances) in fragment.attributes {
            let instances = isAsPlanned ? try planned?.record(instances, name, to: entity, self, at: now) ?? instances : instances
            // Instances of one request that nobody observed are recorded one microsecond after the other.
            var unobservedCount: Int64 = 0
            for instance in instances {
                try add(instance, name, to: entity, at: Instant(microseconds: now.microseconds + unobservedCount))
                if instance.observedAt == nil { unobservedCount += 1 }
            }
        }
    }

    /// Types of an entity that is there now are those it has now (clause 5.6.11.4 adds to them).
    private func addTypes(_ types: [IRI], to entity: HistoricEntity, at now: Instant) throws {
        guard entity.isCurrent else { return try touchPast(entity, adding: types, at: now) }
        let new = types.filter { !entity.types.contains($0) }
        guard !new.isEmpty else { return }
        try edit(entity.id, at: now) { entity in
            entity.types += new
            entity.modifiedAt = now
        }
    }
}

/// Deleting from an entity of which there is nothing but a history: what was recorded stays, and the trace of the deletion is
/// added. The endpoint does know such an entity (clause 5.6.5.4), though it has no current state.
extension WriteTransaction {
    /// - Returns: false, having done nothing, when the entity is there now or there is no such attribute.
    func deletePastAttribute(
        _ name: IRI, of id: IRI, datasetID: IRI?, all: Bool, _ access: WriteAccess, at now: Instant
    ) throws -> Bool {
        guard let entity = try historicEntity(id, access.reading.classificationMax), !entity.isCurrent else { return false }
        try checkHistory(of: entity, attributes: [name], isErasing: true)
        var hasDeleted = false
        for series in try series(of: entity.number, attributes: [name], access.reading.classificationMax) where all || series.datasetID == datasetID {
            hasDeleted = try appendDeletion(to: series, of: entity, at: now) || hasDeleted
        }
        if hasDeleted { try touchPast(entity, adding: [], at: now) }
        return hasDeleted
    }

    /// - Returns: false, having done nothing, when the entity is there now or has no scopes.
    func deletePastScopes(of id: IRI, _ access: WriteAccess, at now: Instant) throws -> Bool {
        guard let entity = try historicEntity(id, access.reading.classificationMax), !entity.isCurrent,
            let last = try scopeRecords(of: entity, HistoryWindow(nil, now: now, access.reading.classificationMax)).last, !last.scopes.isEmpty
        else { return false }
        try checkHistory(of: entity, attributes: [], isErasing: true)
        try add([], observedAt: nil, to: entity, at: now)
        try touchPast(entity, adding: [], at: now)
        return true
    }
}
