internal import GRDB

/// Where snapshots lie (clause 4.3.7): beside the city's state, in tables of the same columns with the snapshot's number before
/// them. A connection that reads one sees them under the usual names, as temporary views: so everything that reads the state
/// reads a snapshot, with the same statements and indexes of the same kind.
enum FrozenSchema {
    /// Never again used for another snapshot: what is left of one that was removed turns up in no other.
    static let tables = """
        CREATE TABLE snapshot (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            body BLOB NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('preparing', 'success', 'partial', 'failure', 'empty')),
            classification_max INTEGER NOT NULL CHECK (classification_max BETWEEN 0 AND 4),
            priority INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 10),
            created_us INTEGER NOT NULL,
            modified_us INTEGER NOT NULL,
            expires_us INTEGER NOT NULL,
            used_us INTEGER NOT NULL,
            untold INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE removed_snapshot (number INTEGER PRIMARY KEY) STRICT;

        CREATE TABLE frozen_entity (
            snapshot INTEGER NOT NULL,
            id INTEGER NOT NULL,
            iri TEXT NOT NULL,
            version INTEGER NOT NULL,
            classification INTEGER NOT NULL CHECK (classification BETWEEN 0 AND 4),
            expires_us INTEGER,
            document BLOB NOT NULL,
            PRIMARY KEY (snapshot, id)
        ) STRICT;
        CREATE UNIQUE INDEX frozen_entity_iri ON frozen_entity (snapshot, iri);
        CREATE INDEX frozen_entity_expires ON frozen_entity (snapshot, expires_us) WHERE expires_us IS NOT NULL;

        CREATE TABLE frozen_entity_type (
            snapshot INTEGER NOT NULL,
            type INTEGER NOT NULL,
            entity INTEGER NOT NULL,
            PRIMARY KEY (snapshot, type, entity)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE frozen_entity_scope (
            snapshot INTEGER NOT NULL,
            scope TEXT NOT NULL,
            entity INTEGER NOT NULL,
            PRIMARY KEY (snapshot, scope, entity)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE frozen_entity_value (
            snapshot INTEGER NOT NULL,
            attribute INTEGER NOT NULL,
            type INTEGER NOT NULL,
            value ANY NOT NULL,
            entity INTEGER NOT NULL,
            PRIMARY KEY (snapshot, attribute, type, value, entity)
        ) WITHOUT ROWID, STRICT;

        CREATE VIRTUAL TABLE frozen_entity_place
            USING rtree (id, west, east, south, north, +snapshot INTEGER, +place INTEGER, +attribute INTEGER);

        CREATE TABLE frozen_instance (
            snapshot INTEGER NOT NULL,
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
            expires_us INTEGER,
            PRIMARY KEY (snapshot, entity, attribute, dataset, at_us, late_us)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE frozen_past (
            snapshot INTEGER NOT NULL,
            id INTEGER NOT NULL,
            iri TEXT NOT NULL,
            classification INTEGER NOT NULL CHECK (classification BETWEEN 0 AND 4),
            created_us INTEGER NOT NULL,
            modified_us INTEGER NOT NULL,
            deleted_us INTEGER,
            types TEXT NOT NULL,
            PRIMARY KEY (snapshot, id)
        ) STRICT;
        CREATE UNIQUE INDEX frozen_past_iri ON frozen_past (snapshot, iri);

        CREATE TABLE frozen_past_type (
            snapshot INTEGER NOT NULL,
            type INTEGER NOT NULL,
            past INTEGER NOT NULL,
            PRIMARY KEY (snapshot, type, past)
        ) WITHOUT ROWID, STRICT;
        """

    /// The columns that a frozen table has besides the snapshot's number, by the name of the table whose state it holds.
    static let columns: [(table: String, columns: [String])] = [
        ("entity", ["id", "iri", "version", "classification", "expires_us", "document"]), ("entity_type", ["type", "entity"]),
        ("entity_scope", ["scope", "entity"]), ("entity_value", ["attribute", "type", "value", "entity"]),
        ("entity_place", ["west", "east", "south", "north", "place", "attribute"]),
        ("instance", instanceColumns),
        ("past", ["id", "iri", "classification", "created_us", "modified_us", "deleted_us", "types"]), ("past_type", ["type", "past"]),
    ]

    /// Those of `instance`, all of them.
    static let instanceColumns = [
        "entity", "attribute", "dataset", "at_us", "late_us", "form", "value", "unit", "modified_us", "rest", "expires_us",
    ]

    /// Makes a connection see a snapshot in the place of the city's state.
    static func show(_ snapshot: Int64, in db: Database) throws {
        for (table, columns) in columns {
            let shown = columns.map { column in
                switch (table, column) {
                case (_, "classification"): "\(classificationNow) AS classification"
                case ("entity_place", "place"): "place AS id"
                default: column
                }
            }
            let run = table == "entity" ? ", NULL AS run" : ""
            try db.execute(
                sql: """
                    CREATE TEMPORARY VIEW \(table) AS SELECT \(shown.joined(separator: ", "))\(run) FROM main.frozen_\(table) AS frozen
                    WHERE snapshot = \(snapshot)
                    """)
        }
        try db.execute(sql: ChunkTable.frozenView)
        try db.execute(sql: SummaryTable.frozenViews)
    }

    /// What became more confidential since it was frozen is shown to nobody who may not see it now.
    private static let classificationNow = """
        max(classification, coalesce((SELECT live.classification FROM main.entity AS live WHERE live.iri = frozen.iri), 0),
            coalesce((SELECT gone.classification FROM main.past AS gone WHERE gone.iri = frozen.iri), 0))
        """
}
