package import CityModel
internal import Store
package import Trust

/// Small values that rooms keep in a municipality's file.
extension Broker {
    package func setting(_ id: String, _ access: ReadAccess) async throws -> JSON? {
        try await file(toRead: access).read { try $0.document(.setting, id)?.body }
    }

    package func putSetting(_ id: String, _ value: JSON, _ access: WriteAccess, at now: Instant) async throws {
        try await file(toWrite: access).write { try $0.put(.setting, id, value, at: now) }
    }
}
