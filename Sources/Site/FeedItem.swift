internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Store

/// One change as pages hear of it, whatever the reader's language.
struct FeedItem: Sendable {
    let sequence: Int64
    let id: String
    let types: [IRI]
    var time: Int64
    var position: Mark.Position?
    var name: String?
    /// New values of attributes by their keys; null when an attribute is gone.
    var values: JSONObject
    var isDeleted: Bool
    /// The number of an entity that is about people, so that showing it has to be accounted for.
    let personalNumber: Int64?

    init(_ live: LiveChange) {
        let change = live.change
        personalNumber = live.isPersonal ? change.entityNumber : nil
        (sequence, id, types) = (change.seq, change.entityID.text, change.types)
        guard let entity = live.entity, change.operation != .deleted else {
            (time, position, name, values, isDeleted) = (change.at.milliseconds, nil, nil, [:], true)
            return
        }
        isDeleted = false
        let isNew = change.operation == .created
        let changed = isNew ? Array(entity.attributes.keys) : change.attributes
        let observed = changed.compactMap { entity.instance(of: $0)?.observedAt }.max()
        time = (observed ?? change.at).milliseconds
        position = changed.contains(.location) ? Mark.position(of: entity) : nil
        let isNamed = changed.contains { Mark.nameTerms.contains($0.shortName) }
        name = isNew || isNamed ? Mark.name(of: entity) : nil
        values = Self.values(of: entity, changed)
    }

    private static func values(of entity: Entity, _ changed: [IRI]) -> JSONObject {
        var values: JSONObject = [:]
        for attribute in changed where attribute.shortName != Mark.nameTerms[0] && attribute != .location {
            guard let instance = entity.instance(of: attribute) else {
                if entity.attributes[attribute] == nil { values[attribute.shortName] = .null }
                continue
            }
            guard instance.kind == .property, ValueText.isScalar(instance.value) else { continue }
            values[SiteDoor.key(attribute, of: entity)] = instance.value
        }
        return values
    }

    /// This and a later change of the same entity as one.
    func followed(by later: FeedItem) -> FeedItem {
        guard !later.isDeleted, !isDeleted else { return later }
        var merged = later
        merged.position = later.position ?? position
        merged.name = later.name ?? name
        merged.values = values.merging(later.values) { _, new in new }
        merged.time = max(time, later.time)
        return merged
    }

    func json(municipality: String, key: String) -> JSON {
        var members: JSONObject = ["m": .string(municipality), "id": .string(id), "k": .string(key), "t": .integer(time)]
        if let position { members["p"] = position.json }
        if let name { members["n"] = .string(name) }
        if !values.isEmpty { members["v"] = .object(values) }
        if isDeleted { members["x"] = true }
        return .object(members)
    }
}
