internal import CityModel
internal import OrderedCollections

/// One instance of an attribute: its kind, its qualifiers, its own attributes.
extension EntityReader {
    /// Terms of the core context for what is no attribute (clause 4.5.1): neither entities nor attributes have attributes of
    /// these names.
    static let reservedNames: Set<String> = [
        "datasetId", "observedAt", "unitCode", "valueType", "objectType", "instanceId", "entity", "entityList", "previousValue",
        "previousObject", "previousLanguageMap", "previousVocab", "previousValueList", "previousObjectList", "previousJson",
        "entityIdSealed", "entityTypeSealed",
    ]
    /// Members of an instance that are not attributes of the attribute.
    private static let instanceMembers = reservedNames.union(valueMembers)
    /// Members that this program writes and no client can set (clause 5.2.2): they are passed over.
    private static let outputMembers: Set<String> = ["createdAt", "modifiedAt", "deletedAt", "instanceId"]
    private static let valueMembers = AttributeKind.allCases.map(\.valueMember)

    func isInstanceObject(_ json: JSON) -> Bool {
        guard let members = json.objectValue else { return false }
        if let type = members["type"]?.stringValue, AttributeKind(rawValue: type) != nil { return true }
        return members["datasetId"] != nil || Self.valueMembers.contains { members[$0] != nil }
    }

    /// Whether a value stands for itself: no object that describes an instance.
    func isBare(_ json: JSON) -> Bool {
        switch json {
        case .object(let members): impliedKind(members) == nil && members["type"] == nil
        case .array(let elements): !elements.allSatisfy(isInstanceObject)
        default: true
        }
    }

    func instance(_ json: JSON, path: String, isProof: Bool = false) throws(CityError) -> Attribute {
        guard case .object(let members) = json else { return try bareProperty(json, path: path) }
        if let kind = try declaredKind(members, path: path) {
            guard let value = members[kind.valueMember] else {
                throw .badRequestData("\(path).\(kind.valueMember): a \(kind.rawValue) has a \(kind.valueMember)")
            }
            return try read(members, kind: kind, value: value, path: path, isProof: isProof)
        }
        if isGeometry(json) { return try geoProperty(json, path: path) }
        guard let kind = impliedKind(members), let value = members[kind.valueMember] else { return try bareProperty(json, path: path) }
        return try read(members, kind: kind, value: value, path: path, isProof: isProof)
    }

    private func bareProperty(_ json: JSON, path: String) throws(CityError) -> Attribute {
        Attribute(kind: .property, value: try propertyValue(json, path: path))
    }

    /// The kind that `type` names; nil when there is no `type` or it names a GeoJSON geometry.
    func declaredKind(_ members: JSONObject, path: String) throws(CityError) -> AttributeKind? {
        guard let type = members["type"] else { return nil }
        if let text = type.stringValue, let kind = AttributeKind(rawValue: text) { return kind }
        if let text = type.stringValue, Geometry.Kind(rawValue: text) != nil, members["coordinates"] != nil { return nil }
        throw .badRequestData("\(path).type: \(type) is not a kind of attribute")
    }

    /// The kind that the presence of a value member implies (clause 4.5.2.3).
    func impliedKind(_ members: JSONObject) -> AttributeKind? {
        guard let kind = AttributeKind.allCases.first(where: { $0 != .geoProperty && members[$0.valueMember] != nil }) else { return nil }
        if kind == .property, let value = members["value"], isGeometry(value) { return .geoProperty }
        return kind
    }

    private func isGeometry(_ json: JSON) -> Bool {
        guard let type = json["type"]?.stringValue, json["coordinates"] != nil else { return false }
        return Geometry.Kind(rawValue: type) != nil
    }

    func read(
        _ members: JSONObject, kind: AttributeKind, value: JSON, path: String, isProof: Bool = false
    ) throws(CityError) -> Attribute {
        var attribute = Attribute(kind: kind, value: .null)
        for (name, member) in members {
            switch name {
            case "type": continue
            case kind.valueMember: attribute.value = try self.value(value, kind: kind, path: "\(path).\(name)")
            case "datasetId": attribute.datasetID = try datasetID(member, path: path)
            case "observedAt": attribute.observedAt = try Self.instant(member, member: "\(path).observedAt")
            case "expiresAt": attribute.expiresAt = try Self.instant(member, member: "\(path).expiresAt")
            case "unitCode": attribute.unitCode = try unitCode(member, kind: kind, path: path)
            case "valueType": attribute.valueType = try valueType(member, kind: kind, path: "\(path).valueType")
            case "objectType": attribute.objectTypes = try types(member, member: "\(path).objectType")
            case "createdAt" where keepsTimes: attribute.createdAt = try Self.instant(member, member: name)
            case "modifiedAt" where keepsTimes: attribute.modifiedAt = try Self.instant(member, member: name)
            case "@context": throw .badRequestData("\(path).@context: a context can't be embedded in an attribute (clause 5.5.7)")
            case _ where Self.outputMembers.contains(name): continue
            // What an answer with linked entities carried may come back with the relationship.
            case "entity" where kind == .relationship, "entityList" where kind == .listRelationship: continue
            case "entityIdSealed" where isProof, "entityTypeSealed" where isProof: try seal(&attribute, name, member, path: path)
            case _ where Self.instanceMembers.contains(name):
                throw .badRequestData("\(path).\(name): a \(kind.rawValue) has no \(name)")
            default:
                let expanded = try attributeName(name)
                guard expanded != .entityIDSealed, expanded != .entityTypeSealed else {
                    throw .badRequestData("\(path).\(name): only ngsildproof has this member, by its short name")
                }
                attribute.subattributes[expanded] = try instances(member, path: "\(path).\(name)")
            }
        }
        return attribute
    }

    /// The sealed identifier and type of a proof: texts, not attributes, though kept as such (clause 4.5.2.2).
    private func seal(_ proof: inout Attribute, _ name: String, _ json: JSON, path: String) throws(CityError) {
        guard let text = json.stringValue else { throw .badRequestData("\(path).\(name): a text, not a \(json.kindName)") }
        if name == "entityIdSealed" {
            let id = try Self.identifier(json, member: "\(path).\(name)")
            proof.subattributes[.entityIDSealed] = [Attribute(kind: .property, value: .string(id.text))]
        } else {
            guard let type = context.expand(text) else { throw .badRequestData("\(path).\(name): \(text) is not an entity type") }
            proof.subattributes[.entityTypeSealed] = [Attribute(kind: .vocabProperty, value: .string(type.text))]
        }
    }

    private func valueType(_ json: JSON, kind: AttributeKind, path: String) throws(CityError) -> IRI? {
        let type = try types(json, member: path).first
        if kind == .languageProperty, purpose != .stored, type != context.expand("langString") {
            throw .badRequestData("\(path): the type of a LanguageProperty's value is langString (clause 5.2.32)")
        }
        return type
    }

    private func datasetID(_ json: JSON, path: String) throws(CityError) -> IRI? {
        guard json != "@none" else { return nil }
        return try Self.identifier(json, member: "\(path).datasetId")
    }

    private func unitCode(_ json: JSON, kind: AttributeKind, path: String) throws(CityError) -> String? {
        guard let text = json.stringValue, !text.isEmpty else { throw .badRequestData("\(path).unitCode: a unit code is a text") }
        guard kind == .property || kind == .listProperty else { throw .badRequestData("\(path).unitCode: a \(kind.rawValue) has no unit") }
        return text
    }
}
