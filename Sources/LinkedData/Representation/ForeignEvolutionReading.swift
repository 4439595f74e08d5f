public import CityModel
internal import OrderedCollections

extension EntityReader {
    private static let instanceIDByteCountMax = 2048

    /// The temporal evolution of an entity as a context source answers it: instances in full (clauses 4.5.6 to 4.5.8 and 5.2.20).
    /// - Parameter time: the timestamp that an instance is placed by; an instance without one is passed over.
    public func temporalEntity(
        _ json: JSON, time: (_ attribute: Attribute, _ deletedAt: Instant?) -> Instant?
    ) throws(CityError) -> TemporalEntity {
        guard case .object(let members) = json else { throw .badRequestData("an entity is a JSON object, not a \(json.kindName)") }
        guard let id = try (members["id"] ?? members["@id"]).map({ value throws(CityError) in try Self.identifier(value, member: "id") }) else {
            throw .badRequestData("id: is missing")
        }
        guard let types = try (members["type"] ?? members["@type"]).map({ value throws(CityError) in try self.types(value, member: "type") }) else {
            throw .badRequestData("type: is missing")
        }
        func moment(_ name: String) throws(CityError) -> Instant? {
            try members[name].map { value throws(CityError) in try Self.instant(value, member: name) }
        }
        var attributes: OrderedDictionary<IRI, [TemporalInstance]> = [:]
        for (name, value) in members where !Self.frame.contains(name) {
            guard !Self.reservedNames.contains(name) else { throw .badRequestData("\(name): can't be an attribute's name (clause 4.5.1)") }
            let attribute = try attributeName(name)
            for element in value.arrayValue ?? [value] {
                if let instance = try temporalInstance(element, path: name, time) { attributes[attribute, default: []].append(instance) }
            }
        }
        var entity = TemporalEntity(
            id: id, types: types, createdAt: try moment("createdAt"), modifiedAt: try moment("modifiedAt"), deletedAt: try moment("deletedAt"),
            content: .instances(attributes))
        if let scope = members["scope"] { entity.scopes = try scopeInstances(scope, time) }
        return entity
    }

    private static let frame: Set<String> = [
        "@context", "id", "@id", "type", "@type", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt",
    ]

    private func temporalInstance(
        _ json: JSON, path: String, _ time: (Attribute, Instant?) -> Instant?
    ) throws(CityError) -> TemporalInstance? {
        guard json.objectValue != nil else { throw .badRequestData("\(path): an instance of a history is an object (clause 4.5.7)") }
        let attribute = try instance(json, path: path)
        let deletedAt = try json["deletedAt"].map { value throws(CityError) in try Self.instant(value, member: "\(path).deletedAt") }
        guard let moment = time(attribute, deletedAt) else { return nil }
        let id = json["instanceId"]?.stringValue.flatMap { $0.utf8.count <= Self.instanceIDByteCountMax ? $0 : nil }
        return TemporalInstance(attribute: attribute, deletedAt: deletedAt, time: moment, instanceID: id ?? "")
    }

    /// Scopes that are no instances have no place in time.
    private func scopeInstances(_ json: JSON, _ time: (Attribute, Instant?) -> Instant?) throws(CityError) -> [TemporalInstance] {
        var instances: [TemporalInstance] = []
        for element in json.arrayValue ?? [json] where element.objectValue != nil {
            guard let value = element["value"] else { throw .badRequestData("scope: an instance of a Property, with a value (clause 4.5.6)") }
            _ = try scopes(value)
            var attribute = Attribute(kind: .property, value: value)
            attribute.observedAt = try element["observedAt"].map { value throws(CityError) in try Self.instant(value, member: "scope.observedAt") }
            attribute.createdAt = try element["createdAt"].map { value throws(CityError) in try Self.instant(value, member: "scope.createdAt") }
            attribute.modifiedAt = try element["modifiedAt"].map { value throws(CityError) in try Self.instant(value, member: "scope.modifiedAt") }
            let deletedAt = try element["deletedAt"].map { value throws(CityError) in try Self.instant(value, member: "scope.deletedAt") }
            if let moment = time(attribute, deletedAt) {
                instances.append(TemporalInstance(attribute: attribute, deletedAt: deletedAt, time: moment, instanceID: ""))
            }
        }
        return instances
    }
}
