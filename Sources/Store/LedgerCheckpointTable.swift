package import CityModel
internal import GRDB
package import Ledger

/// A checkpoint that was signed: a tree's size and root, with the signatures under them.
package struct CheckpointRow: Hashable, Sendable {
    package let head: TreeHead
    /// The verifier's key of the log.
    package let key: String
    /// The note, with what witnesses added to it.
    package let note: String
    package let signedAt: Instant
    /// Whether a witness signed it too.
    package let isCosigned: Bool

    package init(head: TreeHead, key: String, note: String, signedAt: Instant, isCosigned: Bool = false) {
        (self.head, self.key, self.note, self.signedAt, self.isCosigned) = (head, key, note, signedAt, isCosigned)
    }
}

extension ReadSnapshot {
    private static var checkpointColumns: String { "size, root, key, note, signed_ms, cosigned" }

    /// The one of the largest tree; nil when none was signed yet.
    package func lastCheckpoint() throws -> CheckpointRow? {
        try row("SELECT \(Self.checkpointColumns) FROM ledger_checkpoint ORDER BY size DESC LIMIT 1").map(CheckpointRow.init)
    }

    /// The largest that a witness signed too.
    package func lastCosignedCheckpoint() throws -> CheckpointRow? {
        try row("SELECT \(Self.checkpointColumns) FROM ledger_checkpoint WHERE cosigned = 1 ORDER BY size DESC LIMIT 1").map(CheckpointRow.init)
    }

    package func checkpoint(size: Int64) throws -> CheckpointRow? {
        try row("SELECT \(Self.checkpointColumns) FROM ledger_checkpoint WHERE size = ?", [size]).map(CheckpointRow.init)
    }

    /// By size.
    package func checkpoints() throws -> [CheckpointRow] {
        let cursor = try rows("SELECT \(Self.checkpointColumns) FROM ledger_checkpoint ORDER BY size")
        var found: [CheckpointRow] = []
        while let row = try cursor.next() { found.append(try CheckpointRow(row)) }
        return found
    }
}

extension WriteTransaction {
    /// Co-signed checkpoints that are kept beside the newest one.
    private static var cosignedCountMax: Int { 1000 }

    /// Keeps a checkpoint, and of older ones only those that a witness signed too. One that is there already stays as it is.
    package func insert(_ checkpoint: CheckpointRow) throws {
        try execute(
            "INSERT OR IGNORE INTO ledger_checkpoint (size, root, key, note, signed_ms, cosigned) VALUES (?, ?, ?, ?, ?, ?)",
            [
                checkpoint.head.size, checkpoint.head.root.bytes.databaseBlob, checkpoint.key, checkpoint.note, checkpoint.signedAt.milliseconds,
                checkpoint.isCosigned,
            ])
        try execute("DELETE FROM ledger_checkpoint WHERE cosigned = 0 AND size < (SELECT max(size) FROM ledger_checkpoint)")
        try execute(
            """
            DELETE FROM ledger_checkpoint WHERE size <= (
                SELECT size FROM ledger_checkpoint WHERE cosigned = 1 ORDER BY size DESC LIMIT 1 OFFSET \(Self.cosignedCountMax))
            """)
    }

    /// Forgets them all.
    package func removeCheckpoints() throws { try execute("DELETE FROM ledger_checkpoint") }

    /// Puts a note in the place of one to which a witness added its signature.
    package func putCosigned(_ checkpoint: CheckpointRow) throws {
        try insert(
            CheckpointRow(head: checkpoint.head, key: checkpoint.key, note: checkpoint.note, signedAt: checkpoint.signedAt, isCosigned: true))
        try execute("UPDATE ledger_checkpoint SET note = ?, cosigned = 1 WHERE size = ?", [checkpoint.note, checkpoint.head.size])
    }
}

extension CheckpointRow {
    fileprivate init(_ row: Row) throws {
        guard let root = try row.merkleHash(atIndex: 1) else { throw CorruptRow(table: "ledger_checkpoint", reason: "no root") }
        self.init(
            head: TreeHead(size: try row.decode(Int64.self, atIndex: 0), root: root), key: try row.decode(String.self, atIndex: 2),
            note: try row.decode(String.self, atIndex: 3), signedAt: Instant(milliseconds: try row.decode(Int64.self, atIndex: 4)),
            isCosigned: try row.decode(Bool.self, atIndex: 5))
    }
}
