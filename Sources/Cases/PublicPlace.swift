internal import Broker
package import CityModel
internal import OrderedCollections
internal import Policy
internal import Query
package import Services
internal import Store
package import Trust

/// Where a case is, as everybody may see it.
struct PublicPlace: Hashable, Sendable {
    /// Nil where nobody may know.
    let point: Geometry?
    /// A house is told by its address, so that is told where the place itself is; else the street, as the city calls it.
    let address: String?
}

extension CaseDesk {
    /// - Parameter address: as whoever reports it says it.
    func publicPlace(
        of answers: ServiceAnswers, address: String?, _ definition: ServiceDefinition, _ access: ReadAccess, at now: Instant
    ) async throws -> PublicPlace {
        let place = answers.place(definition)
        switch definition.publication.place {
        case .exact: return PublicPlace(point: place, address: address)
        case .hidden: return PublicPlace(point: nil, address: nil)
        case .rounded(let metres): return PublicPlace(point: place?.rounded(to: Int(metres.rounded())), address: nil)
        case .street:
            guard let place else { return PublicPlace(point: nil, address: nil) }
            return try await street(near: place, access, at: now) ?? PublicPlace(point: place.rounded(to: Self.withoutStreetMetres), address: nil)
        }
    }

    /// Where everybody may see that a report is: what is likely the same is found there.
    package func publicPoint(of answers: ServiceAnswers, _ definition: ServiceDefinition, _ access: ReadAccess, at now: Instant) async throws -> Geometry? {
        try await publicPlace(of: answers, address: nil, definition, access, at: now).point
    }

    // MARK: The street

    /// Types of the Smart Data Models, and what cities call them besides.
    private static let streetTypes = ["RoadSegment", "Road", "Street"].map(IRI.plain)
    /// Farther away a street is another one, or the place is on none.
    private static let streetDistanceMax = 100.0
    /// Along a shorter one stand too few houses.
    private static let streetLengthMin = 50.0
    /// Where no street is known.
    private static let withoutStreetMetres = 100
    /// Streets that are looked at.
    private static let streetCountMax = 200

    private struct NearStreet {
        let id: IRI
        let name: String?
        let line: StreetLine
        let distance: Double
        let along: Double
    }

    /// The place as its street tells it: the middle of a stretch of it, and what it is called.
    /// - Returns: nil where no street is near, or the nearest is so short that it would tell the house.
    private func street(near place: Geometry, _ access: ReadAccess, at now: Instant) async throws -> PublicPlace? {
        let center = place.boundingBox.center
        let geo = GeoQuery(relation: .nearMax(Self.streetDistanceMax), reference: try PreparedGeometry(place))
        let filter = EntityFilter(types: .or(Self.streetTypes.map(TypeSelection.type)), geo: geo)
        let page = try await broker.query(EntityQuery(filter: filter, limit: Self.streetCountMax), access, at: now)
        // Whoever files reads more than everybody does: what is not open becomes public by no report.
        let streets = try page.entities.filter { $0.stored.classification == .open }.flatMap { found -> [NearStreet] in
            let street = try broker.entity(found, access)
            return street.lines.compactMap { StreetLine($0) }.map { line in
                let (distance, along) = line.nearest(to: center)
                return NearStreet(id: street.id, name: street.placeName, line: line, distance: distance, along: along)
            }
        }
        guard let nearest = streets.min(by: { ($0.distance, $0.id.text) < ($1.distance, $1.id.text) }), nearest.distance <= Self.streetDistanceMax,
            nearest.line.length >= Self.streetLengthMin, let middle = nearest.line.middle(along: nearest.along)
        else { return nil }
        return PublicPlace(point: middle, address: nearest.name)
    }
}

extension Geometry {
    /// The middle of a square of so many metres in which it lies.
    fileprivate func rounded(to metres: Int) -> Geometry? { Precision(placeMetres: metres, period: nil).rounded(self) }
}

extension Entity {
    /// Where it runs, as one line or several.
    fileprivate var lines: [[(longitude: Double, latitude: Double)]] {
        guard let value = instance(of: .location)?.value, let parts = value["coordinates"]?.arrayValue else { return [] }
        func line(_ positions: JSON) -> [(longitude: Double, latitude: Double)] {
            (positions.arrayValue ?? []).compactMap { position in
                guard let numbers = position.arrayValue, numbers.count >= 2, let longitude = numbers[0].doubleValue, let latitude = numbers[1].doubleValue else { return nil }
                return (longitude, latitude)
            }
        }
        return switch value["type"]?.stringValue {
        case "LineString": [line(.array(parts))]
        case "MultiLineString": parts.map(line)
        default: []
        }
    }
}
