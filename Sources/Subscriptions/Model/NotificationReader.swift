internal import CityModel
internal import OrderedCollections
internal import Query

/// Reads how subscribers are to be told (clause 5.2.14).
struct NotificationReader {
    private let value: JSON?
    private let expand: NameExpansion

    init(_ value: JSON?, expand: @escaping NameExpansion) { (self.value, self.expand) = (value, expand) }

    func parameters() throws(CityError) -> NotificationParams {
        guard let members = value?.objectValue else { throw .badRequestData("notification: an object with an endpoint") }
        guard let endpoint = members["endpoint"]?.objectValue else { throw .badRequestData("notification.endpoint: an object with a uri") }
        let format = try format(members["format"])
        let showsChanges = try bool(members, "showChanges")
        guard !showsChanges || format != .simplified else {
            throw .badRequestData("notification.showChanges: can't come with the format keyValues or simplified")
        }
        let attributes = try list(members, "attributes")
        let joinKind = try joinKind(members["join"])
        return NotificationParams(
            endpoint: try Endpoint(endpoint), format: format, projection: try projection(members, attributes),
            attributes: try attributes.map { list throws(CityError) in try NameTable.expand(list, "notification.attributes", expand) },
            joinKind: joinKind, joinLevel: try joinLevel(members["joinLevel"]), showsChanges: showsChanges,
            includesSystemMembers: try bool(members, "sysAttrs"))
    }

    private func format(_ value: JSON?) throws(CityError) -> NotificationParams.Format {
        guard let value else { return .normalized }
        if value == "keyValues" { return .simplified }
        guard let format = value.stringValue.flatMap(NotificationParams.Format.init) else {
            throw .badRequestData("notification.format: none of normalized, concise, simplified, keyValues")
        }
        return format
    }

    /// `attributes` is `pick` for attributes alone: identifier, types and scopes stay (table 5.2.14.1-1).
    private func projection(_ members: JSONObject, _ attributes: [String]?) throws(CityError) -> Projection {
        let (pick, omit) = (try list(members, "pick"), try list(members, "omit"))
        return try CityError.naming("notification.") { () throws(CityError) in
            let projection = try Projection(
                attrs: attributes?.joined(separator: ","), pick: pick?.joined(separator: ","), omit: omit?.joined(separator: ","),
                expand: expand)
            guard let attributes else { return projection }
            let kept = EntityMember.allCases.map(\.rawValue) + attributes
            return try Projection(pick: kept.joined(separator: ","), expand: expand)
        }
    }

    private func joinKind(_ value: JSON?) throws(CityError) -> String? {
        switch value {
        case nil, .string("@none"): return nil
        case .string("flat"): return "flat"
        case .string("inline"): return "inline"
        default: throw .badRequestData("notification.join: none of flat, inline and @none")
        }
    }

    private func joinLevel(_ value: JSON?) throws(CityError) -> Int {
        guard let value else { return 1 }
        guard let level = value.integerValue, (1...Int64(SubscriptionReader.joinLevelMax)).contains(level) else {
            throw .badRequestData("notification.joinLevel: a whole number between 1 and \(SubscriptionReader.joinLevelMax)")
        }
        return Int(level)
    }

    private func bool(_ members: JSONObject, _ name: String) throws(CityError) -> Bool {
        guard let value = members[name] else { return false }
        guard let flag = value.boolValue else { throw .badRequestData("notification.\(name): true or false, not a \(value.kindName)") }
        return flag
    }

    private func list(_ members: JSONObject, _ name: String) throws(CityError) -> [String]? {
        try members[name].map { value throws(CityError) in try NameTable.list(value, "notification." + name) }
    }
}

extension CityError {
    /// Lets what a part of a document throws name the member that the part is.
    static func naming<Value>(_ prefix: String, _ body: () throws(CityError) -> Value) throws(CityError) -> Value {
        do { return try body() } catch {
            switch error {
            case .badRequestData(let detail): throw .badRequestData(prefix + detail)
            case .tooComplexQuery(let detail): throw .tooComplexQuery(prefix + detail)
            default: throw error
            }
        }
    }
}
