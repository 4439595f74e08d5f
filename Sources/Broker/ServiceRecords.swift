package import CityModel
internal import OrderedCollections
internal import Store
package import Trust

/// A version of a service's definition, as text. What it says is known to the room `Services`.
package struct StoredService: Hashable, Sendable {
    package let code: String
    /// From 1, one more with each change.
    package let version: Int
    package let text: String
    /// Whether new cases may be filed: a service that is withdrawn stays for those that were.
    package let isOffered: Bool
}

/// The services of a municipality. All versions stay, for cases stay on the one that they began with.
extension Broker {
    /// Puts a definition in the place of the one that new cases are filed by. The same text again changes nothing but that it is offered.
    /// - Returns: its version.
    package func putService(_ code: String, text: String, _ access: AdministerAccess, at now: Instant) async throws -> Int {
        try await file(toWrite: access.writing).write { transaction in
            let newest = try transaction.service(code)
            if let newest, newest.text == text, newest.isOffered { return newest.version }
            let version = newest.map { $0.text == text ? $0.version : $0.version + 1 } ?? 1
            guard version <= Self.versionMax, try version > 1 || transaction.documentTotals(.service).count < Self.serviceCountMax else {
                throw CityError.forbidden("a municipality has at most \(Self.versionMax) versions of a service, and \(Self.serviceCountMax) definitions in all")
            }
            try transaction.put(StoredService(code: code, version: version, text: text, isOffered: true), at: now)
            try transaction.record(Act(.serviceDeclared, code, details: ["version": .integer(Int64(version))]), access, at: now)
            return version
        }
    }

    /// Nothing new is filed from now on; what is open is gone on with.
    /// - Throws: `resourceNotFound`.
    package func withdrawService(_ code: String, _ access: AdministerAccess, at now: Instant) async throws {
        try await file(toWrite: access.writing).write { transaction in
            guard let newest = try transaction.service(code), newest.isOffered else { throw CityError.resourceNotFound("there is no service \(code)") }
            try transaction.put(StoredService(code: code, version: newest.version, text: newest.text, isOffered: false), at: now)
            try transaction.record(Act(.serviceWithdrawn, code), access, at: now)
        }
    }

    /// The newest version of each, by code.
    package func services(_ access: ReadAccess) async throws -> [StoredService] {
        try await file(toRead: access).read { snapshot in
            try snapshot.documents(.service).filter { !$0.id.contains("@") }.compactMap { try snapshot.service($0.id) }
        }
    }

    /// - Parameter version: nil: the newest.
    package func service(_ code: String, version: Int? = nil, _ access: ReadAccess) async throws -> StoredService? {
        try await file(toRead: access).read { try $0.service(code, version: version) }
    }

    private static var versionMax: Int { 1000 }
    private static var serviceCountMax: Int { 5000 }
}

extension ReadSnapshot {
    /// The document with a service's code says which version is the newest; those with code, `@` and number are the versions.
    func service(_ code: String, version: Int? = nil) throws -> StoredService? {
        guard !code.contains("@"), let head = try document(.service, code)?.body, let newest = head["version"]?.integerValue else { return nil }
        let wanted = version ?? Int(newest)
        guard let text = try document(.service, "\(code)@\(wanted)")?.body["definition"]?.stringValue else { return nil }
        return StoredService(code: code, version: wanted, text: text, isOffered: head["offered"]?.boolValue ?? false)
    }
}

extension WriteTransaction {
    fileprivate func put(_ service: StoredService, at now: Instant) throws {
        try put(.service, "\(service.code)@\(service.version)", ["definition": .string(service.text)], at: now)
        try put(.service, service.code, ["version": .integer(Int64(service.version)), "offered": .bool(service.isOffered)], at: now)
    }
}
