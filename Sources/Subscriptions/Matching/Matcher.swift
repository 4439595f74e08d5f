internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Query
internal import Store

/// Turns changes that somebody may want into notifications that wait in the outbox. The changes of a page are passed in the
/// transaction that adds the last of what they mean: a crash before repeats some of it, and loses nothing.
struct Matcher: Sendable {
    let store: Store
    let contexts: ContextLibrary
    let cache: CompiledCache
    let outbox: Outbox
    /// Told of what is passed over.
    let report: @Sendable (MunicipalityName, any Error) -> Void
    /// Notifications of a page, those held back included, after which the rest of it is left to the next one.
    var groupCountMax = 20_000

    /// What one page came to.
    struct Outcome: Sendable {
        /// The subscriptions that something was added for, and where it goes.
        var queues: [String: String] = [:]
        var hasMore = false
    }

    private static let pageCountMax = 200
    private static let pageByteCountMax = 16 << 20
    /// Entities that throttling holds back for one subscription.
    private static let heldCountMax = 1000

    /// Matches the oldest changes that wait.
    func matchPage(of name: MunicipalityName, at now: Instant) async throws -> Outcome {
        let file = try store.file(name)
        let rows = try await file.read { snapshot in
            try snapshot.watchedChanges(limit: Self.pageCountMax, byteCountMax: Self.pageByteCountMax)
        }
        guard let last = rows.last else { return Outcome() }
        let candidates = try rows.compactMap { row in try candidate(row, file) }
        let ids = candidates.reduce(into: Set<String>()) { $0.formUnion($1.watchers) }
        let compiled = try await cache.compiled(ids, of: file, contexts, at: now)
        let (page, reached, consents) = try await file.read { snapshot in
            let consents = try snapshot.consentRevision()
            var page = MatchPage(compiled: compiled, heldDues: try snapshot.heldDues(), now: now)
            for candidate in candidates {
                try page.match(candidate, snapshot)
                if page.groups.count + page.held.count >= groupCountMax { return (page, candidate.change.seq, consents) }
            }
            return (page, last.seq, consents)
        }
        var outcome = Outcome(hasMore: true)
        var rest = page.groups[...]
        repeat {
            let part = rest
            let (messages, count, faults) = try await file.read { snapshot in try Self.render(part, snapshot, at: now) }
            for fault in faults { report(name, fault) }
            rest = rest.dropFirst(count)
            let isLast = rest.isEmpty
            let posted = try await file.write { transaction -> Set<String>? in
                // What rests on a consent that was withdrawn since is matched anew.
                guard try transaction.consentRevision() == consents else { return nil }
                for fault in faults { if let id = fault.subscription { try transaction.addDelivery(.oneFailure(at: now), to: id) } }
                if isLast {
                    try hold(page, transaction, at: now)
                    try transaction.removeWatchedChanges(upTo: reached)
                }
                return try outbox.post(messages, transaction, at: now)
            }
            guard let posted else { return outcome }
            for id in posted { outcome.queues[id] = compiled[id]?.endpoint }
        } while !rest.isEmpty
        return outcome
    }

    /// A change with the subscriptions that may want it; nil for one that can't be read.
    private func candidate(_ row: WatchedRow, _ file: MunicipalityFile) throws -> MatchPage.Candidate? {
        do {
            let change = try row.change.get()
            let kinds = ChangeKinds(change)
            let watchers = file.watches.watchers(
                of: change.entity, attributes: kinds.created + kinds.updated + kinds.deleted, operation: change.operation, at: change.at)
            return MatchPage.Candidate(change: change, kinds: kinds, watchers: watchers.sorted())
        } catch where !error.isOfFile {
            report(file.name, PassedOver(subscription: nil, change: row.seq, reason: error))
            return nil
        }
    }

    /// - Returns: notifications of the first groups, as many as may be kept at once, of how many groups they are, and what failed.
    private static func render(
        _ groups: ArraySlice<MatchPage.Group>, _ snapshot: ReadSnapshot, at now: Instant
    ) throws -> (messages: [NewMessage], groupCount: Int, faults: [PassedOver]) {
        var (messages, faults, byteCount, count) = ([NewMessage](), [PassedOver](), 0, 0)
        for group in groups {
            guard byteCount < Outbox.partByteCountMax else { break }
            count += 1
            do {
                guard let message = try group.subscription.message(of: group.entities, keys: group.keys, at: now, in: snapshot) else { continue }
                byteCount += message.body.count
                messages.append(message)
            } catch where !error.isOfFile {
                faults.append(PassedOver(subscription: group.subscription.id, change: group.seq, reason: error))
            }
        }
        return (messages, count, faults)
    }

    private func hold(_ page: MatchPage, _ transaction: WriteTransaction, at now: Instant) throws {
        for (id, moment) in page.lastMatches { try transaction.setLastMatch(id, moment) }
        for held in page.held {
            let isHeld = try transaction.hold(held.change, for: held.subscription, until: held.until, countMax: Self.heldCountMax)
            if !isHeld { try transaction.addDelivery(.oneFailure(at: now), to: held.subscription) }
        }
    }
}

