package import CityModel
internal import GRDB
package import Ledger

/// An accountable act as the file keeps it: the leaf, which stays, and beside it what it is about, which can be erased.
package struct LedgerRow: Hashable, Sendable {
    package let position: Int64
    package let leaf: LedgerLeaf
    /// Nil once it was erased.
    package let text: LedgerText?
}

/// What a leaf commits to.
package struct LedgerText: Hashable, Sendable {
    /// Random bytes; without them nobody can find out by guessing what an erased entry said.
    package let salt: [UInt8]
    package let entry: [UInt8]
    package init(salt: [UInt8], entry: [UInt8]) { (self.salt, self.entry) = (salt, entry) }
}

/// The municipality's ledger: leaves in their order, and the hashes of those subtrees of their tree that are complete.
enum LedgerTable {
    /// Migration `0014-ledger`. What was appended neither changes nor goes; only `salt` and `entry` can be taken away.
    static let schema = """
        CREATE TABLE ledger_entry (
            position INTEGER PRIMARY KEY CHECK (position >= 0),
            time_ms INTEGER NOT NULL CHECK (time_ms >= 0),
            leaf BLOB NOT NULL,
            salt BLOB CHECK (length(salt) = 32),
            entry BLOB,
            CHECK ((salt IS NULL) = (entry IS NULL))
        ) STRICT;
        CREATE TRIGGER ledger_entry_stays BEFORE DELETE ON ledger_entry BEGIN
            SELECT RAISE(ABORT, 'what was appended to the ledger stays');
        END;
        CREATE TRIGGER ledger_entry_is_fixed BEFORE UPDATE ON ledger_entry
        WHEN NEW.position IS NOT OLD.position OR NEW.time_ms IS NOT OLD.time_ms OR NEW.leaf IS NOT OLD.leaf OR NEW.entry IS NOT NULL BEGIN
            SELECT RAISE(ABORT, 'what was appended to the ledger does not change');
        END;

        CREATE TABLE ledger_hash (
            level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 62),
            position INTEGER NOT NULL CHECK (position >= 0),
            hash BLOB NOT NULL CHECK (length(hash) = 32),
            PRIMARY KEY (level, position)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE ledger_checkpoint (
            size INTEGER PRIMARY KEY CHECK (size >= 0),
            root BLOB NOT NULL CHECK (length(root) = 32),
            key TEXT NOT NULL,
            note TEXT NOT NULL,
            signed_ms INTEGER NOT NULL,
            cosigned INTEGER NOT NULL DEFAULT 0 CHECK (cosigned IN (0, 1))
        ) STRICT;

        CREATE TABLE ledger_witness (
            name TEXT PRIMARY KEY,
            key TEXT NOT NULL,
            address TEXT NOT NULL,
            size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
            seen_ms INTEGER,
            fault TEXT
        ) STRICT;

        CREATE TABLE ledger_witnessed (
            origin TEXT PRIMARY KEY,
            key TEXT NOT NULL,
            size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
            root BLOB CHECK (length(root) = 32),
            note TEXT,
            CHECK ((size = 0) OR (root IS NOT NULL AND note IS NOT NULL))
        ) STRICT;
        """
}

extension ReadSnapshot {
    private static var ledgerColumns: String { "position, leaf, salt, entry" }

    /// How many acts were recorded.
    package func ledgerSize() throws -> Int64 {
        try row("SELECT max(position) FROM ledger_entry").flatMap { try $0.decode(Int64?.self, atIndex: 0) }.map { $0 + 1 } ?? 0
    }

    /// The tree over the first `size` acts; over all of them when it is nil.
    package func ledgerTree(size: Int64? = nil) throws -> MerkleTree {
        MerkleTree(size: try size ?? ledgerSize()) { [self] subtree in try ledgerHash(subtree) }
    }

    /// - Throws: `CorruptRow` for a subtree that is not complete.
    package func ledgerHash(_ subtree: Subtree) throws -> MerkleHash {
        let found = try row("SELECT hash FROM ledger_hash WHERE level = ? AND position = ?", [subtree.level, subtree.index])
        guard let hash = try found.flatMap({ try $0.merkleHash(atIndex: 0) }) else {
            throw CorruptRow(table: "ledger_hash", reason: "level \(subtree.level), position \(subtree.index): missing")
        }
        return hash
    }

