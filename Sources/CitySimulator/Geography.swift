public import CityModel

/// One of the metropolis's municipalities.
public struct SimulatedMunicipality: Hashable, Sendable {
    public let name: String
    public let identifier: MunicipalityName
    /// A polygon of fewer than 200 positions that shares its borders with its neighbours.
    public let outline: Geometry
    public let population: Int
    public let districts: [SimulatedDistrict]
}

/// A part of a municipality.
public struct SimulatedDistrict: Hashable, Sendable {
    public let name: String
    public let scope: Scope
    /// A polygon of fewer than 200 positions; a municipality's districts tile it.
    public let outline: Geometry
    public let population: Int
    package let area: Area
    /// A place inside, near the middle.
    let centre: Place
    package let municipalityIndex: Int
}

/// Areas, water and roads, before anything lives there.
package struct Geography {
    let municipalities: [SimulatedMunicipality]
    package let municipalityAreas: [Area]
    /// All districts, those of one municipality side by side.
    package let districts: [SimulatedDistrict]
    let riverName: String
    /// From the north to the bay.
    let river: [[Place]]
    let coast: [[Place]]
    private let territory: Territory

    init(municipalityCount: Int, seed: UInt64) throws(CityError) {
        territory = Territory(municipalityCount: municipalityCount, seed: seed)
        let borders = Borders(territory)
        let territory = territory
        var names = NameMaker(seed: seed &+ 31)
        var random = SplitMix64(seed: seed &+ 32)
        var municipalities: [SimulatedMunicipality] = []
        var districts: [SimulatedDistrict] = []
        riverName = names.river()
        municipalityAreas = (0..<municipalityCount).map { index in
            let districts = territory.municipalityOfDistrict.indices.filter { territory.municipalityOfDistrict[$0] == index }
            return borders.area(of: districts.flatMap { territory.cellsOfDistrict[$0] }) { territory.municipality[$0] == index }
        }
        for index in 0..<municipalityCount {
            let name = names.town()
            let density = index == 0 ? 3900 : random.within(600, 2400)
            var parts: [SimulatedDistrict] = []
            for district in territory.municipalityOfDistrict.indices where territory.municipalityOfDistrict[district] == index {
                parts.append(
                    try Self.district(
                        district, of: (index, name), named: names.quarter(), density: density * random.within(0.6, 1.4), borders, territory))
            }
            guard let identifier = MunicipalityName(NameMaker.slug(name)) else { continue }
            municipalities.append(
                SimulatedMunicipality(
                    name: name, identifier: identifier, outline: try municipalityAreas[index].geometry(),
                    population: parts.reduce(0) { $0 + $1.population }, districts: parts))
            districts += parts
        }
        self.municipalities = municipalities
        self.districts = districts
        let terrain = territory.terrain
        river = borders.lines { cell, other in
            guard let other, terrain.isLand[other] else { return false }
            return terrain.isEast(cell) && !terrain.isEast(other)
        }
        coast = borders.lines { _, other in other.map { terrain.isSea[$0] } ?? false }
    }

    private static func district(
        _ index: Int, of municipality: (index: Int, name: String), named name: String, density: Double, _ borders: Borders,
        _ territory: Territory
    ) throws(CityError) -> SimulatedDistrict {
        let cells = territory.cellsOfDistrict[index]
        let area = borders.area(of: cells) { territory.district[$0] == index }
        guard let scope = Scope("/\(municipality.name)/\(name)") else { throw .internalFault("\(name) is no scope level") }
        return SimulatedDistrict(
            name: name, scope: scope, outline: try area.geometry(),
            population: Int((area.squareMetres / 1e6 * density / 10).rounded()) * 10, area: area,
            centre: innerMiddle(of: cells, territory.terrain), municipalityIndex: municipality.index)
    }

    /// Of the cells that lie deepest inside, the one nearest to the middle of all.
    private static func innerMiddle(of cells: [Int], _ terrain: Terrain) -> Place {
        let own = Set(cells)
        let sum = cells.reduce(Place(x: 0, y: 0)) { $0 + terrain.mesh.middle($1) }
        let middle = sum * (1 / Double(max(cells.count, 1)))
        func isInner(_ cell: Int) -> Bool { terrain.mesh.neighbours(of: cell).allSatisfy { $0.map(own.contains) ?? false } }
        let inner = cells.filter(isInner)
        let best = (inner.isEmpty ? cells : inner).min {
            terrain.mesh.middle($0).distance(to: middle) < terrain.mesh.middle($1).distance(to: middle)
        }
        return Globe.snapped(terrain.mesh.middle(best ?? cells[0]))
    }

    /// The district that holds a place; nil outside the metropolis.
    func district(at place: Place) -> Int? { districts.firstIndex { $0.area.contains(place) } }

    func isLand(_ place: Place) -> Bool { territory.terrain.mesh.cell(at: place).map { territory.terrain.isLand[$0] } ?? false }
    func isEastOfRiver(_ place: Place) -> Bool { territory.terrain.shape.isEast(place) }

    /// Metres inland when positive, roughly.
    func metresFromHarbour(_ place: Place) -> Double { place.distance(to: territory.terrain.shape.harbour) }
}
