import CityModel
import Foundation
import Ledger
import Store
import Testing
import Trust

@Suite struct KeyRingTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "conurb-\(UUID().uuidString)").path
        deinit { try? FileManager.default.removeItem(atPath: path) }
        func permissions(_ name: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path + name)[.posixPermissions] as? Int
        }
    }

    private static let alder = MunicipalityName("alder")!

    @Test func `keys are made once, for the program's own user alone, and are the same ever after`() throws {
        let folder = Folder()
        let first = try KeyRing(directory: folder.path).keys(of: Self.alder, origin: "a/alder")
        let second = try KeyRing(directory: folder.path).keys(of: Self.alder, origin: "b/alder")
        #expect(second.ledger.verifier == first.ledger.verifier)
        #expect(second.witness.verifier == first.witness.verifier)
        #expect(second.personal == first.personal)
        #expect(first.ledger.name == "a/alder")
        #expect(first.witness.name == "a/alder/witness")
        #expect(first.ledger.verifier.publicKey != first.witness.verifier.publicKey)
        #expect(try folder.permissions("/alder.key") == 0o600)
        #expect(try folder.permissions("") == 0o700)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["alder.key"])
        #expect(try KeyRing(directory: folder.path).keys(of: MunicipalityName("birch")!, origin: "a").ledger.verifier.publicKey != first.ledger.verifier.publicKey)
    }

    @Test func `many who need a key at the same moment get the same one`() async throws {
        let folder = Folder()
        let keys = try await withThrowingTaskGroup(of: VerifierKey.self) { group in
            for _ in 0..<20 { group.addTask { [path = folder.path] in try KeyRing(directory: path).keys(of: Self.alder, origin: "a").ledger.verifier } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(keys.count == 1)
    }

    @Test func `where there must be a key none is made, and a damaged one is not replaced`() throws {
        let folder = Folder()
        let path = folder.path + "/alder.key"
        #expect(throws: KeyRingError.missing(path: path)) { try KeyRing(directory: folder.path).keys(of: Self.alder, origin: nil) }
        for text in ["", "{}", #"{"origin":"a","ledger":"AA==","witness":"AA==","personal":"AA=="}"#] {
            try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: path))
            #expect(throws: KeyRingError.unreadable(path: path)) { try KeyRing(directory: folder.path).keys(of: Self.alder, origin: "a") }
            #expect(try Data(contentsOf: URL(filePath: path)) == Data(text.utf8))
        }
    }

    @Test func `the last signed checkpoint is that of the largest tree`() throws {
        let folder = Folder()
        let ring = KeyRing(directory: folder.path)
        let key = try ring.keys(of: Self.alder, origin: "a").ledger
        #expect(try ring.lastSigned(Self.alder) == nil)
        func note(_ size: Int64) throws -> SignedNote {
            var note = try SignedNote(text: Checkpoint(origin: "a", head: TreeHead(size: size, root: .empty)).text)
            note.add(try key.sign(note.text))
            return note
        }
        for size in [3, 7, 5] as [Int64] { try ring.keepSigned(note(size), of: Self.alder) }
        #expect(try ring.lastSigned(Self.alder) == note(7))
        try Data("text".utf8).write(to: URL(filePath: folder.path + "/alder.checkpoint"))
        #expect(throws: KeyRingError.self) { try ring.lastSigned(Self.alder) }
    }

    @Test func `a ledger that goes on under another key leaves residents' keys as they are`() async throws {
        let folder = Folder()
        let ring = KeyRing(directory: folder.path)
        let first = try ring.keys(of: Self.alder, origin: "a")
        try ring.renew(Self.alder) { "b" }
        let second = try ring.keys(of: Self.alder, origin: nil)
        #expect(second.personal == first.personal && second.ledger.verifier != first.ledger.verifier && second.ledger.name == "b")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["alder.key", "alder.key.1"])
    }

    @Test func `what residents' keys are wrapped by is made once, and never anew where it was lost`() throws {
        let folder = Folder()
        let ring = KeyRing(directory: folder.path)
        let secret = try ring.personalSecret(of: Self.alder) { "a" }
        #expect(try secret.count == 32 && ring.personalSecret(of: Self.alder) { "b" } == secret)
        #expect(FileManager.default.createFile(atPath: folder.path + "/alder.residents", contents: Data()))
        try FileManager.default.removeItem(atPath: folder.path + "/alder.key")
        #expect(throws: KeyRingError.missing(path: folder.path + "/alder.key")) { try ring.personalSecret(of: Self.alder) { "a" } }
        // Those of a municipality that takes the name of another are others.
        try ring.retire(Self.alder)
        #expect(try ring.personalSecret(of: Self.alder) { "a" } != secret)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["alder.key", "alder.residents.1"])
    }

    @Test func `a municipality that is read with another folder of keys reads nothing personal, and no error comes of it`() async throws {
        let folder = Folder()
        let (data, name) = (folder.path + "/data", Self.alder)
        func store(_ keys: String) throws -> Store { try Store(directory: data, keys: KeyRing(directory: folder.path + keys).residentKeys(publicAddress: nil)) }
        let now = Instant("2026-06-01T12:00:00Z")!
        let resident = Entity(id: IRI("urn:x:1")!, types: [IRI("https://example.org/Person")!])
        var first: Store? = try store("/one")
        try await first?.file(name, creating: true).write { try $0.insert(resident, provenance: Provenance(classification: .personal), at: now) }
        try first?.close()
        first = nil
        var other: Store? = try store("/two")
        #expect(try await other?.file(name).read { try $0.storedEntity(resident.id) == nil } == true)
        #expect(try await other?.file(name).sealedLoss().missingCount == 1)
        try other?.close()
        other = nil
        // The folder goes with the municipality.
        try FileManager.default.moveItem(atPath: folder.path + "/one", toPath: folder.path + "/moved")
        #expect(try await store("/moved").file(name).read { try $0.storedEntity(resident.id) } != nil)
    }

    @Test func `keys that were put aside are kept, and the next ones are others`() throws {
        let folder = Folder()
        let ring = KeyRing(directory: folder.path)
        try ring.retire(Self.alder)
        let first = try ring.keys(of: Self.alder, origin: "a")
        try ring.retire(Self.alder)
        let second = try ring.keys(of: Self.alder, origin: "a")
        try ring.retire(Self.alder)
        #expect(first.ledger.verifier != second.ledger.verifier)
        #expect(ring.retiredCount(Self.alder) == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["alder.key.1", "alder.key.2"])
    }
}
