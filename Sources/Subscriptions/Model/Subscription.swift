package import CityModel
internal import OrderedCollections
package import Query

/// A subscription to changes of entities (clause 5.2.12), read and checked. Names are expanded.
package struct Subscription: Sendable {
    package var id: IRI?
    /// Any of these; nil when the watched attributes alone say which entities are meant.
    package var selectors: [EntitySelector]?
    /// Nil watches all.
    package var watchedAttributes: [IRI]?
    package var triggers: Set<NotificationTrigger>
    package var query: QueryExpression?
    package var geo: GeoQuery?
    package var scopes: ScopeQuery?
    /// Only of subscriptions to registrations of context sources.
    package var temporal: TemporalQuery?
    /// What must hold of the context sources (clause 4.9).
    package var sourceFilter: QueryExpression?
    package var datasets: DatasetSelection?
    /// What `lang` says, as it was given.
    package var language: String?
    package var isActive: Bool
    package var expiresAt: Instant?
    /// Notifications in a period, however entities change.
    package var timeIntervalSeconds: Double?
    /// What must pass between two notifications.
    package var throttlingSeconds: Double?
    package var jsonldContext: String?
    /// The version of NGSI-LD that notifications are for: `1.6`.
    package var conformance: String?
    /// Whether it is about what is held here alone (clause 5.5.13).
    package var isLocalOnly = false
    /// Whether entities lie in parts at several sources, so that conditions hold of what was put together (clause 4.3.6.7).
    package var isSplit = false
    package var notification: NotificationParams
}

/// Which entities are subscribed to (clause 5.2.33).
package struct EntitySelector: Sendable {
    package let types: TypeSelection
    package let ids: Set<IRI>?
    package let idPattern: IDPattern?

    package func filter() -> EntityFilter { EntityFilter(ids: ids, idPattern: idPattern, types: types) }
}

/// How subscribers are told (clause 5.2.14.1).
package struct NotificationParams: Sendable {
    package enum Format: String, Sendable { case normalized, concise, simplified }

    package var endpoint: Endpoint
    package var format: Format
    package var projection: Projection
    /// The deprecated list of attributes, expanded, in its order.
    package var attributes: [IRI]?
    package var joinKind: String?
    package var joinLevel: Int
    package var showsChanges: Bool
    package var includesSystemMembers: Bool
}

/// What kind of change makes a notification (table 5.2.12-1).
package enum NotificationTrigger: String, CaseIterable, Hashable, Sendable {
    case entityCreated, entityUpdated, entityDeleted, attributeCreated, attributeUpdated, attributeDeleted

    package static let standard: Set<NotificationTrigger> = [.attributeCreated, .attributeUpdated]
}

extension Subscription {
    /// Which entities the subscription is about and what must hold of them (clauses 4.9, 4.10, 4.19).
    package var filter: EntityFilter {
        var filter = EntityFilter(query: query, scopes: scopes, geo: geo)
        // Without selectors the watched attributes say which entities are meant: those in which one of them changes.
        guard let selectors else { return filter }
        if selectors.count == 1 {
            (filter.ids, filter.idPattern, filter.types) = (selectors[0].ids, selectors[0].idPattern, selectors[0].types)
        } else {
            filter.alternatives = selectors.map { $0.filter() }
        }
        return filter
    }
}
