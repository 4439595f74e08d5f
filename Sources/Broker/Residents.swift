package import CityModel
internal import OrderedCollections
internal import Policy
internal import Store
internal import Synchronization
package import Trust

/// Something that is held about a person, as far as rules show it to them.
package struct HeldEntity: Sendable {
    package let number: Int64
    package let id: IRI
    package let types: [IRI]
    package let classification: Classification
    /// Nil where nothing is left but its history.
    package let entity: Entity?
    package let deletedAt: Instant?
    /// The source that brought it; nil where it came in otherwise.
    package let source: String?
    /// The attributes that the person may correct.
    package let correctable: Set<IRI>
}

extension Broker {
    /// What is held about somebody, in the order in which it came to be.
    /// - Parameter correcting: what they may correct.
    package func held(
        about subject: String, after number: Int64 = 0, limit: Int, _ access: ReadAccess, correcting: WriteAccess, at now: Instant
    ) async throws -> [HeldEntity] {
        try await show(access, at: now) { snapshot in
            try snapshot.entities(about: subject, after: number, limit: limit).compactMap { found in
                if let stored = try snapshot.storedEntity(number: found.number) {
                    guard stored.classification <= access.classificationMax, let entity = try snapshot.entity(stored).unexpired(at: now) else { return nil }
                    // What is about somebody else by now is theirs.
                    guard entity.dataSubject == nil || entity.dataSubject == subject else { return nil }
                    snapshot.show(stored)
                    let view = try snapshot.view(of: stored.number, toWrite: correcting.permit)
                    return HeldEntity(
                        number: stored.number, id: stored.id, types: entity.types, classification: stored.classification, entity: entity, deletedAt: nil,
                        source: try stored.run.flatMap { try snapshot.importRun($0)?.source },
                        correctable: Set(entity.attributes.keys.filter { view?.attributes.contains($0) ?? false }))
                }
                guard let past = try snapshot.historicEntity(found.id, access.classificationMax) else { return nil }
                snapshot.show(past.number, past.classification)
                return HeldEntity(
                    number: past.number, id: past.id, types: past.types, classification: past.classification, entity: nil, deletedAt: past.deletedAt,
                    source: nil, correctable: [])
            }
        }
    }

    /// Puts another value in the place of the one that an attribute has: a text for a text, a number for a number.
    /// - Throws: `resourceNotFound` where there is no such value; `badRequestData` for another kind of value; `forbidden` where rules do not permit it.
    package func correct(_ name: IRI, of id: IRI, to value: JSON, _ access: WriteAccess, at now: Instant) async throws {
        try await file(toWrite: access).write { transaction in
            try transaction.edit(id, at: now) { entity in
                guard var instance = entity.instance(of: name), instance.kind == .property else {
                    throw CityError.resourceNotFound("\(name): the entity has no such value")
                }
                guard instance.value.isCorrected(by: value) else { throw CityError.badRequestData("\(name): another \(instance.value.kindName) is needed") }
                guard instance.value != value else { return }
                instance.value = value
                instance.observedAt = instance.observedAt.map { _ in now }
                instance.modifiedAt = now
                entity.attributes[name] = (entity.attributes[name] ?? []).map { $0.datasetID == instance.datasetID ? instance : $0 }
                entity.modifiedAt = now
            }
        }
    }
}

extension JSON {
    /// Whether another value is of the same simple kind.
    fileprivate func isCorrected(by other: JSON) -> Bool {
        switch (self, other) {
        case (.string, .string), (.bool, .bool): true
        default: doubleValue != nil && other.doubleValue != nil
        }
    }
}

// MARK: - Erasure

extension Broker {
    private static var erasedCount: Int { 50 }

    /// Erases all that is held about a person: in the municipality, in its snapshots, and what waits to be told. What is broken off is gone on
    /// with when the file is opened next (`resumeErasures`).
    /// - Returns: how much it was.
    package func erase(_ access: ErasureAccess, at now: Instant) async throws -> JSON {
        let file = try store.file(access.municipality)
        let underWay = ErasuresUnderWay.Erasure(municipality: access.municipality, subject: access.subject)
        erasures.withLock { _ = $0.insert(underWay) }
        defer { erasures.withLock { _ = $0.remove(underWay) } }
        try await file.write { try $0.beginErasure(access, at: now) }
        guard let erasure = try await file.read({ try $0.erasure(of: access.subject) }) else { return .object([:]) }
        return try await finish(erasure, file, at: now) ?? .object([:])
    }

    /// Goes on with what was broken off in a municipality.
    func resumeErasures(of file: MunicipalityFile, at now: Instant) async throws {
        for erasure in try await file.read({ try $0.erasures() })
        where !erasures.withLock({ $0.contains(ErasuresUnderWay.Erasure(municipality: file.name, subject: erasure.subject)) }) {
            _ = try await finish(erasure, file, at: now)
        }
    }

    private func finish(_ erasure: ErasureRow, _ file: MunicipalityFile, at now: Instant) async throws -> JSON? {
        let subject = erasure.subject
        while true {
            let doomed = try await file.read { try $0.entities(about: subject, limit: Self.erasedCount) }
            guard !doomed.isEmpty else { break }
            // The copies first: once the entities are gone nobody knows any more which copies they have.
            for name in store.snapshots(of: file.name) {
                let snapshot = try store.file(name)
                try await snapshot.write { try $0.eraseCopies(of: doomed.map(\.id), at: now) }
                try await snapshot.afterErasure()
            }
            let erased = try await file.write { try $0.eraseEntities(about: subject, limit: Self.erasedCount, at: now) }
            guard !erased.isEmpty else { break }
        }
        let counts = try await file.write { try $0.finishErasure(erasure, at: now) }
        try await file.afterErasure()
        return counts
    }
}

/// The erasures that somebody waits for: nobody else goes on with them.
final class ErasuresUnderWay: Sendable {
    fileprivate struct Erasure: Hashable {
        let municipality: MunicipalityName
        let subject: String
    }

    private let state = Mutex<Set<Erasure>>([])
    fileprivate func withLock<Value>(_ body: (inout Set<Erasure>) -> Value) -> Value { state.withLock { body(&$0) } }
}