/// What the changes of one page mean for subscriptions.
struct MatchPage: Sendable {
    struct Candidate: Sendable {
        let change: WatchedChange
        let kinds: ChangeKinds
        let watchers: [String]
    }

    /// Entities that changed in one request and are told of together.
    struct Group: Sendable {
        let subscription: CompiledSubscription
        let seq: Int64
        let at: Instant
        var entities: [NotifiedEntity]
        var byteCount: Int
        /// With what those are sealed of whom it tells. What is about one person is told for itself, so that nothing of others goes with their key.
        let keys: [KeyID]
    }

    struct Held: Sendable {
        let change: WatchedChange
        let subscription: String
        let until: Instant
    }

    private let compiled: [String: CompiledSubscription]
    /// Of those for which throttling holds something back, when they may be told.
    private let heldDues: [String: Instant]
    private let now: Instant
    private(set) var groups: [Group] = []
    private(set) var held: [Held] = []
    /// The last group of each subscription.
    private var open: [String: Int] = [:]
    private var throttles: [String: Throttle] = [:]

    /// Entities of one notification, and the bytes of their documents after which another begins.
    private static let groupCountMax = 100
    private static let groupByteCountMax = 1 << 20

    init(compiled: [String: CompiledSubscription], heldDues: [String: Instant], now: Instant) {
        (self.compiled, self.heldDues, self.now) = (compiled, heldDues, now)
    }

    var lastMatches: [String: Instant] { throttles.compactMapValues(\.lastMatch) }

    mutating func match(_ candidate: Candidate, _ snapshot: ReadSnapshot) throws {
        for id in candidate.watchers {
            guard let watcher = compiled[id], let seen = try watcher.seen(candidate, snapshot), watcher.wants(seen.change, seen.kinds, snapshot, at: now)
            else { continue }
            try tell(watcher, seen, snapshot)
        }
    }

    private mutating func tell(_ watcher: CompiledSubscription, _ candidate: Candidate, _ snapshot: ReadSnapshot) throws {
        let change = candidate.change
        let notified = NotifiedEntity(change, candidate.kinds, for: watcher.subscription)
        if let index = open[watcher.id], groups[index].at == change.at, groups[index].keys == change.keys, groups[index].entities.count < Self.groupCountMax,
            groups[index].byteCount < Self.groupByteCountMax, !groups[index].entities.contains(where: { $0.entity.id == change.entity.id })
        {
            groups[index].entities.append(notified)
            groups[index].byteCount += change.byteCount
            return
        }
        if let until = try heldUntil(change.at, watcher, snapshot) {
            held.append(Held(change: change, subscription: watcher.id, until: until))
            return
        }
        open[watcher.id] = groups.count
        groups.append(Group(subscription: watcher, seq: change.seq, at: change.at, entities: [notified], byteCount: change.byteCount, keys: change.keys))
    }

    /// When throttling lets a change be told that it holds back now; nil when it does not.
    private mutating func heldUntil(_ moment: Instant, _ watcher: CompiledSubscription, _ snapshot: ReadSnapshot) throws -> Instant? {
        // Where throttling was taken off nothing overtakes what it held back before.
        guard let seconds = watcher.subscription.throttlingSeconds else { return heldDues[watcher.id] }
        var throttle: Throttle
        if let known = throttles[watcher.id] { throttle = known } else {
            let record = try snapshot.subscription(watcher.id)
            throttle = Throttle(seconds: seconds, lastMatch: record?.lastMatch, heldDue: record?.heldDue)
        }
        defer { throttles[watcher.id] = throttle }
        return throttle.heldUntil(moment)
    }
}

extension CompiledSubscription {
    var endpoint: String { subscription.notification.endpoint.uri }

    /// Whether a change is one that it is to be told of.
    fileprivate func wants(_ change: WatchedChange, _ kinds: ChangeKinds, _ snapshot: ReadSnapshot, at now: Instant) -> Bool {
        guard change.seq > since, isActive(at: now), subscription.timeIntervalSeconds == nil, kinds.fire(subscription.triggers, watched: subscription.watchedAttributes)
        else { return false }
        return filter.matches(change.entity) { id in (try? snapshot.visibleEntity(id, sight, at: now)) ?? nil }
    }

    /// A change as whoever subscribed sees it: what is hidden from them has not changed. Nil when they see nothing of it.
    fileprivate func seen(_ candidate: MatchPage.Candidate, _ snapshot: ReadSnapshot) throws -> MatchPage.Candidate? {
        guard sight.ruling != nil else { return candidate.change.classification <= sight.classificationMax ? candidate : nil }
        guard let change = try candidate.change.seen(by: sight, in: snapshot) else { return nil }
        return MatchPage.Candidate(change: change, kinds: ChangeKinds(change), watchers: candidate.watchers)
    }

    /// A notification for the outbox; nil when nothing is left to tell.
    /// - Parameter keys: with what those are sealed of whom it tells.
    func message(of entities: [NotifiedEntity], keys: [KeyID], at now: Instant, in snapshot: ReadSnapshot) throws -> NewMessage? {
        let id = "urn:ngsi-ld:Notification:" + String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
        return try writer.message(of: entities, id: id, for: self.id, keys: keys, at: now, sight, in: snapshot)
    }
}
