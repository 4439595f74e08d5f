package import CityModel
internal import Ledger
package import Store

/// What a witness on the web answered; nil when it could not be asked.
package struct WitnessResponse: Sendable {
    package let status: Int
    package let body: String
    package init(status: Int, body: String) { (self.status, self.body) = (status, body) }
}

extension Accountability {
    package typealias WitnessSending = @Sendable (_ address: String, _ body: String) async -> WitnessResponse?

    /// Whether a ledger has acts that no checkpoint covers yet, or that one of its witnesses did not see.
    package func isBehind(_ file: MunicipalityFile) async throws -> Bool {
        try await file.read { snapshot in
            let size = try snapshot.ledgerSize()
            return try size > snapshot.lastCheckpoint()?.head.size ?? 0 || snapshot.witnesses().contains { $0.size < size }
        }
    }

    /// Signs what was recorded, shows the newest checkpoint to each witness that did not see it, and keeps what they signed.
    /// - Parameter send: asks a witness on the web: `add-checkpoint` below its address.
    /// - Returns: the witnesses that did not sign, and why.
    package func askWitnesses(_ access: ReadAccess, at now: Instant, send: WitnessSending) async throws -> [(name: String, fault: String)] {
        let checkpoint = try await checkpoint(access, at: now)
        let file = try file(access.municipality)
        var faults: [(name: String, fault: String)] = []
        for witness in try await file.read({ try $0.witnesses() }) where witness.size < checkpoint.head.size {
            var told = witness
            do {
                try await ask(&told, checkpoint, file, at: now, send: send)
            } catch let error as LedgerError {
                told.fault = "\(error)"
            }
            if let fault = told.fault { faults.append((witness.key.name, fault)) }
            if told != witness { try await file.write { [told] in try $0.update(told) } }
        }
        return faults
    }

    /// A witness that saw another tree last than was thought says so and is asked once more.
    private func ask(_ witness: inout WitnessRow, _ checkpoint: CheckpointRow, _ file: MunicipalityFile, at now: Instant, send: WitnessSending) async throws {
        for _ in 0..<2 {
            let (size, note) = (witness.size, try SignedNote(parsing: checkpoint.note.utf8))
            let proof = try await file.read { try $0.ledgerTree(size: checkpoint.head.size).consistencyProof(from: size) }
            switch try await answer(of: witness, AddCheckpoint(oldSize: size, proof: proof, note: note), at: now, send: send) {
            case .cosigned(let lines):
                try await keep(lines, of: witness, checkpoint, file)
                (witness.size, witness.seenAt, witness.fault) = (checkpoint.head.size, now, nil)
                return
            case .otherSize(let size) where size != witness.size && size <= checkpoint.head.size:
                witness.size = size
                witness.fault = "it saw a tree of \(size) leaves last"
            case .otherSize(let size):
                witness.fault = "it saw a tree of \(size) leaves, which is more than there are"
                return
            case .malformed(let reason), .unknownLog(let reason), .notSigned(let reason), .inconsistent(let reason):
                witness.fault = reason
                return
            case nil:
                witness.fault = "it can't be reached"
                return
            }
        }
    }

    /// Adds a signature to the checkpoint as it is kept now: another witness may have signed meanwhile.
    private func keep(_ lines: String, of witness: WitnessRow, _ checkpoint: CheckpointRow, _ file: MunicipalityFile) async throws {
        guard let signature = try WitnessAnswer.signatures(lines).first(where: { $0.name == witness.key.name && $0.keyID == witness.key.id }) else {
            throw LedgerError.notSigned
        }
        try await file.write { transaction in
            let kept = try transaction.checkpoint(size: checkpoint.head.size) ?? checkpoint
            var note = try SignedNote(parsing: kept.note.utf8)
            note.add(signature)
            _ = try note.verify([witness.key])
            try transaction.putCosigned(
                CheckpointRow(head: kept.head, key: kept.key, note: note.description, signedAt: kept.signedAt, isCosigned: true))
        }
    }

    private func answer(of witness: WitnessRow, _ request: AddCheckpoint, at now: Instant, send: WitnessSending) async throws -> WitnessAnswered? {
        switch WitnessAddress(witness.address) {
        case .municipality(let name):
            guard store.exists(name) else { return .unknownLog("there is no municipality \(name)") }
            return try await cosign(request, as: name, at: now)
        case .web(let address):
            guard let response = await send(address + "/add-checkpoint", request.description) else { return nil }
            switch response.status {
            case 200: return .cosigned(response.body)
            case 409: return WitnessAnswer.size(response.body).map(WitnessAnswered.otherSize) ?? .malformed("it answered 409 without a size")
            default: return .malformed("it answered \(response.status)")
            }
        case nil: return .malformed("its address is none")
        }
    }
}
