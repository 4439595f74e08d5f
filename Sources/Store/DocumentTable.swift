package import CityModel
internal import GRDB

/// What the documents beside the entities are: contexts, sources, tokens, settings, files of access rules, definitions of services. Raw values are stored and never change.
package enum DocumentKind: String, Sendable {
    case context, source, token, setting, policy, service
}

/// A document beside the entities: JSON with an identifier.
package struct Document: Hashable, Sendable {
    package let id: String
    package let body: JSON
    package let modifiedAt: Instant
}

extension ReadSnapshot {
    package func document(_ kind: DocumentKind, _ id: String) throws -> Document? {
        try Document(kind, id, in: db)
    }

    /// How many documents of one kind there are, and how many bytes they take.
    package func documentTotals(_ kind: DocumentKind) throws -> (count: Int, byteCount: Int) {
        let sql = "SELECT count(*), ifnull(sum(length(body)), 0) FROM document WHERE kind = ?"
        guard let row = try row(sql, [kind.rawValue]) else { return (0, 0) }
        return (try row.decode(Int.self, atIndex: 0), try row.decode(Int.self, atIndex: 1))
    }

    /// When a document of one kind last changed; nil where there is none.
    package func documentsChangedAt(_ kind: DocumentKind) throws -> Instant? {
        let sql = "SELECT max(modified_us) FROM document WHERE kind = ?"
        return try row(sql, [kind.rawValue])?.decode(Int64?.self, atIndex: 0).map { Instant(microseconds: $0) }
    }

    /// All documents of one kind, by identifier.
    package func documents(_ kind: DocumentKind) throws -> [Document] {
        let cursor = try rows("SELECT id, body, modified_us FROM document WHERE kind = ? ORDER BY id", [kind.rawValue])
        var documents: [Document] = []
        while let row = try cursor.next() { documents.append(try Document(row)) }
        return documents
    }
}

extension WriteTransaction {
    package func put(_ kind: DocumentKind, _ id: String, _ body: JSON, at now: Instant) throws {
        if kind == .policy { changesPolicies = true }
        var writer = JSONWriter()
        writer.write(body)
        try execute(
            """
            INSERT INTO document (kind, id, body, modified_us) VALUES (?, ?, ?, ?)
            ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, modified_us = excluded.modified_us
            """,
            [kind.rawValue, id, writer.bytes.databaseBlob, now.microseconds])
    }

    /// - Returns: whether there was one.
    package func removeDocument(_ kind: DocumentKind, _ id: String) throws -> Bool {
        if kind == .policy { changesPolicies = true }
        try execute("DELETE FROM document WHERE kind = ? AND id = ?", [kind.rawValue, id])
        return db.changesCount > 0
    }
}

extension Document {
    init?(_ kind: DocumentKind, _ id: String, in db: Database) throws {
        guard let row = try RowCursor(db, "SELECT id, body, modified_us FROM document WHERE kind = ? AND id = ?", [kind.rawValue, id]).next() else { return nil }
        try self.init(row)
    }

    fileprivate init(_ row: Row) throws {
        id = try row.decode(String.self, atIndex: 0)
        body = try row.withUnsafeData(atIndex: 1) { data in try data.map { try JSON(parsing: $0) } ?? .null }
        modifiedAt = Instant(microseconds: try row.decode(Int64.self, atIndex: 2))
    }
}
