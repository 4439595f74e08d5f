package import CityModel
package import LinkedData
internal import Store
package import Trust

/// What became of the entries of a batch, each by its identifier, in the order of the batch (clause 5.2.16).
package struct BatchResult: Sendable {
    package var created: [IRI] = []
    /// Updated, merged or deleted as a whole. An entry of which only some attributes could be updated is an error; those that
    /// could are updated all the same.
    package var changed: [IRI] = []
    package var errors: [(id: IRI?, error: CityError)] = []

    package init() {}

    package mutating func merge(_ other: BatchResult) {
        created += other.created
        changed += other.changed
        errors += other.errors
    }
}

/// Batch operations (clauses 5.6.7 to 5.6.10 and 5.6.20). All entries share one transaction; an entry that fails leaves
/// nothing behind and the others stand.
extension Broker {
    package enum UpsertMode: Sendable { case replace, update }

    package func createBatch(_ entities: [Entity], _ access: WriteAccess, at now: Instant) async throws -> BatchResult {
        try await batch(entities, access) { transaction, entity, result in
            guard try transaction.create(entity, .init(), at: now) else {
                throw CityError.alreadyExists("entity \(entity.id) exists already")
            }
            result.created.append(entity.id)
        } id: {
            $0.id
        }
    }

    package func upsertBatch(
        _ entities: [Entity], mode: UpsertMode, _ access: WriteAccess, at now: Instant
    ) async throws -> BatchResult {
        try await batch(entities, access) { transaction, entity, result in
            if try transaction.create(entity, .init(), at: now) { return result.created.append(entity.id) }
            try transaction.edit(entity.id, at: now) { existing in
                switch mode {
                case .replace: existing = existing.replaced(by: entity, at: now)
                case .update: _ = existing.update(EntityFragment(entity), at: now)
                }
            }
            result.changed.append(entity.id)
        } id: {
            $0.id
        }
    }

    /// - Parameter fragments: each with an `id`.
    package func updateBatch(
        _ fragments: [EntityFragment], overwriting: Bool, _ access: WriteAccess, at now: Instant
    ) async throws -> BatchResult {
        try await batch(fragments, access) { transaction, fragment, result in
            guard let id = fragment.id else { throw CityError.badRequestData("id: an entity has an id") }
            let update = try transaction.edit(id, at: now) { $0.append(fragment, overwriting: overwriting, at: now) }
            guard let first = update.notUpdated.first else { return result.changed.append(id) }
            result.errors.append((id, .badRequestData("\(first.attribute): \(first.reason)")))
        } id: {
            $0.id
        }
    }

    /// - Parameter fragments: each with an `id`.
    package func mergeBatch(_ fragments: [EntityFragment], _ access: WriteAccess, at now: Instant) async throws -> BatchResult {
        try await batch(fragments, access) { transaction, fragment, result in
            guard let id = fragment.id else { throw CityError.badRequestData("id: an entity has an id") }
            _ = try transaction.edit(id, at: now) { $0.merge(fragment, options: .init(), at: now) }
            result.changed.append(id)
        } id: {
            $0.id
        }
    }

    package func deleteBatch(_ ids: [IRI], _ access: WriteAccess, at now: Instant) async throws -> BatchResult {
        try await batch(ids, access) { transaction, id, result in
            guard try transaction.delete(id, at: now) else { throw Broker.notFound(id) }
            result.changed.append(id)
        } id: {
            $0
        }
    }

    /// - Throws: `tooManyResults`. Who passes a batch on asks before he does.
    package func checkBatchCount(_ count: Int) throws(CityError) {
        guard count <= configuration.batchCountMax else {
            throw .tooManyResults("a batch has at most \(configuration.batchCountMax) entries")
        }
    }

    private func batch<Entry: Sendable>(
        _ entries: [Entry], _ access: WriteAccess,
        _ perform: @escaping @Sendable (WriteTransaction, Entry, inout BatchResult) throws -> Void,
        id: @escaping @Sendable (Entry) -> IRI?
    ) async throws -> BatchResult {
        try checkBatchCount(entries.count)
        return try await file(toWrite: access).write { transaction in
            var result = BatchResult()
            try Self.apply(entries[...], transaction, &result, perform, id: id)
            return result
        }
    }

    /// All entries in one savepoint; where one is refused, the halves by themselves: so what is refused is found, and leaves nothing. A savepoint for each entry
    /// costs more than what it writes, for SQLite looks through all that the batch has changed at the end of each.
    private static func apply<Entry>(
        _ entries: ArraySlice<Entry>, _ transaction: WriteTransaction, _ result: inout BatchResult,
        _ perform: (WriteTransaction, Entry, inout BatchResult) throws -> Void, id: (Entry) -> IRI?
    ) throws {
        let before = result
        do {
            try transaction.attempt { for entry in entries { try perform(transaction, entry, &result) } }
        } catch let error as CityError {
            result = before
            guard entries.count > 1 else { return result.errors.append(contentsOf: entries.map { (id($0), error) }) }
            let middle = (entries.startIndex + entries.endIndex) / 2
            try apply(entries[..<middle], transaction, &result, perform, id: id)
            try apply(entries[middle...], transaction, &result, perform, id: id)
        }
    }
}

extension EntityFragment {
    package init(_ entity: Entity) {
        self.init()
        id = entity.id
        types = entity.types
        scopes = entity.scopes.isEmpty ? nil : entity.scopes
        expiresAt = entity.expiresAt
        attributes = entity.attributes
    }
}
