package import CityModel
package import LinkedData
internal import OrderedCollections

/// Writes entities as GeoJSON features (clauses 4.5.16, 4.5.17).
package struct FeatureWriter<Names: NameWriting> {
    private let entityWriter: EntityWriter<Names>
    private let geometryProperty: IRI
    private let members: EntityMembers

    /// - Parameter geometryProperty: the attribute that becomes a feature's geometry.
    package init(entityWriter: EntityWriter<Names>, geometryProperty: IRI, members: EntityMembers) {
        (self.entityWriter, self.geometryProperty, self.members) = (entityWriter, geometryProperty, members)
    }

    /// - Parameter context: what to add as `@context`; nil adds none.
    package func write(collection entities: [Entity], context: JSON?, to writer: inout JSONWriter) {
        writer.raw("{\"type\":\"FeatureCollection\",\"features\":[")
        for (index, entity) in entities.enumerated() {
            if index > 0 { writer.raw(",") }
            write(entity, context: nil, to: &writer)
        }
        writer.raw("]")
        write(context, to: &writer)
        writer.raw("}")
    }

    package func write(_ entity: Entity, context: JSON?, to writer: inout JSONWriter) {
        let geometries = entity.attributes[geometryProperty]?.filter { $0.kind == .geoProperty } ?? []
        let geometry = geometries.first { $0.datasetID == nil } ?? geometries.first
        writer.raw("{\"id\":")
        writer.write(entity.id.text)
        writer.raw(",\"type\":\"Feature\",\"geometry\":")
        writer.write(geometry?.value ?? .null)
        writer.raw(",\"properties\":")
        entityWriter.write(entity, members: members.subtracting(.id), to: &writer)
        write(context, to: &writer)
        writer.raw("}")
    }

    private func write(_ context: JSON?, to writer: inout JSONWriter) {
        guard let context else { return }
        writer.raw(",\"@context\":")
        writer.write(context)
    }
}
