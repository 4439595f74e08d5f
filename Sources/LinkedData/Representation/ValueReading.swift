internal import CityModel
internal import OrderedCollections

/// What the value member of each kind may hold.
extension EntityReader {
    func value(_ json: JSON, kind: AttributeKind, path: String) throws(CityError) -> JSON {
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
    func propertyValue(_ json: JSON, path: String) throws(CityError) -> JSON {
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

    func geoProperty(_ json: JSON, path: String) throws(CityError) -> Attribute {
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
