/// What a log asks of a witness (C2SP tlog-witness, `add-checkpoint`): to look at a new checkpoint and co-sign it.
public struct AddCheckpoint: Hashable, Sendable {
    /// The size that the witness saw last, as far as the log knows.
    public let oldSize: Int64
    public let proof: [MerkleHash]
    public let note: SignedNote

    public static let proofCountMax = 63
    public static let byteCountMax = SignedNote.byteCountMax + 1 << 13

    public init(oldSize: Int64, proof: [MerkleHash], note: SignedNote) { (self.oldSize, self.proof, self.note) = (oldSize, proof, note) }

    /// - Throws: `malformed`.
    public init(parsing bytes: [UInt8]) throws(LedgerError) {
        guard bytes.count <= Self.byteCountMax else { throw .malformed("a request has at most \(Self.byteCountMax) bytes") }
        let lineBreak = UInt8(ascii: "\n")
        guard let end = bytes.indices.dropLast().first(where: { bytes[$0] == lineBreak && bytes[$0 + 1] == lineBreak }) else {
            throw .malformed("the request has no empty line before its checkpoint")
        }
        guard let head = String(validating: bytes[..<end], as: UTF8.self) else { throw .malformed("the request is not UTF-8") }
        let lines = head.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, first.hasPrefix("old "), let oldSize = Decimal.parse(first.dropFirst(4)) else {
            throw .malformed("the request's first line is not \"old\" and a size")
        }
        guard lines.count - 1 <= Self.proofCountMax else { throw .malformed("a proof has at most \(Self.proofCountMax) lines") }
        var proof: [MerkleHash] = []
        for line in lines.dropFirst() {
            guard let hash = MerkleHash(base64: line) else { throw .malformed("a line of the proof is not a hash in base64") }
            proof.append(hash)
        }
        self.init(oldSize: oldSize, proof: proof, note: try SignedNote(parsing: bytes[(end + 2)...]))
    }

    public var description: String { "old \(oldSize)\n" + proof.map { $0.base64 + "\n" }.joined() + "\n" + note.description }
}

/// What a witness answers.
public enum WitnessAnswer {
    /// The signature lines of a 200.
    /// - Throws: `malformed`.
    public static func signatures(_ text: String) throws(LedgerError) -> [NoteSignature] {
        guard text.last == "\n" else { throw .malformed("the witness's answer does not end with a line break") }
        let lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count <= SignedNote.signatureCountMax else { throw .malformed("the witness's answer has too many signatures") }
        var signatures: [NoteSignature] = []
        for line in lines { signatures.append(try NoteSignature(line: line)) }
        return signatures
    }

    /// The size that a 409 says the witness saw last; nil for what is none.
    public static func size(_ text: String) -> Int64? { text.last == "\n" ? Decimal.parse(text.dropLast()) : nil }
}
