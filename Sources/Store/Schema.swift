internal import CityModel
internal import Foundation
internal import GRDB

/// The tables of a municipality's file and how they came to be. A shipped migration is never changed.
enum Schema {
    /// Written into the file's header (`PRAGMA application_id`) so that other programs can tell what it is: "CNRB".
    static let applicationID = 0x434E_5242

    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("0001-entities") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: entities)
            try db.execute(sql: indexes)
            try db.execute(sql: journal)
            try db.execute(sql: history)
            try db.execute(sql: documents)
        }
        migrator.registerMigration("0002-history", migrate: HistoryMigration.migrate)
        migrator.registerMigration("0003-subscriptions") { db in try db.execute(sql: subscriptions) }
        migrator.registerMigration("0004-instance-marks", migrate: InstanceMarksMigration.migrate)
        migrator.registerMigration("0005-runs-of-entities") { db in try db.execute(sql: runsOfEntities) }
        migrator.registerMigration("0006-snapshots") { db in try db.execute(sql: snapshots) }
        migrator.registerMigration("0007-registrations") { db in try db.execute(sql: registrations) }
        migrator.registerMigration("0008-passed-on-subscriptions") { db in try db.execute(sql: passedOnSubscriptions) }
        migrator.registerMigration("0009-chunks") { db in try db.execute(sql: ChunkTable.schema) }
        migrator.registerMigration("0010-subscription-counts") { db in try db.execute(sql: subscriptionCounts) }
        migrator.registerMigration("0011-passed-on-states") { db in try db.execute(sql: passedOnStates) }
        migrator.registerMigration("0012-retention") { db in try db.execute(sql: SummaryTable.schema) }
        migrator.registerMigration("0013-snapshots-as-files") { db in try db.execute(sql: snapshotsAsFiles) }
        migrator.registerMigration("0014-ledger") { db in try db.execute(sql: LedgerTable.schema) }
        migrator.registerMigration("0015-accounts") { db in try db.execute(sql: AccountTable.schema) }
        migrator.registerMigration("0016-consents") { db in try db.execute(sql: consents) }
        migrator.registerMigration("0017-keys-of-residents") { db in try db.execute(sql: KeyReconciliation.schema) }
        migrator.registerMigration("0018-subjects") { db in try db.execute(sql: SubjectTable.schema) }
        migrator.registerMigration("0020-sealed-accounts") { db in try db.execute(sql: AccountTable.sealed) }
        migrator.registerMigration("0021-cases") { db in try db.execute(sql: CaseTable.schema) }
        migrator.registerMigration("0022-desk-views") { db in try db.execute(sql: DeskViewTable.schema) }
        migrator.registerMigration("0023-sealed-places") { db in try db.execute(sql: sealedPlaces) }
        migrator.registerMigration("0024-filed-rows") { db in try db.execute(sql: CaseTable.filedRows) }
        migrator.registerMigration("0025-addresses") { db in try db.execute(sql: AddressWords.schema) }
        migrator.registerMigration("0026-taken-updates") { db in try db.execute(sql: TakenUpdateTable.schema) }
        migrator.registerMigration("0027-numbers-of-places") { db in try db.execute(sql: numbersOfPlaces) }
        return migrator
    }

    /// Brings a file to this version, and writes that into its header.
    static func migrate(_ pool: DatabasePool) throws {
        try migrator().migrate(pool)
        guard try pool.read({ try Int.fetchOne($0, sql: "PRAGMA user_version") }) != version else { return }
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = \(version)") }
    }

    /// How many migrations there are.
    private static let version = migrator().migrations.count

    /// Whether a file's header says that all migrations were run. One whose header has not left the write-ahead log yet says no.
    static func isCurrent(path: String) -> Bool {
        // Where SQLite's file format has the user version: four bytes, the most significant first.
        let place = 60..<64
        guard let file = FileHandle(forReadingAtPath: path), let header = try? file.read(upToCount: place.upperBound),
            header.count == place.upperBound
        else { return false }
        return header[place].reduce(0) { $0 << 8 | Int($1) } == version
    }

    private static let entities = """
        CREATE TABLE term (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE) STRICT;

        CREATE TABLE entity (
            id INTEGER PRIMARY KEY,
            iri TEXT NOT NULL UNIQUE,
            version INTEGER NOT NULL,
            classification INTEGER NOT NULL CHECK (classification BETWEEN 0 AND 4),
            run INTEGER REFERENCES import_run (id),
            expires_us INTEGER,
            document BLOB NOT NULL
        ) STRICT;
        CREATE INDEX entity_expires ON entity (expires_us) WHERE expires_us IS NOT NULL;
        """

    /// No foreign keys here: they would cost a look-up for every index row. `Verification` checks the same instead.
    private static let indexes = """
        CREATE TABLE entity_type (
            type INTEGER NOT NULL,
            entity INTEGER NOT NULL,
            PRIMARY KEY (type, entity)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE entity_scope (
            scope TEXT NOT NULL,
            entity INTEGER NOT NULL,
            PRIMARY KEY (scope, entity)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE entity_value (
            attribute INTEGER NOT NULL,
            type INTEGER NOT NULL,
            value ANY NOT NULL,
            entity INTEGER NOT NULL,
            PRIMARY KEY (attribute, type, value, entity)
        ) WITHOUT ROWID, STRICT;

        CREATE VIRTUAL TABLE entity_place USING rtree (id, west, east, south, north, +attribute INTEGER);
        """

    /// A place that is sealed was a box around the world, which every search by place came upon.
    private static let sealedPlaces = """
        INSERT INTO entity_value (attribute, type, value, entity)
            SELECT DISTINCT entity_place.attribute, entity_type.type, x'00', entity.id FROM entity_place
            JOIN entity ON entity.id = entity_place.id / \(IndexRows.placeCountMax) JOIN entity_type ON entity_type.entity = entity.id
            WHERE entity_place.attribute <> \(IndexRows.anyAttribute) AND entity.key IS NOT NULL AND entity.classification >= \(Classification.sealedMin.rank);
        DELETE FROM entity_place WHERE id / \(IndexRows.placeCountMax) IN
            (SELECT id FROM entity WHERE key IS NOT NULL AND classification >= \(Classification.sealedMin.rank));
        """

    /// The number of a place tells its attribute (`PlaceNumber`, as it was when this migration was written; entities of a snapshot may have numbers from 2⁴⁸ on,
    /// which are told by the highest bit).
    private static let numbersOfPlaces = """
        CREATE VIRTUAL TABLE numbered_place USING rtree (id, west, east, south, north);
        INSERT INTO numbered_place
            SELECT (id / 16 - (id >= 281474976710656 * 16) * (281474976710656 - 2199023255552) << 21) | (attribute << 4) | id % 16, west, east, south, north
            FROM entity_place ORDER BY id;
        DROP TABLE entity_place;
        ALTER TABLE numbered_place RENAME TO entity_place;
        """

    private static let journal = """
        CREATE TABLE change (
            seq INTEGER PRIMARY KEY,
            operation INTEGER NOT NULL CHECK (operation BETWEEN 1 AND 3),
            at_us INTEGER NOT NULL,
            entity INTEGER NOT NULL,
            iri TEXT NOT NULL,
            classification INTEGER NOT NULL,
            types TEXT NOT NULL,
            attributes TEXT NOT NULL
        ) STRICT;

        CREATE TABLE cursor (follower TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID, STRICT;
        """

    private static let history = """
        CREATE TABLE instance (
            entity INTEGER NOT NULL,
            attribute INTEGER NOT NULL,
            dataset TEXT NOT NULL,
            at_us INTEGER NOT NULL,
            value ANY NOT NULL,
            unit TEXT,
            PRIMARY KEY (entity, attribute, dataset, at_us)
        ) WITHOUT ROWID, STRICT;
        """

    private static let documents = """
        CREATE TABLE document (
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            body BLOB NOT NULL,
            modified_us INTEGER NOT NULL,
            PRIMARY KEY (kind, id)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE import_run (
            id INTEGER PRIMARY KEY,
            source TEXT NOT NULL,
            source_version TEXT NOT NULL,
            started_us INTEGER NOT NULL,
            finished_us INTEGER,
            report BLOB
        ) STRICT;
        CREATE INDEX import_run_source ON import_run (source, id);
        """

    /// Without it, whoever removes a run would look at every entity.
    private static let runsOfEntities = "CREATE INDEX entity_run ON entity (run) WHERE run IS NOT NULL"

    private static let subscriptionCounts = """
        DROP INDEX subscription_about_sources;
        CREATE INDEX subscription_about ON subscription (about_sources, id);

        -- How many subscriptions of each kind there are, so that nobody has to count.
        CREATE TABLE subscription_count (
            about_sources INTEGER PRIMARY KEY,
            count INTEGER NOT NULL
        ) STRICT;
        INSERT INTO subscription_count
            SELECT kind.value, (SELECT count(*) FROM subscription WHERE about_sources = kind.value) FROM json_each('[0, 1]') AS kind;

        CREATE TRIGGER subscription_added AFTER INSERT ON subscription BEGIN
            UPDATE subscription_count SET count = count + 1 WHERE about_sources = NEW.about_sources;
        END;
        CREATE TRIGGER subscription_removed AFTER DELETE ON subscription BEGIN
            UPDATE subscription_count SET count = count - 1 WHERE about_sources = OLD.about_sources;
        END;
        """

    private static let subscriptions = """
        CREATE TABLE subscription (
            id TEXT PRIMARY KEY,
            revision INTEGER NOT NULL,
            body BLOB NOT NULL,
            interest BLOB NOT NULL,
            endpoint TEXT NOT NULL,
            classification_max INTEGER NOT NULL CHECK (classification_max BETWEEN 0 AND 4),
            active INTEGER NOT NULL CHECK (active IN (0, 1)),
            expires_us INTEGER,
            since INTEGER NOT NULL,
            due_us INTEGER,
            held_due_us INTEGER,
            matched_us INTEGER,
            times_sent INTEGER NOT NULL DEFAULT 0,
            times_failed INTEGER NOT NULL DEFAULT 0,
            notified_us INTEGER,
            succeeded_us INTEGER,
            failed_us INTEGER,
            queued_count INTEGER NOT NULL DEFAULT 0,
            queued_bytes INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX subscription_due ON subscription (due_us) WHERE due_us IS NOT NULL;
        CREATE INDEX subscription_held ON subscription (held_due_us) WHERE held_due_us IS NOT NULL;

        CREATE TABLE watched (
            seq INTEGER PRIMARY KEY,
            operation INTEGER NOT NULL CHECK (operation BETWEEN 1 AND 3),
            at_us INTEGER NOT NULL,
            classification INTEGER NOT NULL,
            document BLOB NOT NULL,
            previous BLOB
        ) STRICT;

        CREATE TABLE held (
            subscription TEXT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
            entity TEXT NOT NULL,
            operation INTEGER NOT NULL CHECK (operation BETWEEN 1 AND 3),
            at_us INTEGER NOT NULL,
            classification INTEGER NOT NULL,
            document BLOB NOT NULL,
            previous BLOB,
            PRIMARY KEY (subscription, entity)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            subscription TEXT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
            created_us INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            due_us INTEGER NOT NULL,
            headers BLOB NOT NULL,
            message BLOB NOT NULL
        ) STRICT;
        CREATE INDEX outbox_queue ON outbox (subscription, id);

        -- How full a queue is, so that nobody has to count.
        CREATE TRIGGER outbox_added AFTER INSERT ON outbox BEGIN
            UPDATE subscription SET queued_count = queued_count + 1, queued_bytes = queued_bytes + length(NEW.message)
            WHERE id = NEW.subscription;
        END;
        CREATE TRIGGER outbox_removed AFTER DELETE ON outbox BEGIN
            UPDATE subscription SET queued_count = queued_count - 1, queued_bytes = queued_bytes - length(OLD.message)
            WHERE id = OLD.subscription;
        END;
        """

    /// What people consented to. A record (ISO/IEC TS 27560) stays when it is withdrawn.
    private static let consents = """
        CREATE TABLE consent (
            id TEXT PRIMARY KEY,
            subject TEXT NOT NULL,
            purpose TEXT NOT NULL,
            given_us INTEGER NOT NULL,
            withdrawn_us INTEGER,
            record BLOB NOT NULL
        ) WITHOUT ROWID, STRICT;
        CREATE INDEX consent_subject ON consent (subject, purpose);

        -- Who subscribed, where rules decide what it is told.
        ALTER TABLE subscription ADD COLUMN claimant BLOB;
        """

    /// Numbers are never used again for another snapshot: what is left of one that was removed turns up in no other.
    private static let snapshots = """
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
        """

    /// What snapshots hold lies in files of their own from here on. Those that were made before are gone: they were to last for days.
    private static let snapshotsAsFiles = """
        DELETE FROM snapshot;
        DELETE FROM removed_snapshot;
        DROP TABLE IF EXISTS frozen_entity;
        DROP TABLE IF EXISTS frozen_entity_type;
        DROP TABLE IF EXISTS frozen_entity_scope;
        DROP TABLE IF EXISTS frozen_entity_value;
        DROP TABLE IF EXISTS frozen_entity_place;
        DROP TABLE IF EXISTS frozen_instance;
        DROP TABLE IF EXISTS frozen_past;
        DROP TABLE IF EXISTS frozen_past_type;

        CREATE TABLE reclassified (
            iri TEXT PRIMARY KEY,
            number INTEGER NOT NULL UNIQUE,
            classification INTEGER NOT NULL CHECK (classification BETWEEN 0 AND 4)
        ) WITHOUT ROWID, STRICT;
        """

    private static let registrations = """
        CREATE TABLE registration (
            id TEXT PRIMARY KEY,
            body BLOB NOT NULL,
            expires_us INTEGER,
            times_sent INTEGER NOT NULL DEFAULT 0,
            times_failed INTEGER NOT NULL DEFAULT 0,
            succeeded_us INTEGER,
            failed_us INTEGER
        ) STRICT;
        CREATE INDEX registration_expires ON registration (expires_us) WHERE expires_us IS NOT NULL;

        ALTER TABLE subscription ADD COLUMN about_sources INTEGER NOT NULL DEFAULT 0 CHECK (about_sources IN (0, 1));
        CREATE INDEX subscription_about_sources ON subscription (id) WHERE about_sources = 1;
        """

    /// No foreign key: what was passed on is to be taken back when the subscription is gone.
    private static let passedOnSubscriptions = """
        CREATE TABLE passed_on (
            id TEXT PRIMARY KEY,
            token TEXT NOT NULL UNIQUE,
            subscription TEXT NOT NULL,
            registration TEXT NOT NULL,
            source BLOB NOT NULL,
            remote TEXT NOT NULL,
            sent BLOB,
            ending INTEGER NOT NULL DEFAULT 0 CHECK (ending IN (0, 1)),
            attempts INTEGER NOT NULL DEFAULT 0,
            due_us INTEGER
        ) STRICT;
        CREATE INDEX passed_on_subscription ON passed_on (subscription);
        """

    /// What was passed on before counts as what may be there.
    private static let passedOnStates = """
        ALTER TABLE passed_on ADD COLUMN state INTEGER NOT NULL DEFAULT 1 CHECK (state BETWEEN 0 AND 3);
        ALTER TABLE passed_on ADD COLUMN refused BLOB;
        ALTER TABLE passed_on ADD COLUMN ending_since_us INTEGER;
        UPDATE passed_on SET state = 3 WHERE sent IS NOT NULL;
        UPDATE passed_on SET ending_since_us = CAST(strftime('%s', 'now') AS INTEGER) * 1000000 WHERE ending = 1;
        """
}
