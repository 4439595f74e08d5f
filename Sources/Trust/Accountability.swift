package import CityModel
internal import Foundation
package import Ledger
internal import OrderedCollections
internal import Policy
package import Store

/// The ledgers of an installation as others see them: checkpoints, tiles, proofs and entries. What is recorded, and by whom, is
/// decided where it is done (`WriteTransaction.record`).
package struct Accountability: Sendable {
    let store: Store
    let ring: KeyRing
    /// The address by which others reach this installation; nil when nobody said.
    private let publicAddress: String?

    /// Seconds between two signatures of one ledger, at least. What is asked for meanwhile is the checkpoint before.
    private static let signingSeconds: Int64 = 1

    package init(store: Store, ring: KeyRing, publicAddress: String? = nil) {
        (self.store, self.ring, self.publicAddress) = (store, ring, publicAddress)
    }

    func file(_ name: MunicipalityName) throws -> MunicipalityFile {
        // A snapshot has no ledger of its own that anybody signs.
        try store.file(name.city, creating: name.city == .standard || name == .installation)
    }

    /// The keys that others verify this municipality's signatures with. Made when they are first asked for.
    package func verifiers(_ access: ReadAccess) async throws -> (ledger: VerifierKey, witness: VerifierKey) {
        let isNew = try await file(access.municipality).read { try $0.lastCheckpoint() } == nil
        let keys = try keys(of: access.municipality, isNew: isNew)
        return (keys.ledger.verifier, keys.witness.verifier)
    }

    func keys(of name: MunicipalityName, isNew: Bool) throws -> MunicipalityKeys {
        try ring.keys(of: name, origin: isNew ? Self.origin(of: name, ring, publicAddress) : nil)
    }

    /// The key that what is personal in a municipality's file is wrapped by. Made when keys are first asked for, and never where there were some.
    /// - Throws: `KeyRingError`.
    func personalKey(of name: MunicipalityName) async throws -> [UInt8] {
        if try await file(name).read({ try $0.lastCheckpoint() }) != nil { return try keys(of: name.city, isNew: false).personal }
        return try ring.personalSecret(of: name.city) { Self.origin(of: name.city, ring, publicAddress) }
    }

    /// What a new ledger is called: as it is reached, else a name that nothing else has. One that takes the place of another is told from it.
    static func origin(of name: MunicipalityName, _ ring: KeyRing, _ publicAddress: String?) -> String {
        let host = publicAddress.flatMap { address in address.firstRange(of: "://").map { String(address[$0.upperBound...]) } }
        let retiredCount = ring.retiredCount(name)
        let ending = "/ledger/\(name)" + (retiredCount > 0 ? "~\(retiredCount + 1)" : "")
        if let host, KeyName.isValid(host + ending), KeyName.isValid(host + ending + "/witness") { return host + ending }
        return "conurb-" + RandomBytes.make(8).map { String($0, radix: 36) }.joined() + ending
    }

    /// The newest checkpoint, which covers every act that was answered before this was called, unless one was signed a moment ago.
    /// - Throws: `LedgerFault`, `KeyRingError`.
    package func checkpoint(_ access: ReadAccess, at now: Instant) async throws -> CheckpointRow {
        let (name, file) = (access.municipality, try file(access.municipality))
        let (size, last) = try await file.read { (try $0.ledgerSize(), try $0.lastCheckpoint()) }
        if let last, last.head.size == size || abs(now.milliseconds - last.signedAt.milliseconds) < Self.signingSeconds * 1000 { return last }
        let keys = try keys(of: name, isNew: last == nil)
        if let last, last.key != keys.ledger.verifier.description { throw LedgerFault.otherKey(municipality: name) }
        // The head of what is on disk; and it holds what was signed before, as the file remembers it and as the key ring does.
        let signed = try ring.lastSigned(name).map { note in try note.checkpoint(of: keys.ledger.verifier).head }
        let head = try await file.read { snapshot in
            let tree = try snapshot.ledgerTree()
            let head = TreeHead(size: tree.size, root: try tree.root())
            for older in [last?.head, signed].compactMap(\.self) {
                guard older.size <= head.size, head.isConsistent(with: older, proof: try tree.consistencyProof(from: older.size)) else {
                    throw LedgerFault.inconsistent(municipality: name, signed: older.size, found: head.size)
                }
            }
            return head
        }
        var note = try SignedNote(text: Checkpoint(origin: keys.ledger.name, head: head).text)
        note.add(try keys.ledger.sign(note.text))
        try ring.keepSigned(note, of: name)
        let row = CheckpointRow(head: head, key: keys.ledger.verifier.description, note: note.description, signedAt: now)
        return try await file.write { transaction in
            try transaction.insert(row)
            return try transaction.checkpoint(size: head.size) ?? row
        }
    }

    /// The bytes of a tile; nil for one that the tree does not have.
    package func tile(_ tile: Tile, _ access: ReadAccess) async throws -> [UInt8]? {
        try await file(access.municipality).read { snapshot in
            guard tile.isWithin(treeOf: try snapshot.ledgerSize()) else { return nil }
            let (level, indices) = tile.subtrees
            switch tile.content {
            case .hashes: return try snapshot.ledgerHashes(level: level, indices).flatMap(\.bytes)
            case .entries: return try EntryBundle.write(snapshot.ledgerRows(from: indices.lowerBound, limit: indices.count).map(\.leaf.bytes))
            }
        }
    }

    /// What was recorded, in its order, from `position` on.
    package func entries(from position: Int64, limit: Int, _ access: AdministerAccess) async throws -> [LedgerRow] {
        try await file(access.municipality).read { try $0.ledgerRows(from: position, limit: limit) }
    }

    /// The proof that an act is in the ledger; nil for one that the newest checkpoint does not cover.
    /// - Parameter access: what is proved is said to those who may administer, and to others only that it is there.
    package func proof(of position: Int64, _ access: ReadAccess, entry: AdministerAccess?, at now: Instant) async throws -> LedgerProof? {
        try await proof(of: position, access, isWhole: entry != nil, at: now)
    }

    /// The same of a use of somebody's own data, with all that is recorded of it.
    /// - Throws: `resourceNotFound` for what is no use of it.
    package func proof(ofUse position: Int64, of signedIn: SignedIn, at now: Instant) async throws -> LedgerProof? {
        guard try await file(signedIn.municipality).read({ try $0.isUse(position, of: signedIn.subject) }) else {
            throw CityError.resourceNotFound("there is no use \(position) of your data")
        }
        let access = ReadAccess(municipality: signedIn.municipality, principal: .account(signedIn.account.id), claimant: nil, action: .read, sight: .upTo(.open))
        return try await proof(of: position, access, isWhole: true, at: now)
    }

    private func proof(of position: Int64, _ access: ReadAccess, isWhole: Bool, at now: Instant) async throws -> LedgerProof? {
        let checkpoint = try await checkpoint(access, at: now)
        guard position >= 0, position < checkpoint.head.size else { return nil }
        let note = try SignedNote(parsing: checkpoint.note.utf8)
        return try await file(access.municipality).read { snapshot in
            guard let row = try snapshot.ledgerRow(position) else { return nil }
            return LedgerProof(
                extra: ProvedEntry(leaf: row.leaf, text: isWhole ? row.text : nil).bytes, position: position,
                path: try snapshot.ledgerTree(size: checkpoint.head.size).inclusionProof(position), note: note)
        }
    }

    /// Takes what an act was about out of the ledger, for good; that this was done is an act itself.
    /// - Returns: whether there was anything to take away.
    package func erase(_ position: Int64, _ access: AdministerAccess, at now: Instant) async throws -> Bool {
        let file = try file(access.municipality)
        let isErased = try await file.write { transaction in
            guard try transaction.eraseLedgerText(position) else { return false }
            try transaction.record(Act(.entryErased, String(position)), access, at: now)
            return true
        }
        if isErased { try await file.emptyLog() }
        return isErased
    }

    /// Lets the ledger go on under another key and another name, where what was signed with this one can't be held to any more.
    package func renew(_ access: AdministerAccess, at now: Instant) async throws {
        let (name, file) = (access.municipality, try file(access.municipality))
        let signed = try? ring.lastSigned(name)
        try await file.write { transaction in
            let last = try transaction.lastCheckpoint()
            try transaction.removeCheckpoints()
            let note = signed?.description ?? last?.note
            try transaction.record(Act(.ledgerRenewed, details: note.map { ["lastCheckpoint": .string($0)] }), access, at: now)
        }
        try ring.renew(name) { Self.origin(of: name, ring, publicAddress) }
    }
}

