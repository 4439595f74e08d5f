internal import Broker
package import CityModel
internal import OrderedCollections
internal import Query
package import Services
internal import Store
package import Trust

/// Which district a place lies in: an entity of one of these types whose boundary, or else location, contains it.
extension CaseDesk {
    static let districtTypes: [IRI] = ["District", "Neighbourhood", "Neighborhood", "Quarter", "Borough", "AdministrativeArea"].map(IRI.plain)

    /// - Returns: its name; nil where the place is not known, or in none.
    package func district(
        of answers: ServiceAnswers, _ definition: ServiceDefinition, _ access: ReadAccess, at now: Instant
    ) async throws -> String? {
        guard let place = answers.place(definition) else { return nil }
        for property in [IRI.plain("boundary"), .location] {
            let geo = GeoQuery(relation: .contains, reference: try PreparedGeometry(place), property: property)
            let filter = EntityFilter(types: .or(Self.districtTypes.map(TypeSelection.type)), geo: geo)
            let page = try await broker.query(EntityQuery(filter: filter, limit: 1), access, at: now)
            guard let found = page.entities.first else { continue }
            let entity = try broker.entity(found, access)
            return entity.districtName ?? String(entity.id.lastWord)
        }
        return nil
    }
}

extension Entity {
    var districtName: String? { attributes.keys.first { $0.lastWord == "name" }.flatMap { text($0) } }
}
