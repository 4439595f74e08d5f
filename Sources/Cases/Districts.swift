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
        guard let place = answers.place(definition), let found = try await area(around: place, Self.districtTypes, access, at: now) else { return nil }
        return found.districtName
    }

    /// Districts that are offered to choose from.
    private static let nameCountMax = 500

    /// The districts of which there are cases that the access shows, in the order of their names. No case is read for it.
    package func districtsOfCases(_ access: ReadAccess) async throws -> [String] {
        try await broker.texts(of: CaseTerm.district, type: CaseType.request.iri, limit: Self.nameCountMax, access).sorted { $0.lowercased() < $1.lowercased() }
    }

    private static let municipalityTypes: [IRI] = ["Municipality", "Commune", "City"].map(IRI.plain)
    /// Areas of municipalities that are looked at; a file is one municipality's, with its neighbours at most.
    private static let areaCountMax = 100

    /// Whether a place lies where the municipality does not: it has an area, and that does not contain it. Where no area is known nothing is outside.
    package func isOutside(_ answers: ServiceAnswers, _ definition: ServiceDefinition, _ access: ReadAccess, at now: Instant) async throws -> Bool {
        guard let place = answers.place(definition), try await area(around: place, Self.municipalityTypes, access, at: now) == nil else { return false }
        let filter = EntityFilter(types: .or(Self.municipalityTypes.map(TypeSelection.type)))
        let page = try await broker.query(EntityQuery(filter: filter, limit: Self.areaCountMax), access, at: now)
        return try page.entities.contains { try broker.entity($0, access).hasArea }
    }

    /// An entity of one of some types whose boundary, or else location, contains a place.
    private func area(around place: Geometry, _ types: [IRI], _ access: ReadAccess, at now: Instant) async throws -> Entity? {
        for property in [IRI.boundary, .location] {
            let geo = GeoQuery(relation: .contains, reference: try PreparedGeometry(place), property: property)
            let filter = EntityFilter(types: .or(types.map(TypeSelection.type)), geo: geo)
            let page = try await broker.query(EntityQuery(filter: filter, limit: 1), access, at: now)
            if let found = page.entities.first { return try broker.entity(found, access) }
        }
        return nil
    }
}

/// Districts by their names.
extension CaseDesk {
    private static let districtCountMax = 5000

    private func districts(_ access: ReadAccess, at now: Instant) async throws -> [Entity] {
        let filter = EntityFilter(types: .or(Self.districtTypes.map(TypeSelection.type)))
        let page = try await broker.query(EntityQuery(filter: filter, limit: Self.districtCountMax), access, at: now)
        return try page.entities.map { try broker.entity($0, access) }
    }

    /// What districts are called, in the order of their letters.
    /// - Parameter attributes: those that hold names; no others are read, for areas are large.
    package func districtNames(_ attributes: [IRI], _ access: ReadAccess, at now: Instant) async throws -> [String] {
        let filter = EntityFilter(types: .or(Self.districtTypes.map(TypeSelection.type)))
        let names = try await broker.fold(filter, keeping: Set(attributes), into: Set<String>(), access, at: now) { names, district in
            if names.count < Self.districtCountMax { names.insert(district.districtName) }
        }
        return names.sorted { $0.lowercased() < $1.lowercased() }
    }

    /// Where a district is; nil where none of this name says so.
    func districtArea(_ name: String, _ access: ReadAccess, at now: Instant) async throws -> Geometry? {
        let named = try await districts(access, at: now).filter { $0.districtName == name }
        return named.lazy.compactMap(\.area).first
    }
}

extension IRI {
    fileprivate static let boundary = IRI.plain("boundary")
}

extension Entity {
    /// Whether it is somewhere as an area, not as a point.
    fileprivate var hasArea: Bool { areaValue != nil }
    fileprivate var area: Geometry? { areaValue.flatMap { try? Geometry($0) } }

    private var areaValue: JSON? {
        [IRI.boundary, .location].lazy.compactMap { instance(of: $0)?.value }.first { value in ["Polygon", "MultiPolygon"].contains(value["type"]?.stringValue) }
    }

    fileprivate var districtName: String { placeName ?? String(id.lastWord) }

    /// What a district or a street is called.
    var placeName: String? { attributes.keys.first { $0.lastWord == "name" }.flatMap { text($0) } }
}
