package import CityModel
internal import Declarations
internal import LinkedData
internal import OrderedCollections
package import Policy
internal import Store
internal import Synchronization

/// The rules of access of municipalities, read when they are first needed and again when they changed. A municipality that has none of its own
/// goes by those that are shipped.
final class PolicyLibrary: Sendable {
    private let state = Mutex<[MunicipalityName: (revision: Int64, policies: Policies)]>([:])
    private static let countMax = 256

    /// - Throws: `internalFault` for rules in the file that can't be read: then nothing is permitted.
    func policies(of file: MunicipalityFile) async throws -> Policies {
        let revision = file.policies.revision
        if let known = state.withLock({ $0[file.name] }), known.revision == revision { return known.policies }
        let files = try await file.read { try $0.documents(.policy).compactMap(Policies.File.init) }
        let policies = try Self.policies(files)
        state.withLock { state in
            if state.count >= Self.countMax { state = [:] }
            state[file.name] = (revision, policies)
        }
        return policies
    }

    /// - Throws: `internalFault`.
    static func policies(_ files: [Policies.File]) throws(CityError) -> Policies {
        do {
            if files.isEmpty { return try ShippedPolicy.policies(expand: Context.core.expand) }
            return try Policies(files: files, purposes: ShippedPolicy.purposes(), expand: Context.core.expand)
        } catch { throw .internalFault("the rules of access can't be read: \(error)") }
    }
}

extension Policies.File {
    fileprivate init?(_ document: Document) {
        guard let text = document.body["text"]?.stringValue else { return nil }
        self.init(name: document.id, text: text)
    }

    fileprivate var json: JSON { ["text": .string(text)] }
}

extension Gatekeeper {
    /// The rules of access that hold in a municipality.
    package func policies(_ access: AdministerAccess) async throws -> [Policies.File] {
        let own = try await store.file(access.municipality).read { try $0.documents(.policy).compactMap(Policies.File.init) }
        return own.isEmpty ? [ShippedPolicy.rules] : own
    }

    /// Puts files in the place of all rules of a municipality; none puts back those that are shipped.
    /// - Throws: `badRequestData` with file, line and key where they can't be read; then the rules stay as they are.
    package func setPolicies(_ access: AdministerAccess, _ files: [Policies.File], now: Instant) async throws {
        guard Set(files.map(\.name)).count == files.count else { throw CityError.badRequestData("policies: two files have the same name") }
        do { _ = try Policies(files: files, purposes: ShippedPolicy.purposes(), expand: Context.core.expand) } catch {
            throw CityError.badRequestData("policies: \(error)")
        }
        try await store.file(access.municipality).write { transaction in
            for old in try transaction.documents(.policy) { _ = try transaction.removeDocument(.policy, old.id) }
            for file in files { try transaction.put(.policy, file.name, file.json, at: now) }
            let details = files.map { file -> JSON in ["name": .string(file.name), "sha256": .string(Token.digest(of: file.text))] }
            try transaction.record(Act(.policiesChanged, access.municipality.text, details: ["files": .array(details)]), access, at: now)
        }
    }
}
