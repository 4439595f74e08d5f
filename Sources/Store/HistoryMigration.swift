internal import CityModel
internal import Foundation
internal import GRDB

/// Migration `0002-history`: instances get what makes them whole, and history outlives its entity.
///
/// Rows of `instance` before it had a moment, a value and a unit. They become observations of that moment, of the kind that
/// the attribute has in the entity's document. The document is searched as bytes, in the form it had when this migration was
/// written, and not decoded: the decoder goes on, a shipped migration does not.
enum HistoryMigration {
    /// A series (entity, attribute, dataset) is contiguous and in order of time. `at_us` is the `observedAt` of an instance
    /// that has one, else the moment it was recorded; `late_us` after it the instance was recorded, which also tells
    /// instances of one moment apart. Small numbers take few bytes, most rows end in two NULLs.
    private static let tables = """
        CREATE TABLE instance_whole (
            entity INTEGER NOT NULL,
            attribute INTEGER NOT NULL,
            dataset TEXT NOT NULL,
            at_us INTEGER NOT NULL,
            late_us INTEGER NOT NULL,
            form INTEGER NOT NULL,
            value ANY NOT NULL,
            unit TEXT,
            modified_us INTEGER,
            rest BLOB,
            PRIMARY KEY (entity, attribute, dataset, at_us, late_us)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE instance_name (
            entity INTEGER NOT NULL,
            name TEXT NOT NULL,
            attribute INTEGER NOT NULL,
            dataset TEXT NOT NULL,
            at_us INTEGER NOT NULL,
            late_us INTEGER NOT NULL,
            PRIMARY KEY (entity, name)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE past (
            id INTEGER PRIMARY KEY,
            iri TEXT NOT NULL UNIQUE,
            classification INTEGER NOT NULL CHECK (classification BETWEEN 0 AND 4),
            created_us INTEGER NOT NULL,
            modified_us INTEGER NOT NULL,
            deleted_us INTEGER,
            types TEXT NOT NULL
        ) STRICT;

        CREATE TABLE past_type (
            type INTEGER NOT NULL,
            past INTEGER NOT NULL,
            PRIMARY KEY (type, past)
        ) WITHOUT ROWID, STRICT;
        """

    static func migrate(_ db: Database) throws {
        try db.execute(sql: tables)
        try db.execute(
            sql: """
                INSERT INTO instance_whole (entity, attribute, dataset, at_us, late_us, form, value, unit)
                SELECT entity, attribute, dataset, at_us, 0, \(observed), value, unit FROM instance
                """)
        try db.execute(sql: "DROP TABLE instance")
        try db.execute(sql: "ALTER TABLE instance_whole RENAME TO instance")
        try setKinds(db)
    }

    private static func setKinds(_ db: Database) throws {
        let entities = try GRDB.Row.fetchCursor(
            db, sql: "SELECT id, document FROM entity WHERE EXISTS (SELECT 1 FROM instance WHERE entity = entity.id)")
        while let row = try entities.next() {
            let number = try row.decode(Int64.self, atIndex: 0)
            let document = try row.decode(Data.self, atIndex: 1)
            for attribute in try Int64.fetchAll(db, sql: "SELECT DISTINCT attribute FROM instance WHERE entity = ?", arguments: [number]) {
                guard let kind = kind(of: attribute, in: document), kind > 0 else { continue }
                try db.execute(
                    sql: "UPDATE instance SET form = \(observed) + ? WHERE entity = ? AND attribute = ?",
                    arguments: [kind, number, attribute])
            }
        }
    }

    /// What `form` is for an observed property.
    private static let observed = 8
    /// In the order of their numbers in `form`.
    private static let kinds = [
        "Property", "Relationship", "GeoProperty", "LanguageProperty", "VocabProperty", "ListProperty", "ListRelationship", "JsonProperty",
    ]

    /// Searches the document for the mark that stands for the attribute's name, followed by an instance's `type`.
    private static func kind(of attribute: Int64, in document: Data) -> Int? {
        var name: [UInt8] = [1]
        var rest = UInt64(bitPattern: attribute)
        while rest >= 0x80 {
            name.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        name.append(UInt8(truncatingIfNeeded: rest))
        for opening in [":{\"type\":\"", ":[{\"type\":\""] {
            guard let found = document.range(of: Data(name + Array(opening.utf8))) else { continue }
            let word = String(decoding: document[found.upperBound...].prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
            return kinds.firstIndex(of: word)
        }
        return nil
    }
}
