import CityModel
import OrderedCollections
import Testing

import CitySimulator

@Suite struct GeographyTests {
    @Test func `a plan is kept within its borders`() {
        let plan = SimulationPlan(municipalityCount: 3, sensorCount: 200_000)
        #expect(plan.municipalityCount == 8)
        #expect(plan.sensorCount == 100_000)
        #expect(SimulationPlan(municipalityCount: 61, sensorCount: -1).municipalityCount == 60)
        #expect(SimulationPlan(sensorCount: -1).sensorCount == 0)
    }

    @Test func `a place in the metropolis lies in one municipality and in one of its districts`() throws {
        let city = try Samples.metropolis.get()
        var insideCount = 0
        for number in 0..<3000 {
            // A lattice, each row a little further east than the one before.
            let place = Place(x: -18_000 + Double(number % 60) * 611.7 + Double(number / 60) * 7.3, y: -14_000 + Double(number / 60) * 571.3)
            let owners = city.geography.municipalityAreas.indices.filter { city.geography.municipalityAreas[$0].contains(place) }
            let districts = city.geography.districts.filter { $0.area.contains(place) }
            #expect(owners.count <= 1, "overlap at \(place)")
            #expect(districts.map(\.municipalityIndex) == owners, "gap or overlap at \(place)")
            insideCount += owners.count
        }
        #expect(insideCount > 500)
    }

    @Test func `the districts' areas sum to their municipality's`() throws {
        let city = try Samples.metropolis.get()
        for (index, area) in city.geography.municipalityAreas.enumerated() {
            let parts = city.geography.districts.filter { $0.municipalityIndex == index }.reduce(0) { $0 + $1.area.squareMetres }
            #expect(abs(parts - area.squareMetres) < 1)
        }
    }

    @Test(arguments: [UInt64(1), 42])
    func `outlines are single rings that do not cross themselves, with fewer than 200 positions`(seed: UInt64) throws {
        let city = try Metropolis(SimulationPlan(seed: seed, municipalityCount: 8, sensorCount: 0))
        #expect(city.municipalities.count == 8)
        for municipality in city.municipalities { #expect((3...6).contains(municipality.districts.count)) }
        for area in city.geography.municipalityAreas + city.geography.districts.map(\.area) {
            #expect(area.rings.count == 1)
            let ring = area.rings[0]
            #expect((4..<200).contains(ring.count))
            #expect(ring.first == ring.last)
            #expect(area.squareMetres > 0)
            #expect(crossings(ring) == 0)
        }
    }

    private func crossings(_ ring: [Place]) -> Int {
        func side(_ a: Place, _ b: Place, _ c: Place) -> Double { (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) }
        var count = 0
        let last = ring.count - 1
        for first in 0..<last {
            for second in (first + 1)..<last where second != first + 1 && !(first == 0 && second == last - 1) {
                let (a, b, c, d) = (ring[first], ring[first + 1], ring[second], ring[second + 1])
                if side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0 { count += 1 }
            }
        }
        return count
    }

    @Test func `names and identifiers are all different`() throws {
        let city = try Samples.metropolis.get()
        #expect(Set(city.municipalities.map(\.identifier)).count == 8)
        #expect(Set(city.geography.districts.map(\.scope)).count == city.geography.districts.count)
        let entities = city.staticEntities()
        #expect(Set(entities.map(\.entity.id)).count == entities.count)
    }

    @Test func `every standing entity has a name, is marked as simulated, and has a valid geometry`() throws {
        let city = try Samples.metropolis.get()
        let names = Set(city.municipalities.map(\.identifier))
        for (municipality, entity) in city.staticEntities() {
            #expect(names.contains(municipality))
            #expect(entity.instance(of: Samples.plain("name"))?.value.stringValue?.isEmpty == false)
            #expect(entity.instance(of: Samples.plain("simulated"))?.value == true)
            #expect(entity.instance(of: Samples.plain("source")) != nil && entity.instance(of: Samples.plain("dataProvider")) != nil)
            #expect(entity.scopes.count == 1)
            // Buses alone have no place of their own until they are observed.
            guard let location = entity.instance(of: .location) else { #expect(entity.types == [Samples.plain("Vehicle")]); continue }
            #expect(throws: Never.self) { try Geometry(location.value) }
        }
    }

    @Test func `there are as many sensors as planned, and each is inside its district`() throws {
        let city = try Samples.metropolis.get()
        #expect(city.sensorCount == 400)
        #expect(city.sensorCounts["TrafficFlowObserved"] == 64)
        #expect(city.sensorCounts.count == SensorKind.allCases.count)
        for sensor in city.sensors where sensor.kind != .bus {
            #expect(city.geography.districts[sensor.district].area.contains(sensor.place), "\(sensor.name)")
            #expect(city.geography.districts[sensor.district].municipalityIndex == sensor.municipality)
        }
        #expect(SensorKind.counts(total: 0).allSatisfy { $0 == 0 })
        #expect((0..<300).allSatisfy { SensorKind.counts(total: $0).reduce(0, +) == $0 })
    }

    @Test func `main roads join all districts, and every line can be driven`() throws {
        let city = try Samples.metropolis.get()
        var reached: Set<Int> = [0]
        var next = [0]
        while let district = next.popLast() {
            for road in city.roads.mainRoadsAt[district] {
                let ends = city.roads.roads[road].ends
                for other in [ends.0, ends.1] where reached.insert(other).inserted { next.append(other) }
            }
        }
        #expect(reached.count == city.geography.districts.count)
        #expect(city.buses.lines.count >= 8)
        for line in city.buses.lines {
            #expect(line.stops.count >= 2)
            #expect(line.timetable.cycleSeconds < 15 * 3600)
        }
    }

    @Test func `the shares of the kinds sum to a hundred`() {
        #expect(abs(SensorKind.allCases.reduce(0) { $0 + $1.share } - 100) < 1e-9)
        #expect(SensorKind.allCases.allSatisfy { 3600 % $0.periodSeconds == 0 })
    }
}
