/// A proof file (C2SP tlog-proof): that a leaf is in a log, for whoever has only the log's key.
public struct LedgerProof: Hashable, Sendable {
    /// What the leaf is about, for whoever computes its hash; nothing vouches for it but that hash.
    public let extra: [UInt8]?
    public let position: Int64
    public let path: [MerkleHash]
    public let note: SignedNote

    private static let tag = "c2sp.org/tlog-proof@v1"
    public static let byteCountMax = 1 << 20

    public init(extra: [UInt8]?, position: Int64, path: [MerkleHash], note: SignedNote) {
        (self.extra, self.position, self.path, self.note) = (extra, position, path, note)
    }

    /// - Throws: `malformed`.
    public init(parsing bytes: [UInt8]) throws(LedgerError) {
        let lineBreak = UInt8(ascii: "\n")
        guard bytes.count <= Self.byteCountMax else { throw .malformed("a proof has at most \(Self.byteCountMax) bytes") }
        guard let end = bytes.indices.dropLast().first(where: { bytes[$0] == lineBreak && bytes[$0 + 1] == lineBreak }),
            let head = String(validating: bytes[..<end], as: UTF8.self)
        else { throw .malformed("the proof has no empty line before its checkpoint") }
        var lines = head.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard lines.popFirst() == Self.tag[...] else { throw .malformed("the proof does not begin with \(Self.tag)") }
        var extra: [UInt8]?
        if let line = lines.first, line.hasPrefix("extra ") {
            extra = Base64.decode(line.dropFirst(6))
            guard extra != nil else { throw .malformed("what the proof says besides is not base64") }
            lines.removeFirst()
        }
        guard let line = lines.popFirst(), line.hasPrefix("index "), let position = Decimal.parse(line.dropFirst(6)) else {
            throw .malformed("the proof has no line \"index\" and a number")
        }
        guard lines.count <= AddCheckpoint.proofCountMax else { throw .malformed("a proof has at most \(AddCheckpoint.proofCountMax) hashes") }
        var path: [MerkleHash] = []
        for line in lines {
            guard let hash = MerkleHash(base64: line) else { throw .malformed("a line of the proof is not a hash in base64") }
            path.append(hash)
        }
        self.init(extra: extra, position: position, path: path, note: try SignedNote(parsing: bytes[(end + 2)...]))
    }

    public var description: String {
        let besides = extra.map { "extra \(Base64.encode($0))\n" } ?? ""
        return "\(Self.tag)\n\(besides)index \(position)\n" + path.map { $0.base64 + "\n" }.joined() + "\n" + note.description
    }

    /// - Throws: what is wrong with the checkpoint; `malformed` when the leaf is not where the proof says it is.
    public func verify(_ leaf: MerkleHash, key: VerifierKey) throws(LedgerError) -> Checkpoint {
        let checkpoint = try note.checkpoint(of: key)
        guard checkpoint.head.includes(leaf, at: position, proof: path) else {
            throw .malformed("the leaf is not at position \(position) of the tree that the checkpoint is of")
        }
        return checkpoint
    }
}
