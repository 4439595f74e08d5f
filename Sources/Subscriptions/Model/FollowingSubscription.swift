package import CityModel
package import LinkedData
internal import OrderedCollections
package import Store

/// The subscription to registrations that there is for the sake of a subscription to entities (clauses 5.8.1.4, 5.8.2.4 and 5.8.5.4): it
/// asks of registrations what that one asks of entities.
///
/// It is made of the other one whenever somebody looks at it, so that it comes, changes and goes with it, and says what holds at any
/// moment. What it is told stays inside: its receiver is this municipality, which holds registrations against subscriptions whenever
/// one of them changes. So nothing of it is stored, and nothing is sent.
package struct FollowingSubscription: Sendable {
    /// The subscription to entities.
    package let followed: SubscriptionRecord

    /// What its identifier begins with; that of the subscription to entities comes after it.
    private static let prefix = "urn:ngsi-ld:Subscription:registrations-for:"

    package var id: String { Self.prefix + followed.id }

    /// The identifier of the subscription to entities that one goes with; nil for one that somebody made.
    static func followedID(of id: String) -> String? { id.hasPrefix(prefix) ? String(id.dropFirst(prefix.count)) : nil }

    /// What it says of registrations. It follows them also while notifications of entities are paused.
    private static let members = ["entities", "watchedAttributes", "geoQ", "scopeQ", "csf", "datasetId", "expiresAt", "localOnly", "jsonldContext"]

    /// As a subscription is answered, without anything of where the other one sends its notifications.
    package func answer(_ context: Context, includesSystemMembers: Bool, in municipality: MunicipalityName, at now: Instant) throws -> JSON {
        let whole = try followed.answer(context, includesSystemMembers: includesSystemMembers, at: now)
        var answer: JSONObject = [
            "id": .string(id), "type": "Subscription", "description": .string("which context sources subscription \(followed.id) concerns"),
        ]
        for name in Self.members { answer[name] = whole[name] }
        var notification: JSONObject = ["endpoint": ["uri": .string("conurb:\(municipality)"), "accept": "application/json"]]
        notification["attributes"] = whole["notification"]?["attributes"]
        answer["notification"] = .object(notification)
        answer["status"] = followed.hasExpired(at: now) ? "expired" : "active"
        for name in ["createdAt", "modifiedAt"] { answer[name] = whole[name] }
        return .object(answer)
    }
}

/// A subscription as a list shows it.
package enum ListedSubscription: Sendable {
    case made(SubscriptionRecord)
    case following(FollowingSubscription)

    package var id: String {
        switch self {
        case .made(let record): record.id
        case .following(let one): one.id
        }
    }

    package func answer(_ context: Context, includesSystemMembers: Bool, in municipality: MunicipalityName, at now: Instant) throws -> JSON {
        switch self {
        case .made(let record): try record.answer(context, includesSystemMembers: includesSystemMembers, at: now)
        case .following(let one): try one.answer(context, includesSystemMembers: includesSystemMembers, in: municipality, at: now)
        }
    }
}

extension ReadSnapshot {
    /// Subscriptions to registrations, by identifier: first those that somebody made, then those that follow for others. All of them
    /// are listed (clause 5.11.5.4).
    func sourceSubscriptions(offset: Int, limit: Int) throws -> (page: [ListedSubscription], count: Int) {
        let (madeCount, followingCount) = (try subscriptionCount(aboutSources: true), try subscriptionCount())
        var page = try subscriptions(offset: offset, limit: limit, aboutSources: true).map(ListedSubscription.made)
        if page.count < limit {
            let following = try subscriptions(offset: max(0, offset - madeCount), limit: limit - page.count)
            page += following.map { .following(FollowingSubscription(followed: $0)) }
        }
        return (page, madeCount + followingCount)
    }

    /// Nil where there is none of that identifier.
    func sourceSubscription(_ id: String) throws -> ListedSubscription? {
        if let followed = FollowingSubscription.followedID(of: id) {
            guard let record = try subscription(followed), !record.isAboutSources else { return nil }
            return .following(FollowingSubscription(followed: record))
        }
        return try subscription(id).flatMap { $0.isAboutSources ? .made($0) : nil }
    }
}
