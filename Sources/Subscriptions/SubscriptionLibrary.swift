package import Broker
package import CityModel
package import LinkedData
internal import OrderedCollections
internal import Store
package import Trust

/// The operations on subscriptions (clauses 5.8.1 to 5.8.5). All of them need the right to write: a subscription carries
/// what its receiver must be shown, and makes the city's data leave the house.
package struct SubscriptionLibrary: Sendable {
    private let broker: Broker
    private let contexts: ContextLibrary
    private let countMax: Int
    /// Whether these are subscriptions to registrations of context sources (clauses 5.11.2 to 5.11.6), which share their
    /// identifiers with those to entities and nothing else.
    private let aboutSources: Bool

    /// - Parameter countMax: the most subscriptions of one municipality.
    package init(broker: Broker, contexts: ContextLibrary, countMax: Int, aboutSources: Bool = false) {
        (self.broker, self.contexts, self.countMax, self.aboutSources) = (broker, contexts, countMax, aboutSources)
    }

    /// - Parameter contextAddress: where a stored context is served, by its identifier.
    /// - Parameter via: where the request had been.
    /// - Returns: the new subscription's identifier.
    /// - Throws: `badRequestData`, `alreadyExists`, `contextNotAvailable`, `tooManyResults`.
    package func create(
        _ document: JSONObject, _ context: Context, contextAddress: (String) -> String, via: [String] = [],
        _ access: WriteAccess, at now: Instant
    ) async throws -> String {
        var given = SubscriptionBody.given(document)
        try SubscriptionBody.checkUTC(given)
        let recorder = NameRecorder(context.expand)
        let subscription = try SubscriptionReader(given, names: recorder.expansion).subscription()
        if let expiresAt = subscription.expiresAt, expiresAt <= now { throw Self.alreadyPast(expiresAt) }
        try check(subscription)
        let id = subscription.id?.text ?? Self.randomID()
        guard FollowingSubscription.followedID(of: id) == nil else {
            throw CityError.badRequestData("id: identifiers such as \(id.prefix(60)) are for subscriptions that this broker makes (clause 5.8.1.4)")
        }
        given["id"] = .string(id)
        let contextURL = try await contextURL(subscription.jsonldContext, context, contextAddress, access, at: now)
        var body = SubscriptionBody(document: given, names: recorder.table, contextURL: contextURL, createdAt: now, modifiedAt: now)
        body.via = via
        let (countMax, aboutSources, json) = (countMax, aboutSources, body.json)
        try await broker.writeSubscriptions(access) { transaction in
            guard try transaction.subscription(id) == nil else { throw CityError.alreadyExists("subscription \(id) exists already") }
            guard try transaction.subscriptionCount(aboutSources: aboutSources) < countMax else {
                throw CityError.tooManyResults("a municipality has at most \(countMax) subscriptions")
            }
            var record = SubscriptionRecord(
                id: id, body: json, interest: subscription.interest, endpoint: subscription.notification.endpoint.uri,
                classificationMax: access.reading.classificationMax, isActive: subscription.isActive, expiresAt: subscription.expiresAt,
                since: try transaction.lastChangeNumber(), due: subscription.timeIntervalSeconds.map(now.adding))
            (record.isAboutSources, record.claimant) = (aboutSources, access.reading.claimant?.json)
            // What is there already is told at once (clause 5.11.2.4).
            if aboutSources { record.due = now }
            try transaction.insert(record)
        }
        return id
    }

    /// Puts the members of a fragment in the place of those that were (clauses 5.8.2.4 and 5.5.8).
    /// - Throws: `resourceNotFound`, `badRequestData`, `contextNotAvailable`.
    package func update(
        _ id: IRI, with fragment: JSONObject, _ context: Context, _ access: WriteAccess, at now: Instant
    ) async throws {
        if let type = fragment["type"], type != "Subscription" { throw CityError.badRequestData("type: a subscription's type is Subscription") }
        if let other = fragment["id"], other.stringValue != id.text { throw CityError.badRequestData("id: a subscription's id can't be changed") }
        if let url = fragment["jsonldContext"]?.stringValue { _ = try await contexts.context(.string(url), in: access.municipality) }
        try checkIsMade(id)
        try await broker.writeSubscriptions(access) { [self] transaction in
            guard let record = try transaction.subscription(id.text), record.isAboutSources == aboutSources else { throw Self.notFound(id.text) }
            var updated = try record.updated(with: fragment, context, access, at: now)
            try check(SubscriptionBody(updated.body).subscription())
            if aboutSources { updated.due = now }
            try transaction.update(
                updated, restarting: fragment["notification"] != nil, releasing: fragment["throttling"] != nil, at: now)
        }
    }

    private func check(_ subscription: Subscription) throws(CityError) {
        guard subscription.temporal == nil || aboutSources else {
            throw .badRequestData("temporalQ: is for subscriptions to registrations of context sources (clause 5.2.12)")
        }
    }

    /// One that follows registrations for another subscription goes with that one.
    private func checkIsMade(_ id: IRI) throws(CityError) {
        guard aboutSources, let followed = FollowingSubscription.followedID(of: id.text) else { return }
        throw .operationNotSupported("\(id.text.prefix(500)) goes with subscription \(followed.prefix(500)), which may be changed or deleted")
    }

    /// - Throws: `resourceNotFound`.
    package func retrieve(_ id: IRI, _ access: WriteAccess) async throws -> ListedSubscription {
        let aboutSources = aboutSources
        let found = try await broker.readSubscriptions(access) { snapshot in
            if aboutSources { return try snapshot.sourceSubscription(id.text) }
            return try snapshot.subscription(id.text).flatMap { $0.isAboutSources ? nil : .made($0) }
        } as ListedSubscription?
        guard let found else { throw Self.notFound(id.text) }
        return found
    }

    /// By identifier.
    package func list(offset: Int, limit: Int, _ access: WriteAccess) async throws -> (page: [ListedSubscription], count: Int) {
        let aboutSources = aboutSources
        return try await broker.readSubscriptions(access) { snapshot in
            if aboutSources { return try snapshot.sourceSubscriptions(offset: offset, limit: limit) }
            return (try snapshot.subscriptions(offset: offset, limit: limit).map(ListedSubscription.made), try snapshot.subscriptionCount())
        }
    }

    /// Removes it with the notifications that wait for its receiver.
    /// - Throws: `resourceNotFound`.
    package func delete(_ id: IRI, _ access: WriteAccess) async throws {
        let aboutSources = aboutSources
        try checkIsMade(id)
        try await broker.writeSubscriptions(access) { transaction in
            guard let record = try transaction.subscription(id.text), record.isAboutSources == aboutSources else { throw Self.notFound(id.text) }
            _ = try transaction.removeSubscription(id.text)
        }
    }

    /// The URL of the context for notifications: the one asked for, else that of the request, for which a context that is not
    /// one URL is stored here (clauses 5.8.1.4 and 5.13.1).
    private func contextURL(
        _ wanted: String?, _ context: Context, _ address: (String) -> String, _ access: WriteAccess, at now: Instant
    ) async throws -> String {
        if let wanted {
            guard IRI(wanted) != nil else { throw CityError.badRequestData("jsonldContext: \(wanted.prefix(200)) is not a URI") }
            _ = try await contexts.context(.string(wanted), in: access.municipality)
            return wanted
        }
        if case .string(let url) = context.answered { return url }
        return address(try await contexts.addImplicit(["@context": context.answered], access, at: now))
    }

    private static func randomID() -> String {
        var generator = SystemRandomNumberGenerator()
        return "urn:ngsi-ld:Subscription:" + String(UInt64.random(in: .min ... .max, using: &generator), radix: 36)
            + String(UInt64.random(in: .min ... .max, using: &generator), radix: 36)
    }

    static func notFound(_ id: String) -> CityError { .resourceNotFound("there is no subscription \(id)") }
    static func alreadyPast(_ moment: Instant) -> CityError { .badRequestData("expiresAt: \(moment) is in the past") }
}

