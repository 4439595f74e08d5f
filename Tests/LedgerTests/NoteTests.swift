import Ledger
import Testing

@Suite struct NoteTests {
    private static let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    private static let note = """
        This is an example message.

        \u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=

        """

    private func signer(_ name: String = "city.example/ledger", _ kind: SignatureKind = .note, seed: UInt8 = 7) -> SigningKey {
        SigningKey(name: name, kind: kind, seed: Array(repeating: seed, count: 32))!
    }

    @Test func `the example of the specification is signed by its key`() throws {
        let key = try VerifierKey(parsing: Self.key)
        #expect(key.description == Self.key)
        let note = try SignedNote(parsing: Self.note.utf8)
        #expect(note.text == "This is an example message.\n")
        #expect(try note.verify([key]).map(\.key) == [key])
        #expect(note.description == Self.note)
    }

    @Test func `a text of several paragraphs ends at the last empty line`() throws {
        var note = try SignedNote(text: "one\n\ntwo\n\n\nthree\n")
        note.add(try signer().sign(note.text))
        let read = try SignedNote(parsing: note.description.utf8)
        #expect(read == note)
        #expect(try read.verify([signer().verifier]).count == 1)
    }

    @Test(arguments: [
        "", "\n", "text\n", "text\n\n", "text\n\n\u{2014} a AAAAAAA=", "text\n\n\u{2014} a AAAAAAA=\n\n", "text\n\n- a AAAAAAA=\n",
        "text\n\n\u{2014} a\n", "text\n\n\u{2014} a AAAAAA==\n", "text\n\n\u{2014} a AAAAAAB=\n", "text\n\n\u{2014} a  AAAAAAA=\n",
        "text\n\n\u{2014} a+b AAAAAAA=\n", "text\n\n\u{2014}  AAAAAAA=\n", "text\n\n\u{2014} a\u{A0}b AAAAAAA=\n", "te\u{1}xt\n\n\u{2014} a AAAAAAA=\n",
        "te\txt\n\n\u{2014} a AAAAAAA=\n", "text\r\n\n\u{2014} a AAAAAAA=\n", "text\n\n\u{2014} a AAAAAAA=\nmore\n",
    ])
    func `what is not a note is refused`(text: String) {
        #expect(throws: LedgerError.self) { try SignedNote(parsing: text.utf8) }
    }

    @Test func `bytes that are not UTF-8 are no note, and one more signature than the limit is refused`() throws {
        let line = "\u{2014} a AAAAAAA=\n"
        #expect(throws: LedgerError.self) { try SignedNote(parsing: [0xFF, 0x0A, 0x0A] + Array(line.utf8)) }
        #expect(try SignedNote(parsing: ("t\n\n" + String(repeating: line, count: 100)).utf8).signatures.count == 100)
        #expect(throws: LedgerError.self) { try SignedNote(parsing: ("t\n\n" + String(repeating: line, count: 101)).utf8) }
        #expect(throws: LedgerError.self) { try SignedNote(parsing: (String(repeating: "t", count: 1 << 16) + "\n\n" + line).utf8) }
    }

    @Test func `a changed text, and a signature of another key that says it is by this one, refuse the note`() throws {
        var note = try SignedNote(text: "text\n")
        note.add(try signer().sign("other\n"))
        #expect(throws: LedgerError.badSignature(name: "city.example/ledger")) { try note.verify([signer().verifier]) }
        var both = try SignedNote(text: "text\n")
        both.add(try signer("a").sign("text\n"))
        both.add(NoteSignature(name: "b", keyID: signer("b").verifier.id, bytes: [1]))
        #expect(throws: LedgerError.badSignature(name: "b")) { try both.verify([signer("a").verifier, signer("b").verifier]) }
    }

    @Test func `signatures of unknown keys are passed over, also under a known name or a known ID`() throws {
        var note = try SignedNote(text: "text\n")
        let known = signer().verifier
        note.add(try signer(seed: 9).sign("text\n"))
        note.add(NoteSignature(name: "stranger", keyID: known.id, bytes: [1, 2]))
        #expect(throws: LedgerError.notSigned) { try note.verify([known]) }
        note.add(try signer().sign("text\n"))
        #expect(try note.verify([known]).map(\.key) == [known])
    }

    @Test(arguments: [
        "", "a+b", "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ])
    func `what is not a verifier's key is refused`(text: String) {
        #expect(throws: LedgerError.self) { try VerifierKey(parsing: text) }
    }

    @Test func `a witness signs the checkpoint together with the time, under an ID of its own`() throws {
        let checkpoint = Checkpoint(origin: "city.example/ledger", head: TreeHead(size: 0, root: .empty))
        let (log, witness) = (signer(), signer("witness.example/w1", .cosignature))
        var note = try SignedNote(text: checkpoint.text)
        note.add(try log.sign(note.text))
        note.add(try witness.sign(note.text, time: 1_679_315_147))
        let read = try SignedNote(parsing: note.description.utf8)
        #expect(try read.verify([log.verifier, witness.verifier]).map(\.time) == [0, 1_679_315_147])
        #expect(signer("witness.example/w1", .note).verifier.id != witness.verifier.id)
        // The same bytes under another time are another signature.
        let signature = read.signatures[1]
        var forged = try SignedNote(text: checkpoint.text)
        forged.add(NoteSignature(name: signature.name, keyID: signature.keyID, bytes: [0, 0, 0, 0, 0, 0, 0, 9] + signature.bytes[8...]))
        #expect(throws: LedgerError.self) { try forged.verify([witness.verifier]) }
    }

    @Test func `a checkpoint says origin, size and root, and whose it is is held against the key`() throws {
        let head = TreeHead(size: 20_852_163, root: MerkleHash(base64: "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")!)
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        #expect(try Checkpoint(parsing: text) == Checkpoint(origin: "example.com/behind-the-sofa", head: head))
        #expect(Checkpoint(origin: "example.com/behind-the-sofa", head: head).text == text)
        #expect(try Checkpoint(parsing: text + "one more\n").extensions == ["one more"])
        var note = try SignedNote(text: text)
        note.add(try signer("example.com/other").sign(text))
        #expect(throws: LedgerError.self) { try note.checkpoint(of: signer("example.com/other").verifier) }
        note.add(try signer("example.com/behind-the-sofa").sign(text))
        #expect(try note.checkpoint(of: signer("example.com/behind-the-sofa").verifier).head == head)
    }

    @Test(arguments: [
        "", "a\n", "a\n1\n", "a\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", "a\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n+1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n",
        "a\n9223372036854775808\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
    ])
    func `what is not a checkpoint is refused`(text: String) {
        #expect(throws: LedgerError.self) { try Checkpoint(parsing: text) }
    }
}
