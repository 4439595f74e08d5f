internal import Broker
internal import CityModel
internal import Door
internal import Store
internal import Trust

/// One attribute of one entity, as a chart's legend has it.
struct ShownSeries: Sendable {
    let municipality: Catalogue.Municipality
    let entity: Entity
    let attribute: IRI
    /// What pages call the attribute.
    let key: String
    let name: String
    let typeKey: String
    let label: String
    let unitCode: String?
    let unit: ShownUnit

    /// `municipality attribute identifier`, as it stands in addresses.
    static func parts(_ text: String) throws(CityError) -> (municipality: String, attribute: String, id: String) {
        let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, !parts.contains("") else {
            throw .badRequestData("series: \(text.prefix(200)) is not a municipality, an attribute and an identifier")
        }
        return (parts[0], parts[1], parts[2])
    }
}

extension SiteDoor {
    /// - Throws: `resourceNotFound` for what is not there or may not be seen.
    func series(_ municipality: String, _ attribute: String, _ id: String, _ catalogue: Catalogue, _ request: DoorRequest) async throws -> ShownSeries {
        let place = catalogue.municipalities[try city.municipalities(municipality, in: catalogue)[0]]
        guard let iri = IRI(id) else { throw CityError.resourceNotFound("id: \(id.prefix(200)) is not an entity's identifier") }
        let entity = try await broker.liveEntity(iri, place.access, at: request.now).entity
        guard let name = Self.attribute(attribute, of: entity) else {
            throw CityError.resourceNotFound("attribute: the entity has no \(attribute.prefix(100))")
        }
        let entry = catalogue.entry(types: entity.types).map { catalogue.entries[$0] }
        let type = entry?.shortName ?? entity.types.first?.shortName ?? ""
        let language = language(request)
        let unitCode = entity.instance(of: name)?.unitCode
        return ShownSeries(
            municipality: place, entity: entity, attribute: name, key: Self.key(name, of: entity),
            name: language.name(Mark.name(of: entity), id: id, type: type), typeKey: entry?.key ?? type, label: language.attribute(name.shortName, of: type),
            unitCode: unitCode, unit: languages.unit(unitCode, of: name.shortName))
    }
}
