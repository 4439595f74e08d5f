package import CityModel
internal import OrderedCollections
package import Store
package import Trust

/// The declared sources of a municipality and their runs. What a definition says is known to the room `Sources`; here it is
/// a document.
extension Broker {
    package func putSource(_ id: String, _ body: JSON, _ access: AdministerAccess, at now: Instant) async throws {
        var details: JSONObject = [:]
        for member in ["version", "classification", "retention"] { if let value = body[member] { details[member] = value } }
        let act = Act(.sourceDeclared, id, details: .object(details))
        try await file(toWrite: access.writing).write { transaction in
            let wasOpen = try transaction.document(.source, id)?.body["classification"]?.stringValue == Classification.open.rawValue
            try transaction.put(.source, id, body, at: now)
            try transaction.record(act, access, at: now)
            guard !wasOpen, body["classification"]?.stringValue == Classification.open.rawValue else { return }
            try transaction.record(Act(.published, id, details: ["source": .string(id)]), access, at: now)
        }
    }

    /// - Throws: `resourceNotFound`.
    package func source(_ id: String, _ access: ReadAccess) async throws -> Document {
        guard let found = try await file(toRead: access).read({ try $0.document(.source, id) }) else {
            throw CityError.resourceNotFound("there is no source \(id)")
        }
        return found
    }

    package func sources(_ access: ReadAccess) async throws -> [Document] {
        try await file(toRead: access).read { try $0.documents(.source) }
    }

    /// What a source fed stays.
    package func removeSource(_ id: String, _ access: AdministerAccess, at now: Instant) async throws {
        try await file(toWrite: access.writing).write { transaction in
            guard try transaction.removeDocument(.source, id) else { throw CityError.resourceNotFound("there is no source \(id)") }
            try transaction.record(Act(.sourceWithdrawn, id), access, at: now)
        }
    }

    package func beginImport(of source: String, version: String, _ access: WriteAccess, at now: Instant) async throws -> Int64 {
        try await file(toWrite: access).write { try $0.beginImportRun(source: source, version: version, at: now) }
    }

    package func finishImport(_ run: Int64, report: JSON, _ access: WriteAccess, at now: Instant) async throws {
        try await file(toWrite: access).write { try $0.finishImportRun(run, report: report, at: now) }
    }

    package func lastImport(of source: String, _ access: ReadAccess) async throws -> ImportRun? {
        try await file(toRead: access).read { try $0.lastImportRun(of: source) }
    }

    /// The run that fed an entity last.
    package func importRun(_ run: Int64, _ access: ReadAccess) async throws -> ImportRun? {
        try await file(toRead: access).read { try $0.importRun(run) }
    }

    /// Those of the identifiers that no entity has.
    package func missing(_ ids: Set<IRI>, _ access: ReadAccess) async throws -> Set<IRI> {
        try await file(toRead: access).read { snapshot in try ids.filter { try snapshot.storedEntity($0) == nil } }
    }
}
