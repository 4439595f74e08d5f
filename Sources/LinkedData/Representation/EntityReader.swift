public import CityModel
internal import OrderedCollections

/// How names come into the program: `Context` expands terms; the store's own documents carry full names.
public protocol NameReading: Sendable {
    /// The type or attribute that a name stands for; nil when it stands for none.
    func expand(_ name: String) -> IRI?
    /// The identifier that a text stands for; nil when it is to be taken as it is.
    func expandIdentifier(_ text: String) -> String?
}

/// Reads entities, entity fragments and attributes in normalized, concise or simplified representation
/// (clauses 4.5.1 to 4.5.4 and 4.5.18 to 4.5.25), expanding their names.
public struct EntityReader: Sendable {
    /// What a document is for decides where NGSI-LD Nulls may stand (clause 5.5.4).
    public enum Purpose: Sendable {
        /// Create, replace or append: nothing may be null.
        case content
        /// Partial update: an attribute may be null.
        case update
        /// Merge: an attribute and the members of its value may be null.
        case merge
        /// What this program wrote itself: creation and modification times count.
        case stored
    }

    private let context: any NameReading
    private let purpose: Purpose

    public init(context: any NameReading, purpose: Purpose) {
        self.context = context
        self.purpose = purpose
    }

    private var allowsNull: Bool { purpose == .update || purpose == .merge }

    /// The most instances that one attribute may have in one document.
    public static let instanceCountMax = 1000

    /// - Parameter json: the entity's JSON object; `@context` in it is passed over.
    /// - Throws: `badRequestData` whose detail begins with the name of the member at fault.
    public func fragment(_ json: JSON) throws(CityError) -> EntityFragment {
        guard case .object(let members) = json else { throw .badRequestData("an entity is a JSON object, not a \(json.kindName)") }
        var fragment = EntityFragment()
        for (name, value) in members {
            switch name {
            case "@context", "deletedAt": continue
            case "createdAt": if purpose == .stored { fragment.createdAt = try Self.instant(value, member: name) }
            case "modifiedAt": if purpose == .stored { fragment.modifiedAt = try Self.instant(value, member: name) }
            case "id", "@id": fragment.id = try Self.identifier(value, member: name)
            case "type", "@type": fragment.types = try types(value, member: name)
            case "scope": fragment.scopes = try scopes(value)
            case "expiresAt": fragment.expiresAt = try Self.instant(value, member: name)
            case _ where Self.reservedNames.contains(name):
                throw .badRequestData("\(name): this name is reserved and can't be an attribute's (clause 4.5.1)")
            default:
                let expanded = try attributeName(name)
                if isBare(value) { fragment.bareAttributes.insert(expanded) }
                let instances = try instances(value, path: name, isProof: expanded == .ngsildProof)
                try check(instances, of: expanded, path: name)
                fragment.attributes[expanded] = instances
            }
        }
        return fragment
    }

    /// The instances that the value of one attribute's member describes: one, or an array of instances.
    /// - Parameter isProof: whether the attribute is `ngsildproof`, which alone may seal the entity's identifier and type.
    public func instances(_ json: JSON, path: String, isProof: Bool = false) throws(CityError) -> [Attribute] {
        guard case .array(let elements) = json, !elements.isEmpty, elements.allSatisfy(isInstanceObject) else {
            return [try instance(json, path: path, isProof: isProof)]
        }
        guard elements.count <= Self.instanceCountMax else {
            throw .badRequestData("\(path): at most \(Self.instanceCountMax) instances")
        }
        var instances: [Attribute] = []
        var seen: Set<IRI?> = []
        for (index, element) in elements.enumerated() {
            let instance = try instance(element, path: "\(path)[\(index)]", isProof: isProof)
            guard seen.insert(instance.datasetID).inserted else {
                throw .badRequestData("\(path)[\(index)].datasetId: two instances have the same datasetId")
            }
            instances.append(instance)
        }
        return instances
    }

    /// The fragment of one attribute, as partial attribute updates carry it: the value member may be missing.
    /// - Returns: nil for `kind` or `value` where the fragment does not say them.
    public func attributeFragment(_ json: JSON, path: String) throws(CityError) -> AttributeFragment {
        guard case .object(let members) = json else { return AttributeFragment(whole: try instance(json, path: path)) }
        let kind = try declaredKind(members, path: path) ?? impliedKind(members)
        guard let kind, members[kind.valueMember] != nil else {
            var members = members
            members["type"] = nil
            let attribute = try read(members, kind: kind ?? .property, value: .null, path: path)
            return AttributeFragment(kind: kind, hasValue: false, attribute: attribute)
        }
        return AttributeFragment(kind: kind, hasValue: true, attribute: try instance(json, path: path))
    }

