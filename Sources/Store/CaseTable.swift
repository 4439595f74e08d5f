package import CityModel
internal import GRDB

/// What belongs to cases of residents and is no entity: photos and files, notices that wait to be sent, and which forms were filed already.
enum CaseTable {
    static let schema = """
        CREATE TABLE attachment (
            id TEXT PRIMARY KEY,
            case_reference TEXT NOT NULL,
            field TEXT NOT NULL,
            media_type TEXT NOT NULL,
            name TEXT NOT NULL,
            public INTEGER NOT NULL CHECK (public IN (0, 1)),
            created_us INTEGER NOT NULL,
            key BLOB,
            bytes BLOB NOT NULL,
            small BLOB,
            CHECK (public = 0 OR key IS NULL)
        ) WITHOUT ROWID, STRICT;
        CREATE INDEX attachment_case ON attachment (case_reference, created_us);
        CREATE INDEX attachment_key ON attachment (key) WHERE key IS NOT NULL;

        CREATE TABLE notice (
            id INTEGER PRIMARY KEY,
            contact TEXT NOT NULL,
            occasion TEXT NOT NULL,
            created_us INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            due_us INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX notice_due ON notice (due_us);
        CREATE INDEX notice_contact ON notice (contact);

        CREATE TABLE filed_form (token TEXT PRIMARY KEY, case_reference TEXT NOT NULL, created_us INTEGER NOT NULL) WITHOUT ROWID, STRICT;
        CREATE INDEX filed_form_created ON filed_form (created_us);
        """

    /// Which rows of tables were filed as which cases: for good, since a table is imported again whenever it has more rows.
    static let filedRows = "CREATE TABLE filed_row (digest BLOB PRIMARY KEY, case_reference TEXT NOT NULL) WITHOUT ROWID, STRICT"
}

/// A photo or a file of a case. What is not public is sealed with the key of the person who sent it.
package struct Attachment: Hashable, Sendable {
    package let id: String
    package let caseReference: String
    /// Of the service's form; empty for what staff added.
    package let field: String
    package let mediaType: String
    /// As whoever sent it called it; empty for photos.
    package let name: String
    package var isPublic: Bool
    package let createdAt: Instant

    package init(id: String, caseReference: String, field: String, mediaType: String, name: String = "", isPublic: Bool = false, createdAt: Instant) {
        (self.id, self.caseReference, self.field, self.mediaType, self.name) = (id, caseReference, field, mediaType, name)
        (self.isPublic, self.createdAt) = (isPublic, createdAt)
    }
}

/// Somebody who follows a case is to be told something. It says nothing of what: that is put together when it is sent, for what may be told then.
package struct WaitingNotice: Hashable, Sendable {
    package let id: Int64
    /// The entity that says how the person is reached.
    package let contact: IRI
    package let occasion: String
    package let createdAt: Instant
    package let attemptCount: Int
}

extension ReadSnapshot {
    private static var attachmentColumns: String { "id, case_reference, field, media_type, name, public, created_us" }

    /// In the order in which they came.
    package func attachments(of reference: String) throws -> [Attachment] {
        let cursor = try rows("SELECT \(Self.attachmentColumns) FROM attachment WHERE case_reference = ? ORDER BY created_us, id", [reference])
        var attachments: [Attachment] = []
        while let row = try cursor.next() { attachments.append(try Attachment(row)) }
        return attachments
    }

    /// - Parameter small: the picture for lists, where there is one.
    /// - Returns: nil where there is none with this identifier, or its key is gone.
    package func attachment(_ id: String, small: Bool = false) throws -> (Attachment, bytes: [UInt8])? {
        let bytes = small ? "ifnull(small, bytes)" : "bytes"
        guard let row = try row("SELECT \(Self.attachmentColumns), \(bytes) FROM attachment WHERE id = ?", [id]) else { return nil }
        let attachment = try Attachment(row)
        return try row.bytes(atIndex: 7).flatMap(vault.open).map { (attachment, $0) }
    }

    /// The bytes of all attachments of a case, for its limit.
    package func attachmentTotals(of reference: String) throws -> (count: Int, byteCount: Int) {
        guard let row = try row("SELECT count(*), ifnull(sum(length(bytes)), 0) FROM attachment WHERE case_reference = ?", [reference]) else { return (0, 0) }
        return (try row.decode(Int.self, atIndex: 0), try row.decode(Int.self, atIndex: 1))
    }

    /// Notices that may be sent now, the oldest first.
    package func notices(dueAt now: Instant, limit: Int) throws -> [WaitingNotice] {
        let cursor = try rows(
            "SELECT id, contact, occasion, created_us, attempts FROM notice WHERE due_us <= ? ORDER BY due_us, id LIMIT ?", [now.microseconds, limit])
        var notices: [WaitingNotice] = []
        while let row = try cursor.next() { if let notice = try WaitingNotice(row) { notices.append(notice) } }
        return notices
    }

    /// The case that a form was filed as, if it was.
    package func filedForm(_ token: String) throws -> String? {
        try row("SELECT case_reference FROM filed_form WHERE token = ?", [token])?.decode(String.self, atIndex: 0)
    }

