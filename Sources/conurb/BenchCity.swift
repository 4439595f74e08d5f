import Broker
import CityModel
import Foundation
import OrderedCollections
import Query

/// Where the sensors of the benchmark stand: twenty districts side by side, and sensors anywhere in them.
struct BenchCity {
    struct Place {
        let number: Int
        let district: Int
        let longitude: Double
        let latitude: Double
    }

    let places: [Place]

    static let columnCount = 5
    static let rowCount = 4
    static let west = 3.0
    static let south = 43.4
    static let districtDegrees = 0.1

    static let level = name("level")
    static let districtType = name("District")
    private static let titles = name("name")
    private static let districts = name("district")

    init(sensorCount: Int, seed: UInt64) {
        var chance = BenchChance(state: seed &+ 99)
        places = (0..<sensorCount).map { number in
            func degrees(_ cells: Int) -> Double { (chance.unit() * Double(cells) * Self.districtDegrees * 1e5).rounded(.down) / 1e5 + 5e-6 }
            let (east, north) = (degrees(Self.columnCount), degrees(Self.rowCount))
            let district = Int(north / Self.districtDegrees) * Self.columnCount + Int(east / Self.districtDegrees)
            return Place(number: number, district: district, longitude: Self.west + east, latitude: Self.south + north)
        }
    }

    static func name(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }

    /// Names of the standard context, so that whoever asks over HTTP needs no other.
    static func type(_ kind: BenchSensor.Kind) -> IRI { name(kind.term) }
    static func id(_ number: Int) -> IRI { IRI(known: "urn:ngsi-ld:Sensor:\(number)") }
    static func districtID(_ number: Int) -> IRI { IRI(known: "urn:ngsi-ld:District:\(number)") }

    /// west, south, east, north.
    static func box(ofDistrict number: Int) -> [Double] {
        let (west, south) = (Self.west + Double(number % columnCount) * districtDegrees, Self.south + Double(number / columnCount) * districtDegrees)
        return [west, south, west + districtDegrees, south + districtDegrees]
    }

    static func area(_ box: [Double]) throws -> Geometry { try Geometry(polygon(box)) }

    private static func polygon(_ box: [Double]) -> JSON {
        let ring = [(0, 1), (2, 1), (2, 3), (0, 3), (0, 1)].map { JSON.array([.number(box[$0.0]), .number(box[$0.1])]) }
        return ["type": "Polygon", "coordinates": .array([.array(ring)])]
    }

    func districts() -> [ObservedEntity] {
        (0..<Self.columnCount * Self.rowCount).map { number in
            ObservedEntity(
                id: Self.districtID(number), types: [Self.districtType],
                attributes: [
                    Self.titles: [Attribute(kind: .property, value: .string("District \(number)"))],
                    .location: [Attribute(kind: .geoProperty, value: Self.polygon(Self.box(ofDistrict: number)))],
                ])
        }
    }

    /// A sensor as it is after the last of its samples.
    func entity(_ place: Place, _ kind: BenchSensor.Kind, last: Attribute) -> ObservedEntity {
        ObservedEntity(
            id: Self.id(place.number), types: [Self.type(kind)],
            attributes: [
                Self.titles: [Attribute(kind: .property, value: .string("Sensor \(place.number)"))],
                Self.districts: [Attribute(kind: .relationship, value: .string(Self.districtID(place.district).text))],
                .location: [
                    Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [.number(place.longitude), .number(place.latitude)]])
                ],
                Self.level: [last],
            ])
    }
}
