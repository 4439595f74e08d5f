package import CityModel
package import Store
package import Trust

/// The way from the room `Federation` into a municipality's file.
extension Broker {
    package func readRegistrations<Value: Sendable>(
        _ access: ReadAccess, _ body: @escaping @Sendable (ReadSnapshot) throws -> Value
    ) async throws -> Value {
        try await file(toRead: access).read(body)
    }

    /// The file whose registrations are to be changed.
    package func registry(_ access: AdministerAccess) throws -> MunicipalityFile { try file(toWrite: access.writing) }

    /// The file whose registrations are to be followed.
    package func registry(_ access: ReadAccess) throws -> MunicipalityFile { try file(toRead: access) }

    /// By which name a municipality is known in `Via` (clause 5.2.40): each has its own, for requests between two of one
    /// installation are no circle.
    package func contextSourceAlias(of municipality: MunicipalityName, at now: Instant) async throws -> String {
        let installation = try await installationName(at: now)
        return municipality == .standard ? installation : "\(installation)~\(municipality)"
    }
}
