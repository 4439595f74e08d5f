package import CityModel
internal import Foundation
package import Ledger
package import Store

/// What a municipality answers as a witness (C2SP tlog-witness). It co-signs the checkpoints of logs that it was told to accept, each time only
/// when the log's new tree holds the one that it co-signed before.
package enum WitnessAnswered: Hashable, Sendable {
    /// Signature lines.
    case cosigned(String)
    case malformed(String)
    case unknownLog(String)
    case notSigned(String)
    /// The log takes another tree for the last one; this is its size.
    case otherSize(Int64)
    case inconsistent(String)
}

extension Accountability {
    /// Looks at a checkpoint and co-signs it. What was co-signed is on disk before the signature is given away.
    package func cosign(_ request: AddCheckpoint, as municipality: MunicipalityName, at now: Instant) async throws -> WitnessAnswered {
        let checkpoint: Checkpoint
        do throws(LedgerError) { checkpoint = try Checkpoint(parsing: request.note.text) } catch { return .malformed("\(error)") }
        let file = try file(municipality)
        let (known, isNew) = try await file.read { (try $0.witnessed(checkpoint.origin), try $0.lastCheckpoint() == nil) }
        guard let known else { return .unknownLog("the log \(checkpoint.origin) is not one that is co-signed here") }
        do throws(LedgerError) { _ = try request.note.verify([known.key]) } catch { return .notSigned("\(error)") }
        guard request.oldSize <= checkpoint.head.size else { return .malformed("the old size is larger than the checkpoint's") }
        let key = try keys(of: municipality, isNew: isNew).witness
        let cosignature = try key.sign(request.note.text, time: UInt64(max(1, now.seconds)))
        var note = request.note
        note.add(cosignature)
        let cosigned = note.description
        // Held against what is there and put in its place by the one writer: two requests can't pass each other.
        return try await file.write { transaction in
            guard let last = try transaction.witnessed(checkpoint.origin), last.key == known.key else {
                return .unknownLog("the log \(checkpoint.origin) is not one that is co-signed here")
            }
            guard request.oldSize == last.head.size else { return .otherSize(last.head.size) }
            guard checkpoint.head.isConsistent(with: last.head, proof: request.proof) else {
                return .inconsistent("the checkpoint's tree is not shown to hold the one of \(last.head.size) leaves that was co-signed before")
            }
            try transaction.put(WitnessedRow(key: last.key, head: checkpoint.head, note: cosigned))
            return .cosigned(cosignature.line)
        }
    }

    /// The last checkpoint of a log that was co-signed here, by the SHA-256 of its origin in hexadecimal; nil when there is none.
    package func cosigned(originDigest: String, _ access: ReadAccess) async throws -> String? {
        try await file(access.municipality).read { snapshot in
            try snapshot.witnessed().first { Token.digest(of: $0.key.name) == originDigest }?.note
        }
    }

    package func witnesses(_ access: AdministerAccess) async throws -> (witnesses: [WitnessRow], accepted: [WitnessedRow]) {
        try await file(access.municipality).read { (try $0.witnesses(), try $0.witnessed()) }
    }

    /// The most witnesses of one ledger, and the most logs that one municipality co-signs.
    package static let witnessCountMax = 16, acceptedCountMax = 1000

    /// Has this municipality's checkpoints co-signed by a witness from now on.
    /// - Parameter address: of the witness over HTTP, or `conurb:NAME` for a municipality here.
    /// - Throws: `badRequestData`, `tooManyResults`.
    package func addWitness(_ key: String, at address: String, _ access: AdministerAccess, at now: Instant) async throws {
        let key = try Self.verifier(key, .cosignature, "key")
        guard WitnessAddress(address) != nil else { throw CityError.badRequestData("address: http://..., https://... or conurb:MUNICIPALITY") }
        try await file(access.municipality).write { transaction in
            let others = try transaction.witnesses().filter { $0.key.name != key.name }
            guard others.count < Self.witnessCountMax else { throw CityError.tooManyResults("a ledger has at most \(Self.witnessCountMax) witnesses") }
            try transaction.put(WitnessRow(key: key, address: address))
            try transaction.record(Act(.witnessAdded, key.name, details: ["key": .string(key.description), "address": .string(address)]), access, at: now)
        }
    }

    /// - Returns: whether there was a witness of this name.
    package func removeWitness(_ name: String, _ access: AdministerAccess, at now: Instant) async throws -> Bool {
        try await file(access.municipality).write { transaction in
            guard try transaction.removeWitness(name) else { return false }
            try transaction.record(Act(.witnessRemoved, name), access, at: now)
            return true
        }
    }

    /// Has another log's checkpoints co-signed here from now on. A log whose key was accepted before keeps what was co-signed.
    /// - Throws: `badRequestData`, `tooManyResults`, `conflict` for another key of a known log.
    package func acceptLog(_ key: String, _ access: AdministerAccess, at now: Instant) async throws {
        let key = try Self.verifier(key, .note, "key")
        try await file(access.municipality).write { transaction in
            if let known = try transaction.witnessed(key.name) {
                guard known.key == key else { throw CityError.conflict("key: the log \(key.name) is known by another key; dismiss that one first") }
                return
            }
            guard try transaction.witnessed().count < Self.acceptedCountMax else {
                throw CityError.tooManyResults("a municipality co-signs at most \(Self.acceptedCountMax) logs")
            }
            try transaction.put(WitnessedRow(key: key))
            try transaction.record(Act(.logAccepted, key.name, details: ["key": .string(key.description)]), access, at: now)
        }
    }

    /// - Returns: whether there was a log of this name.
    package func dismissLog(_ origin: String, _ access: AdministerAccess, at now: Instant) async throws -> Bool {
        try await file(access.municipality).write { transaction in
            guard let last = try transaction.witnessed(origin), try transaction.removeWitnessed(origin) else { return false }
            try transaction.record(Act(.logDismissed, origin, details: ["size": .integer(last.head.size)]), access, at: now)
            return true
        }
    }

    private static func verifier(_ text: String, _ kind: SignatureKind, _ member: String) throws(CityError) -> VerifierKey {
        do throws(LedgerError) {
            let key = try VerifierKey(parsing: text)
            guard key.kind == kind else { throw .malformed("it is a key of kind \(key.kind.rawValue), not \(kind.rawValue)") }
            return key
        } catch { throw .badRequestData("\(member): \(error)") }
    }
}

/// Where a witness is.
package enum WitnessAddress: Hashable, Sendable {
    case web(String)
    case municipality(MunicipalityName)

    private static let scheme = "conurb:"

    package init?(_ text: String) {
        if text.hasPrefix(Self.scheme) {
            guard let name = MunicipalityName(String(text.dropFirst(Self.scheme.count))) else { return nil }
            self = .municipality(name)
            return
        }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme?.lowercased() ?? ""), url.host()?.isEmpty == false,
            url.user() == nil, url.query() == nil, url.fragment() == nil
        else { return nil }
        self = .web(String(text[...(text.lastIndex { $0 != "/" } ?? text.startIndex)]))
    }
}
