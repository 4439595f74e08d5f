package import Broker
package import CityModel
package import Door
internal import HTTPTypes
internal import Hummingbird
package import Federation
internal import LinkedData
internal import Store
internal import Subscriptions
internal import Policy
package import Trust

/// The NGSI-LD API (ETSI GS CIM 009 v1.9.1, chapter 6), as far as it speaks of current state and of history.
package struct NGSILDDoor: Sendable {
    let broker: Broker
    let gatekeeper: Gatekeeper
    let contexts: ContextLibrary
    let subscriptions: SubscriptionLibrary
    /// Subscriptions to registrations.
    let sourceSubscriptions: SubscriptionLibrary
    let federation: Federation
    let limits: NGSILDLimits
    let startedAt: Instant

    package init(
        broker: Broker, gatekeeper: Gatekeeper, contexts: ContextLibrary, federation: Federation, limits: NGSILDLimits = .init(),
        startedAt: Instant = .now
    ) {
        self.federation = federation
        sourceSubscriptions = SubscriptionLibrary(
            broker: broker, contexts: contexts, countMax: min(limits.subscriptionCountMax, Self.sourceSubscriptionCountMax), aboutSources: true)
        subscriptions = SubscriptionLibrary(broker: broker, contexts: contexts, countMax: limits.subscriptionCountMax)
        (self.broker, self.gatekeeper, self.contexts, self.limits, self.startedAt) = (broker, gatekeeper, contexts, limits, startedAt)
    }

    var registrations: RegistrationLibrary { federation.registrations }

    static let base = "/ngsi-ld/v1"
    /// Each is looked at whenever a registration changes, in the transaction of the change.
    private static let sourceSubscriptionCountMax = 100

    package var routes: [Route] {
        let routes = entityRoutes + attributeRoutes + queryRoutes + batchRoutes + discoveryRoutes + contextRoutes + identityRoutes + temporalRoutes
            + temporalQueryRoutes + subscriptionRoutes + sourceNotificationRoutes + entityMapRoutes + snapshotRoutes + registrationRoutes
        return routes.map(\.prompt)
    }
}

package struct NGSILDLimits: Sendable {
    /// Entities of a page where the request says nothing (clause 5.5.9).
    package var pageCountDefault: Int
    package var pageCountMax: Int
    package var nestingDepthMax: Int
    /// Relationships that `join` follows one after another.
    package var joinLevelMax: Int
    /// What one answer holds of histories (clause 6.3.10).
    package var evolution: EvolutionLimits
    /// Subscriptions of one municipality.
    package var subscriptionCountMax: Int
    package init(
        pageCountDefault: Int = 20, pageCountMax: Int = 1000, nestingDepthMax: Int = 64, joinLevelMax: Int = 5,
        evolution: EvolutionLimits = .init(), subscriptionCountMax: Int = 10_000
    ) {
        (self.pageCountDefault, self.pageCountMax, self.evolution) = (pageCountDefault, pageCountMax, evolution)
        (self.nestingDepthMax, self.joinLevelMax) = (nestingDepthMax, joinLevelMax)
        self.subscriptionCountMax = subscriptionCountMax
    }
}

extension NGSILDDoor {
    /// Access to the snapshot that the request names, else to the current state (clause 6.3.22).
    /// - Parameter action: what is done with what is read.
    func reading(_ request: DoorRequest, to action: AccessAction = .read) async throws -> ReadAccess {
        beginReuse(request)
        let access = try await gatekeeper.reading(request.tenant(), request.credential, request.terms, to: action)
        guard let snapshot = request.headers[.ngsildSnapshot] else { return access }
        return try await gatekeeper.reading(access, snapshot: snapshot, at: request.now)
    }

    /// What is answered to anybody from a municipality's own file may be answered again, until that is written; how it is answered, until its settings change.
    private func beginReuse(_ request: DoorRequest) {
        guard let reuse = request.reuse, request.credential == .none, request.headers[.ngsildSnapshot] == nil else { return }
        guard let municipality = try? request.tenant(), let moment = broker.moment(of: municipality) else { return }
        reuse.begin(while: { moment.isCurrent }, siblingsWhile: { moment.hasItsSettings })
    }

    /// The same, to change it.
    func writing(_ request: DoorRequest) async throws -> WriteAccess {
        let access = try await gatekeeper.writing(request.tenant(), request.credential, request.terms)
        guard let snapshot = request.headers[.ngsildSnapshot] else { return access }
        return try await gatekeeper.writing(access, snapshot: snapshot, at: request.now)
    }

    /// The same, for subscriptions: whoever sees nothing is told nothing.
    func subscribing(_ request: DoorRequest) async throws -> WriteAccess {
        let access = try await writing(request)
        try access.checkIsMore()
        return access
    }

    /// For what is not in a snapshot, such as contexts, registrations and snapshots themselves: the header that names one means nothing there.
    func overseeing(_ request: DoorRequest) async throws -> ReadAccess { try await gatekeeper.reading(request.tenant(), request.credential, request.terms) }
    func managing(_ request: DoorRequest) async throws -> WriteAccess {
        let access = try await gatekeeper.writing(request.tenant(), request.credential, request.terms)
        try access.checkIsMore()
        return access
    }
}
