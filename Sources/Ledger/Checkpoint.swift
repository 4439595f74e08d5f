/// A tree's head as its log says it (C2SP tlog-checkpoint): whose it is, how many leaves it has, and its root.
public struct Checkpoint: Hashable, Sendable {
    public let origin: String
    public let head: TreeHead
    /// Lines that other logs may add; ours have none.
    public let extensions: [String]

    public static let originByteCountMax = 255

    public init(origin: String, head: TreeHead) { (self.origin, self.head, extensions) = (origin, head, []) }

    /// - Parameter text: a note's text.
    /// - Throws: `malformed`.
    public init(parsing text: String) throws(LedgerError) {
        guard text.last == "\n" else { throw .malformed("a checkpoint ends with a line break") }
        let lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, lines.allSatisfy({ !$0.isEmpty }) else {
            throw .malformed("a checkpoint has lines for its origin, its size and its root, and none that is empty")
        }
        guard lines[0].utf8.count <= Self.originByteCountMax else { throw .malformed("the checkpoint's origin is too long") }
        guard let size = Decimal.parse(lines[1]) else { throw .malformed("the checkpoint's second line is not a size") }
        guard let root = MerkleHash(base64: lines[2]) else { throw .malformed("the checkpoint's third line is not a root in base64") }
        (origin, head, extensions) = (String(lines[0]), TreeHead(size: size, root: root), lines[3...].map(String.init))
    }

    /// A note's text.
    public var text: String { ([origin, String(head.size), head.root.base64] + extensions).map { $0 + "\n" }.joined() }
}

extension SignedNote {
    /// The checkpoint that one of a log's keys signed.
    /// - Throws: as `verify`; `malformed` for another log's checkpoint, and for what is none.
    public func checkpoint(of key: VerifierKey) throws(LedgerError) -> Checkpoint {
        _ = try verify([key])
        let checkpoint = try Checkpoint(parsing: text)
        guard checkpoint.origin == key.name else { throw .malformed("the checkpoint is of \(checkpoint.origin), not of \(key.name)") }
        return checkpoint
    }
}