    private func attributeName(_ name: String) throws(CityError) -> IRI {
        guard !name.hasPrefix("@") else { throw .badRequestData("\(name): a JSON-LD keyword can't be an attribute's name") }
        guard isName(name), let expanded = context.expand(name) else {
            throw .badRequestData("\(name): not a valid attribute name")
        }
        return expanded
    }

    /// Names begin with a letter (clause 4.6.2). What may follow is left to the rules for IRIs, for deployed data has names
    /// such as `PM2.5`.
    private func isName(_ name: String) -> Bool { purpose == .stored || name.first?.isLetter ?? false }

    /// What the information model says of single attributes (clauses 4.5.2.2 and 4.7.1).
    private func check(_ instances: [Attribute], of name: IRI, path: String) throws(CityError) {
        guard purpose != .stored else { return }
        switch name {
        case .location, .observationSpace, .operationSpace:
            guard instances.allSatisfy({ $0.kind == .geoProperty || $0.isNull }) else {
                throw .badRequestData("\(path): is a GeoProperty and nothing else (clause 4.7.1)")
            }
        case .ngsildProof:
            guard instances.allSatisfy({ $0.kind == .property && ($0.value.objectValue != nil || $0.isNull) }) else {
                throw .badRequestData("\(path): is a Property whose value is an object, the proof (clause 4.5.2.2)")
            }
        default: break
        }
    }

    private func types(_ json: JSON, member: String) throws(CityError) -> [IRI] {
        let names: [JSON] = json.arrayValue ?? [json]
        guard !names.isEmpty else { throw .badRequestData("\(member): at least one entity type") }
        var types: [IRI] = []
        for name in names {
            guard let text = name.stringValue, text != Attribute.nullText, isName(text), let type = context.expand(text) else {
                throw .badRequestData("\(member): \(name) is not an entity type")
            }
            if !types.contains(type) { types.append(type) }
        }
        return types
    }

    private func scopes(_ json: JSON) throws(CityError) -> [Scope] {
        if json == .string(Attribute.nullText) || json == .null {
            guard allowsNull else { throw .badRequestData("scope: null is not a scope") }
            return []
        }
        var scopes: [Scope] = []
        for value in json.arrayValue ?? [json] {
            guard let text = value.stringValue, let scope = Scope(text) else {
                throw .badRequestData("scope: \(value) is not a scope such as /Region/Town")
            }
            if !scopes.contains(scope) { scopes.append(scope) }
        }
        return scopes
    }
}

/// What a partial attribute update says (clause 5.6.4).
public struct AttributeFragment: Sendable {
    /// Nil when the fragment neither names nor implies one.
    public let kind: AttributeKind?
    public let hasValue: Bool
    /// What was said; `kind` and `value` count only where the two above say so.
    public let attribute: Attribute

    init(whole: Attribute) { (kind, hasValue, attribute) = (nil, true, whole) }

    init(kind: AttributeKind?, hasValue: Bool, attribute: Attribute) {
        (self.kind, self.hasValue, self.attribute) = (kind, hasValue, attribute)
    }
}

// MARK: - One instance

extension EntityReader {
    /// Terms of the core context for what is no attribute (clause 4.5.1): neither entities nor attributes have attributes of
    /// these names.
    private static let reservedNames: Set<String> = [
        "datasetId", "observedAt", "unitCode", "valueType", "objectType", "instanceId", "entity", "entityList", "previousValue",
        "previousObject", "previousLanguageMap", "previousVocab", "previousValueList", "previousObjectList", "previousJson",
        "entityIdSealed", "entityTypeSealed",
    ]
    /// Members of an instance that are not attributes of the attribute.
    private static let instanceMembers = reservedNames.union(valueMembers)
    /// Members that this program writes and no client can set (clause 5.2.2): they are passed over.
    private static let outputMembers: Set<String> = ["createdAt", "modifiedAt", "deletedAt", "instanceId"]
    private static let valueMembers = AttributeKind.allCases.map(\.valueMember)

    private func isInstanceObject(_ json: JSON) -> Bool {
        guard let members = json.objectValue else { return false }
        if let type = members["type"]?.stringValue, AttributeKind(rawValue: type) != nil { return true }
        return members["datasetId"] != nil || Self.valueMembers.contains { members[$0] != nil }
    }

    /// Whether a value stands for itself: no object that describes an instance.
    private func isBare(_ json: JSON) -> Bool {
        switch json {
        case .object(let members): impliedKind(members) == nil && members["type"] == nil
        case .array(let elements): !elements.allSatisfy(isInstanceObject)
        default: true
        }
    }

