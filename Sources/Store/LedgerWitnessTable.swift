package import CityModel
internal import GRDB
package import Ledger

/// A witness that is asked to co-sign this municipality's checkpoints.
package struct WitnessRow: Hashable, Sendable {
    /// The verifier's key.
    package let key: VerifierKey
    /// An HTTP address, or `conurb:NAME` for a municipality on this installation.
    package let address: String
    /// The size of the tree that it co-signed last, as far as is known.
    package var size: Int64
    /// When it co-signed last.
    package var seenAt: Instant?
    /// Why it did not co-sign the last time; nil when it did.
    package var fault: String?

    package init(key: VerifierKey, address: String, size: Int64 = 0, seenAt: Instant? = nil, fault: String? = nil) {
        (self.key, self.address, self.size, self.seenAt, self.fault) = (key, address, size, seenAt, fault)
    }
}

/// Another log whose checkpoints this municipality co-signs, and what it co-signed last.
package struct WitnessedRow: Hashable, Sendable {
    /// The log's verifier's key; its name is the log's origin.
    package let key: VerifierKey
    package var head: TreeHead
    /// The checkpoint with both signatures; nil when none was co-signed yet.
    package var note: String?

    package init(key: VerifierKey, head: TreeHead = TreeHead(size: 0, root: .empty), note: String? = nil) {
        (self.key, self.head, self.note) = (key, head, note)
    }
}

extension ReadSnapshot {
    /// By name.
    package func witnesses() throws -> [WitnessRow] {
        let cursor = try rows("SELECT key, address, size, seen_ms, fault FROM ledger_witness ORDER BY name")
        var found: [WitnessRow] = []
        while let row = try cursor.next() {
            found.append(
                WitnessRow(
                    key: try row.verifierKey(atIndex: 0, in: "ledger_witness"), address: try row.decode(String.self, atIndex: 1),
                    size: try row.decode(Int64.self, atIndex: 2), seenAt: try row.decode(Int64?.self, atIndex: 3).map(Instant.init(milliseconds:)),
                    fault: try row.decode(String?.self, atIndex: 4)))
        }
        return found
    }

    /// By origin.
    package func witnessed() throws -> [WitnessedRow] {
        let cursor = try rows("SELECT key, size, root, note FROM ledger_witnessed ORDER BY origin")
        var found: [WitnessedRow] = []
        while let row = try cursor.next() { found.append(try WitnessedRow(row)) }
        return found
    }

    package func witnessed(_ origin: String) throws -> WitnessedRow? {
        try row("SELECT key, size, root, note FROM ledger_witnessed WHERE origin = ?", [origin]).map(WitnessedRow.init)
    }
}

extension WriteTransaction {
    /// Adds a witness, or tells of what became of it.
    package func put(_ witness: WitnessRow) throws {
        try execute(
            "INSERT OR REPLACE INTO ledger_witness (name, key, address, size, seen_ms, fault) VALUES (?, ?, ?, ?, ?, ?)",
            [witness.key.name, witness.key.description, witness.address, witness.size, witness.seenAt?.milliseconds, witness.fault])
    }

    /// Tells of what became of a witness that is still there.
    package func update(_ witness: WitnessRow) throws {
        try execute(
            "UPDATE ledger_witness SET size = ?, seen_ms = ?, fault = ? WHERE name = ? AND key = ?",
            [witness.size, witness.seenAt?.milliseconds, witness.fault, witness.key.name, witness.key.description])
    }

    /// - Returns: whether there was one.
    package func removeWitness(_ name: String) throws -> Bool {
        try execute("DELETE FROM ledger_witness WHERE name = ?", [name])
        return db.changesCount > 0
    }

    package func put(_ witnessed: WitnessedRow) throws {
        try execute(
            "INSERT OR REPLACE INTO ledger_witnessed (origin, key, size, root, note) VALUES (?, ?, ?, ?, ?)",
            [
                witnessed.key.name, witnessed.key.description, witnessed.head.size, witnessed.head.root.bytes.databaseBlob, witnessed.note,
            ])
    }

    /// - Returns: whether there was one.
    package func removeWitnessed(_ origin: String) throws -> Bool {
        try execute("DELETE FROM ledger_witnessed WHERE origin = ?", [origin])
        return db.changesCount > 0
    }
}

extension WitnessedRow {
    fileprivate init(_ row: Row) throws {
        key = try row.verifierKey(atIndex: 0, in: "ledger_witnessed")
        head = TreeHead(size: try row.decode(Int64.self, atIndex: 1), root: try row.merkleHash(atIndex: 2) ?? .empty)
        note = try row.decode(String?.self, atIndex: 3)
    }
}

extension Row {
    fileprivate func verifierKey(atIndex index: Int, in table: String) throws -> VerifierKey {
        do throws(LedgerError) { return try VerifierKey(parsing: text(atIndex: index)) } catch {
            throw CorruptRow(table: table, reason: "key: \(error)")
        }
    }

    /// Empty for what is no text.
    private func text(atIndex index: Int) -> String { (try? decode(String.self, atIndex: index)) ?? "" }
}
