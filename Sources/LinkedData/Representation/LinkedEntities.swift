public import CityModel

/// Entities that relationships point at, to be written in their place (clause 4.5.23.2, `join=inline`).
public struct LinkedEntities: Sendable {
    private let entities: [String: Entity]
    /// How many more relationships may be followed from here.
    private let depth: Int

    public init(entities: [String: Entity], depth: Int) {
        self.entities = entities
        self.depth = depth
    }

    private var deeper: LinkedEntities? { depth > 1 ? LinkedEntities(entities: entities, depth: depth - 1) : nil }

    private func found(_ attribute: Attribute) -> [Entity] {
        depth > 0 ? attribute.targets.compactMap { entities[$0] } : []
    }

    /// Appends `,"entity":{…}` or `,"entityList":[…]` beside a relationship's targets when some of them are known.
    func write<Names: NameWriting>(targetsOf attribute: Attribute, with entityWriter: EntityWriter<Names>, to writer: inout JSONWriter) {
        guard attribute.kind.isRelationship else { return }
        let found = found(attribute)
        guard !found.isEmpty else { return }
        let isList = attribute.kind == .listRelationship
        writer.raw(isList ? ",\"entityList\":" : ",\"entity\":")
        write(found, asArray: isList || attribute.value.arrayValue != nil, with: entityWriter, to: &writer)
    }

    /// Appends the targets themselves in place of their identifiers (simplified representation); a target that is not
    /// known stays an identifier.
    /// - Returns: false, having appended nothing, when none of the targets is known.
    func writeInPlace<Names: NameWriting>(
        ofTargets attribute: Attribute, with entityWriter: EntityWriter<Names>, to writer: inout JSONWriter
    ) -> Bool {
        let found = found(attribute)
        guard !found.isEmpty else { return false }
        write(found, asArray: attribute.value.arrayValue != nil, with: entityWriter, to: &writer)
        return true
    }

    private func write<Names: NameWriting>(
        _ found: [Entity], asArray: Bool, with entityWriter: EntityWriter<Names>, to writer: inout JSONWriter
    ) {
        if asArray { writer.raw("[") }
        for (index, entity) in found.enumerated() {
            if index > 0 { writer.raw(",") }
            entityWriter.write(entity, linked: deeper, to: &writer)
        }
        if asArray { writer.raw("]") }
    }
}