/// What is said of an act in a proof file: its leaf, and what that commits to, as JSON.
package struct ProvedEntry: Hashable, Sendable {
    package let leaf: LedgerLeaf
    package let text: LedgerText?

    package init(leaf: LedgerLeaf, text: LedgerText?) { (self.leaf, self.text) = (leaf, text) }

    /// - Throws: `LedgerError.malformed`; also when the leaf does not commit to the entry.
    package init(parsing bytes: [UInt8]) throws(LedgerError) {
        guard let document = try? JSON(parsing: bytes), let leaf = document["leaf"]?.stringValue else {
            throw .malformed("what the proof says besides is not JSON with a leaf")
        }
        self.leaf = try LedgerLeaf(parsing: Array(leaf.utf8))
        guard let entry = document["entry"]?.stringValue else {
            text = nil
            return
        }
        let salt = document["salt"]?.stringValue.flatMap { Data(base64Encoded: $0) }.map(Array.init) ?? []
        guard self.leaf.commits(to: Array(entry.utf8), salt: salt) else { throw .malformed("the leaf does not commit to the entry") }
        text = LedgerText(salt: salt, entry: Array(entry.utf8))
    }

    var bytes: [UInt8] {
        var members: JSONObject = ["leaf": .string(String(decoding: leaf.bytes, as: UTF8.self))]
        if let text {
            members["salt"] = .string(Data(text.salt).base64EncodedString())
            members["entry"] = .string(String(decoding: text.entry, as: UTF8.self))
        }
        return Array(JSON.object(members).description.utf8)
    }
}

/// Why a ledger is not signed. Whoever keeps the installation running has to look.
package enum LedgerFault: Error, Hashable, Sendable {
    /// The checkpoints in the file were signed with another key than the one in the key ring.
    case otherKey(municipality: MunicipalityName)
    /// What is in the file is not what was signed before: a copy from before was put back, or the file was changed.
    case inconsistent(municipality: MunicipalityName, signed: Int64, found: Int64)
}

extension LedgerFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .otherKey(let name): "the ledger of \(name) was signed with another key than the one in the folder of keys"
        case .inconsistent(let name, let signed, let found):
            """
            the ledger of \(name) has \(found) acts that do not go on from the \(signed) that were signed before: an older copy was put back, \
            or the file was changed; `conurb ledger renew` lets it go on as a new one
            """
        }
    }
}
