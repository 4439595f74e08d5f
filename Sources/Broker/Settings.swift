package import CityModel
internal import Store
package import Trust

/// Small values that rooms keep in a municipality's file.
extension Broker {
    /// A name for this installation: the one it is given, else made up at first use and then kept in the standard municipality's file.
    package func installationName(at now: Instant) async throws -> String {
        if let given = configuration.contextSourceAlias { return given }
        let file = try store.file(.standard, creating: true)
        let id = "installation-name"
        if let known = try await file.read({ try $0.document(.setting, id)?.body.stringValue }) { return known }
        return try await file.write { transaction in
            if let known = try transaction.document(.setting, id)?.body.stringValue { return known }
            let name = "conurb-" + String(UInt64.random(in: .min ... .max), radix: 36)
            try transaction.put(.setting, id, .string(name), at: now)
            return name
        }
    }

    package func setting(_ id: String, _ access: ReadAccess) async throws -> JSON? {
        try await file(toRead: access).read { try $0.document(.setting, id)?.body }
    }

    package func putSetting(_ id: String, _ value: JSON, _ access: WriteAccess, at now: Instant) async throws {
        try await file(toWrite: access).write { try $0.put(.setting, id, value, at: now) }
    }

    /// The same where somebody has to answer for it. What is so already is no act.
    package func putSetting(_ id: String, _ value: JSON, recording act: Act, _ access: AdministerAccess, at now: Instant) async throws {
        try await file(toWrite: access.writing).write { transaction in
            guard try transaction.document(.setting, id)?.body != value else { return }
            try transaction.put(.setting, id, value, at: now)
            try transaction.record(act, access, at: now)
        }
    }
}
