import Ledger
import Testing

@Suite struct ProofFileTests {
    private static let key = SigningKey(name: "city.example/ledger", kind: .note, seed: Array(repeating: 3, count: 32))!

    private func log(_ count: Int) throws -> (leaves: [LedgerLeaf], tree: KeptTree, note: SignedNote) {
        let leaves = (0..<count).map { LedgerLeaf(time: Int64($0), entry: Array("act \($0)".utf8), salt: Array(repeating: UInt8($0), count: 32)) }
        let tree = try KeptTree(leaves.map(\.bytes))
        var note = try SignedNote(text: Checkpoint(origin: Self.key.name, head: tree.head(count)).text)
        note.add(try Self.key.sign(note.text))
        return (leaves, tree, note)
    }

    @Test func `a leaf says when and commits to what, and comes out of its bytes again`() throws {
        let leaf = LedgerLeaf(time: 1_764_161_431_123, entry: Array("{}".utf8), salt: Array(repeating: 5, count: 32))
        #expect(try LedgerLeaf(parsing: leaf.bytes) == leaf)
        #expect(String(decoding: leaf.bytes, as: UTF8.self).hasPrefix("conurb ledger 1\n1764161431123\n"))
        #expect(leaf.commits(to: Array("{}".utf8), salt: Array(repeating: 5, count: 32)))
        #expect(!leaf.commits(to: Array("{} ".utf8), salt: Array(repeating: 5, count: 32)))
        #expect(!leaf.commits(to: Array("{}".utf8), salt: Array(repeating: 6, count: 32)))
        #expect(!leaf.commits(to: Array("{}".utf8), salt: []))
        for text in ["", "conurb ledger 2\n1\n\(leaf.commitment.base64)\n", "conurb ledger 1\n01\n\(leaf.commitment.base64)\n", "conurb ledger 1\n1\nAA==\n"] {
            #expect(throws: LedgerError.self) { try LedgerLeaf(parsing: Array(text.utf8)) }
        }
    }

    @Test func `a proof file proves its leaf to whoever has the key, and no other leaf`() throws {
        let (leaves, tree, note) = try log(11)
        for position in 0..<11 {
            let proof = LedgerProof(extra: [1, 2], position: Int64(position), path: try tree.tree(11).inclusionProof(Int64(position)), note: note)
            let read = try LedgerProof(parsing: Array(proof.description.utf8))
            #expect(read == proof)
            #expect(try read.verify(leaves[position].hash, key: Self.key.verifier).head.size == 11)
            #expect(throws: LedgerError.self) { try read.verify(leaves[(position + 1) % 11].hash, key: Self.key.verifier) }
            let other = SigningKey(name: Self.key.name, kind: .note, seed: Array(repeating: 4, count: 32))!
            #expect(throws: LedgerError.notSigned) { try read.verify(leaves[position].hash, key: other.verifier) }
        }
    }

    @Test func `a proof file without what it says besides is a proof file`() throws {
        let (_, tree, note) = try log(1)
        let proof = LedgerProof(extra: nil, position: 0, path: try tree.tree(1).inclusionProof(0), note: note)
        #expect(proof.description.hasPrefix("c2sp.org/tlog-proof@v1\nindex 0\n\ncity.example/ledger\n1\n"))
        #expect(try LedgerProof(parsing: Array(proof.description.utf8)) == proof)
    }

    @Test func `what is not a proof file is refused`() throws {
        let (_, tree, note) = try log(5)
        let text = LedgerProof(extra: [9], position: 3, path: try tree.tree(5).inclusionProof(3), note: note).description
        for (old, new) in [
            ("@v1", "@v2"), ("extra CQ==", "extra CQ"), ("index 3", "index 03"), ("index 3", "indx 3"), ("index 3\n", ""), ("\n\n", "\n"),
        ] { #expect(throws: LedgerError.self, "\(old)") { try LedgerProof(parsing: Array(text.replacing(old, with: new, maxReplacements: old == "\n\n" ? 2 : 1).utf8)) } }
    }

    @Test func `a request to a witness comes out of its text again, and what is none is refused`() throws {
        let (_, tree, note) = try log(9)
        let request = AddCheckpoint(oldSize: 5, proof: try tree.tree(9).consistencyProof(from: 5), note: note)
        #expect(try AddCheckpoint(parsing: Array(request.description.utf8)) == request)
        let first = AddCheckpoint(oldSize: 0, proof: [], note: note)
        #expect(first.description.hasPrefix("old 0\n\ncity.example/ledger\n9\n"))
        #expect(try AddCheckpoint(parsing: Array(first.description.utf8)) == first)
        let line = MerkleHash.empty.base64 + "\n"
        func text(_ count: Int) -> [UInt8] { Array(("old 5\n" + String(repeating: line, count: count) + "\n" + note.description).utf8) }
        #expect(try AddCheckpoint(parsing: text(63)).proof.count == 63)
        #expect(throws: LedgerError.self) { try AddCheckpoint(parsing: first.description.utf8 + Array(repeating: 10, count: AddCheckpoint.byteCountMax)) }
        #expect(throws: LedgerError.self) { try AddCheckpoint(parsing: text(64)) }
        for (old, new) in [("old 5", "old 05"), ("old 5", "new 5"), ("old 5\n", ""), ("\n\n", "\nAA==\n\n")] {
            #expect(throws: LedgerError.self, "\(old)") { try AddCheckpoint(parsing: Array(request.description.replacing(old, with: new, maxReplacements: 1).utf8)) }
        }
    }

    @Test func `a witness's answer is signature lines, or the size that it saw last`() throws {
        let line = try Self.key.sign("text\n").line
        #expect(try WitnessAnswer.signatures(line + line).count == 2)
        for text in ["", line + "\n", String(line.dropLast()), "text\n"] { #expect(throws: LedgerError.self) { try WitnessAnswer.signatures(text) } }
        #expect(WitnessAnswer.size("20852014\n") == 20_852_014)
        #expect(["", "5", "05\n", "-5\n", "5\n\n"].compactMap(WitnessAnswer.size).isEmpty)
    }
}
