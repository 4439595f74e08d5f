internal import CityModel
internal import GRDB
internal import Ledger

/// What is wrong with the ledger of a file, found from its leaves alone: every hash is made anew.
struct LedgerVerification {
    private let snapshot: ReadSnapshot

    init(_ snapshot: ReadSnapshot) { self.snapshot = snapshot }

    /// - Parameter tell: called for each fault.
    /// - Returns: how many leaves there are.
    func run(_ tell: (String) -> Void) throws -> Int64 {
        var tree = GrowingTree()
        var checkpoints = try snapshot.checkpoints()[...]
        var (hashCount, time) = (Int64(0), Int64.min)
        check(&checkpoints, tree.head, tell)
        let cursor = try snapshot.rows("SELECT position, time_ms, leaf, salt, entry FROM ledger_entry ORDER BY position")
        while let row = try cursor.next() {
            let (position, said) = (try row.decode(Int64.self, atIndex: 0), try row.decode(Int64.self, atIndex: 1))
            if position != tree.size {
                tell("ledger_entry: \(position) follows \(tree.size - 1)")
                return position
            }
            let bytes = try row.bytes(atIndex: 2) ?? []
            if let leaf = try? LedgerLeaf(parsing: bytes) {
                if leaf.time != said || leaf.time < time { tell("ledger_entry \(position): its time is not that of its leaf, or before the act before it") }
                if let salt = try row.bytes(atIndex: 3), let entry = try row.bytes(atIndex: 4), !leaf.commits(to: entry, salt: salt) {
                    tell("ledger_entry \(position): its entry is not what its leaf commits to")
                }
                time = leaf.time
            } else {
                tell("ledger_entry \(position): its leaf can't be read")
            }
            for (subtree, hash) in tree.append(.leaf(bytes)) {
                hashCount += 1
                if (try? snapshot.ledgerHash(subtree)) != hash { tell("ledger_hash: level \(subtree.level), position \(subtree.index) is not the leaves' hash") }
            }
            check(&checkpoints, tree.head, tell)
        }
        let found = try snapshot.row("SELECT count(*) FROM ledger_hash")?.decode(Int64.self, atIndex: 0)
        if found != hashCount { tell("ledger_hash: \(found ?? 0) rows where the leaves ask for \(hashCount)") }
        for checkpoint in checkpoints { tell("ledger_checkpoint: one was signed of \(checkpoint.head.size) leaves where there are \(tree.size)") }
        return tree.size
    }

    /// Holds the checkpoint of a tree that was just made anew against it.
    private func check(_ checkpoints: inout ArraySlice<CheckpointRow>, _ head: TreeHead, _ tell: (String) -> Void) {
        guard let checkpoint = checkpoints.first, checkpoint.head.size == head.size else { return }
        checkpoints.removeFirst()
        do throws(LedgerError) {
            let signed = try SignedNote(parsing: checkpoint.note.utf8).checkpoint(of: VerifierKey(parsing: checkpoint.key))
            if checkpoint.head != head || signed.head != head { throw .malformed("it is not of these leaves") }
        } catch { tell("ledger_checkpoint \(head.size): \(error)") }
    }
}
