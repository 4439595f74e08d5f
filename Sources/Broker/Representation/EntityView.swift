package import CityModel
package import LinkedData
internal import OrderedCollections
package import Query

/// What is shown of entities: which members, which instances, in which language, for which version of NGSI-LD. Answers and
/// notifications are made by it alike.
package struct EntityView: Sendable {
    package let projection: Projection
    package let datasets: DatasetSelection?
    package let languages: LanguagePreference?
    /// The version of NGSI-LD that the reader prefers (clause 4.3.6.8).
    package let version: PreferredVersion?
    package let context: Context

    package init(
        projection: Projection, datasets: DatasetSelection? = nil, languages: LanguagePreference? = nil,
        version: PreferredVersion? = nil, context: Context
    ) {
        (self.projection, self.datasets, self.languages) = (projection, datasets, languages)
        (self.version, self.context) = (version, context)
    }

    /// What is to be shown of an entity; nil when nothing is.
    package func selected(_ entity: Entity) -> Entity? { selected(entity, projection) }

    /// The same for an entity for which another projection holds: one that a relationship led to.
    package func selected(_ entity: Entity, _ projection: Projection) -> Entity? {
        guard var entity = projection.apply(to: entity) else { return nil }
        if let datasets {
            entity = datasets.apply(to: entity)
            guard !entity.attributes.isEmpty || projection.keepsID || projection.keepsTypes || !entity.scopes.isEmpty else { return nil }
        }
        return languages?.apply(to: entity) ?? entity
    }

    /// The entity as the version of NGSI-LD knows it that the reader prefers.
    package func amended(_ entity: Entity) -> Entity { version?.amended(entity, context) ?? entity }

    /// What is shown of entities along the relationships that a projection speaks of.
    package func linked(_ projection: Projection) -> LinkedEntities.View {
        LinkedEntities.View(
            members: projection.members, select: { selected($0, projection).map(amended) }, behind: { linked(projection.linked($0)) })
    }
}

extension Projection {
    package var members: EntityMembers {
        var members: EntityMembers = []
        if keepsID { members.insert(.id) }
        if keepsTypes { members.insert(.type) }
        if keepsScopes { members.insert(.scope) }
        return members
    }
}
