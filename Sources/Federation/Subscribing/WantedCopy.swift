internal import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Store
internal import Subscriptions
internal import Trust

/// One source that is to have a copy of one subscription.
struct WantedCopy {
    let subscription: String
    let body: SubscriptionBody
    let parsed: Subscription
    let source: CopySource
    let matching: MatchedSource
    let access: ReadAccess
    /// Where sources reach this program.
    let address: String
    /// The context of the subscription, and the one that names are written with for the source.
    let context: Context, sourceContext: Context

    var key: Key { Key(subscription: subscription, registration: source.registration.id.text) }

    struct Key: Hashable { let subscription: String, registration: String }

    /// What the source is to have, with the context: what the names stand for belongs to it. Nil when nothing is left.
    func content(_ token: String) -> JSON? {
        let copy = SubscriptionCopy(
            subscription: parsed, document: body.document, source: matching,
            receiver: address + SourceNotifications.path(access.municipality, token))
        return copy.members(sourceContext).map { ["members": .object($0), "context": .string(sourceContext.linkURL)] }
    }

    /// What a request about it comes of. Made when it is sent, for the time that it may take begins then.
    func origin() -> Origin { Self.origin(access, context, body) }

    static func origin(_ access: ReadAccess, _ context: Context, _ body: SubscriptionBody) -> Origin {
        Origin(access: access, asker: Asker(now: .now, credential: .none), context: context, via: body.via) { _ in nil }
    }
}

/// Finds what copies there should be (clause 5.8.1.4).
struct WantedCopies {
    private let federation: Federation
    private let access: ReadAccess
    private let sources: [CopySource]
    private let ownAlias: String
    private let address: String
    private var sourceContexts: [ContextKey: Context] = [:]
    private(set) var copies: OrderedDictionary<WantedCopy.Key, WantedCopy> = [:]

    private struct ContextKey: Hashable { let registration: IRI, context: String }

    /// Sources that offer to be subscribed to. Auxiliary ones are none, nor are neighbours, for whose consent nobody's credential is
    /// at hand here.
    /// - Parameter address: where sources reach this program.
    init(_ federation: Federation, _ access: ReadAccess, _ sources: [CopySource], address: String, at now: Instant) async throws {
        (self.federation, self.access, self.address) = (federation, access, address)
        self.sources = sources.filter { source in
            let registration = source.registration
            return registration.operations.contains(.createSubscription) && registration.mode != .auxiliary && registration.endpoint.isOnWeb
                && !registration.hasExpired(at: now)
        }
        ownAlias = try await federation.broker.contextSourceAlias(of: access.municipality, at: now)
    }

    /// Adds those of one subscription: none at sources that whoever subscribed may not see, nor where the subscription has been.
    mutating func add(_ record: SubscriptionRecord, countMax: Int) async throws {
        guard !sources.isEmpty else { return }
        let body = try SubscriptionBody(record.body)
        guard let subscription = try? body.subscription(), !subscription.isLocalOnly else { return }
        let reading = access.narrowed(to: record.classificationMax)
        let context = (try? await federation.contexts.context(.string(body.contextURL), in: access.municipality)) ?? .core
        let origin = WantedCopy.origin(reading, context, body)
        guard origin.via.count < federation.limits.hopCountMax, !origin.via.contains(ownAlias) else { return }
        var specification = SourceSpecification(subscription)
        specification.takesSilenceForAnywhere = true
        for source in sources where copies.count < countMax {
            let registration = source.registration
            guard registration.classification <= reading.sight.wholeClassificationMax, !(registration.alias.map(origin.via.contains) ?? false) else { continue }
            let information = registration.matches(specification).map { registration.information[$0] }
            guard !information.isEmpty else { continue }
            let copy = WantedCopy(
                subscription: record.id, body: body, parsed: subscription, source: source,
                matching: MatchedSource(registration: registration, information: information), access: reading, address: address,
                context: context, sourceContext: await sourceContext(registration, origin))
            copies[copy.key] = copy
        }
    }

    private mutating func sourceContext(_ registration: Registration, _ origin: Origin) async -> Context {
        let key = ContextKey(registration: registration.id, context: origin.context.linkURL)
        if let context = sourceContexts[key] { return context }
        let context = await federation.context(for: registration, origin)
        sourceContexts[key] = context
        return context
    }
}
