internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Query

/// Reads a subscription out of its document and checks everything that clause 5.2.12 restricts.
struct SubscriptionReader {
    private let members: JSONObject
    private let names: (NameTable.Member) -> NameExpansion

    static let selectorCountMax = 100
    static let listCountMax = 1000
    static let joinLevelMax = 5

    /// - Parameter names: how the names in a member of the document expand.
    init(_ document: JSONObject, names: @escaping (NameTable.Member) -> NameExpansion) {
        (members, self.names) = (document, names)
    }

    /// - Throws: `badRequestData` that names the member at fault.
    func subscription() throws(CityError) -> Subscription {
        guard members["type"] == "Subscription" else { throw .badRequestData("type: a subscription's type is Subscription") }
        let notification = try NotificationReader(members["notification"], expand: names(.notification)).parameters()
        let watched = try watchedAttributes()
        var subscription = Subscription(
            id: try id(), selectors: try selectors(), watchedAttributes: watched, triggers: try triggers(), query: try query(),
            geo: try geo(), scopes: try text("scopeQ").map { text throws(CityError) in try ScopeQuery(parsing: text) },
            temporal: try temporal(), sourceFilter: try sourceFilter(),
            datasets: try list("datasetId").map { list throws(CityError) in try DatasetSelection(parsing: list.joined(separator: ",")) },
            language: try language(), isActive: try bool("isActive") ?? true, expiresAt: try moment("expiresAt"),
            timeIntervalSeconds: try seconds("timeInterval"), throttlingSeconds: try seconds("throttling"),
            jsonldContext: try text("jsonldContext"), conformance: try conformance(), notification: notification)
        subscription.isLocalOnly = try bool("localOnly") ?? false
        subscription.isSplit = try bool("splitEntities") ?? false
        try checkTexts()
        try check(subscription)
        return subscription
    }

    /// What members forbid one another or need (table 5.2.12-1).
    private func check(_ subscription: Subscription) throws(CityError) {
        let isLocal = subscription.isLocalOnly
        guard subscription.selectors != nil || subscription.watchedAttributes != nil || isLocal else {
            throw .badRequestData("entities: a subscription names entities or watchedAttributes, or is localOnly")
        }
        if subscription.selectors?.contains(where: { $0.types == .any }) ?? false, try bool("localOnly") == false {
            throw .badRequestData("localOnly: type * is possible in the local scope only (clause 5.2.33)")
        }
        if subscription.timeIntervalSeconds != nil {
            guard subscription.watchedAttributes == nil else {
                throw .badRequestData("watchedAttributes: can't come with timeInterval")
            }
            guard subscription.throttlingSeconds == nil else { throw .badRequestData("throttling: can't come with timeInterval") }
            guard subscription.selectors != nil || isLocal else { throw .badRequestData("entities: timeInterval needs them") }
        }
        let linkDepthMax = subscription.notification.joinKind == nil ? 0 : subscription.notification.joinLevel
        guard subscription.notification.projection.linkDepth <= linkDepthMax else {
            throw .badRequestData("notification.pick: members of linked entities need join and its joinLevel")
        }
    }

    /// Members that are kept and have no effect on notifications.
    private func checkTexts() throws(CityError) {
        for name in ["description", "subscriptionName", "jsonKeys"] { _ = try text(name) }
    }

    private func sourceFilter() throws(CityError) -> QueryExpression? {
        guard let csf = try text("csf") else { return nil }
        return try QueryExpression(parsing: csf, expand: names(.query), parameter: "csf")
    }

    private func temporal() throws(CityError) -> TemporalQuery? {
        guard let value = members["temporalQ"] else { return nil }
        guard let query = value.objectValue else { throw .badRequestData("temporalQ: an object, not a \(value.kindName)") }
        func text(_ name: String) throws(CityError) -> String? {
            guard let value = query[name] else { return nil }
            guard let text = value.stringValue else { throw .badRequestData("temporalQ.\(name): a text, not a \(value.kindName)") }
            return text
        }
        guard query["timerel"] != nil else { throw .badRequestData("temporalQ.timerel: is missing (clause 5.2.21)") }
        return try TemporalQuery.parsing(
            timerel: text("timerel"), timeAt: text("timeAt"), endTimeAt: text("endTimeAt"), timeproperty: text("timeproperty"))
    }

    private func id() throws(CityError) -> IRI? {
        guard let value = members["id"] else { return nil }
        guard let id = value.stringValue.flatMap({ IRI($0) }) else { throw .badRequestData("id: a subscription's id is a URI") }
        return id
    }

    private func selectors() throws(CityError) -> [EntitySelector]? {
        guard let value = members["entities"] else { return nil }
        guard let elements = value.arrayValue, !elements.isEmpty, elements.count <= Self.selectorCountMax else {
            throw .badRequestData("entities: an array of 1 to \(Self.selectorCountMax) selectors")
        }
        var selectors: [EntitySelector] = []
        for element in elements { selectors.append(try selector(element)) }
        return selectors
    }

