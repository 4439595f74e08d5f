import CityModel
import Foundation
import GRDB
import Ledger
@testable import Store
import Testing

@Suite struct LedgerTests {
    private static func text(_ number: Int) -> LedgerText {
        LedgerText(salt: Array(repeating: UInt8(truncatingIfNeeded: number), count: 32), entry: Array("act number \(number) of somebody".utf8))
    }

    private func filled(_ folder: TemporaryStore, _ count: Int) async throws -> MunicipalityFile {
        let file = try folder.file()
        try await file.write { for number in 0..<count { try $0.appendLedger(Self.text(number), at: Instant(milliseconds: Int64(number))) } }
        return file
    }

    @Test func `acts get consecutive positions, and their tree is that of their leaves`() async throws {
        let folder = try TemporaryStore()
        let file = try await filled(folder, 300)
        var tree = GrowingTree()
        for number in 0..<300 {
            tree.append(LedgerLeaf(time: Int64(number), entry: Self.text(number).entry, salt: Self.text(number).salt).hash)
            let (size, head) = (Int64(number + 1), tree.head)
            #expect(try await file.read { try $0.ledgerTree(size: size).root() } == head.root)
        }
        let head = tree.head
        try await file.read { snapshot in
            #expect(try snapshot.ledgerSize() == 300)
            let leaf = try #require(try snapshot.ledgerRow(299)).leaf
            #expect(head.includes(leaf.hash, at: 299, proof: try snapshot.ledgerTree().inclusionProof(299)))
            #expect(try snapshot.ledgerHashes(level: 0, 256..<512).count == 44)
            #expect(try snapshot.ledgerHashes(level: 8, 0..<256).count == 1)
            #expect(try snapshot.ledgerRows(from: 290, limit: 5).map(\.position) == [290, 291, 292, 293, 294])
            #expect(try snapshot.ledgerRow(300) == nil)
        }
        #expect(try await file.verify().faults == [])
        #expect(try await file.verify().actCount == 300)
    }

