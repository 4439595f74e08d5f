internal import CityModel
internal import Crypto
internal import Foundation
internal import Synchronization

/// The keys of one municipality's residents, for its file and those of its snapshots. Each resident has one; what is personal and about
/// nobody who is named has one of its own. Destroying a key makes all that it sealed unreadable, wherever a copy of it lies.
///
/// New keys are on disk before anything that they seal (`flush`). Keys that were opened are kept in memory, a bounded number of them.
final class ResidentKeys: Sendable {
    private struct State {
        var opened: [KeyID: SymmetricKey] = [:]
        var subjects: [String: KeyID] = [:]
        /// Keys that are not on disk yet.
        var pending: [KeyID: ResidentKeyFile.Entry] = [:]
        /// Keys that are to be destroyed, as soon as it is on disk that they are.
        var condemned: Set<KeyID> = []
    }

    private struct Secrets {
        let wrapping: SymmetricKey
        let naming: SymmetricKey
        let logins: SymmetricKey
        let proofs: SymmetricKey
    }

    /// Locked before `state` where both are.
    private struct Files {
        var file: ResidentKeyFile?
        var secrets: Secrets?
    }

    private let name: MunicipalityName
    private let source: ResidentKeySource
    private let files = Mutex(Files())
    private let state = Mutex(State())
    private let generation = Atomic<Int>(0)

    /// For who reads nothing personal.
    static let none = ResidentKeys(.installation, .none)

    private static let openedCountMax = 20_000

    init(_ name: MunicipalityName, _ source: ResidentKeySource) { (self.name, self.source) = (name, source) }

    /// Another one whenever keys were destroyed: who remembers a key forgets it then.
    var destructionCount: Int { generation.load(ordering: .acquiring) }

    // MARK: Opening

    /// Nil for a key that was destroyed or is not to be had.
    func secret(_ id: KeyID) throws -> SymmetricKey? {
        if let known = state.withLock({ $0.opened[id] }) { return known }
        return try files.withLock { files in
            guard case .there(let wrapped)? = try file(&files)?.state(id), let secrets = try? secrets(&files) else { return nil }
            guard let secret = Self.unwrap(wrapped, id, secrets) else { return nil }
            state.withLock { keep(ResidentKey(id: id, secret: secret), &$0) }
            return secret
        }
    }

    func key(_ id: KeyID) throws -> ResidentKey? { try secret(id).map { ResidentKey(id: id, secret: $0) } }

    /// Bytes as they were before they were sealed, however often; plain ones as they are. Nil where a key is gone.
    /// - Throws: where they were damaged.
    func open(_ bytes: [UInt8]) throws -> [UInt8]? {
        var bytes = bytes
        while let id = SealedBytes.key(of: bytes) {
            guard let secret = try secret(id) else { return nil }
            bytes = [UInt8](try SealedBytes.open(Data(bytes), with: secret))
        }
        return bytes
    }

    /// The keys that bytes are sealed with, from the outside on, as far as they can be opened.
    func keys(of bytes: [UInt8]) throws -> [KeyID] {
        var (bytes, ids) = (bytes, [KeyID]())
        while let id = SealedBytes.key(of: bytes) {
            ids.append(id)
            guard let secret = try secret(id) else { break }
            bytes = [UInt8](try SealedBytes.open(Data(bytes), with: secret))
        }
        return ids
    }

    /// What is known of a key.
    func status(_ id: KeyID) throws -> KeyStatus {
        if state.withLock({ $0.opened[id] != nil && !$0.condemned.contains(id) }) { return .there }
        return try files.withLock { files in
            switch try file(&files)?.state(id) ?? .missing {
            case .there(let wrapped): (try? secrets(&files)).flatMap { Self.unwrap(wrapped, id, $0) } == nil ? .missing : .there
            case .destroyed: .destroyed
            case .missing: .missing
            }
        }
    }

    // MARK: Making

    /// The key of a resident, which is made when it is first asked for. Whoever seals with it calls `flush` before that is on disk.
    func key(of subject: String) throws -> ResidentKey {
        if let known = state.withLock({ known(subject, $0) }) { return known }
        return try files.withLock { files in
            if let known = state.withLock({ known(subject, $0) }) { return known }
            let secrets = try secrets(&files)
            let tag = Self.tag(subject, secrets)
            let condemned = state.withLock(\.condemned)
            let found = try file(&files)?.entries(of: tag).lazy.filter { !condemned.contains($0.id) }
                .compactMap { entry in Self.unwrap(entry.wrapped, entry.id, secrets).map { ResidentKey(id: entry.id, secret: $0) } }.first
            let key = found ?? ResidentKey(id: .random(), secret: SymmetricKey(size: .bits256))
            let wrapped = found == nil ? try Self.wrap(key, secrets) : nil
            state.withLock { state in
                if let wrapped { state.pending[key.id] = ResidentKeyFile.Entry(id: key.id, subject: tag, wrapped: wrapped) }
                keep(key, &state)
                state.subjects[subject] = key.id
            }
            return key
        }
    }