extension SubscriptionRecord {
    fileprivate func updated(with fragment: JSONObject, _ context: Context, _ access: WriteAccess, at now: Instant) throws -> SubscriptionRecord {
        var body = try SubscriptionBody(self.body)
        let before = try body.subscription()
        let given = SubscriptionBody.given(fragment)
        try SubscriptionBody.checkUTC(given)
        for (name, value) in given where name != "id" && name != "type" {
            body.document[name] = value == .null || value == .string(Attribute.nullText) ? nil : value
        }
        let isRevived = hasExpired(at: now) && given["expiresAt"] != nil && given["isActive"] == nil
        if isRevived { body.document["isActive"] = nil }
        let subscription = try read(&body, given, context)
        if given["expiresAt"] != nil, let expiresAt = subscription.expiresAt, expiresAt <= now {
            throw SubscriptionLibrary.alreadyPast(expiresAt)
        }
        if let url = subscription.jsonldContext { body.contextURL = url }
        body.modifiedAt = now
        var record = self
        record.body = body.json
        (record.interest, record.endpoint) = (subscription.interest, subscription.notification.endpoint.uri)
        // What it may tell of never grows with who changes it.
        record.classificationMax = min(classificationMax, access.reading.classificationMax)
        record.claimant = access.reading.claimant?.json ?? claimant
        (record.isActive, record.expiresAt) = (subscription.isActive, subscription.expiresAt)
        let keepsPeriod = before.timeIntervalSeconds == subscription.timeIntervalSeconds && isActive && due != nil
        record.due = keepsPeriod ? due : subscription.timeIntervalSeconds.map(now.adding)
        return record
    }

    /// Reads the changed document. The names in members that the fragment brought stand for what its context says; all others
    /// keep their meaning.
    private func read(_ body: inout SubscriptionBody, _ fragment: JSONObject, _ context: Context) throws(CityError) -> Subscription {
        let recorder = NameRecorder(context.expand)
        let old = body.names
        let brought = NameTable.Member.allCases.filter { member in
            fragment[member.rawValue] != nil || (member == .query && (fragment["expandValues"] != nil || fragment["csf"] != nil))
        }
        let reader = SubscriptionReader(body.document) { brought.contains($0) ? recorder.expansion($0) : old.expansion($0) }
        let subscription = try reader.subscription()
        body.names.replace(brought, with: recorder.table)
        return subscription
    }
}

extension WriteTransaction {
    /// Stores a changed subscription. What waits for one that was paused is dropped, for it must not be sent any more.
    /// - Parameter restarting: whether what waits is sent at once, to where the subscription says now.
    /// - Parameter releasing: whether what throttling holds back is told at once, for it may end later now, or not hold at all.
    fileprivate func update(_ record: SubscriptionRecord, restarting: Bool, releasing: Bool, at now: Instant) throws {
        try update(record)
        guard record.isActive else {
            try removeOutbox(of: record.id)
            try removeHeld(of: record.id)
            return announceMail(for: record.id)
        }
        if restarting { try restartOutbox(of: record.id, at: now) }
        if releasing { try releaseHeld(of: record.id, at: now) }
    }
}
