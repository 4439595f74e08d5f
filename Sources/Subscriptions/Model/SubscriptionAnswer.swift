package import CityModel
package import LinkedData
internal import OrderedCollections
internal import Query
package import Store

extension SubscriptionRecord {
    /// Whether notifications are sent (clauses 5.8.1.4 and 5.8.2.4).
    package func status(at now: Instant) -> String { hasExpired(at: now) ? "expired" : isActive ? "active" : "paused" }

    /// The subscription as it is answered (clause 5.2.12): its document with names of the reader's context, and what the
    /// broker adds.
    package func answer(_ context: Context, includesSystemMembers: Bool, at now: Instant) throws -> JSON {
        let body = try SubscriptionBody(self.body)
        let subscription = try body.subscription()
        var members: JSONObject = ["id": .string(id), "type": "Subscription"]
        for (name, value) in body.document where name != "id" && name != "type" {
            members[name] = subscription.answered(name, value, context)
        }
        if members["notificationTrigger"] == nil, !isAboutSources {
            members["notificationTrigger"] = .array(
                NotificationTrigger.allCases.filter(NotificationTrigger.standard.contains).map { .string($0.rawValue) })
        }
        members["jsonldContext"] = .string(body.contextURL)
        members["status"] = .string(status(at: now))
        if case .object(let notification)? = members["notification"] {
            members["notification"] = .object(notification.merging(delivery.members) { given, _ in given })
        }
        if includesSystemMembers {
            members["createdAt"] = .string(body.createdAt.description)
            members["modifiedAt"] = .string(body.modifiedAt.description)
        }
        return .object(members)
    }
}

extension DeliveryState {
    /// The members that only the broker makes (clause 5.2.14.2); those that say nothing yet are left out.
    fileprivate var members: JSONObject {
        var members: JSONObject = [:]
        if let last = [lastSuccess, lastFailure].compactMap({ $0 }).max() {
            members["status"] = last == lastFailure ? "failed" : "ok"
        }
        if timesSent > 0 { members["timesSent"] = .integer(timesSent) }
        if timesFailed > 0 { members["timesFailed"] = .integer(timesFailed) }
        if let lastNotification { members["lastNotification"] = .string(lastNotification.description) }
        if let lastSuccess { members["lastSuccess"] = .string(lastSuccess.description) }
        if let lastFailure { members["lastFailure"] = .string(lastFailure.description) }
        return members
    }
}

extension Subscription {
    /// A member of the document with its names as a context writes them. Those within query texts stay as they were given.
    fileprivate func answered(_ name: String, _ value: JSON, _ context: Context) -> JSON {
        func names(_ names: [IRI]) -> JSON { .array(names.map { .string(context.compact($0)) }) }
        switch name {
        case "entities":
            guard let elements = value.arrayValue, let selectors else { return value }
            return .array(zip(elements, selectors).map { $0.with("type", .string($1.types.text(context))) })
        case "watchedAttributes": return watchedAttributes.map(names) ?? value
        case "geoQ":
            guard let geo, value["geoproperty"] != nil else { return value }
            return value.with("geoproperty", .string(context.compact(geo.property)))
        case "notification":
            guard let attributes = notification.attributes else { return value }
            return value.with("attributes", names(attributes))
        default: return value
        }
    }
}

extension JSON {
    fileprivate func with(_ name: String, _ value: JSON) -> JSON {
        guard case .object(var members) = self else { return self }
        members[name] = value
        return .object(members)
    }
}

extension TypeSelection {
    /// The selection in the names of a context (clause 4.17).
    fileprivate func text(_ context: Context) -> String {
        func joined(_ operands: [TypeSelection], _ operation: String) -> String {
            operands.map { if case .type = $0 { $0.text(context) } else { "(" + $0.text(context) + ")" } }.joined(separator: operation)
        }
        return switch self {
        case .any: "*"
        case .type(let type): context.compact(type)
        case .and(let operands): joined(operands, ";")
        case .or(let operands): joined(operands, ",")
        }
    }
}
