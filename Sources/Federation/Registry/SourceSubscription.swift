internal import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
internal import Subscriptions

/// A subscription to registrations (clause 5.11), ready to be held against them.
struct SourceSubscription: Sendable {
    /// Why a notification is sent (clause 5.3.3).
    enum Trigger: String { case newlyMatching, updated, noLongerMatching }

    let record: SubscriptionRecord
    let subscription: Subscription
    let specification: SourceSpecification
    private let context: Context
    private let contextURL: String
    private let municipality: MunicipalityName

    init(_ record: SubscriptionRecord, _ municipality: MunicipalityName, _ contexts: ContextLibrary) async throws {
        (self.record, self.municipality) = (record, municipality)
        let body = try SubscriptionBody(record.body)
        subscription = try body.subscription()
        specification = SourceSpecification(subscription)
        // When the context can't be had any more, names go out whole.
        if let context = try? await contexts.context(.string(body.contextURL), in: municipality) {
            (self.context, contextURL) = (context, body.contextURL)
        } else {
            (context, contextURL) = (.core, CoreContext.url)
        }
    }

    /// A change of a registration as this subscription sees it; nil when it is none of its own.
    func message(of read: ReadChange, at now: Instant) throws -> NewMessage? {
        let before = read.before.map { $0.matches(specification) }.flatMap { $0.isEmpty ? nil : $0 }
        let after = read.after.map { $0.matches(specification) }.flatMap { $0.isEmpty ? nil : $0 }
        let change = read.change
        switch (before, after) {
        case (nil, nil): return nil
        case (nil, let after?): return try message(of: [(change.after, after)], .newlyMatching, at: now)
        case (_?, let after?): return try message(of: [(change.after, after)], .updated, at: now)
        case (let before?, nil): return try message(of: [(change.before, before)], .noLongerMatching, at: now)
        }
    }

    /// What is there; nil when nothing matches.
    func message(of records: [RegistrationRecord], at now: Instant) throws -> NewMessage? {
        let found = records.map { (Optional($0), matching($0)) }.filter { !$0.1.isEmpty }
        return found.isEmpty ? nil : try message(of: found, .newlyMatching, at: now)
    }

    /// One that can't be read matches nothing.
    private func matching(_ record: RegistrationRecord) -> [Int] { (try? Registration(record))?.matches(specification) ?? [] }

    /// Clauses 5.3.2 and 6.3.8.
    private func message(of records: [(RegistrationRecord?, [Int])], _ trigger: Trigger, at now: Instant) throws -> NewMessage {
        let endpoint = subscription.notification.endpoint
        var notification: JSONObject = [
            "id": .string(newNotificationID()), "type": "ContextSourceNotification", "subscriptionId": .string(record.id),
            "notifiedAt": .string(now.description), "triggerReason": .string(trigger.rawValue),
        ]
        notification["data"] = .array(try records.compactMap { record, information in
            guard let record else { return nil }
            return try RegistrationDocument(record.body).answer(
                id: record.id, context, information: information, forwarding: DeliveryState(), includesSourceInfo: false)
        })
        var headers = [(name: "Content-Type", value: endpoint.accept.rawValue)]
        if endpoint.accept == .linkedData {
            notification["@context"] = .string(contextURL)
        } else {
            headers = [
                ("Content-Type", Endpoint.MediaType.json.rawValue),
                ("Link", "<\(contextURL)>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""),
            ]
        }
        if municipality != .standard { headers.append(("NGSILD-Tenant", municipality.text)) }
        var writer = JSONWriter()
        writer.write(JSON.object(notification))
        return NewMessage(subscription: record.id, headers: headers + endpoint.receiverInfo, body: writer.bytes)
    }
}

extension SourceSpecification {
    /// What a subscription is about (clauses 5.11.2.4 and 5.12).
    init(_ subscription: Subscription) {
        self.init()
        selectors = (subscription.selectors ?? []).map { Selector(types: $0.types, ids: $0.ids, idPattern: $0.idPattern) }
        // Where one of the two lists is missing, all attributes count.
        if let told = subscription.notification.attributes, let watched = subscription.watchedAttributes {
            attributes = Set(told).union(watched)
        } else if let watched = subscription.watchedAttributes, subscription.selectors == nil {
            attributes = Set(watched)
        }
        (geo, temporal, scopes, sourceFilter) = (subscription.geo, subscription.temporal, subscription.scopes, subscription.sourceFilter)
        datasets = subscription.datasets?.datasets
    }
}
