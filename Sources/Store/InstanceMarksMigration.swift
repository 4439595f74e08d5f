internal import GRDB

/// Migration `0004-instance-marks`: instances carry what their entity was classified as when they were recorded.
///
/// Of those that are there it is taken for what it is now; nobody saw them who may not see the entity.
enum InstanceMarksMigration {
    /// One step of the classification's rank in `form`.
    private static let unit = 64

    static func migrate(_ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE instance SET form = form + \(unit) * coalesce(
                    (SELECT classification FROM entity WHERE id = instance.entity),
                    (SELECT classification FROM past WHERE id = instance.entity), 4)
                """)
    }
}
