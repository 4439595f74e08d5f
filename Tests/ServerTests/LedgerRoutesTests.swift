import CityModel
import Foundation
import Ledger
import NIOHTTP1
import Testing
import Trust

/// The ledger and its witnesses over HTTP, as C2SP tlog-tiles and tlog-witness have it.
@Suite(.serialized) struct LedgerRoutesTests {
    private static let log = SigningKey(name: "log.example/a", kind: .note, seed: Array(repeating: 5, count: 32))!

    /// A request about a log whose leaves are the numbers up to its size.
    private func request(_ size: Int, since old: Int64, first: UInt8 = 0, key: SigningKey = log, proof: [MerkleHash]? = nil) throws -> String {
        var (tree, hashes) = (GrowingTree(), [Subtree: MerkleHash]())
        for number in 0..<size { for (subtree, hash) in tree.append(.leaf([UInt8(number) &+ first])) { hashes[subtree] = hash } }
        var note = try SignedNote(text: Checkpoint(origin: key.name, head: tree.head).text)
        note.add(try key.sign(note.text))
        let kept = MerkleTree(size: Int64(size)) { hashes[$0]! }
        return AddCheckpoint(oldSize: old, proof: try proof ?? kept.consistencyProof(from: min(old, Int64(size))), note: note).description
    }

    private func accept(_ key: VerifierKey, _ server: RunningServer, _ name: String) async throws {
        #expect(try await server.ask(.POST, "/ledger/\(name)/accepted-logs", #"{"key":"\#(key.description)"}"#).status == 204)
    }

    private static let plain = [("Content-Type", "text/plain")]

    @Test(.timeLimit(.minutes(10)))
    func `a witness answers each request with the status that the specification has for it`() async throws {
        let server = try await RunningServer()
        _ = try await server.ask(.PUT, "/municipalities/birch", "")
        try await accept(Self.log.verifier, server, "birch")
        func ask(_ body: String) async throws -> Answer {
            try await server.ask(.POST, "/ledger/birch/witness/add-checkpoint", body, headers: Self.plain)
        }
        let stranger = SigningKey(name: "stranger.example", kind: .note, seed: Array(repeating: 5, count: 32))!
        let impostor = SigningKey(name: Self.log.name, kind: .note, seed: Array(repeating: 6, count: 32))!
        #expect(try await ask("old 0\n").status == 400)
        #expect(try await ask(request(3, since: 4)).status == 400)
        #expect(try await ask(request(3, since: 0, key: stranger)).status == 404)
        #expect(try await ask(request(3, since: 0, key: impostor)).status == 403)
        #expect(try await ask(request(3, since: 0, proof: [.empty])).status == 422)
        let wrong = try await ask(request(3, since: 2))
        #expect((wrong.status, wrong.text) == (409, "0\n"))
        #expect(wrong.headers["Content-Type"] == ["text/x.tlog.size"])
        let first = try await ask(request(3, since: 0))
        #expect(first.status == 200)
        let again = try await ask(request(5, since: 0))
        #expect((again.status, again.text) == (409, "3\n"))
        #expect(try await ask(request(5, since: 3, first: 1)).status == 422, "another log")
        #expect(try await ask(request(3, since: 3, first: 1)).status == 422, "another tree of the same size")
        #expect(try await ask(request(3, since: 3)).status == 200, "the same tree")
        let last = try await ask(request(9, since: 3))
        let witness = try await VerifierKey(parsing: #require(server.ask(.GET, "/ledger/birch/keys").json["witness"]?.stringValue))
        var note = try AddCheckpoint(parsing: Array(request(9, since: 3).utf8)).note
        for signature in try WitnessAnswer.signatures(last.text) { note.add(signature) }
        #expect(try note.verify([Self.log.verifier, witness]).count == 2)
        // The last that was co-signed, for monitors: printf log.example/a | sha256sum
        let digest = "b2d3e0cf2e483fbc179ff15f4e95ebef4f0ad5565d228215674c9ee83f0faf1d"
        #expect(try await server.ask(.GET, "/ledger/birch/witness/\(digest)/checkpoint").text == note.description)
        #expect(try await server.ask(.GET, "/ledger/birch/witness/\(digest.dropLast())/checkpoint").status == 404)
        try await server.close()
    }

    @Test(.timeLimit(.minutes(10)))
    func `an installation co-signs another's checkpoints over HTTP`() async throws {
        let (here, there) = (try await RunningServer(), try await RunningServer())
        _ = try await here.ask(.PUT, "/municipalities/alder", "")
        _ = try await there.ask(.PUT, "/municipalities/birch", "")
        let own = try await VerifierKey(parsing: #require(here.ask(.GET, "/ledger/alder/keys").json["ledger"]?.stringValue))
        let witness = try await VerifierKey(parsing: #require(there.ask(.GET, "/ledger/birch/keys").json["witness"]?.stringValue))
        try await accept(own, there, "birch")
        let body = #"{"key":"\#(witness.description)","address":"\#(there.address)/ledger/birch/witness"}"#
        #expect(try await here.ask(.POST, "/ledger/alder/witnesses", body).status == 204)
        var signed = 0
        while signed < 2 {
            let note = try SignedNote(parsing: try await here.ask(.GET, "/ledger/alder/checkpoint").bytes)
            signed = try note.verify([own, witness]).count
            await Task.yield()
        }
        let listed = try await here.ask(.GET, "/ledger/alder/witnesses").json["witnesses"]?.arrayValue
        #expect(listed?.first?["fault"] == .null)
        #expect(listed?.first?["size"]?.integerValue ?? 0 > 0)
        try await here.close()
        try await there.close()
    }

    @Test func `checkpoints are not kept by caches, tiles are for ever, and what is not there is 404`() async throws {
        let server = try await RunningServer()
        _ = try await server.ask(.PUT, "/municipalities/alder", "")
        let checkpoint = try await server.ask(.GET, "/ledger/alder/checkpoint")
        #expect(checkpoint.headers["Content-Type"] == ["text/plain; charset=utf-8"])
        #expect(checkpoint.headers["Cache-Control"] == ["no-cache"])
        #expect(try await server.ask(.GET, "/ledger/checkpoint", tenant: "alder").text == checkpoint.text)
        let tile = try await server.ask(.GET, "/ledger/alder/tile/0/000.p/1")
        #expect(tile.headers["Content-Type"] == ["application/octet-stream"])
        #expect(tile.headers["Cache-Control"].first?.contains("immutable") == true)
        #expect(tile.bytes.count == 32)
        #expect(try await server.ask(.GET, "/ledger/tile/0/000.p/1", tenant: "alder").bytes == tile.bytes)
        for path in ["tile/0/000", "tile/0/000.p/2", "tile/0/x001/000", "tile/entries/000.p/0", "tile/9/000.p/1", "proof/1"] {
            #expect(try await server.ask(.GET, "/ledger/alder/\(path)").status == 404, "\(path)")
        }
        #expect(try await server.ask(.GET, "/ledger/elsewhere/checkpoint").status == 404)
        try await server.close()
    }
}
