package import CityModel
internal import LinkedData
internal import OrderedCollections

/// What the file keeps of a registration: its document with names expanded, so that what it means changes with no context.
package struct RegistrationDocument: Sendable {
    package var members: JSONObject
    package var createdAt: Instant
    package var modifiedAt: Instant

    /// The members of table 5.2.9-1; all others are properties of the source.
    static let known: Set<String> = [
        "id", "type", "endpoint", "contextSourceInfo", "information", "contextSourceAlias", "description", "datasetId", "expiresAt",
        "location", "management", "managementInterval", "mode", "observationInterval", "observationSpace", "operations", "operationSpace",
        "refreshRate", "registrationName", "scope", "tenant", "localOnly",
    ]
    /// What only the broker says (table 5.2.9-2).
    private static let madeByBroker: Set<String> = [
        "lastFailure", "lastSuccess", "status", "timesFailed", "timesSent", "createdAt", "modifiedAt", "@context",
    ]

    init(members: JSONObject, createdAt: Instant, modifiedAt: Instant) {
        (self.members, self.createdAt, self.modifiedAt) = (members, createdAt, modifiedAt)
    }

    /// - Throws: `internalFault` for what this program did not write.
    package init(_ json: JSON) throws(CityError) {
        guard let members = json["document"]?.objectValue, let createdAt = json["createdAt"]?.integerValue,
            let modifiedAt = json["modifiedAt"]?.integerValue
        else { throw .internalFault("a stored registration can't be read") }
        self.init(members: members, createdAt: Instant(microseconds: createdAt), modifiedAt: Instant(microseconds: modifiedAt))
    }

    var json: JSON {
        ["document": .object(members), "createdAt": .integer(createdAt.microseconds), "modifiedAt": .integer(modifiedAt.microseconds)]
    }

    /// The registration that the document describes.
    /// - Throws: `badRequestData`.
    package func registration(_ id: IRI) throws(CityError) -> Registration { try RegistrationReader(members, id: id).registration() }

    /// What a request gave, with names expanded and without what only the broker says.
    static func expanded(_ given: JSONObject, _ context: Context) throws(CityError) -> JSONObject {
        var members: JSONObject = [:]
        for (name, value) in given where !madeByBroker.contains(name) && name != "id" && name != "type" {
            try checkUTC(value, name)
            if name == "information" {
                members[name] = try information(value, context)
            } else if known.contains(name) {
                members[name] = value
            } else {
                guard let property = context.expand(name) else { throw .badRequestData("\(name.prefix(100)): is not a property's name") }
                members[property.text] = value
            }
        }
        return members
    }

    /// Clause 4.6.3. What is stored already may have been taken when this was not asked for, and is understood all the same.
    private static func checkUTC(_ value: JSON, _ name: String) throws(CityError) {
        let moments: [(name: String, value: JSON?)] =
            switch name {
            case "expiresAt": [(name, value)]
            case "observationInterval", "managementInterval": ["startAt", "endAt"].map { ("\(name).\($0)", value[$0]) }
            default: []
            }
        for case (let name, let moment?) in moments where moment.stringValue.map({ $0.utf8.last != UInt8(ascii: "Z") }) ?? false {
            throw .badRequestData("\(name): \(moment) is not a date and time in UTC (clause 4.6.3)")
        }
    }

    private static func information(_ value: JSON, _ context: Context) throws(CityError) -> JSON {
        guard let elements = value.arrayValue else { return value }
        var expanded: [JSON] = []
        for element in elements {
            guard case .object(var members) = element else { return value }
            for name in ["propertyNames", "relationshipNames"] {
                members[name] = try members[name].map { value throws(CityError) in try names(value, "information." + name, context) }
            }
            if let entities = members["entities"]?.arrayValue { members["entities"] = .array(try entities.map { entity throws(CityError) in
                guard case .object(var members) = entity else { return entity }
                members["type"] = try members["type"].map { value throws(CityError) in try names(value, "information.entities.type", context) }
                return .object(members)
            }) }
            expanded.append(.object(members))
        }
        return .array(expanded)
    }

    private static func names(_ value: JSON, _ path: String, _ context: Context) throws(CityError) -> JSON {
        func expand(_ value: JSON) throws(CityError) -> JSON {
            guard let text = value.stringValue, let name = context.expand(text) else { throw .badRequestData("\(path): \(value) is not a name") }
            return .string(name.text)
        }
        guard let elements = value.arrayValue else { return try expand(value) }
        guard !elements.isEmpty else { throw .badRequestData("\(path): an empty array") }
        var expanded: [JSON] = []
        for element in elements { expanded.append(try expand(element)) }
        return .array(expanded)
    }
}
