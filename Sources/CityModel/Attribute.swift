public import OrderedCollections

/// The kinds of attribute of the NGSI-LD information model (clauses 4.5.2 to 4.5.25). The raw value is the `type` member.
public enum AttributeKind: String, CaseIterable, Hashable, Sendable {
    case property = "Property"
    case relationship = "Relationship"
    case geoProperty = "GeoProperty"
    case languageProperty = "LanguageProperty"
    case vocabProperty = "VocabProperty"
    case listProperty = "ListProperty"
    case listRelationship = "ListRelationship"
    case jsonProperty = "JsonProperty"

    /// The member of the normalized representation that holds the attribute's value.
    public var valueMember: String {
        switch self {
        case .property, .geoProperty: "value"
        case .relationship: "object"
        case .languageProperty: "languageMap"
        case .vocabProperty: "vocab"
        case .listProperty: "valueList"
        case .listRelationship: "objectList"
        case .jsonProperty: "json"
        }
    }

    public var isRelationship: Bool { self == .relationship || self == .listRelationship }
}

/// One instance of an attribute of an entity, or of an attribute of an attribute.
public struct Attribute: Hashable, Sendable {
    public var kind: AttributeKind

    /// What the kind's value member holds, with names already expanded:
    /// property, JSON property: any value · relationship: an IRI text or an array of them · geo-property: a GeoJSON
    /// geometry · language property: an object from language tag to a text or an array of texts · vocab property: an IRI
    /// text or an array of them · list property: an array · list relationship: an array of IRI texts.
    public var value: JSON

    /// Tells instances of one attribute apart; nil is the default instance.
    public var datasetID: IRI?
    public var observedAt: Instant?
    /// UN/CEFACT common code.
    public var unitCode: String?
    /// The native JSON-LD type of the value, expanded.
    public var valueType: IRI?
    /// The types of a relationship's targets, expanded.
    public var objectTypes: [IRI] = []
    public var expiresAt: Instant?
    public var createdAt: Instant?
    public var modifiedAt: Instant?
    /// The language of a text that was chosen from a language map; only in answers (clause 4.15).
    public var language: String?
    public var subattributes: Attributes = [:]

    public init(kind: AttributeKind, value: JSON, datasetID: IRI? = nil, observedAt: Instant? = nil, unitCode: String? = nil) {
        self.kind = kind
        self.value = value
        self.datasetID = datasetID
        self.observedAt = observedAt
        self.unitCode = unitCode
    }
}

/// Attribute names, expanded, with their instances: one for each `datasetID`, never none. In order of appearance.
public typealias Attributes = OrderedDictionary<IRI, [Attribute]>

extension Attribute {
    /// The text that stands for "remove this" in an update (clause 4.5.0, NGSI-LD Null).
    public static let nullText = "urn:ngsi-ld:null"

    /// Whether this instance asks for removal rather than carrying a value.
    public var isNull: Bool {
        switch value {
        case .string(Attribute.nullText), .null: true
        case .object(let map) where kind == .languageProperty: map.count == 1 && map["@none"] == .string(Attribute.nullText)
        default: false
        }
    }

    /// Whether both carry the same information; creation and modification times are not information of their own.
    public func hasSameContent(as other: Attribute) -> Bool {
        kind == other.kind && value == other.value && datasetID == other.datasetID && observedAt == other.observedAt
            && unitCode == other.unitCode && valueType == other.valueType && objectTypes == other.objectTypes
            && expiresAt == other.expiresAt && subattributes.count == other.subattributes.count
            && subattributes.allSatisfy { name, instances in
                guard let others = other.subattributes[name], others.count == instances.count else { return false }
                return zip(instances, others).allSatisfy { $0.hasSameContent(as: $1) }
            }
    }

    /// The IRIs that a relationship points at, in order.
    public var targets: [String] {
        guard kind.isRelationship else { return [] }
        switch value {
        case .string(let text): return [text]
        case .array(let elements): return elements.compactMap(\.stringValue)
        default: return []
        }
    }
}