    /// The case that a row of a table was filed as, if it was.
    /// - Parameter digest: of the row's key; says nothing of it.
    package func filedRow(_ digest: [UInt8]) throws -> String? {
        try row("SELECT case_reference FROM filed_row WHERE digest = ?", [digest.databaseBlob])?.decode(String.self, atIndex: 0)
    }

    /// What only who has the municipality's keys can make of a text: 32 bytes that prove who shows them to have been given them here.
    package func proof(of text: String) throws -> [UInt8] { try vault.proof(of: text) }
}

extension WriteTransaction {
    /// - Parameter subject: whose it is, as `dataSubject` says; counts where it is not public.
    package func put(_ attachment: Attachment, bytes: [UInt8], small: [UInt8]?, subject: String) throws {
        let key = attachment.isPublic ? nil : try vault.key(of: subject)
        func stored(_ bytes: [UInt8]) throws -> DatabaseValue { try key.map { try SealedBytes.seal(bytes, with: $0) }?.databaseBlob ?? bytes.databaseBlob }
        try execute(
            """
            INSERT INTO attachment (id, case_reference, field, media_type, name, public, created_us, key, bytes, small)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                attachment.id, attachment.caseReference, attachment.field, attachment.mediaType, attachment.name, attachment.isPublic,
                attachment.createdAt.microseconds, key?.id.blob, try stored(bytes), try small.map(stored),
            ])
    }

    /// Lets everybody see a photo, which is kept plain from then on.
    /// - Returns: whether there was one that could be opened.
    package func publishAttachment(_ id: String) throws -> Bool {
        guard let row = try row("SELECT bytes, small FROM attachment WHERE id = ?", [id]), let bytes = try row.bytes(atIndex: 0).flatMap(vault.open) else {
            return false
        }
        let small = try row.bytes(atIndex: 1).flatMap(vault.open)
        try execute(
            "UPDATE attachment SET public = 1, key = NULL, bytes = ?, small = ? WHERE id = ?", [bytes.databaseBlob, small?.databaseBlob, id])
        return true
    }

    /// Takes back what everybody could see.
    package func withholdAttachment(_ id: String, subject: String) throws {
        guard let row = try row("SELECT bytes, small FROM attachment WHERE id = ? AND public = 1", [id]), let bytes = try row.bytes(atIndex: 0) else { return }
        let key = try vault.key(of: subject)
        let small = try row.bytes(atIndex: 1).map { try SealedBytes.seal($0, with: key).databaseBlob }
        try execute(
            "UPDATE attachment SET public = 0, key = ?, bytes = ?, small = ? WHERE id = ?",
            [key.id.blob, try SealedBytes.seal(bytes, with: key).databaseBlob, small, id])
    }

    /// - Parameter all: the public ones too.
    package func removeAttachments(of reference: String, all: Bool = true) throws {
        try execute("DELETE FROM attachment WHERE case_reference = ?" + (all ? "" : " AND public = 0"), [reference])
    }

    package func addNotice(to contact: IRI, _ occasion: String, at now: Instant) throws {
        try execute(
            "INSERT INTO notice (contact, occasion, created_us, due_us) VALUES (?, ?, ?, ?)", [contact.text, occasion, now.microseconds, now.microseconds])
    }

    package func removeNotice(_ id: Int64) throws { try execute("DELETE FROM notice WHERE id = ?", [id]) }

    package func postponeNotice(_ id: Int64, until due: Instant) throws {
        try execute("UPDATE notice SET attempts = attempts + 1, due_us = ? WHERE id = ?", [due.microseconds, id])
    }

    package func noteForm(_ token: String, filedAs reference: String, at now: Instant) throws {
        try execute("INSERT INTO filed_form (token, case_reference, created_us) VALUES (?, ?, ?)", [token, reference, now.microseconds])
    }

    package func noteRow(_ digest: [UInt8], filedAs reference: String) throws {
        try execute("INSERT INTO filed_row (digest, case_reference) VALUES (?, ?)", [digest.databaseBlob, reference])
    }

    /// Forgets which forms were filed before a moment.
    package func forgetForms(before border: Instant) throws { try execute("DELETE FROM filed_form WHERE created_us < ?", [border.microseconds]) }

    /// Removes what somebody sent, once their key is gone.
    func purgeAttachments(_ keys: [KeyID]) throws {
        for key in keys { try execute("DELETE FROM attachment WHERE key = ?", [key.blob]) }
    }
}

extension Attachment {
    fileprivate init(_ row: Row) throws {
        self.init(
            id: try row.decode(String.self, atIndex: 0), caseReference: try row.decode(String.self, atIndex: 1), field: try row.decode(String.self, atIndex: 2),
            mediaType: try row.decode(String.self, atIndex: 3), name: try row.decode(String.self, atIndex: 4), isPublic: try row.decode(Bool.self, atIndex: 5),
            createdAt: Instant(microseconds: try row.decode(Int64.self, atIndex: 6)))
    }
}

extension WaitingNotice {
    fileprivate init?(_ row: Row) throws {
        guard let contact = IRI(try row.decode(String.self, atIndex: 1)) else { return nil }
        (id, self.contact, occasion) = (try row.decode(Int64.self, atIndex: 0), contact, try row.decode(String.self, atIndex: 2))
        (createdAt, attemptCount) = (Instant(microseconds: try row.decode(Int64.self, atIndex: 3)), try row.decode(Int.self, atIndex: 4))
    }
}
