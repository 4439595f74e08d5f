internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Query
internal import Store

/// Turns changes that somebody may want into notifications that wait in the outbox. One page of changes becomes one
/// transaction: the notifications are there and the changes passed, or neither.
struct Matcher: Sendable {
    let store: Store
    let contexts: ContextLibrary
    let cache: CompiledCache
    let limits: NotificationLimits

    /// What one page came to.
    struct Outcome: Sendable {
        /// Those that something waits for now.
        var endpoints: Set<String> = []
        var hasMore = false
    }

    private static let pageCountMax = 200
    private static let pageByteCountMax = 16 << 20

    /// Matches the oldest changes that wait.
    func matchPage(of name: MunicipalityName, at now: Instant) async throws -> Outcome {
        let file = try store.file(name)
        let changes = try await file.read { snapshot in
            try snapshot.watchedChanges(limit: Self.pageCountMax, byteCountMax: Self.pageByteCountMax)
        }
        guard let last = changes.last else { return Outcome() }
        let pairs = changes.map { change -> (change: WatchedChange, kinds: ChangeKinds, watchers: Set<String>) in
            let kinds = ChangeKinds(change)
            let watchers = file.watches.watchers(
                of: change.entity.id, types: change.entity.types, attributes: kinds.created + kinds.updated + kinds.deleted,
                operation: change.operation)
            return (change, kinds, watchers)
        }
        let ids = pairs.reduce(into: Set<String>()) { $0.formUnion($1.watchers) }
        let compiled = try await cache.compiled(ids, of: file, contexts)
        let page = try await file.read { snapshot in
            var page = MatchPage(compiled: compiled, snapshot: snapshot, now: now)
            for pair in pairs { for id in pair.watchers.sorted() { try page.match(pair.change, pair.kinds, id) } }
            return try page.rendered()
        }
        let limits = limits
        let endpoints = try await file.write { transaction in
            for (id, moment) in page.lastMatches { try transaction.setLastMatch(id, moment) }
            try transaction.removeWatchedChanges(upTo: last.seq)
            return try transaction.post(page.messages, limits, at: now)
        }
        return Outcome(endpoints: endpoints, hasMore: true)
    }
}

/// What the changes of one page mean for subscriptions.
private struct MatchPage {
    /// Entities that changed in one request and are told of together.
    private struct Group {
        let subscription: CompiledSubscription
        let at: Instant
        var entities: [NotifiedEntity]
    }

    struct Rendered: Sendable {
        let messages: [NewMessage]
        let lastMatches: [String: Instant]
    }

    let compiled: [String: CompiledSubscription]
    let snapshot: ReadSnapshot
    let now: Instant
    private var groups: [Group] = []
    /// The last group of each subscription.
    private var open: [String: Int] = [:]
    private var throttles: [String: Throttle] = [:]

    /// Entities of one notification.
    private static let groupCountMax = 100

    init(compiled: [String: CompiledSubscription], snapshot: ReadSnapshot, now: Instant) {
        (self.compiled, self.snapshot, self.now) = (compiled, snapshot, now)
    }

    mutating func match(_ change: WatchedChange, _ kinds: ChangeKinds, _ id: String) throws {
        guard let candidate = compiled[id], change.seq > candidate.since, candidate.isActive(at: now),
            change.classification <= candidate.classificationMax
        else { return }
        let subscription = candidate.subscription
        guard subscription.timeIntervalSeconds == nil, kinds.fire(subscription.triggers, watched: subscription.watchedAttributes),
            candidate.filter.matches(change.entity, lookup: { lookup($0, candidate.classificationMax) })
        else { return }
        let notified = NotifiedEntity(change, kinds, for: subscription)
        if let index = open[id], groups[index].at == change.at, groups[index].entities.count < Self.groupCountMax,
            !groups[index].entities.contains(where: { $0.entity.id == change.entity.id })
        {
            groups[index].entities.append(notified)
            return
        }
        guard try admits(change.at, candidate) else { return }
        open[id] = groups.count
        groups.append(Group(subscription: candidate, at: change.at, entities: [notified]))
    }

    private func lookup(_ id: IRI, _ classificationMax: Classification) -> Entity? {
        (try? snapshot.visibleEntity(id, classificationMax, at: now)) ?? nil
    }

    private mutating func admits(_ moment: Instant, _ candidate: CompiledSubscription) throws -> Bool {
        guard let seconds = candidate.subscription.throttlingSeconds else { return true }
        var throttle =
            try throttles[candidate.id] ?? Throttle(seconds: seconds, lastMatch: snapshot.subscription(candidate.id)?.lastMatch)
        let isAdmitted = throttle.admits(moment)
        throttles[candidate.id] = throttle
        return isAdmitted
    }

    func rendered() throws -> Rendered {
        let messages = try groups.compactMap { group in
            try group.subscription.message(of: group.entities, at: now, in: snapshot)
        }
        return Rendered(messages: messages, lastMatches: throttles.compactMapValues(\.lastMatch))
    }
}

extension CompiledSubscription {
    /// A notification for the outbox; nil when nothing is left to tell.
    func message(of entities: [NotifiedEntity], at now: Instant, in snapshot: ReadSnapshot) throws -> NewMessage? {
        let id = "urn:ngsi-ld:Notification:" + String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
        guard let rendered = try writer.notification(of: entities, id: id, at: now, classificationMax: classificationMax, in: snapshot)
        else { return nil }
        return NewMessage(
            subscription: self.id, endpoint: subscription.notification.endpoint.uri, headers: rendered.headers, body: rendered.body)
    }
}

extension WriteTransaction {
    /// Puts notifications into the queues of their endpoints. A queue that is full takes no more: that counts as failed.
    /// - Returns: the endpoints that something waits for now.
    func post(_ messages: [NewMessage], _ limits: NotificationLimits, at now: Instant) throws -> Set<String> {
        var counts: [String: Int] = [:]
        for message in messages {
            // Gone since it was matched.
            guard try subscriptionRevision(message.subscription) != nil else { continue }
            let count = try counts[message.endpoint] ?? outboxCount(of: message.endpoint)
            if count < limits.queuedCountMax {
                try append(message, at: now)
                counts[message.endpoint] = count + 1
            } else {
                counts[message.endpoint] = count
                var news = DeliveryState()
                (news.timesFailed, news.lastFailure) = (1, now)
                try addDelivery(news, to: message.subscription)
            }
        }
        return Set(counts.keys)
    }
}
