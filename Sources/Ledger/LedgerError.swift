/// What is wrong with something of a ledger. The text says what, for whoever gave it or checks it.
public enum LedgerError: Error, Hashable, Sendable {
    /// No leaf or tree of this position is in a tree of this size.
    case outsideTree(position: Int64, size: Int64)
    /// A note, checkpoint, key, tile or proof is not what its form asks for.
    case malformed(String)
    /// A known key's signature is not over this text.
    case badSignature(name: String)
    /// None of the keys that are known signed it.
    case notSigned
}

extension LedgerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .outsideTree(let position, let size): "there is no position \(position) in a tree of \(size) leaves"
        case .malformed(let text): text
        case .badSignature(let name): "the signature of \(name) is not over this text"
        case .notSigned: "no known key signed it"
        }
    }
}
