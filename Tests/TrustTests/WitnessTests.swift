import CityModel
import Foundation
import Ledger
import Store
import Testing
import Trust

@Suite struct WitnessTests {
    private static let key = SigningKey(name: "other.example/log", kind: .note, seed: Array(repeating: 8, count: 32))!

    /// A log elsewhere, of leaves that are numbers.
    private struct OtherLog {
        var hashes: [Subtree: MerkleHash] = [:]
        let size: Int64

        init(_ leaves: [UInt8]) throws {
            for (position, leaf) in leaves.enumerated() {
                for (subtree, hash) in try MerkleTree.completed(by: .leaf([leaf]), at: Int64(position), hash: { [hashes] in hashes[$0]! }) { hashes[subtree] = hash }
            }
            size = Int64(leaves.count)
        }

        func request(_ size: Int64, since old: Int64, key: SigningKey = WitnessTests.key) throws -> AddCheckpoint {
            let tree = MerkleTree(size: size) { hashes[$0]! }
            var note = try SignedNote(text: Checkpoint(origin: key.name, head: TreeHead(size: size, root: tree.root())).text)
            note.add(try key.sign(note.text))
            return AddCheckpoint(oldSize: old, proof: try tree.consistencyProof(from: min(old, size)), note: note)
        }
    }

    private func cosign(_ request: AddCheckpoint, _ installation: Installation) async throws -> WitnessAnswered {
        try await installation.accountability.cosign(request, as: Installation.birch, at: Installation.noon)
    }

    private func accepting() async throws -> Installation {
        let installation = try Installation()
        try await installation.accountability.acceptLog(Self.key.verifier.description, installation.administering(Installation.birch), at: Installation.noon)
        return installation
    }

    @Test func `a log that goes on as it was is co-signed, with the time`() async throws {
        let (installation, log) = (try await accepting(), try OtherLog(Array(0..<50)))
        let witness = try await installation.accountability.verifiers(installation.reading(Installation.birch)).witness
        var old: Int64 = 0
        for size in [0, 1, 7, 7, 8, 33, 50] as [Int64] {
            let request = try log.request(size, since: old)
            guard case .cosigned(let lines) = try await cosign(request, installation) else {
                Issue.record("\(size) was not co-signed")
                return
            }
            var note = request.note
            for signature in try WitnessAnswer.signatures(lines) { note.add(signature) }
            #expect(try note.verify([Self.key.verifier, witness]).map(\.time) == [0, UInt64(Installation.noon.seconds)])
            old = size
        }
        let digest = "7af85ea6c0b21f2f2c8b0a4b4a9d6d6a"
        #expect(try await installation.accountability.cosigned(originDigest: digest, installation.reading(Installation.birch)) == nil)
        let (_, accepted) = try await installation.accountability.witnesses(installation.administering(Installation.birch))
        #expect(accepted.map(\.head.size) == [50])
    }

