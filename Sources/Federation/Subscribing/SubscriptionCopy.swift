internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Subscriptions

/// A subscription as a source is to get it: reduced to what the source registers, with this program as its receiver (clause
/// 5.8.1.4). Instances come in full: how they are written is for this broker to say.
struct SubscriptionCopy {
    let subscription: Subscription
    let document: JSONObject
    let source: MatchedSource
    /// Where the source is to tell of what happens.
    let receiver: String

    /// Nil when nothing is left of it. `id` is for whoever sends it to add.
    func members(_ context: Context) -> JSONObject? {
        var members: JSONObject = ["type": "Subscription"]
        let selectors = selectors(context)
        if subscription.selectors != nil, selectors.isEmpty { return nil }
        if !selectors.isEmpty { members["entities"] = .array(selectors) }
        let registered = source.attributes
        if let watched = subscription.watchedAttributes.map({ Set($0) }).map({ watched in registered.map(watched.intersection) ?? watched })
            ?? registered
        {
            if watched.isEmpty { return nil }
            if subscription.timeIntervalSeconds == nil { members["watchedAttributes"] = watched.names(context) }
        }
        guard members["entities"] != nil || members["watchedAttributes"] != nil else { return nil }
        for name in ["notificationTrigger", "datasetId", "isActive", "throttling", "timeInterval", "splitEntities"] {
            members[name] = document[name]
        }
        members["expiresAt"] = subscription.expiresAt.map { .string($0.description) }
        var notification: JSONObject = ["endpoint": ["uri": .string(receiver), "accept": "application/json"]]
        if subscription.notification.includesSystemMembers { notification["sysAttrs"] = true }
        if !subscription.isSplit {
            if let query = subscription.query { members["q"] = .string(query.renamed(context.compact).description) }
            members["scopeQ"] = document["scopeQ"]
            members["geoQ"] = geo(context)
            let told = subscription.notification.projection.listedAttributes.map { Set($0) }.flatMap { $0.isEmpty ? nil : $0 }
            if let told = told.map({ told in registered.map(told.intersection) ?? told }) ?? registered {
                if told.isEmpty { return nil }
                notification["attributes"] = told.names(context)
            }
        }
        members["notification"] = .object(notification)
        return members
    }

    /// What the subscription selects, as far as it is registered; where it selects by attributes alone, what is registered.
    private func selectors(_ context: Context) -> [JSON] {
        let wanted = subscription.selectors?.map { SourceSpecification.Selector(types: $0.types, ids: $0.ids, idPattern: $0.idPattern) } ?? [.init()]
        return wanted.filter { selector in
            source.information.contains { info in info.entities?.contains { $0.matches(selector) } ?? true }
        }.compactMap { selector in
            let narrow = source.narrowed(selector, to: nil)
            guard let types = narrow.types else { return nil }
            var members: JSONObject = ["type": .string(types.text(context.compact))]
            if let ids = narrow.ids {
                if ids.isEmpty { return nil }
                let texts = ids.map(\.text).sorted().map(JSON.string)
                members["id"] = texts.count == 1 ? texts[0] : .array(texts)
            } else if let pattern = narrow.idPattern {
                members["idPattern"] = .string(pattern.pattern.text)
            }
            return .object(members)
        }
    }

    private func geo(_ context: Context) -> JSON? {
        guard case .object(var geo)? = document["geoQ"] else { return nil }
        if geo["geoproperty"] != nil, let property = subscription.geo?.property { geo["geoproperty"] = .string(context.compact(property)) }
        return .object(geo)
    }
}

extension JSONObject {
    /// What makes a subscription that has the members `old` one that has these (clause 5.5.8).
    func change(from old: JSONObject) -> JSONObject {
        var change = filter { old[$0.key] != $0.value }
        for name in old.keys where self[name] == nil { change[name] = .string(Attribute.nullText) }
        return change
    }

    /// What makes a subscription that has some of the members `old`, or of these, one that has these.
    func whole(over old: JSONObject) -> JSONObject {
        var change = self
        for name in old.keys where self[name] == nil { change[name] = .string(Attribute.nullText) }
        return change
    }
}

extension Set<IRI> {
    fileprivate func names(_ context: Context) -> JSON { .array(map(context.compact).sorted().map(JSON.string)) }
}
