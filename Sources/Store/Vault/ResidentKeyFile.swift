internal import Foundation
internal import GRDB

/// `NAME.residents`: the wrapped keys of a municipality's residents. Each commit is on disk, the folder's entries included, before it returns;
/// what is removed is overwritten, and no log keeps it.
struct ResidentKeyFile: Sendable {
    private let queue: DatabaseQueue

    /// One key as the file holds it.
    struct Entry: Sendable {
        let id: KeyID
        /// Whose it is, so that nobody can tell who has not the municipality's secret.
        let subject: Data
        let wrapped: Data
    }

    enum State: Sendable {
        case there(wrapped: Data)
        /// It was destroyed. Its number stays, so that what it sealed is known to be gone for good.
        case destroyed
        /// Nothing is known of it: another copy of the file may have it.
        case missing
    }

    /// Nil where there is no such file.
    init?(path: URL, creating: Bool) throws {
        if !FileManager.default.fileExists(atPath: path.path) {
            guard creating else { return nil }
            try KeyFolder.create(path.deletingLastPathComponent())
            let descriptor = Foundation.open(path.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw StoreError.cannotUse(path: path.path, reason: String(cString: strerror(errno))) }
            Foundation.close(descriptor)
        }
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            // Only so a journal that was removed can't come back after a power cut, and with it the keys from before.
            try db.execute(sql: "PRAGMA synchronous = EXTRA")
            try db.execute(sql: "PRAGMA secure_delete = ON")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        queue = try DatabaseQueue(path: path.path, configuration: configuration)
        try queue.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS key (id BLOB PRIMARY KEY, subject BLOB, wrapped BLOB) STRICT;
                    CREATE INDEX IF NOT EXISTS key_subject ON key (subject) WHERE subject IS NOT NULL;
                    """)
        }
    }

    func close() throws { try queue.close() }

    func state(_ id: KeyID) throws -> State {
        let row = try queue.read { db in try GRDB.Row.fetchOne(db, sql: "SELECT wrapped FROM key WHERE id = ?", arguments: [Data(id.bytes)]) }
        guard let row else { return .missing }
        return (row["wrapped"] as Data?).map { .there(wrapped: $0) } ?? .destroyed
    }

    func undestroyed(of ids: [KeyID]) throws -> [KeyID] {
        try queue.read { db in
            let statement = try db.cachedStatement(sql: "SELECT 1 FROM key WHERE id = ? AND wrapped IS NULL")
            return try ids.filter { try Int.fetchOne(statement, arguments: [Data($0.bytes)]) == nil }
        }
    }

    /// The keys of one subject, the newest first.
    func entries(of subject: Data) throws -> [Entry] {
        try queue.read { db in
            try GRDB.Row.fetchAll(db, sql: "SELECT id, wrapped FROM key WHERE subject = ? ORDER BY rowid DESC", arguments: [subject]).compactMap { row in
                guard let bytes = row["id"] as Data?, let id = KeyID([UInt8](bytes)), let wrapped = row["wrapped"] as Data? else { return nil }
                return Entry(id: id, subject: subject, wrapped: wrapped)
            }
        }
    }

    /// Adds keys. Those that are there already are written once more: where the last step of a commit fails, the flush of the folder, they are there although it threw,
    /// and only another commit makes sure that they stay. One that was destroyed stays so.
    func insert(_ entries: [Entry]) throws {
        try queue.write { db in
            for entry in entries {
                try db.execute(
                    sql: """
                        INSERT INTO key (id, subject, wrapped) VALUES (?, ?, ?)
                        ON CONFLICT (id) DO UPDATE SET subject = excluded.subject, wrapped = excluded.wrapped WHERE wrapped IS NOT NULL
                        """, arguments: [Data(entry.id.bytes), entry.subject, entry.wrapped])
            }
        }
    }

    func destroy(_ ids: [KeyID]) throws {
        try queue.write { db in
            for id in ids {
                try db.execute(
                    sql: "INSERT INTO key (id) VALUES (?) ON CONFLICT (id) DO UPDATE SET subject = NULL, wrapped = NULL",
                    arguments: [Data(id.bytes)])
            }
        }
    }
}