    @Test func `whoever is wrong about the last size is told it`() async throws {
        let (installation, log) = (try await accepting(), try OtherLog(Array(0..<20)))
        _ = try await cosign(log.request(10, since: 0), installation)
        for old in [0, 9, 11] as [Int64] { #expect(try await cosign(log.request(20, since: old), installation) == .otherSize(10)) }
        // Truncated: it can only be said from the tree that was seen.
        guard case .malformed = try await cosign(log.request(5, since: 10), installation) else {
            Issue.record("a truncated log was not refused")
            return
        }
        #expect(try await cosign(log.request(5, since: 5), installation) == .otherSize(10))
    }

    @Test func `a fork, a forged leaf and another order are not co-signed, and what was stays`() async throws {
        let (installation, log) = (try await accepting(), try OtherLog(Array(0..<20)))
        _ = try await cosign(log.request(10, since: 0), installation)
        var forged = Array(UInt8(0)..<20), reordered = forged
        forged[4] = 99
        reordered.swapAt(2, 3)
        for leaves in [forged, reordered] {
            for size in [10, 20] as [Int64] {
                guard case .inconsistent = try await cosign(OtherLog(leaves).request(size, since: 10), installation) else {
                    Issue.record("\(size) of another log was not refused")
                    continue
                }
            }
        }
        let proofless = try log.request(20, since: 10)
        guard case .inconsistent = try await cosign(AddCheckpoint(oldSize: 10, proof: [], note: proofless.note), installation) else {
            Issue.record("no proof was taken for one")
            return
        }
        guard case .cosigned = try await cosign(log.request(20, since: 10), installation) else {
            Issue.record("what is right was not co-signed after all")
            return
        }
    }

    @Test func `an unknown log, and one that its key did not sign, are refused`() async throws {
        let (installation, log) = (try await accepting(), try OtherLog([1, 2, 3]))
        let stranger = SigningKey(name: "stranger.example", kind: .note, seed: Array(repeating: 8, count: 32))!
        guard case .unknownLog = try await cosign(log.request(3, since: 0, key: stranger), installation) else {
            Issue.record("an unknown log was not refused")
            return
        }
        let impostor = SigningKey(name: Self.key.name, kind: .note, seed: Array(repeating: 9, count: 32))!
        guard case .notSigned = try await cosign(log.request(3, since: 0, key: impostor), installation) else {
            Issue.record("another key's signature was not refused")
            return
        }
        var nonEmpty = try SignedNote(text: Checkpoint(origin: Self.key.name, head: TreeHead(size: 0, root: .leaf([1]))).text)
        nonEmpty.add(try Self.key.sign(nonEmpty.text))
        guard case .inconsistent = try await cosign(AddCheckpoint(oldSize: 0, proof: [], note: nonEmpty), installation) else {
            Issue.record("an empty tree with another root was not refused")
            return
        }
    }

    @Test func `of requests that come at the same time one tree wins, and none is rolled back`() async throws {
        let (installation, log) = (try await accepting(), try OtherLog(Array(0..<40)))
        _ = try await cosign(log.request(1, since: 0), installation)
        let answers = try await withThrowingTaskGroup(of: WitnessAnswered.self) { group in
            for size in Int64(2)...40 {
                let request = try log.request(size, since: 1)
                group.addTask { [accountability = installation.accountability] in
                    try await accountability.cosign(request, as: Installation.birch, at: Installation.noon)
                }
            }
            return try await group.reduce(into: [WitnessAnswered]()) { $0.append($1) }
        }
        #expect(answers.count { if case .cosigned = $0 { true } else { false } } == 1)
        #expect(answers.count { if case .otherSize = $0 { true } else { false } } == 38)
    }

    @Test func `a key of the wrong kind, a second key of a log and an address that is none are refused`() async throws {
        let installation = try await accepting()
        let (access, noon) = (try await installation.administering(Installation.birch), Installation.noon)
        let witness = SigningKey(name: "w.example", kind: .cosignature, seed: Array(repeating: 1, count: 32))!.verifier.description
        let other = SigningKey(name: Self.key.name, kind: .note, seed: Array(repeating: 1, count: 32))!.verifier.description
        for key in ["", "key", witness, other] {
            await #expect(throws: CityError.self, "\(key)") { try await installation.accountability.acceptLog(key, access, at: noon) }
        }
        for (key, address) in [(Self.key.verifier.description, "https://w.example"), (witness, "w.example"), (witness, "conurb:_x"), (witness, "file:///etc"), (witness, "https://u:p@w.example")] {
            await #expect(throws: CityError.self, "\(address)") { try await installation.accountability.addWitness(key, at: address, access, at: noon) }
        }
        try await installation.accountability.addWitness(witness, at: "https://w.example/", access, at: noon)
        #expect(try await installation.accountability.removeWitness("w.example", access, at: noon))
        #expect(try await !installation.accountability.removeWitness("w.example", access, at: noon))
        #expect(try await installation.accountability.dismissLog(Self.key.name, access, at: noon))
        let acts = try await installation.accountability.entries(from: 0, limit: 9, access).map { try JSON(parsing: #require($0.text).entry)["act"] }
        #expect(acts == ["log-accepted", "witness-added", "witness-removed", "log-dismissed"])
    }

    // MARK: - Being witnessed

    private func paired() async throws -> Installation {
        let installation = try Installation()
        let (key, _) = try await installation.accountability.verifiers(installation.reading())
        let (_, witness) = try await installation.accountability.verifiers(installation.reading(Installation.birch))
        let noon = Installation.noon
        try await installation.accountability.acceptLog(key.description, installation.administering(Installation.birch), at: noon)
        try await installation.accountability.addWitness(witness.description, at: "conurb:birch", installation.administering(), at: noon)
        return installation
    }

    @Test func `a neighbour co-signs, and its signature is served with the checkpoint`() async throws {
        let installation = try await paired()
        let keys = try await [installation.accountability.verifiers(installation.reading()).ledger, installation.accountability.verifiers(installation.reading(Installation.birch)).witness]
        let file = try installation.store.file(Installation.alder)
        for step in 1...3 {
            try await installation.act()
            let now = Installation.noon.adding(seconds: Double(step) * 10)
            #expect(try await installation.accountability.isBehind(file))
            let faults = try await installation.accountability.askWitnesses(installation.reading(), at: now) { _, _ in nil }
            #expect(faults.isEmpty)
            #expect(try await !installation.accountability.isBehind(file))
            let note = try SignedNote(parsing: try await installation.checkpoint(at: now).note.utf8)
            #expect(try note.verify(keys).map(\.key) == keys)
        }
        #expect(try await file.read { try $0.checkpoints().map(\.isCosigned) } == [true, true, true])
        #expect(try await file.verify().faults == [])
    }

    @Test func `a witness that says another size is asked again from there`() async throws {
        let installation = try await paired()
        try await installation.act(5)
        _ = try await installation.accountability.askWitnesses(installation.reading(), at: Installation.noon.adding(seconds: 5)) { _, _ in nil }
        // As if the answer had been lost.
        let file = try installation.store.file(Installation.alder)
        let row = try #require(try await file.read { try $0.witnesses() }.first)
        try await file.write { try $0.put(WitnessRow(key: row.key, address: row.address)) }
        try await installation.act(2)
        let faults = try await installation.accountability.askWitnesses(installation.reading(), at: Installation.noon.adding(seconds: 10)) { _, _ in nil }
        #expect(faults.isEmpty)
        #expect(try await file.read { try $0.witnesses().map(\.size) } == [8])
    }

    @Test(arguments: [nil, (status: 404, body: ""), (409, "no size"), (409, "99999\n"), (200, ""), (200, "\u{2014} somebody AAAAAAA=\n"), (500, "")])
    func `a witness on the web that does not sign is told of, and changes nothing`(answer: (status: Int, body: String)?) async throws {
        let installation = try Installation()
        let witness = SigningKey(name: "w.example", kind: .cosignature, seed: Array(repeating: 1, count: 32))!.verifier
        try await installation.accountability.addWitness(witness.description, at: "https://w.example/", installation.administering(), at: Installation.noon)
        let before = try await installation.checkpoint()
        let faults = try await installation.accountability.askWitnesses(installation.reading(), at: Installation.noon) { address, body in
            #expect(address == "https://w.example/add-checkpoint")
            #expect(body.hasPrefix("old 0\n\n"))
            return answer.map { WitnessResponse(status: $0.status, body: $0.body) }
        }
        #expect(faults.map(\.name) == ["w.example"])
        #expect(try await installation.checkpoint() == before)
        #expect(try await installation.store.file(Installation.alder).read { try $0.witnesses().map(\.size) } == [0])
    }

    @Test func `a witness on the web that signs is kept, and one whose signature is false is not`() async throws {
        let installation = try Installation()
        let key = SigningKey(name: "w.example", kind: .cosignature, seed: Array(repeating: 1, count: 32))!
        try await installation.accountability.addWitness(key.verifier.description, at: "https://w.example", installation.administering(), at: Installation.noon)
        for isRight in [false, true] {
            let faults = try await installation.accountability.askWitnesses(installation.reading(), at: Installation.noon.adding(seconds: 3)) { _, body in
                guard let request = try? AddCheckpoint(parsing: Array(body.utf8)),
                    let signature = try? key.sign(isRight ? request.note.text : "another\n1\nAAAA\n", time: 1_780_000_000)
                else { return nil }
                return WitnessResponse(status: 200, body: signature.line)
            }
            #expect(faults.isEmpty == isRight)
            #expect(try await installation.checkpoint(at: Installation.noon.adding(seconds: 3)).isCosigned == isRight)
        }
    }
}
