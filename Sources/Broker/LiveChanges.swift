package import CityModel
package import Store
package import Trust

/// A change with the entity as it is now; nil when it is gone, was deleted, or may not be seen any more.
package struct LiveChange: Sendable {
    package let change: Change
    package let entity: Entity?
    /// Whether showing it has to be accounted for.
    package var isPersonal: Bool { change.classification.isPersonal }
}

package struct LiveChangePage: Sendable {
    package let changes: [LiveChange]
    /// The number of the last change looked at: where to go on.
    package let position: Int64
    package let hasGap: Bool
}

extension Broker {
    /// The changes after `position` that may be seen, at most `limit` looked at, each with its entity. An entity that
    /// changed several times is read once. Whoever shows them accounts for it.
    package func liveChanges(after position: Int64, limit: Int, _ access: ReadAccess, at now: Instant) async throws -> LiveChangePage {
        let page = try await changes(after: position, limit: limit, access)
        let changes = page.changes
        let living = Set(changes.map(\.entityNumber))
        let entities = try await file(toRead: access).read { snapshot in
            let found = try snapshot.liveEntities(numbers: living, access.classificationMax, at: now)
            return Dictionary(found.map { ($0.number, $0.entity) }, uniquingKeysWith: { first, _ in first })
        }
        return LiveChangePage(
            changes: changes.map { LiveChange(change: $0, entity: entities[$0.entityNumber]) }, position: page.position, hasGap: page.hasGap)
    }
}