    /// The hashes of complete subtrees of one level, as many of these as there are.
    package func ledgerHashes(level: Int, _ indices: Range<Int64>) throws -> [MerkleHash] {
        let cursor = try rows(
            "SELECT hash FROM ledger_hash WHERE level = ? AND position >= ? AND position < ? ORDER BY position",
            [level, indices.lowerBound, indices.upperBound])
        var hashes: [MerkleHash] = []
        while let row = try cursor.next() {
            guard let hash = try row.merkleHash(atIndex: 0) else { throw CorruptRow(table: "ledger_hash", reason: "no hash") }
            hashes.append(hash)
        }
        return hashes
    }

    package func ledgerRow(_ position: Int64) throws -> LedgerRow? {
        try row("SELECT \(Self.ledgerColumns) FROM ledger_entry WHERE position = ?", [position]).map(LedgerRow.init)
    }

    /// In their order, from `position` on.
    package func ledgerRows(from position: Int64, limit: Int) throws -> [LedgerRow] {
        let cursor = try rows("SELECT \(Self.ledgerColumns) FROM ledger_entry WHERE position >= ? ORDER BY position LIMIT ?", [position, limit])
        var found: [LedgerRow] = []
        while let row = try cursor.next() { found.append(try LedgerRow(row)) }
        return found
    }
}

extension WriteTransaction {
    /// Records an act in the same commit as the act itself. Its time is `now`, or that of the act before where the clock went back.
    /// - Returns: its position.
    @discardableResult
    package func appendLedger(_ text: LedgerText, at now: Instant) throws -> Int64 {
        let last = try row("SELECT position, time_ms FROM ledger_entry ORDER BY position DESC LIMIT 1").map { row in
            (position: try row.decode(Int64.self, atIndex: 0), time: try row.decode(Int64.self, atIndex: 1))
        }
        let (position, time) = ((last?.position ?? -1) + 1, max(now.milliseconds, last?.time ?? 0))
        let leaf = LedgerLeaf(time: time, entry: text.entry, salt: text.salt)
        try execute(
            "INSERT INTO ledger_entry (position, time_ms, leaf, salt, entry) VALUES (?, ?, ?, ?, ?)",
            [position, time, leaf.bytes.databaseBlob, text.salt.databaseBlob, text.entry.databaseBlob])
        for (subtree, hash) in try MerkleTree.completed(by: leaf.hash, at: position, hash: ledgerHash) {
            try execute(
                "INSERT INTO ledger_hash (level, position, hash) VALUES (?, ?, ?)", [subtree.level, subtree.index, hash.bytes.databaseBlob])
        }
        return position
    }

    /// Takes away what an act was about. Its leaf stays, and with it every proof.
    /// - Returns: whether there was anything to take away.
    package func eraseLedgerText(_ position: Int64) throws -> Bool {
        try overwriteWhatIsFreed()
        try execute("UPDATE ledger_entry SET salt = NULL, entry = NULL WHERE position = ? AND entry IS NOT NULL", [position])
        return db.changesCount > 0
    }
}

extension MunicipalityFile {
    /// Empties the write-ahead log into the file, so that nothing is left in it of what was overwritten. Waits for readers for as long as a
    /// busy file is waited for, then leaves it to the next commits.
    package func emptyLog() async throws { try await checkpointLog() }
}

extension LedgerRow {
    fileprivate init(_ row: Row) throws {
        position = try row.decode(Int64.self, atIndex: 0)
        let bytes = try row.bytes(atIndex: 1) ?? []
        do throws(LedgerError) { leaf = try LedgerLeaf(parsing: bytes) } catch {
            throw CorruptRow(table: "ledger_entry", reason: "\(position): \(error)")
        }
        if let salt = try row.bytes(atIndex: 2), let entry = try row.bytes(atIndex: 3) { text = LedgerText(salt: salt, entry: entry) } else { text = nil }
    }
}

extension Row {
    /// Nil for NULL.
    func bytes(atIndex index: Int) throws -> [UInt8]? { try withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } } }

    /// Nil for what is none.
    func merkleHash(atIndex index: Int) throws -> MerkleHash? { try bytes(atIndex: index).flatMap { MerkleHash($0) } }
}