    /// Brings new keys to disk. To be called before the commit that holds what they seal.
    func flush() throws {
        guard state.withLock({ !$0.pending.isEmpty }) else { return }
        try files.withLock { files in
            let pending = state.withLock { $0.pending }
            guard !pending.isEmpty else { return }
            try file(&files, creating: true)?.insert(Array(pending.values))
            state.withLock { state in for id in pending.keys { state.pending[id] = nil } }
        }
    }

    /// What the file has in the place of what somebody signs in with. Only whoever has the municipality's keys can find out from it who has an account.
    func digest(ofLogin login: String) throws -> String {
        let code = try files.withLock { files in
            HMAC<SHA256>.authenticationCode(for: Data(login.utf8), using: try secrets(&files).logins)
        }
        return "digest:" + Data(code).base64EncodedString()
    }

    /// What only whoever has the municipality's keys can make of a text.
    func proof(of text: String) throws -> [UInt8] {
        try files.withLock { files in Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: try secrets(&files).proofs)) }
    }

    // MARK: Destroying

    /// Says that the keys of a resident will be destroyed: from now on another one seals what is about him.
    /// - Returns: all of them, and those that were not condemned before.
    func condemn(_ subject: String) throws -> (all: [KeyID], new: Set<KeyID>) {
        try files.withLock { files in
            var ids = Set(try file(&files)?.entries(of: Self.tag(subject, secrets(&files))).map(\.id) ?? [])
            return state.withLock { state in
                if let known = state.subjects.removeValue(forKey: subject) { ids.insert(known) }
                let new = ids.subtracting(state.condemned)
                state.condemned.formUnion(new)
                return (Array(ids), new)
            }
        }
    }

    func condemn(_ ids: [KeyID]) {
        state.withLock { state in
            state.condemned.formUnion(ids)
            state.subjects = state.subjects.filter { !state.condemned.contains($0.value) }
        }
    }

    /// Those of some keys of which it is not known that they were destroyed.
    func undestroyed(of ids: [KeyID]) throws -> [KeyID] {
        guard !ids.isEmpty else { return [] }
        return try files.withLock { files in try file(&files)?.undestroyed(of: ids) ?? ids }
    }

    /// Takes back what was said in a transaction that came to nothing.
    func absolve(_ ids: some Sequence<KeyID>) { state.withLock { $0.condemned.subtract(ids) } }

    /// Destroys keys for good.
    func destroy(_ ids: [KeyID]) throws {
        guard !ids.isEmpty else { return }
        try files.withLock { files in
            try file(&files, creating: true)?.destroy(ids)
            state.withLock { state in
                for id in ids { (state.opened[id], state.pending[id]) = (nil, nil) }
                state.subjects = state.subjects.filter { !ids.contains($0.value) }
                state.condemned.subtract(ids)
            }
            generation.add(1, ordering: .releasing)
        }
    }

    func close() throws {
        try files.withLock { files in
            try files.file?.close()
            files.file = nil
        }
    }

    // MARK: Parts

    private func known(_ subject: String, _ state: borrowing State) -> ResidentKey? {
        guard let id = state.subjects[subject], let secret = state.opened[id] else { return nil }
        return ResidentKey(id: id, secret: secret)
    }

    private func keep(_ key: ResidentKey, _ state: inout State) {
        if state.opened.count >= Self.openedCountMax {
            // Those that are not on disk yet are nowhere else.
            state.opened = state.opened.filter { state.pending[$0.key] != nil }
            state.subjects = state.subjects.filter { state.pending[$0.value] != nil }
        }
        state.opened[key.id] = key.secret
    }

    private func file(_ files: inout Files, creating: Bool = false) throws -> ResidentKeyFile? {
        if let file = files.file { return file }
        files.file = try ResidentKeyFile(path: source.path(name), creating: creating)
        return files.file
    }

    private func secrets(_ files: inout Files) throws -> Secrets {
        if let known = files.secrets { return known }
        let secret = SymmetricKey(data: try source.wrappingSecret(name))
        func derived(_ use: String) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: secret, info: Data("conurb \(use)".utf8), outputByteCount: 32)
        }
        let secrets = Secrets(wrapping: derived("keys of residents"), naming: derived("names of residents"), logins: derived("logins"), proofs: derived("proofs"))
        files.secrets = secrets
        return secrets
    }

    private static func tag(_ subject: String, _ secrets: Secrets) -> Data {
        Data(HMAC<SHA256>.authenticationCode(for: Data(subject.utf8), using: secrets.naming))
    }

    private static func wrap(_ key: ResidentKey, _ secrets: Secrets) throws -> Data {
        let plain = key.secret.withUnsafeBytes { Data($0) }
        return try AES.GCM.seal(plain, using: secrets.wrapping, authenticating: key.id.bytes).combined ?? Data()
    }

    private static func unwrap(_ wrapped: Data, _ id: KeyID, _ secrets: Secrets) -> SymmetricKey? {
        guard let box = try? AES.GCM.SealedBox(combined: wrapped),
            let plain = try? AES.GCM.open(box, using: secrets.wrapping, authenticating: id.bytes)
        else { return nil }
        return SymmetricKey(data: plain)
    }
}

/// What is known of a key.
enum KeyStatus: Sendable {
    case there
    /// It was destroyed: what it sealed is gone for good.
    case destroyed
    /// The folder of keys does not have it, or has not what opens it: another copy of the folder may.
    case missing
}
