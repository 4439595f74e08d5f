internal import CityModel
internal import Broker
internal import Foundation
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Testing
@testable internal import Site

@Suite struct ClusterTests {
    private func marks(_ count: Int, spread: Double) -> FoundMarks {
        var random = SystemRandomNumberGenerator()
        return FoundMarks(
            marks: (0..<count).map { index in
                let position = Mark.Position(
                    longitude: 3 + Double.random(in: 0...spread, using: &random), latitude: 48 + Double.random(in: 0...spread, using: &random))
                return FoundMark(
                    municipality: 0,
                    mark: Mark(
                        number: Int64(index), version: 1, id: "urn:x:\(index)", entry: index % 3, name: "n", foldedName: "n", position: position,
                        value: .integer(Int64(index)), time: nil, isObserved: true, isPersonal: false))
            })
    }

    @Test(arguments: [0, 1, 1500, 1501, 12_000], [3.0, 8, 11, 14.5, 19])
    func `features and members of clusters add up to the entities`(count: Int, zoom: Double) {
        let clusters = Clusters(marks(count, spread: 0.5), zoom: zoom)
        #expect(clusters.features.count + clusters.clusters.reduce(0) { $0 + $1.count } == count)
        #expect(clusters.features.count + clusters.clusters.count <= Clusters.shownCountMax)
        #expect(clusters.clusters.allSatisfy { $0.count > 2 })
        if count <= Clusters.featureCountMax { #expect(clusters.clusters.isEmpty) }
        if count > Clusters.shownCountMax * 2 { #expect(!clusters.clusters.isEmpty) }
    }

    @Test func `a cluster of one type has the mean of its values, a mixed one has none`() {
        let all = marks(3000, spread: 0.0001)
        let one = FoundMarks(marks: all.marks.filter { $0.mark.entry == 0 } + all.marks.filter { $0.mark.entry == 0 })
        let mean = one.marks.reduce(0) { $0 + ($1.mark.value.doubleValue ?? 0) } / Double(one.marks.count)
        let single = Clusters(one, zoom: 5).clusters
        #expect(single.map(\.entry) == [0])
        #expect(abs((single.first?.mean ?? 0) - mean) < 1e-6)
        let mixed = Clusters(all, zoom: 5).clusters
        #expect(mixed.map(\.entry) == [nil])
        #expect(mixed.first?.mean == nil)
    }

    @Test func `neighbouring clusters keep apart`() {
        let zoom = 12.0
        let pixels = 256 * pow(2, zoom) / 360
        let places = Clusters(marks(12_000, spread: 0.5), zoom: zoom).clusters.map(\.position)
        for (index, place) in places.enumerated() {
            for other in places.dropFirst(index + 1) {
                let x = (place.longitude - other.longitude) * pixels
                let y = (place.latitude - other.latitude) / cos(48.5 * .pi / 180) * pixels
                #expect((x * x + y * y).squareRoot() > 34)
            }
        }
    }

    @Test func `entities that were not read are counted where they are`() {
        var found = marks(10, spread: 0.1)
        found.unread = Array(repeating: Mark.Position(longitude: 3, latitude: 48), count: 5)
        let clusters = Clusters(found, zoom: 19)
        #expect(clusters.features.count + clusters.clusters.reduce(0) { $0 + $1.count } == 15)
    }
}

@Suite struct SimplificationTests {
    @Test func `corners nearer than the tolerance go, farther ones stay`() {
        let simplification = Simplification(metres: 20)
        // 0.0001 degrees of latitude are 11 m, 0.001 are 111 m.
        #expect(simplification.keep([(0, 0), (0.01, 0.0001), (0.02, 0)]) == [0, 2])
        #expect(simplification.keep([(0, 0), (0.01, 0.001), (0.02, 0)]) == [0, 1, 2])
    }

    @Test func `a ring stays a ring, and one too small to be seen goes`() throws {
        let simplification = Simplification(metres: 20)
        func square(_ size: Double) throws -> JSON? {
            let ring: JSON = [[0, 0], [.number(size), 0], [.number(size), .number(size)], [0, .number(size)], [0, 0]]
            return simplification.simplified(try Geometry(typeName: "Polygon", coordinates: [ring]))
        }
        #expect(try square(0.01)?["coordinates"]?.arrayValue?.first?.arrayValue?.count == 5)
        #expect(try square(0.00001) == nil)
    }
}
