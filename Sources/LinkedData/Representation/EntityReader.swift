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
        /// The temporal evolution of an entity: an attribute may be null, and have many instances of one dataset.
        case temporal
        /// What a context source answered: creation and modification times count.
        case foreign
        /// What a context source answered of a history: both of the above.
        case foreignEvolution
        /// What this program wrote itself: creation and modification times count.
        case stored
    }

    let context: any NameReading
    let purpose: Purpose

    public init(context: any NameReading, purpose: Purpose) {
        self.context = context
        self.purpose = purpose
    }

    var keepsTimes: Bool { purpose == .stored || purpose == .foreign || purpose == .foreignEvolution }
    var allowsNull: Bool { purpose == .update || purpose == .merge || isTemporal }
    var isTemporal: Bool { purpose == .temporal || purpose == .foreignEvolution }

    /// The most instances that one attribute may have in one document.
    public static let instanceCountMax = 1000
    /// The same where they are those of a temporal evolution.
    public static let temporalInstanceCountMax = 100_000

    /// - Parameter json: the entity's JSON object; `@context` in it is passed over.
    /// - Throws: `badRequestData` whose detail begins with the name of the member at fault.
    public func fragment(_ json: JSON) throws(CityError) -> EntityFragment {
        guard case .object(let members) = json else { throw .badRequestData("an entity is a JSON object, not a \(json.kindName)") }
        var fragment = EntityFragment()
        for (name, value) in members {
            switch name {
            case "@context", "deletedAt": continue
            case "createdAt": if keepsTimes { fragment.createdAt = try Self.instant(value, member: name) }
            case "modifiedAt": if keepsTimes { fragment.modifiedAt = try Self.instant(value, member: name) }
            case "id", "@id": fragment.id = try Self.identifier(value, member: name)
            case "type", "@type": fragment.types = try types(value, member: name)
            case "scope": fragment.scopes = try scopes(value)
            case "expiresAt" where value == .string(Attribute.nullText) && (purpose == .update || purpose == .merge):
                fragment.removesExpiry = true
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
        let countMax = isTemporal ? Self.temporalInstanceCountMax : Self.instanceCountMax
        guard elements.count <= countMax else { throw .badRequestData("\(path): at most \(countMax) instances") }
        var instances: [Attribute] = []
        var seen: Set<IRI?> = []
        for (index, element) in elements.enumerated() {
            let instance = try instance(element, path: "\(path)[\(index)]", isProof: isProof)
            guard isTemporal || seen.insert(instance.datasetID).inserted else {
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

    func attributeName(_ name: String) throws(CityError) -> IRI {
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

    func types(_ json: JSON, member: String) throws(CityError) -> [IRI] {
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

    func scopes(_ json: JSON) throws(CityError) -> [Scope] {
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

extension IRI {
    /// The attribute that proves an entity's integrity (clause 4.5.2.2 and annex C.11).
    static let ngsildProof = IRI(known: ngsildNamespace + "ngsildproof")
    package static let entityIDSealed = IRI(known: ngsildNamespace + "entityIdSealed")
    package static let entityTypeSealed = IRI(known: ngsildNamespace + "entityTypeSealed")
}
