package import Broker
internal import CityModel
internal import Declarations
package import Services
internal import Synchronization
package import Trust

/// A service as a municipality offers it.
package struct OfferedService: Hashable, Sendable {
    package let definition: ServiceDefinition
    /// From 1, one more with each change.
    package let version: Int
    /// Whether new cases may be filed.
    package let isOffered: Bool

    package init(definition: ServiceDefinition, version: Int, isOffered: Bool) { (self.definition, self.version, self.isOffered) = (definition, version, isOffered) }
}

/// The services of all municipalities. Definitions are read when they are first asked for; a version never changes, so what was read is kept.
package final class ServiceCatalogue: Sendable {
    private struct Key: Hashable {
        let municipality: MunicipalityName
        let code: String
        let version: Int
        /// Of the file: another municipality may come to have the name.
        let text: String
    }

    private let broker: Broker
    private let kept = Mutex<[Key: ServiceDefinition]>([:])

    /// Definitions that are kept; some KB each.
    private static let countMax = 500

    package init(broker: Broker) { self.broker = broker }

    /// Those that may be filed, by code.
    package func services(_ access: ReadAccess) async throws -> [OfferedService] {
        try await broker.services(access).compactMap { stored in stored.isOffered ? try offered(stored, access.municipality) : nil }
    }

    /// - Parameter version: nil: the newest.
    /// - Throws: `resourceNotFound`.
    package func service(_ code: String, version: Int? = nil, _ access: ReadAccess) async throws -> OfferedService {
        guard let stored = try await broker.service(code, version: version, access) else {
            throw CityError.resourceNotFound("service_code: there is no service \(code.prefix(60))")
        }
        return try offered(stored, access.municipality)
    }

    private func offered(_ stored: StoredService, _ municipality: MunicipalityName) throws -> OfferedService {
        let key = Key(municipality: municipality, code: stored.code, version: stored.version, text: stored.text)
        if let known = kept.withLock({ $0[key] }) { return OfferedService(definition: known, version: stored.version, isOffered: stored.isOffered) }
        do throws(DeclarationError) {
            let definition = try ServiceDefinition(parsing: stored.text)
            kept.withLock { kept in
                if kept.count >= Self.countMax { kept.removeAll() }
                kept[key] = definition
            }
            return OfferedService(definition: definition, version: stored.version, isOffered: stored.isOffered)
        } catch {
            throw CityError.internalFault("service \(stored.code), version \(stored.version) of \(municipality): \(error)")
        }
    }
}
