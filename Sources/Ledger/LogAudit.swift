/// Reads a log from its beginning and says what is wrong with it: leaves that are none or go back in time, and trees that are not those
/// that were signed.
public struct LogAudit: Sendable {
    /// In words; empty when all is well. At most `faultCountMax` are kept.
    public private(set) var faults: [String] = []
    /// Leaves that were read.
    public var size: Int64 { tree.size }

    public static let faultCountMax = 100

    private var tree = GrowingTree()
    private var time = Int64.min
    /// What is still to be reached, the smallest first.
    private var heads: [(name: String, head: TreeHead)]

    /// - Parameter heads: trees that somebody vouched for, with what they are called in words about them.
    public init(heads: [(name: String, head: TreeHead)]) {
        self.heads = heads.sorted { $0.head.size < $1.head.size }
        compare()
    }

    /// Adds the next leaf.
    /// - Returns: the subtrees that it completed, as `GrowingTree`.
    @discardableResult
    public mutating func add(_ leaf: [UInt8]) -> [(subtree: Subtree, hash: MerkleHash)] {
        do throws(LedgerError) {
            let read = try LedgerLeaf(parsing: leaf)
            if read.time < time { fault("position \(size): its time is before that of the act before it") }
            time = max(time, read.time)
        } catch { fault("position \(size): \(error)") }
        let completed = tree.append(.leaf(leaf))
        compare()
        return completed
    }

    /// To be called after the last leaf.
    public mutating func finish() {
        for (name, head) in heads { fault("\(name) is of \(head.size) leaves where there are \(size)") }
        heads = []
    }

    public mutating func fault(_ text: String) { if faults.count < Self.faultCountMax { faults.append(text) } }

    private mutating func compare() {
        while let first = heads.first, first.head.size == tree.size {
            heads.removeFirst()
            if first.head != tree.head { fault("\(first.name) is of another tree than these \(size) leaves make") }
        }
    }
}
