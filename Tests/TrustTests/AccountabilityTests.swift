import CityModel
import Foundation
import Ledger
import Store
import Testing
import Trust

@Suite struct AccountabilityTests {
    @Test func `making and revoking a token are acts, with who did it, when and what for`() async throws {
        let installation = try Installation()
        let access = try await installation.administering()
        let token = try await installation.gatekeeper.createToken(access, name: "asset register", right: .write, now: Installation.noon).token
        #expect(try await installation.gatekeeper.revokeToken(access, id: token.id, now: Installation.noon.adding(seconds: 1)))
        #expect(try await !installation.gatekeeper.revokeToken(access, id: token.id, now: Installation.noon.adding(seconds: 2)))
        let rows = try await installation.accountability.entries(from: 0, limit: 10, access)
        let entries = try rows.map { try JSON(parsing: #require($0.text).entry) }
        #expect(entries.count == 2, "what did not happen is not an act")
        #expect(entries.map { $0["act"] } == ["token-created", "token-revoked"])
        #expect(entries.map { $0["by"] } == ["operator", "operator"])
        #expect(entries.map { $0["purpose"] } == ["administration", "administration"])
        #expect(entries.map { $0["about"] } == [.string(token.id), .string(token.id)])
        #expect(entries[0]["at"] == "2026-06-01T12:00:00Z")
        #expect(entries[0]["details"]?["right"] == "write")
        for row in rows { #expect(row.leaf.commits(to: row.text!.entry, salt: row.text!.salt)) }
        #expect(rows[0].text!.salt != rows[1].text!.salt)
    }

    @Test func `a checkpoint covers every act, and each new one holds the one before`() async throws {
        let installation = try Installation(publicAddress: "https://city.example")
        let (key, _) = try await installation.accountability.verifiers(installation.reading())
        #expect(key.name == "city.example/ledger/alder")
        var last = TreeHead(size: 0, root: .empty)
        for step in 1...5 {
            try await installation.act(step)
            let row = try await installation.checkpoint(at: Installation.noon.adding(seconds: Double(step) * 2))
            let head = try SignedNote(parsing: row.note.utf8).checkpoint(of: key).head
            #expect(head == row.head)
            #expect(head.size == last.size + Int64(step))
            let before = last
            let proof = try await installation.store.file(Installation.alder).read { try $0.ledgerTree().consistencyProof(from: before.size) }
            #expect(head.isConsistent(with: last, proof: proof))
            last = head
        }
        #expect(try await installation.store.file(Installation.alder).verify().faults == [])
    }

    @Test func `an empty ledger has a checkpoint too`() async throws {
        let installation = try Installation()
        #expect(try await installation.checkpoint().head == TreeHead(size: 0, root: .empty))
    }

    @Test func `a ledger is signed at most once a second`() async throws {
        let installation = try Installation()
        try await installation.act()
        let first = try await installation.checkpoint()
        try await installation.act()
        #expect(try await installation.checkpoint(at: Installation.noon.adding(seconds: 0.999)) == first)
        #expect(try await installation.checkpoint(at: Installation.noon.adding(seconds: 1)).head.size == 2)
    }

    @Test func `tiles are those that the specification describes, up to the end of the tree and no further`() async throws {
        let installation = try Installation()
        try await installation.act(260)
        let access = try await installation.reading()
        func tile(_ path: String) async throws -> [UInt8]? { try await installation.accountability.tile(#require(Tile(path: path)), access) }
        let leaves = try await EntryBundle.parse(#require(tile("entries/000"))) + EntryBundle.parse(#require(tile("entries/001.p/4")))
        #expect(leaves.count == 260)
        #expect(try await tile("0/000") == leaves[..<256].flatMap { MerkleHash.leaf($0).bytes })
        #expect(try await tile("0/001.p/4") == leaves[256...].flatMap { MerkleHash.leaf($0).bytes })
        var tree = GrowingTree()
        for leaf in leaves[..<256] { tree.append(.leaf(leaf)) }
        #expect(try await tile("1/000.p/1") == tree.head.root.bytes)
        for path in ["0/001", "0/001.p/5", "1/000", "1/000.p/2", "2/000.p/1", "entries/001", "entries/002.p/1"] {
            #expect(try await tile(path) == nil, "\(path)")
        }
    }

    @Test func `a proof says what was done to who may know it, and to others only that it is there`() async throws {
        let installation = try Installation()
        try await installation.act(7)
        let (key, _) = try await installation.accountability.verifiers(installation.reading())
        let (reading, administering) = (try await installation.reading(), try await installation.administering())
        for entry in [administering, nil] {
            let made = try await installation.accountability.proof(of: 3, reading, entry: entry, at: Installation.noon)
            let proof = try LedgerProof(parsing: Array(#require(made).description.utf8))
            let proved = try ProvedEntry(parsing: #require(proof.extra))
            #expect(try proof.verify(proved.leaf.hash, key: key).head.size == 7)
            #expect((proved.text != nil) == (entry != nil))
            if entry == nil { #expect(!String(decoding: proof.extra!, as: UTF8.self).contains("token")) }
        }
        #expect(try await installation.accountability.proof(of: 7, reading, entry: administering, at: Installation.noon) == nil)
        #expect(try await installation.accountability.proof(of: -1, reading, entry: administering, at: Installation.noon) == nil)
    }

    @Test func `an erased entry is gone, its erasure is an act, and its proof holds`() async throws {
        let installation = try Installation()
        try await installation.act(3)
        let access = try await installation.administering()
        #expect(try await installation.accountability.erase(1, access, at: Installation.noon))
        #expect(try await !installation.accountability.erase(1, access, at: Installation.noon))
        #expect(try await !installation.accountability.erase(99, access, at: Installation.noon))
        let rows = try await installation.accountability.entries(from: 0, limit: 10, access)
        #expect(rows.count == 4)
        #expect(rows.map { $0.text == nil } == [false, true, false, false])
        #expect(try JSON(parsing: #require(rows[3].text).entry)["about"] == "1")
        let (key, _) = try await installation.accountability.verifiers(installation.reading())
        let proof = try #require(try await installation.accountability.proof(of: 1, installation.reading(), entry: access, at: Installation.noon))
        _ = try proof.verify(rows[1].leaf.hash, key: key)
    }

    @Test func `a file that was put back from before, or changed, is not signed`() async throws {
        let installation = try Installation()
        try await installation.act(3)
        let copy = installation.path + "-copy"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try await installation.store.file(Installation.alder).copy(to: copy)
        try await installation.act(2)
        let signed = try await installation.checkpoint()
        #expect(signed.head.size == 5)
        try installation.store.remove(Installation.alder)
        try await installation.store.restore(Installation.alder, from: copy)
        for count in [0, 1, 4] {
            try await installation.act(count)
            await #expect(throws: LedgerFault.self) { try await installation.checkpoint(at: Installation.noon.adding(seconds: 60)) }
        }
        // Under another key and name it goes on, and says what was lost.
        try await installation.accountability.renew(installation.administering(), at: Installation.noon.adding(seconds: 61))
        let next = try await installation.checkpoint(at: Installation.noon.adding(seconds: 62))
        #expect(next.head.size == 9)
        #expect(next.key != signed.key)
        let last = try #require(try await installation.accountability.entries(from: 8, limit: 1, installation.administering()).first?.text)
        #expect(try JSON(parsing: last.entry)["details"]?["lastCheckpoint"] == .string(signed.note))
    }

    @Test func `a ledger that was signed wants its own key and no other`() async throws {
        let installation = try Installation()
        try await installation.act()
        _ = try await installation.checkpoint()
        try await installation.act()
        let path = installation.path + "/_keys/alder.key"
        try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
        let later = Installation.noon.adding(seconds: 5)
        await #expect(throws: KeyRingError.missing(path: path)) { try await installation.checkpoint(at: later) }
        _ = try await installation.checkpoint(Installation.birch)
        try FileManager.default.copyItem(atPath: installation.path + "/_keys/birch.key", toPath: path)
        await #expect(throws: LedgerFault.otherKey(municipality: Installation.alder)) { try await installation.checkpoint(at: later) }
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
        #expect(try await installation.checkpoint(at: later).head.size == 2)
    }

    @Test func `the installation has a ledger that no municipality can have the name of`() async throws {
        let installation = try Installation()
        let access = try await installation.administering(.installation)
        _ = try installation.store.file(.installation, creating: true)
        #expect(try await installation.checkpoint(.installation).head.size == 0)
        #expect(try await installation.accountability.entries(from: 0, limit: 9, access).isEmpty)
        #expect(try installation.store.municipalities() == [Installation.alder, Installation.birch])
        #expect(MunicipalityName(MunicipalityName.installation.text) == nil)
        #expect(MunicipalityName("_keys") == nil)
    }
}