    private func selector(_ json: JSON) throws(CityError) -> EntitySelector {
        guard json.objectValue != nil else { throw .badRequestData("entities: every selector is an object") }
        guard let type = json["type"]?.stringValue else { throw .badRequestData("entities.type: every selector names a type") }
        let ids = try ids(json["id"])
        // Identifiers say more than a pattern (clause 5.2.33).
        var pattern: IDPattern?
        if ids == nil, let value = json["idPattern"] {
            guard let text = value.stringValue else { throw .badRequestData("entities.idPattern: a text") }
            pattern = try IDPattern(text, parameter: "entities.idPattern")
        }
        let types = try TypeSelection(parsing: type, expand: names(.entities), parameter: "entities.type")
        return EntitySelector(types: types, ids: ids, idPattern: pattern)
    }

    private func ids(_ value: JSON?) throws(CityError) -> Set<IRI>? {
        guard let value else { return nil }
        let texts = value.arrayValue ?? [value]
        guard !texts.isEmpty, texts.count <= Self.listCountMax else {
            throw .badRequestData("entities.id: a URI or an array of 1 to \(Self.listCountMax)")
        }
        var ids: Set<IRI> = []
        for text in texts {
            guard let id = text.stringValue.flatMap({ IRI($0) }) else { throw .badRequestData("entities.id: \(text) is not a URI") }
            ids.insert(id)
        }
        return ids
    }

    private func watchedAttributes() throws(CityError) -> [IRI]? {
        guard let list = try list("watchedAttributes") else { return nil }
        return try NameTable.expand(list, "watchedAttributes", names(.watchedAttributes))
    }

    private func triggers() throws(CityError) -> Set<NotificationTrigger> {
        guard let list = try list("notificationTrigger") else { return NotificationTrigger.standard }
        var triggers: Set<NotificationTrigger> = []
        for text in list {
            guard let trigger = NotificationTrigger(rawValue: text) else {
                throw .badRequestData("notificationTrigger: \(text) is none of \(NotificationTrigger.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            triggers.insert(trigger)
        }
        return triggers
    }

    private func query() throws(CityError) -> QueryExpression? {
        var expanded: Set<IRI> = []
        if let text = try listText("expandValues") {
            expanded = try QueryExpression.attributeNames(parsing: text, expand: names(.query))
        }
        guard let text = try text("q") else { return nil }
        return try QueryExpression(parsingBody: text, expand: names(.query), expandValues: expanded)
    }

    private func geo() throws(CityError) -> GeoQuery? {
        guard let value = members["geoQ"] else { return nil }
        guard let georel = value["georel"]?.stringValue, let geometry = value["geometry"]?.stringValue, let coordinates = value["coordinates"]
        else { throw .badRequestData("geoQ: an object with georel, geometry and coordinates") }
        let property = value["geoproperty"]
        guard property == nil || property?.stringValue != nil else { throw .badRequestData("geoQ.geoproperty: a text") }
        return try CityError.naming("geoQ.") { () throws(CityError) in
            try GeoQuery(
                georel: georel, geometry: geometry, coordinates: coordinates, geoproperty: property?.stringValue, expand: names(.geoQ))
        }
    }

    /// Read for its errors; what it says is read again when notifications are written.
    private func language() throws(CityError) -> String? {
        guard let text = try text("lang") else { return nil }
        _ = try LanguagePreference(text)
        return text
    }

    private func conformance() throws(CityError) -> String? {
        guard let text = try text("ngsildConformance") else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts[0] == "1", parts.allSatisfy({ Int($0) != nil }) else {
            throw .badRequestData("ngsildConformance: a version such as 1.6, not \(text.prefix(50))")
        }
        return text
    }

    // MARK: - Kinds of members

    private func text(_ name: String) throws(CityError) -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.stringValue else { throw .badRequestData("\(name): a text, not a \(value.kindName)") }
        return text
    }

    private func bool(_ name: String) throws(CityError) -> Bool? {
        guard let value = members[name] else { return nil }
        guard let flag = value.boolValue else { throw .badRequestData("\(name): true or false, not a \(value.kindName)") }
        return flag
    }

    private func seconds(_ name: String) throws(CityError) -> Double? {
        guard let value = members[name] else { return nil }
        guard let seconds = value.doubleValue, seconds > 0, seconds <= 1e9 else {
            throw .badRequestData("\(name): a number of seconds above 0")
        }
        return seconds
    }

    private func moment(_ name: String) throws(CityError) -> Instant? {
        guard let text = try text(name) else { return nil }
        guard let moment = Instant(text) else { throw .badRequestData("\(name): \(text.prefix(100)) is not a date and time (clause 4.6.3)") }
        return moment
    }

    private func list(_ name: String) throws(CityError) -> [String]? {
        try members[name].map { value throws(CityError) in try NameTable.list(value, name) }
    }

    /// A list, or the text of one with its commas.
    private func listText(_ name: String) throws(CityError) -> String? {
        if let text = members[name]?.stringValue { return text }
        return try list(name)?.joined(separator: ",")
    }
}
