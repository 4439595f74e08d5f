package import CityModel
internal import GRDB

/// A consent as the file keeps it. The record itself is a document that the rooms above understand.
package struct ConsentRow: Hashable, Sendable {
    package let id: String
    package let subject: String
    /// In its short form.
    package let purpose: String
    package let givenAt: Instant
    /// Nil as long as it holds.
    package var withdrawnAt: Instant?
    package var record: JSON

    package init(id: String, subject: String, purpose: String, givenAt: Instant, withdrawnAt: Instant? = nil, record: JSON) {
        (self.id, self.subject, self.purpose, self.givenAt, self.withdrawnAt, self.record) = (id, subject, purpose, givenAt, withdrawnAt, record)
    }
}

extension ReadSnapshot {
    private static var consentColumns: String { "id, subject, purpose, given_us, withdrawn_us, record" }

    /// All that somebody gave, withdrawn ones too, the newest first.
    package func consents(of subject: String) throws -> [ConsentRow] {
        let cursor = try rows("SELECT \(Self.consentColumns) FROM consent WHERE subject = ? ORDER BY given_us DESC, id", [subject])
        var consents: [ConsentRow] = []
        while let row = try cursor.next() { consents.append(try ConsentRow(row)) }
        return consents
    }

    /// Another after each consent that was given or withdrawn. What was found out before it is found out anew.
    package func consentRevision() throws -> Int64 { try db.consentRevision() }
}

extension Database {
    fileprivate static var consentRevisionSetting: String { "consent-revision" }

    func consentRevision() throws -> Int64 { try Document(.setting, Self.consentRevisionSetting, in: self)?.body.integerValue ?? 0 }
}

extension WriteTransaction {
    /// Puts a consent in the place of the one with its identifier, if there is one.
    package func put(_ consent: ConsentRow, at now: Instant) throws {
        var writer = JSONWriter()
        writer.write(consent.record)
        try execute(
            """
            INSERT INTO consent (id, subject, purpose, given_us, withdrawn_us, record) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET withdrawn_us = excluded.withdrawn_us, record = excluded.record
            """,
            [
                consent.id, consent.subject, consent.purpose, consent.givenAt.microseconds, consent.withdrawnAt?.microseconds,
                writer.bytes.databaseBlob,
            ])
        try noteConsents(at: now)
    }

    package func removeConsents(of subject: String, at now: Instant) throws {
        try execute("DELETE FROM consent WHERE subject = ?", [subject])
        try noteConsents(at: now)
    }

    /// To be called with whatever changes what somebody is shown of a person without changing an entity.
    private func noteConsents(at now: Instant) throws {
        changesConsents = true
        try put(.setting, Database.consentRevisionSetting, .integer(try consentRevision() + 1), at: now)
    }
}

extension ConsentRow {
    fileprivate init(_ row: Row) throws {
        let record = try row.withUnsafeData(atIndex: 5) { data in try data.map { try JSON(parsing: $0) } ?? .null }
        self.init(
            id: try row.decode(String.self, atIndex: 0), subject: try row.decode(String.self, atIndex: 1), purpose: try row.decode(String.self, atIndex: 2),
            givenAt: Instant(microseconds: try row.decode(Int64.self, atIndex: 3)),
            withdrawnAt: try row.decode(Int64?.self, atIndex: 4).map { Instant(microseconds: $0) }, record: record)
    }
}
