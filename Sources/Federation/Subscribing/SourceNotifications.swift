internal import Broker
package import CityModel
package import LinkedData
internal import OrderedCollections
internal import Policy
internal import Query
internal import Store
internal import Subscriptions
package import Trust

/// Takes what context sources tell of subscriptions that were passed on to them, and tells the subscriber (clause 5.8.6).
package struct SourceNotifications: Sendable {
    private let federation: Federation
    private let gatekeeper: Gatekeeper
    /// Entities of one notification, and of one that all sources are asked for each entity of.
    private static let entityCountMax = 1000
    private static let splitEntityCountMax = 100

    package init(_ federation: Federation, _ gatekeeper: Gatekeeper) { (self.federation, self.gatekeeper) = (federation, gatekeeper) }

    package static let base = "/ngsi-ld/ex/remote-notify"
    static func path(_ municipality: MunicipalityName, _ token: String) -> String { "\(base)/\(municipality)/\(token)" }

    /// By what a source says which copy of a subscription it tells of. Nobody but the source was told either, nor can guess them.
    package enum Key: Sendable {
        /// What the path says.
        case token(String)
        /// What the notification says, where the path says nothing.
        case name(String)
    }

    private struct Recipient: Sendable {
        let record: PassedOnRecord
        let subscription: SubscriptionRecord
        let file: MunicipalityFile
        let access: ReadAccess
    }

    /// - Parameter read: reads the notification and gets its context, which costs something: only done for a source that has the key.
    /// - Throws: `resourceNotFound` for what belongs to no subscription, `badRequestData` for what is no notification, `overloaded` for
    /// what may be told again.
    package func take(
        _ key: Key, in name: MunicipalityName, at now: Instant, _ read: @Sendable () async throws -> (json: JSON, context: Context)
    ) async throws {
        let recipient = try await recipient(key, in: name)
        try federation.intake.enter(recipient.record.id)
        defer { federation.intake.leave(recipient.record.id) }
        let (json, context) = try await read()
        guard json["type"] == "Notification", let told = json["subscriptionId"]?.stringValue, let data = json["data"]?.arrayValue else {
            throw CityError.badRequestData("type: a Notification with subscriptionId and data (clause 5.3.1)")
        }
        guard told == recipient.record.id || told == recipient.record.remote else { throw Self.notFound }
        guard recipient.subscription.isActive, !recipient.subscription.hasExpired(at: now) else { return }
        let (entities, subjects) = try await entities(data, context, recipient, at: now)
        try await tell(entities, about: subjects, recipient, at: now)
    }

    private static let notFound = CityError.resourceNotFound("there is no such subscription here")
    private static let noRoom = CityError.overloaded("notifications of this subscription wait already; please try again later")

    /// - Throws: `overloaded` also when nothing could be kept of what is told.
    private func recipient(_ key: Key, in name: MunicipalityName) async throws -> Recipient {
        let access = try await gatekeeper.reading(name, .program)
        let file = try federation.broker.registry(access)
        let limits = federation.notifications.shareOfSources
        return try await file.read { snapshot in
            let found = switch key {
            case .token(let token): try snapshot.passedOn(token: token)
            case .name(let id): try snapshot.passedOn(id)
            }
            guard let found, !found.isEnding, let subscription = try snapshot.subscription(found.subscription) else { throw Self.notFound }
            guard let size = try snapshot.outboxSize(of: subscription.id), limits.hasRoom(for: 0, in: size) else { throw Self.noRoom }
            return Recipient(record: found, subscription: subscription, file: file, access: access)
        }
    }

    private func sight(of record: SubscriptionRecord, in name: MunicipalityName) async throws -> Sight {
        try await gatekeeper.sight(of: record.claimant, in: name, to: .subscribe).narrowed(to: record.classificationMax)
    }

    /// What is told, as far as it was registered and subscribed to.
    /// - Returns: with it, about which people it is, where what the source has is personal.
    private func entities(
        _ data: [JSON], _ context: Context, _ recipient: Recipient, at now: Instant
    ) async throws -> (entities: [NotifiedEntity], subjects: OrderedSet<String>) {
        let (record, subscriptionRecord) = (recipient.record, recipient.subscription)
        let reading = recipient.access.narrowed(to: subscriptionRecord.classificationMax)
        guard
            let registration = try await federation.registrations(reading).first(where: { $0.id.text == record.registration }),
            !registration.isRemnant, !registration.hasExpired(at: now), registration.classification <= reading.sight.wholeClassificationMax
        else { return ([], []) }
        let subscription = try SubscriptionBody(subscriptionRecord.body).subscription()
        let sight = try await sight(of: subscriptionRecord, in: recipient.file.name)
        let countMax = subscription.isSplit ? Self.splitEntityCountMax : Self.entityCountMax
        guard data.count <= countMax else { throw CityError.badRequestData("data: at most \(countMax) entities") }
        let source = MatchedSource(registration: registration, information: registration.information)
        var (entities, subjects) = ([NotifiedEntity](), OrderedSet<String>())
        var contexts: [JSON: Context] = [:]
        let origin = Origin(access: reading, asker: Asker(now: now, credential: .none), context: context, via: []) { _ in nil }
        for element in data {
            let context = try await federation.context(of: element, context, &contexts, origin)
            var entity = try EntityReader(context: context, purpose: .foreignEvolution).fragment(element).entity()
            let deletedAt = element["deletedAt"]?.stringValue.flatMap { Instant($0) }
            guard source.admits(entity.id, types: entity.types), subscription.selects(entity) else { continue }
            entity.attributes = source.told(of: entity)
            guard let seen = sight.seen(elsewhere: entity, registration.classification) else { continue }
            if registration.classification >= .personal { subjects.append(entity.dataSubject ?? entity.id.text) }
            entity = seen
            if subscription.isSplit, deletedAt == nil {
                entity = try await completed(entity, besides: registration.id, origin)
                guard subscription.filter.matches(entity) else { continue }
            }
            entities.append(NotifiedEntity(entity, deletedAt: deletedAt, isPersonal: registration.classification.isPersonal, at: now))
        }
        return (entities, subjects)
    }

    /// What is known of the entity here and at all other sources, with what was told (clause 5.8.6).
    /// - Throws: `overloaded` when there is not the time to find out: what is told of it would be less than there is.
    private func completed(_ entity: Entity, besides registration: IRI, _ origin: Origin) async throws -> Entity {
        let broker = federation.broker
        // It has just changed, whether or not the source says when.
        var told = entity
        told.attributes = entity.attributes.mapValues { instances in
            instances.map { instance in
                var instance = instance
                instance.modifiedAt = instance.modifiedAt ?? origin.asker.now
                return instance
            }
        }
        var merge = EntityMerge(told, at: origin.asker.now)
        if let distributed = try await federation.retrieve(
            entity.id, selecting: nil, attributes: nil, datasetID: nil, besides: registration, origin)
        {
            if let other = distributed.entity { merge.add(other) }
        } else if let found = try? await broker.retrieve(entity.id, selecting: nil, origin.access, at: origin.asker.now) {
            merge.add(try broker.entity(found, origin.access))
        }
        guard !origin.allowance.isSpent else { throw CityError.overloaded("asking the other sources took too long; please try again later") }
        return merge.entity ?? entity
    }

    private func tell(_ entities: [NotifiedEntity], about subjects: OrderedSet<String>, _ recipient: Recipient, at now: Instant) async throws {
        guard !entities.isEmpty else { return }
        let (record, file) = (recipient.subscription, recipient.file)
        let sight = try await sight(of: record, in: file.name)
        let writer = try await NotificationWriter(record, file, federation.contexts)
        // Nobody who writes waits for what may take long to be written out.
        let message = try await file.read { snapshot in
            let held = try snapshot.sealingKeys(of: entities.map(\.entity.id))
            return try writer.message(
                of: entities, id: newNotificationID(), for: record.id, keys: held, subjects: Array(subjects), at: now, sight, in: snapshot)
        }
        guard let message else { return }
        let limits = federation.notifications.shareOfSources
        try await file.write { transaction in
            // Unless it is gone or was paused meanwhile.
            guard let current = try transaction.subscription(record.id), current.isActive, let size = try transaction.outboxSize(of: record.id)
            else { return }
            guard current.classificationMax == record.classificationMax, limits.hasRoom(for: message.body.count, in: size) else { throw Self.noRoom }
            try transaction.mail([message], limits, at: now)
        }
    }
}

extension Subscription {
    /// Whether an entity is one of those that are subscribed to. Its conditions are the source's to see to.
    fileprivate func selects(_ entity: Entity) -> Bool {
        selectors?.contains { selector in
            (entity.types.isEmpty || selector.types.matches(entity.types)) && selector.ids?.contains(entity.id) ?? true
                && selector.idPattern?.matches(entity.id) ?? true
        } ?? true
    }
}

extension MatchedSource {
    /// The attributes that are registered, of each dataset one instance.
    fileprivate func told(of entity: Entity) -> Attributes {
        entity.attributes.filter { covers($0.key, of: entity.id, types: entity.types) }.mapValues { instances in
            var seen: Set<IRI?> = []
            return instances.filter { seen.insert($0.datasetID).inserted }
        }
    }
}