    @Test func `an act that did not come to be leaves no leaf, and the next one takes its place`() async throws {
        let folder = try TemporaryStore()
        let file = try await filled(folder, 5)
        await #expect(throws: CancellationError.self) {
            try await file.write { transaction in
                try transaction.appendLedger(Self.text(5), at: noon)
                throw CancellationError()
            }
        }
        #expect(try await file.write { try $0.appendLedger(Self.text(6), at: noon) } == 5)
        #expect(try await file.read { try $0.ledgerRow(5)?.text } == Self.text(6))
        #expect(try await file.verify().faults == [])
    }

    @Test func `a clock that goes back does not take the ledger with it`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        _ = try await file.write { try $0.appendLedger(Self.text(0), at: noon) }
        _ = try await file.write { try $0.appendLedger(Self.text(1), at: noon.adding(seconds: -60)) }
        #expect(try await file.read { try $0.ledgerRow(1)?.leaf.time } == noon.milliseconds)
    }

    @Test func `an erased text is nowhere in the file, and every proof holds`() async throws {
        let folder = try TemporaryStore()
        let file = try await filled(folder, 40)
        let root = try await file.read { try $0.ledgerTree().root() }
        let long = LedgerText(salt: Array(repeating: 77, count: 32), entry: Array(repeating: UInt8(ascii: "Z"), count: 20_000))
        let position = try await file.write { try $0.appendLedger(long, at: noon) }
        #expect(try await file.write { try $0.eraseLedgerText(17) })
        #expect(try await file.write { try !$0.eraseLedgerText(17) }, "there is nothing more to erase")
        #expect(try await file.write { try $0.eraseLedgerText(position) })
        try await file.emptyLog()
        let path = "\(folder.path)/alder/\(MunicipalityFile.fileName)"
        for ending in ["", "-wal"] {
            let bytes = try Data(contentsOf: URL(filePath: path + ending))
            #expect(bytes.range(of: Data("act number 17 of".utf8)) == nil)
            #expect(bytes.range(of: Data(Self.text(17).salt)) == nil)
            #expect(bytes.range(of: Data(repeating: UInt8(ascii: "Z"), count: 100)) == nil)
            if ending.isEmpty { #expect(bytes.range(of: Data("act number 18 of".utf8)) != nil) }
        }
        try await file.read { snapshot in
            let row = try #require(try snapshot.ledgerRow(17))
            #expect(row.text == nil)
            let head = TreeHead(size: 40, root: root)
            #expect(head.includes(row.leaf.hash, at: 17, proof: try snapshot.ledgerTree(size: 40).inclusionProof(17)))
        }
        #expect(try await file.verify().faults == [])
    }

    @Test(arguments: [
        "DELETE FROM ledger_entry WHERE position = 2", "UPDATE ledger_entry SET leaf = x'00' WHERE position = 2",
        "UPDATE ledger_entry SET time_ms = 0 WHERE position = 2", "UPDATE ledger_entry SET entry = x'00' WHERE position = 2",
        "UPDATE ledger_entry SET position = 9 WHERE position = 2", "UPDATE ledger_entry SET salt = NULL WHERE position = 2",
    ])
    func `the file itself refuses that a leaf goes or changes`(sql: String) async throws {
        let folder = try TemporaryStore()
        let file = try await filled(folder, 4)
        await #expect(throws: DatabaseError.self) { try await file.write { try $0.execute(sql) } }
    }

    private static let untied = "DROP TRIGGER ledger_entry_stays; DROP TRIGGER ledger_entry_is_fixed;"

    @Test(arguments: [
        "UPDATE ledger_entry SET leaf = (SELECT leaf FROM ledger_entry WHERE position = 3) WHERE position = 2", "UPDATE ledger_entry SET entry = x'00' WHERE position = 2",
        "DELETE FROM ledger_entry WHERE position = 2", "DELETE FROM ledger_entry WHERE position = 6", "UPDATE ledger_hash SET hash = zeroblob(32) WHERE level = 1 AND position = 0",
        "DELETE FROM ledger_hash WHERE level = 2", "INSERT INTO ledger_hash VALUES (5, 0, zeroblob(32))", "UPDATE ledger_checkpoint SET root = zeroblob(32)",
        "UPDATE ledger_checkpoint SET note = replace(note, '5', '4')", "UPDATE ledger_checkpoint SET size = 9",
    ])
    func `whoever changes the file by hand is found out`(sql: String) async throws {
        let folder = try TemporaryStore()
        var file = try await filled(folder, 7)
        let key = SigningKey(name: "a", kind: .note, seed: Array(repeating: 1, count: 32))!
        let root = try await file.read { try $0.ledgerTree(size: 5).root() }
        let head = TreeHead(size: 5, root: root)
        var note = try SignedNote(text: Checkpoint(origin: "a", head: head).text)
        note.add(try key.sign(note.text))
        let row = CheckpointRow(head: head, key: key.verifier.description, note: note.description, signedAt: noon)
        try await file.write { try $0.insert(row) }
        #expect(try await file.verify().faults == [])
        try folder.store.close()
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try await queue.write { try $0.execute(sql: Self.untied + sql) }
        try queue.close()
        file = try folder.file()
        #expect(try await !file.verify().faults.isEmpty)
    }

    @Test func `of checkpoints the newest is kept, and those that a witness signed too`() async throws {
        let folder = try TemporaryStore()
        let file = try await filled(folder, 7)
        @Sendable func row(_ size: Int64, _ note: String = "note") -> CheckpointRow {
            CheckpointRow(head: TreeHead(size: size, root: .empty), key: "key", note: note, signedAt: noon)
        }
        try await file.write { transaction in
            try transaction.insert(row(1))
            try transaction.insert(row(3))
            try transaction.putCosigned(row(3, "cosigned"))
            try transaction.insert(row(4))
            try transaction.insert(row(6))
            try transaction.insert(row(6, "again"))
        }
        #expect(try await file.read { try $0.checkpoints().map(\.head.size) } == [3, 6])
        #expect(try await file.read { try $0.lastCheckpoint()?.note } == "note")
        #expect(try await file.read { try $0.lastCosignedCheckpoint()?.note } == "cosigned")
        try await file.write { try $0.putCosigned(row(5, "late")) }
        #expect(try await file.read { try $0.checkpoints().map(\.head.size) } == [3, 5, 6])
    }

    @Test func `witnesses, and what is witnessed, are kept as they were put`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let key = SigningKey(name: "w", kind: .cosignature, seed: Array(repeating: 1, count: 32))!.verifier
        let log = SigningKey(name: "log", kind: .note, seed: Array(repeating: 2, count: 32))!.verifier
        let witness = WitnessRow(key: key, address: "conurb:birch")
        let witnessed = WitnessedRow(key: log, head: TreeHead(size: 4, root: .leaf([1])), note: "note")
        try await file.write { transaction in
            try transaction.put(witness)
            try transaction.put(WitnessedRow(key: log))
            try transaction.put(witnessed)
            try transaction.update(WitnessRow(key: key, address: "", size: 9, seenAt: noon, fault: "away"))
        }
        #expect(try await file.read { try $0.witnesses() } == [WitnessRow(key: key, address: "conurb:birch", size: 9, seenAt: noon, fault: "away")])
        #expect(try await file.read { try $0.witnessed("log") } == witnessed)
        #expect(try await file.read { try $0.witnessed() } == [witnessed])
        #expect(try await file.write { try [$0.removeWitness("w"), $0.removeWitness("w"), $0.removeWitnessed("log"), $0.removeWitnessed("log")] } == [true, false, true, false])
    }

    @Test func `a file of the version before takes acts`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0012-retention")
        try await queue.write { try $0.execute(sql: "INSERT INTO document (kind, id, body, modified_us) VALUES ('setting', 'a', x'226B65707422', 0)") }
        try queue.close()
        let file = try await filled(folder, 3)
        #expect(try await file.read { try $0.document(.setting, "a")?.body } == "kept")
        #expect(try await file.read { try $0.ledgerSize() } == 3)
        #expect(try await file.verify().faults == [])
    }
}
