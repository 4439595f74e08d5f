public import CityModel

/// Entities that relationships point at, to be written in their place (clause 4.5.23.2, `join=inline`).
public struct LinkedEntities: Sendable {
    /// What is shown of the entities at one place of the tree that relationships make (clause 4.21).
    public struct View: Sendable {
        let members: EntityMembers
        let select: @Sendable (Entity) -> Entity?
        let behind: @Sendable (IRI) -> View

        /// - Parameter members: which of the members that are not attributes are written.
        /// - Parameter select: what is left of an entity; nil when nothing is.
        /// - Parameter behind: the view of the entities that a relationship of this name leads to.
        public init(
            members: EntityMembers, select: @escaping @Sendable (Entity) -> Entity?, behind: @escaping @Sendable (IRI) -> View
        ) {
            (self.members, self.select, self.behind) = (members, select, behind)
        }
    }

    private let entities: [String: Entity]
    /// How many more relationships may be followed from here.
    private let depth: Int
    /// Of the entity that these are linked to.
    private let view: View

    public init(entities: [String: Entity], depth: Int, view: View) {
        (self.entities, self.depth, self.view) = (entities, depth, view)
    }

    /// What a relationship of this name may lead to; nil when nothing more is followed.
    func behind(_ name: IRI) -> LinkedTargets? {
        guard depth > 0 else { return nil }
        let view = view.behind(name)
        return LinkedTargets(entities: entities, view: view, deeper: LinkedEntities(entities: entities, depth: depth - 1, view: view))
    }
}

/// The entities that one relationship may point at.
public struct LinkedTargets: Sendable {
    fileprivate let entities: [String: Entity]
    fileprivate let view: LinkedEntities.View
    fileprivate let deeper: LinkedEntities

    private func found(_ attribute: Attribute) -> [Entity] {
        attribute.targets.compactMap { entities[$0].flatMap(view.select) }
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
        let targets = attribute.targets
        let found = targets.map { entities[$0].flatMap(view.select) }
        guard found.contains(where: { $0 != nil }) else { return false }
        let asArray = attribute.value.arrayValue != nil
        if asArray { writer.raw("[") }
        for (index, (id, entity)) in zip(targets, found).enumerated() {
            if index > 0 { writer.raw(",") }
            if let entity {
                entityWriter.write(entity, members: view.members, linked: deeper, to: &writer)
            } else {
                writer.write(id)
            }
        }
        if asArray { writer.raw("]") }
        return true
    }

    private func write<Names: NameWriting>(
        _ found: [Entity], asArray: Bool, with entityWriter: EntityWriter<Names>, to writer: inout JSONWriter
    ) {
        if asArray { writer.raw("[") }
        for (index, entity) in found.enumerated() {
            if index > 0 { writer.raw(",") }
            entityWriter.write(entity, members: view.members, linked: deeper, to: &writer)
        }
        if asArray { writer.raw("]") }
    }
}
