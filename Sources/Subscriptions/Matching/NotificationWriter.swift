package import Broker
package import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query
package import Store

/// A notification as it goes out: what accompanies it, and its body (clause 5.3.1).
package struct RenderedNotification: Sendable {
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// With what the entities are sealed that relationships led to.
    package let keys: [KeyID]
}

/// Writes the notifications of one subscription.
package struct NotificationWriter: Sendable {
    package let subscription: Subscription
    package let subscriptionID: String
    package let view: EntityView
    /// The URL of the context that notifications are written with.
    package let contextURL: String
    /// Named in a header unless it is the standard one (clause 6.3.14).
    package let municipality: MunicipalityName
    /// Named in a header where the subscription is to a snapshot (clause 6.3.22).
    let snapshotID: String?
    /// Beyond these linked entities are left out.
    private static let linkedCountMax = 1000

    package init(
        subscription: Subscription, subscriptionID: String, view: EntityView, contextURL: String, municipality: MunicipalityName,
        snapshotID: String? = nil
    ) {
        (self.subscription, self.subscriptionID, self.view) = (subscription, subscriptionID, view)
        (self.contextURL, self.municipality, self.snapshotID) = (contextURL, municipality, snapshotID)
    }

    private var parameters: NotificationParams { subscription.notification }
    private var mediaType: Endpoint.MediaType { parameters.endpoint.accept }

    /// A notification for the outbox, with what it tells of people; nil when nothing is left to tell.
    /// - Parameter keys: with what those are sealed of whom it tells.
    /// - Parameter subjects: the same of people of whom nothing else is held here.
    package func message(
        of entities: [NotifiedEntity], id: String, for subscription: String, keys: [KeyID], subjects: [String] = [], at now: Instant, _ sight: Sight,
        in snapshot: ReadSnapshot
    ) throws -> NewMessage? {
        snapshot.shown = ShownPersonal()
        guard let rendered = try notification(of: entities, id: id, at: now, sight, in: snapshot) else { return nil }
        var elsewhere: [UsedEntity] = []
        for notified in entities where notified.isPersonal {
            if let number = try snapshot.entityNumber(notified.entity.id) { snapshot.show(number, .personal) } else {
                elsewhere.append(UsedEntity(subject: notified.entity.dataSubject ?? "", id: notified.entity.id))
            }
        }
        var use = try snapshot.personalUse()
        use.entities += elsewhere
        return NewMessage(
            subscription: subscription, headers: rendered.headers, body: rendered.body, keys: keys + rendered.keys.filter { !keys.contains($0) },
            subjects: subjects, use: use)
    }

    /// - Parameter id: a name for this notification alone, by which a receiver can tell a repetition.
    /// - Returns: nil when nothing is left to tell.
    package func notification(
        of entities: [NotifiedEntity], id: String, at now: Instant, _ sight: Sight, in snapshot: ReadSnapshot
    ) throws -> RenderedNotification? {
        let shown = entities.compactMap { notified -> NotifiedEntity? in
            guard let selected = view.selected(notified.entity) else { return nil }
            var notified = notified
            notified.entity = view.amended(selected)
            return notified
        }
        guard !shown.isEmpty else { return nil }
        var writer = JSONWriter(byteCapacity: 1024 + shown.count * 1024)
        writer.raw("{\"id\":")
        writer.write(id)
        writer.raw(",\"type\":\"Notification\",\"subscriptionId\":")
        writer.write(subscriptionID)
        writer.raw(",\"notifiedAt\":\"")
        writer.raw(now.description.utf8)
        writer.raw("\",\"data\":")
        let keys = try writeData(shown, now, sight, snapshot, to: &writer)
        if mediaType == .linkedData {
            writer.raw(",\"@context\":")
            writer.write(JSON.string(contextURL))
        }
        writer.raw("}")
        return RenderedNotification(headers: headers, body: writer.bytes, keys: keys)
    }

    /// Clauses 6.3.8 and 7.2. What the endpoint asks for besides is added when it is sent.
    private var headers: [(name: String, value: String)] {
        var headers = [(name: "Content-Type", value: mediaType.rawValue)]
        if mediaType == .json || (mediaType == .geoJSON && parameters.endpoint.prefersBodyWithoutContext) {
            headers.append(("Link", "<\(contextURL)>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""))
        }
        if municipality.city != .standard { headers.append(("NGSILD-Tenant", municipality.text)) }
        if let snapshotID { headers.append(("NGSILD-Snapshot", snapshotID)) }
        return headers
    }

    /// - Returns: with what the entities are sealed that were added.
    private func writeData(
        _ shown: [NotifiedEntity], _ now: Instant, _ sight: Sight, _ snapshot: ReadSnapshot, to writer: inout JSONWriter
    ) throws -> [KeyID] {
        let names = ContextNames(context: view.context, includesSystemMembers: parameters.includesSystemMembers)
        let entityWriter = EntityWriter(names: names, format: RepresentationFormat(rawValue: parameters.format.rawValue) ?? .normalized)
        let amendment = ChangeAmendment(entityWriter: entityWriter, view: view, parameters: parameters)
        if mediaType == .geoJSON {
            let features = FeatureWriter(entityWriter: entityWriter, geometryProperty: .location, members: view.projection.members)
            let context = parameters.endpoint.prefersBodyWithoutContext ? nil : JSON.string(contextURL)
            var collection = JSONWriter()
            features.write(collection: shown.map(\.entity), context: context, to: &collection)
            writer.raw(try amendment.amended(collection: collection.bytes, shown))
            return []
        }
        let (linked, inline, ids) = try linkedEntities(shown.map(\.entity), now, sight, snapshot)
        // Each entity is a JSON-LD document of its own, as it is in the answer to a query.
        let context = mediaType == .linkedData ? JSON.string(contextURL) : nil
        writer.raw("[")
        for (index, notified) in shown.enumerated() {
            if index > 0 { writer.raw(",") }
            var one = JSONWriter(byteCapacity: 1024)
            entityWriter.write(notified.entity, members: view.projection.members, context: context, linked: inline, to: &one)
            writer.raw(try amendment.amended(one.bytes, notified))
        }
        for entry in linked {
            writer.raw(",")
            entityWriter.write(entry.shown, members: entry.projection.members, context: context, to: &writer)
        }
        writer.raw("]")
        return try snapshot.sealingKeys(of: ids)
    }

    /// The entities to be written beside these, and those to be written within them (clause 4.5.23); and all of them.
    private func linkedEntities(
        _ entities: [Entity], _ now: Instant, _ sight: Sight, _ snapshot: ReadSnapshot
    ) throws -> (beside: [LinkedEntity], inline: LinkedEntities?, ids: [IRI]) {
        guard let kind = parameters.joinKind.flatMap(Join.Kind.init) else { return ([], nil, []) }
        let join = Join(kind: kind, level: parameters.joinLevel)
        let linked = try snapshot.linkedEntities(
            of: entities, join, view, countMax: Self.linkedCountMax, sight, at: now)
        guard kind == .inline else { return (linked, nil, linked.map(\.whole.id)) }
        let found = Dictionary(linked.map { ($0.whole.id.text, $0.whole) }, uniquingKeysWith: { first, _ in first })
        return ([], LinkedEntities(entities: found, depth: join.level, view: view.linked(view.projection)), linked.map(\.whole.id))
    }
}
