package import CityModel
internal import OrderedCollections

/// What the file keeps of a subscription beside what the store decides by: its document as it was given, and what the names
/// in it stand for.
package struct SubscriptionBody: Sendable {
    /// The members of table 5.2.12-1 that were given; none of those that the broker makes.
    package var document: JSONObject
    package var names: NameTable
    /// The URL of the context that notifications are written with.
    package var contextURL: String
    package var createdAt: Instant
    package var modifiedAt: Instant
    /// Where the request that created it had been: its `Via` (clause 4.3.6.4).
    package var via: [String] = []

    package init(document: JSONObject, names: NameTable, contextURL: String, createdAt: Instant, modifiedAt: Instant) {
        (self.document, self.names, self.contextURL) = (document, names, contextURL)
        (self.createdAt, self.modifiedAt) = (createdAt, modifiedAt)
    }

    /// - Throws: `internalFault` for what this program did not write.
    package init(_ json: JSON) throws(CityError) {
        guard let document = json["document"]?.objectValue, let contextURL = json["context"]?.stringValue,
            let createdAt = json["createdAt"]?.integerValue, let modifiedAt = json["modifiedAt"]?.integerValue
        else { throw .internalFault("a stored subscription can't be read") }
        self.init(
            document: document, names: NameTable(json["names"]), contextURL: contextURL,
            createdAt: Instant(microseconds: createdAt), modifiedAt: Instant(microseconds: modifiedAt))
        via = json["via"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    package var json: JSON {
        var members: JSONObject = [
            "document": .object(document), "names": names.json, "context": .string(contextURL),
            "createdAt": .integer(createdAt.microseconds), "modifiedAt": .integer(modifiedAt.microseconds),
        ]
        if !via.isEmpty { members["via"] = .array(via.map(JSON.string)) }
        return .object(members)
    }

    package func subscription() throws(CityError) -> Subscription {
        try SubscriptionReader(document) { names.expansion($0) }.subscription()
    }

    /// The members that clients may give (table 5.2.12-1); everything else is passed over, as that table asks for what the
    /// broker makes itself.
    private static let members: Set<String> = [
        "id", "type", "entities", "notification", "notificationTrigger", "watchedAttributes", "q", "geoQ", "scopeQ", "temporalQ", "csf",
        "datasetId", "description", "expandValues", "expiresAt", "isActive", "jsonKeys", "jsonldContext", "lang", "localOnly",
        "ngsildConformance", "splitEntities", "subscriptionName", "throttling", "timeInterval",
    ]
    private static let madeByBroker: Set<String> = ["lastFailure", "lastNotification", "lastSuccess", "status", "timesFailed", "timesSent"]

    /// Clause 4.6.3. What is stored already may have been taken when this was not asked for, and is understood all the same.
    package static func checkUTC(_ given: JSONObject) throws(CityError) {
        guard let text = given["expiresAt"]?.stringValue, text != Attribute.nullText, text.utf8.last != UInt8(ascii: "Z") else { return }
        throw .badRequestData("expiresAt: \(text.prefix(100)) is not a date and time in UTC (clause 4.6.3)")
    }

    /// A document without what only the broker says.
    package static func given(_ document: JSONObject) -> JSONObject {
        var given = document.filter { members.contains($0.key) }
        if case .object(let notification)? = given["notification"] {
            given["notification"] = .object(notification.filter { !madeByBroker.contains($0.key) })
        }
        return given
    }
}
