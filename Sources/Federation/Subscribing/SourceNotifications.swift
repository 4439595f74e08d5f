internal import Broker
package import CityModel
package import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
internal import Subscriptions
package import Trust

/// Takes what context sources tell of subscriptions that were passed on to them, and tells the subscriber (clause 5.8.6).
package struct SourceNotifications: Sendable {
    private let federation: Federation
    private let gatekeeper: Gatekeeper
    /// Entities of one notification.
    private static let entityCountMax = 1000

    package init(_ federation: Federation, _ gatekeeper: Gatekeeper) { (self.federation, self.gatekeeper) = (federation, gatekeeper) }

    package static let base = "/ngsi-ld/ex/remote-notify"
    static func path(_ municipality: MunicipalityName, _ token: String) -> String { "\(base)/\(municipality)/\(token)" }

    /// - Parameter token: what the path says, which nobody but the source was told; where it says none, the identifier that the
    /// notification names is as hard to guess.
    /// - Throws: `resourceNotFound` for what belongs to no subscription, `badRequestData` for what is no notification.
    package func take(_ json: JSON, _ context: Context, token: String?, in name: MunicipalityName, at now: Instant) async throws {
        guard json["type"] == "Notification", let told = json["subscriptionId"]?.stringValue, let data = json["data"]?.arrayValue else {
            throw CityError.badRequestData("type: a Notification with subscriptionId and data (clause 5.3.1)")
        }
        guard data.count <= Self.entityCountMax else { throw CityError.badRequestData("data: at most \(Self.entityCountMax) entities") }
        let access = try await gatekeeper.reading(name, .program)
        let file = try federation.broker.registry(access)
        let found = try await file.read { snapshot -> (PassedOnRecord, SubscriptionRecord)? in
            guard let record = try token.map({ try snapshot.passedOn(token: $0) }) ?? snapshot.passedOn(told), !record.isEnding,
                told == record.id || told == record.remote, let subscription = try snapshot.subscription(record.subscription)
            else { return nil }
            return (record, subscription)
        }
        guard let (record, subscriptionRecord) = found else { throw CityError.resourceNotFound("there is no such subscription here") }
        guard subscriptionRecord.isActive, !subscriptionRecord.hasExpired(at: now) else { return }
        let reading = access.narrowed(to: subscriptionRecord.classificationMax)
        guard
            let registration = try await federation.registrations(reading).first(where: { $0.id.text == record.registration }),
            !registration.hasExpired(at: now), registration.classification <= reading.classificationMax
        else { return }
        let subscription = try SubscriptionBody(subscriptionRecord.body).subscription()
        let source = MatchedSource(registration: registration, information: registration.information)
        var entities: [NotifiedEntity] = []
        var contexts: [JSON: Context] = [:]
        let origin = Origin(access: reading, asker: Asker(now: now, credential: .none), context: context, via: []) { _ in nil }
        for element in data {
            let context = try await federation.context(of: element, context, &contexts, origin)
            var entity = try EntityReader(context: context, purpose: .foreignEvolution).fragment(element).entity()
            let deletedAt = element["deletedAt"]?.stringValue.flatMap { Instant($0) }
            guard source.admits(entity.id, types: entity.types), subscription.selects(entity) else { continue }
            entity.attributes = source.told(of: entity)
            if subscription.isSplit, deletedAt == nil {
                entity = try await completed(entity, besides: registration.id, origin)
                guard subscription.filter.matches(entity) else { continue }
            }
            entities.append(NotifiedEntity(entity, deletedAt: deletedAt, at: now))
        }
        try await tell(entities, subscriptionRecord, file, at: now)
    }

    /// What is known of the entity here and at all other sources, with what was told (clause 5.8.6).
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
        return merge.entity ?? entity
    }

    private func tell(_ entities: [NotifiedEntity], _ record: SubscriptionRecord, _ file: MunicipalityFile, at now: Instant) async throws {
        guard !entities.isEmpty else { return }
        let writer = try await NotificationWriter(record, file.name, federation.contexts)
        let limits = federation.notifications
        try await file.write { transaction in
            // Unless it is gone or was paused meanwhile.
            guard let current = try transaction.subscription(record.id), current.isActive else { return }
            guard
                let notification = try writer.notification(
                    of: entities, id: newNotificationID(), at: now, classificationMax: current.classificationMax, in: transaction)
            else { return }
            try transaction.mail([NewMessage(subscription: record.id, headers: notification.headers, body: notification.body)], limits, at: now)
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
