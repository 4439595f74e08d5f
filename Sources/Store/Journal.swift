package import CityModel
internal import GRDB

/// One entry of a municipality's journal: that an entity was created, updated or deleted.
package struct Change: Hashable, Sendable {
    package enum Operation: Int, Sendable { case created = 1, updated = 2, deleted = 3 }

    /// Numbers grow by one from change to change and are never used again.
    package let seq: Int64
    package let operation: Operation
    package let at: Instant
    package let entityNumber: Int64
    package let entityID: IRI
    package let classification: Classification
    package let types: [IRI]
    /// The attributes that were added, removed or changed; empty for a deletion.
    package let attributes: [IRI]
}

extension ReadSnapshot {
    /// The number of the newest change; 0 when there is none.
    package func lastChangeNumber() throws -> Int64 { try row("SELECT max(seq) FROM main.change")?.decode(Int64?.self, atIndex: 0) ?? 0 }

    /// Up to `limit` changes that came after the one with number `seq`, oldest first.
    package func changes(after seq: Int64, limit: Int) throws -> [Change] {
        let cursor = try rows(
            "SELECT seq, operation, at_us, entity, iri, classification, types, attributes FROM change WHERE seq > ? ORDER BY seq LIMIT ?",
            [seq, limit])
        var changes: [Change] = []
        while let row = try cursor.next() { changes.append(try change(row)) }
        return changes
    }

    /// The number of the oldest change that is still kept; nil when there is none.
    package func firstChangeNumber() throws -> Int64? { try Int64.fetchOne(db, sql: "SELECT min(seq) FROM main.change") }

    /// Where a follower stands: the number of the last change it has dealt with. Nil for one that is unknown.
    package func cursor(of follower: String) throws -> Int64? {
        try row("SELECT seq FROM cursor WHERE follower = ?", [follower])?.decode(Int64.self, atIndex: 0)
    }

    private func change(_ row: Row) throws -> Change {
        guard let operation = Change.Operation(rawValue: try row.decode(Int.self, atIndex: 1)),
            let classification = Classification(rank: try row.decode(Int.self, atIndex: 5))
        else { throw CorruptRow(table: "change", reason: "operation or classification") }
        return Change(
            seq: try row.decode(Int64.self, atIndex: 0), operation: operation,
            at: Instant(microseconds: try row.decode(Int64.self, atIndex: 2)), entityNumber: try row.decode(Int64.self, atIndex: 3),
            entityID: IRI(known: try row.decode(String.self, atIndex: 4)), classification: classification,
            types: names(try row.decode(String.self, atIndex: 6)), attributes: names(try row.decode(String.self, atIndex: 7)))
    }

    private func names(_ numbers: String) -> [IRI] {
        numbers.split(separator: " ").compactMap { Int64($0).flatMap(terms.name(of:)) }
    }
}

extension WriteTransaction {
    /// The number that the next change gets.
    func nextChange() throws -> Int64 { try (lastChange ?? lastChangeNumber()) + 1 }

    func appendChange(_ change: Change) throws {
        try run(
            """
            INSERT INTO change (seq, operation, at_us, entity, iri, classification, types, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            change.seq, change.operation.rawValue, change.at.microseconds, change.entityNumber, change.entityID.text,
            change.classification.rank, try numbers(change.types), try numbers(change.attributes))
        lastChange = change.seq
    }

    package func moveCursor(of follower: String, to seq: Int64) throws {
        try run(
            "INSERT INTO cursor (follower, seq) VALUES (?, ?) ON CONFLICT (follower) DO UPDATE SET seq = excluded.seq",
            follower, seq)
    }

    package func removeCursor(of follower: String) throws {
        try run("DELETE FROM cursor WHERE follower = ?", follower)
    }

    /// Removes changes that every follower has passed, but for the newest `keeping`, which pages that reconnect read, and
    /// always the very newest, from which numbers go on.
    package func trimJournal(keeping: Int64, atMost limit: Int) throws {
        let slowest = try Int64.fetchOne(db, sql: "SELECT min(seq) FROM cursor") ?? Int64.max
        let newest = try lastChangeNumber()
        try run(
            "DELETE FROM change WHERE seq IN (SELECT seq FROM change WHERE seq <= ? ORDER BY seq LIMIT ?)",
            min(slowest, newest - max(keeping, 1)), limit)
    }

    private func numbers(_ names: [IRI]) throws -> String {
        try names.map { String(try intern($0)) }.joined(separator: " ")
    }
}
