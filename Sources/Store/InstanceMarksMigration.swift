internal import CityModel
internal import Foundation
internal import GRDB

/// Migration `0004-instance-marks`: instances carry what their entity was classified as when they were recorded, and their
/// `expiresAt` where it can be asked for.
///
/// The classification of those that are there is taken for what it is now; nobody saw them who may not see the entity. Their
/// `expiresAt` stood in `rest`, and `form` said so.
enum InstanceMarksMigration {
    /// One step of the classification's rank in `form`; before, the mark of an instance that expires.
    private static let unit = 32

    static func migrate(_ db: Database) throws {
        try db.execute(sql: "ALTER TABLE instance ADD COLUMN expires_us INTEGER")
        try moveExpiry(db)
        try db.execute(sql: "CREATE INDEX instance_expires ON instance (expires_us) WHERE expires_us IS NOT NULL")
        try db.execute(
            sql: """
                UPDATE instance SET form = form % \(unit) + \(unit) * coalesce(
                    (SELECT classification FROM entity WHERE id = instance.entity),
                    (SELECT classification FROM past WHERE id = instance.entity), 4)
                """)
    }

    private static func moveExpiry(_ db: Database) throws {
        let key = "entity, attribute, dataset, at_us, late_us"
        let expiring = try GRDB.Row.fetchCursor(db, sql: "SELECT \(key), rest FROM instance WHERE form & \(unit) <> 0 AND rest IS NOT NULL")
        var moved: [(key: [DatabaseValue], microseconds: Int64)] = []
        while let row = try expiring.next() {
            let rest = try row.decode(Data.self, atIndex: 5)
            guard let text = try JSON(parsing: Array(rest))["expiresAt"]?.stringValue, let instant = Instant(text) else { continue }
            moved.append((Array(row.databaseValues.prefix(5)), instant.microseconds))
        }
        for (values, microseconds) in moved {
            try db.execute(
                sql: "UPDATE instance SET expires_us = ? WHERE (\(key)) = (?, ?, ?, ?, ?)", arguments: GRDB.StatementArguments([microseconds.databaseValue] + values))
        }
    }
}