    private func instance(_ json: JSON, path: String, isProof: Bool = false) throws(CityError) -> Attribute {
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
    private func declaredKind(_ members: JSONObject, path: String) throws(CityError) -> AttributeKind? {
        guard let type = members["type"] else { return nil }
        if let text = type.stringValue, let kind = AttributeKind(rawValue: text) { return kind }
        if let text = type.stringValue, Geometry.Kind(rawValue: text) != nil, members["coordinates"] != nil { return nil }
        throw .badRequestData("\(path).type: \(type) is not a kind of attribute")
    }

    /// The kind that the presence of a value member implies (clause 4.5.2.3).
    private func impliedKind(_ members: JSONObject) -> AttributeKind? {
        guard let kind = AttributeKind.allCases.first(where: { $0 != .geoProperty && members[$0.valueMember] != nil }) else { return nil }
        if kind == .property, let value = members["value"], isGeometry(value) { return .geoProperty }
        return kind
    }

    private func isGeometry(_ json: JSON) -> Bool {
        guard let type = json["type"]?.stringValue, json["coordinates"] != nil else { return false }
        return Geometry.Kind(rawValue: type) != nil
    }

    private func read(
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
            case "createdAt" where purpose == .stored: attribute.createdAt = try Self.instant(member, member: name)
            case "modifiedAt" where purpose == .stored: attribute.modifiedAt = try Self.instant(member, member: name)
            case "@context": throw .badRequestData("\(path).@context: a context can't be embedded in an attribute (clause 5.5.7)")
            case _ where Self.outputMembers.contains(name): continue
            // What an answer with linked entities carried may come back with the relationship.
            case "entity" where kind == .relationship, "entityList" where kind == .listRelationship: continue
            case "entityIdSealed" where isProof, "entityTypeSealed" where isProof: try seal(&attribute, name, member, path: path)
            case IRI.entityIDSealed.text where purpose == .stored: try seal(&attribute, "entityIdSealed", member, path: path)
            case IRI.entityTypeSealed.text where purpose == .stored: try seal(&attribute, "entityTypeSealed", member, path: path)
            case _ where Self.instanceMembers.contains(name):
                throw .badRequestData("\(path).\(name): a \(kind.rawValue) has no \(name)")
            default: attribute.subattributes[try attributeName(name)] = try instances(member, path: "\(path).\(name)")
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

// MARK: - Values

extension EntityReader {
    private func value(_ json: JSON, kind: AttributeKind, path: String) throws(CityError) -> JSON {
        if try isAllowedNull(json, kind: kind, path: path) { return .string(Attribute.nullText) }
        switch kind {
        case .property: return try propertyValue(json, path: path)
        case .jsonProperty:
            guard json.objectValue != nil || json.arrayValue != nil else {
                throw .badRequestData("\(path): an object or an array, not a \(json.kindName) (clause 4.5.24.2)")
            }
            return json
        case .geoProperty: return try geometry(json, path: path)
        case .relationship: return try targets(json, path: path)
        case .languageProperty: return try languageMap(json, path: path)
        case .vocabProperty: return try vocabulary(json, path: path)
        case .listProperty:
            guard case .array = json else { throw .badRequestData("\(path): a list is an array, not a \(json.kindName)") }
            return try propertyValue(json, path: path)
        case .listRelationship: return try targetList(json, path: path)
        }
    }

    private func isAllowedNull(_ json: JSON, kind: AttributeKind, path: String) throws(CityError) -> Bool {
        // JSON-LD has no null: a member with it is as good as absent, and an attribute without value is none.
        if json == .null { throw .badRequestData("\(path): null is not a value; what removes is \"\(Attribute.nullText)\"") }
        let isNull =
            switch json {
            case .string(Attribute.nullText): true
            case .array([.string(Attribute.nullText)]): kind == .listProperty || kind == .listRelationship
            case .object(let map): kind == .languageProperty && map.count == 1 && map["@none"] == .string(Attribute.nullText)
            default: false
            }
        if isNull, !allowsNull { throw .badRequestData("\(path): null is not a value here (clause 5.5.4)") }
        return isNull
    }

    /// A property's value as it is, once nothing in it is null that may not be.
    private func propertyValue(_ json: JSON, path: String) throws(CityError) -> JSON {
        switch json {
        case .null: throw .badRequestData("\(path): null is not a value; what removes is \"\(Attribute.nullText)\"")
        case .string(Attribute.nullText):
            guard allowsNull else { throw .badRequestData("\(path): null is not a value here (clause 5.5.4)") }
            return json
        default:
            if purpose != .merge, purpose != .stored { try checkNoNull(in: json, path: path) }
            return json
        }
    }

    /// No member of an object within a value is null, however deep. The document's depth was limited when it was parsed.
    private func checkNoNull(in json: JSON, path: String) throws(CityError) {
        switch json {
        case .object(let members) where members["@type"] != "@json":
            for (name, member) in members {
                guard member != .null, member != .string(Attribute.nullText) else {
                    throw .badRequestData("\(path).\(name): null is not a value here (clause 5.5.4)")
                }
                try checkNoNull(in: member, path: "\(path).\(name)")
            }
        case .array(let elements): for element in elements { try checkNoNull(in: element, path: path) }
        default: break
        }
    }

    private func geoProperty(_ json: JSON, path: String) throws(CityError) -> Attribute {
        Attribute(kind: .geoProperty, value: try geometry(json, path: path))
    }

    /// The geometry of an object, or of an object in a text (clause 4.7.2).
    private func geometry(_ json: JSON, path: String) throws(CityError) -> JSON {
        if case .string(let text) = json {
            guard let parsed = try? JSON(parsing: text), parsed.objectValue != nil else {
                throw .badRequestData("\(path): \(json) is not a GeoJSON geometry")
            }
            return try geometry(parsed, path: path)
        }
        do throws(Geometry.Invalid) { return try Geometry(json).json } catch { throw .badRequestData("\(path): \(error.reason)") }
    }

    private func targets(_ json: JSON, path: String) throws(CityError) -> JSON {
        guard case .array(let elements) = json else { return .string(try target(json, path: path)) }
        guard !elements.isEmpty else { throw .badRequestData("\(path): a relationship has at least one target") }
        var targets: [JSON] = []
        for element in elements { targets.append(.string(try target(element, path: path))) }
        return targets.count == 1 ? targets[0] : .array(targets)
    }

    private func targetList(_ json: JSON, path: String) throws(CityError) -> JSON {
        guard case .array(let elements) = json else { throw .badRequestData("\(path): a list is an array, not a \(json.kindName)") }
        var targets: [JSON] = []
        for element in elements { targets.append(.string(try target(element["object"] ?? element, path: path))) }
        return .array(targets)
    }

    private func target(_ json: JSON, path: String) throws(CityError) -> String {
        guard let text = json.stringValue, let iri = IRI(context.expandIdentifier(text) ?? text) else {
            throw .badRequestData("\(path): \(json) is not a URI")
        }
        return iri.text
    }

    private func languageMap(_ json: JSON, path: String) throws(CityError) -> JSON {
        guard case .object(let map) = json, !map.isEmpty else {
            throw .badRequestData("\(path): a language map is an object from language tags to texts")
        }
        for (tag, value) in map {
            let isText = value.stringValue != nil || (value.arrayValue?.allSatisfy { $0.stringValue != nil } ?? false)
            let isRemoval = allowsNull && (value == .null || value == .string(Attribute.nullText))
            guard isText || isRemoval else { throw .badRequestData("\(path).\(tag): a text or an array of texts") }
            guard LanguageTag.isWellFormed(tag) else { throw .badRequestData("\(path).\(tag): not a language tag (RFC 5646)") }
        }
        return json
    }

    private func vocabulary(_ json: JSON, path: String) throws(CityError) -> JSON {
        func expanded(_ json: JSON) throws(CityError) -> JSON {
            guard let text = json.stringValue, !text.isEmpty, let iri = context.expand(text) else {
                throw .badRequestData("\(path): \(json) is not a name that can be expanded to a URI")
            }
            return .string(iri.text)
        }
        guard case .array(let elements) = json else { return try expanded(json) }
        var names: [JSON] = []
        for element in elements { names.append(try expanded(element)) }
        return .array(names)
    }

    static func identifier(_ json: JSON, member: String) throws(CityError) -> IRI {
        guard let text = json.stringValue, text != Attribute.nullText, let iri = IRI(text) else {
            throw .badRequestData("\(member): \(json) is not a URI")
        }
        return iri
    }

    /// Times are UTC and say so with `Z` (clause 4.6.3).
    static func instant(_ json: JSON, member: String) throws(CityError) -> Instant {
        let text = json.stringValue ?? json["@value"]?.stringValue
        guard let text, text.utf8.last == UInt8(ascii: "Z"), let instant = Instant(text) else {
            throw .badRequestData("\(member): \(json) is not a date and time such as 2026-01-31T12:00:00Z")
        }
        return instant
    }
}

extension IRI {
    /// The attribute that proves an entity's integrity (clause 4.5.2.2 and annex C.11).
    static let ngsildProof = IRI(known: ngsildNamespace + "ngsildproof")
    static let entityIDSealed = IRI(known: ngsildNamespace + "entityIdSealed")
    static let entityTypeSealed = IRI(known: ngsildNamespace + "entityTypeSealed")
}
