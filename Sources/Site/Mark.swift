internal import CityModel
internal import OrderedCollections
internal import Store

/// What the map and the lists show of one entity.
final class Mark: Sendable {
    let number: Int64
    let version: Int64
    let id: String
    /// What it is shown as: an index into the catalogue's entries.
    let entry: Int
    /// Nil when it has none of its own: languages then call it by what it is (`Language.name`).
    let name: String?
    /// For comparing: the name, or the last part of the identifier, without case and accents.
    let foldedName: String
    /// Nil for an entity without a place.
    let position: Position?
    /// Of the scale's attribute; null when there is none.
    let value: JSON
    /// When the value was observed, or else when the entity changed; milliseconds since 1970.
    let time: Int64?
    /// Whether the value is an observation rather than a fact that holds until it is changed.
    let isObserved: Bool
    /// Whether it is about people, so that showing it has to be accounted for.
    let isPersonal: Bool

    struct Position: Hashable, Sendable {
        let longitude: Double
        let latitude: Double
    }

    init(
        number: Int64, version: Int64, id: String, entry: Int, name: String?, foldedName: String, position: Position?, value: JSON,
        time: Int64?, isObserved: Bool, isPersonal: Bool
    ) {
        (self.number, self.version, self.id, self.entry) = (number, version, id, entry)
        (self.name, self.foldedName, self.position) = (name, foldedName, position)
        (self.value, self.time, self.isObserved, self.isPersonal) = (value, time, isObserved, isPersonal)
    }

    /// Nil for an entity that is ground or has no type of the catalogue.
    convenience init?(_ live: LiveEntity, _ catalogue: Catalogue) {
        let entity = live.entity
        guard let entry = catalogue.entry(types: entity.types) else { return nil }
        let scale = catalogue.entries[entry].scale
        let main = scale.flatMap { entity.instance(of: $0.attribute) }
        let name = Self.name(of: entity)
        let moment = main?.observedAt ?? main?.modifiedAt ?? entity.modifiedAt ?? entity.createdAt
        self.init(
            number: live.number, version: live.version, id: entity.id.text, entry: entry, name: name, foldedName: Words.folded(name ?? entity.id.shortName),
            position: Self.position(of: entity), value: scale?.value(main?.value) ?? .null, time: moment?.milliseconds,
            isObserved: main?.observedAt != nil, isPersonal: live.classification.isPersonal)
    }

    /// The same entity as it was at another moment.
    func at(position: Position?, value: JSON, time: Int64?) -> Mark {
        Mark(
            number: number, version: version, id: id, entry: entry, name: name, foldedName: foldedName, position: position, value: value,
            time: time, isObserved: isObserved, isPersonal: isPersonal)
    }
}

extension Mark {
    /// Short names of the attributes that can name an entity, best first.
    static let nameTerms = ["name", "title", "alternateName"]
    private static let nameIRIs = nameTerms.map { IRI(known: IRI.defaultContextNamespace + $0) }

    static func name(of entity: Entity) -> String? {
        for iri in nameIRIs { if let text = entity.instance(of: iri).flatMap(text) { return text } }
        for term in nameTerms {
            let named = entity.attributes.keys.first { $0.shortName == term }
            if let text = named.flatMap({ entity.instance(of: $0) }).flatMap(text) { return text }
        }
        return nil
    }

    private static func text(_ attribute: Attribute) -> String? {
        let text: String? =
            switch attribute.kind {
            case .languageProperty: attribute.value["@none"]?.stringValue ?? attribute.value.objectValue?.values.first?.stringValue
            default: attribute.value.stringValue
            }
        return text.flatMap { $0.isEmpty ? nil : String($0.prefix(200)) }
    }

    /// Where `location` is: a point itself, the middle of the box of anything else.
    static func position(of entity: Entity) -> Position? { entity.instance(of: .location).flatMap { position(of: $0.value) } }

    static func position(of json: JSON) -> Position? {
        if json["type"]?.stringValue == "Point", let numbers = json["coordinates"]?.arrayValue, numbers.count >= 2,
            let longitude = numbers[0].doubleValue, let latitude = numbers[1].doubleValue
        {
            return Position(longitude: longitude, latitude: latitude)
        }
        guard let center = (try? Geometry(json))?.boundingBox.center else { return nil }
        return Position(longitude: center.longitude, latitude: center.latitude)
    }
}

extension Double {
    /// With at most five decimals: a metre or so on the ground.
    var fiveDecimals: Double { (self * 100_000).rounded() / 100_000 }
}

extension Mark.Position {
    var json: JSON { [.number(longitude.fiveDecimals), .number(latitude.fiveDecimals)] }
}
