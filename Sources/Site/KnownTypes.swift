/// What these pages know about common types of the Smart Data Models: their order as layers, the attributes that can colour
/// them, best first, and the range of values that is usual. Everything else is found out from the data.
struct KnownType: Sendable {
    enum Colouring: Sendable {
        /// By a number; the range is what the colours span, in the attribute's usual unit. Without one it is found out from the data.
        case number(String, ClosedRange<Double>?)
        /// By a word, with the usual words in the order of the legend.
        case state(String, [String])

        var attribute: String {
            switch self {
            case .number(let attribute, _), .state(let attribute, _): attribute
            }
        }
    }

    let name: String
    let shape: LayerShape
    /// None for a type of which no value is worth a colour.
    let colourings: [Colouring]
    /// Whether its entities change place, so that a past moment has to be asked for their places too.
    var moves = false
    /// Whether its entities happen rather than stand, so that before they were first observed there was nothing.
    var isEvent = false

    static let all: [KnownType] = [
        KnownType(
            name: "AirQualityObserved", shape: .circle,
            colourings: [
                .number("pm25", 0...50), .number("PM2.5", 0...50), .number("PM25", 0...50), .number("pm10", 0...80), .number("PM10", 0...80),
                .number("no2", 0...120), .number("NO2", 0...120), .number("o3", 0...180), .number("O3", 0...180),
                .number("airQualityIndex", 0...100),
            ]),
        KnownType(
            name: "OffStreetParking", shape: .square,
            colourings: [.number("availableSpotNumber", 0...300), .number("occupancy", 0...1), .number("totalSpotNumber", 0...1000)]),
        KnownType(name: "BikeHireDockingStation", shape: .triangle, colourings: [.number("availableBikeNumber", 0...25), .number("totalSlotNumber", 0...40)]),
        KnownType(name: "Vehicle", shape: .diamond, colourings: [.number("speed", 0...60), .state("serviceStatus", ["onRoute", "parked"])], moves: true),
        KnownType(
            name: "TrafficFlowObserved", shape: .hexagon, colourings: [.number("averageVehicleSpeed", 0...80), .number("intensity", nil), .number("occupancy", 0...1)]),
        KnownType(name: "WeatherObserved", shape: .wedge, colourings: [.number("temperature", -5...35), .number("windSpeed", 0...20)]),
        KnownType(name: "NoiseLevelObserved", shape: .plus, colourings: [.number("LAeq", 35...80)]),
        KnownType(name: "Alert", shape: .pentagon, colourings: [.state("status", ["onGoing", "solved"]), .state("severity", ["low", "medium", "high"])], isEvent: true),
        KnownType(
            name: "Open311ServiceRequest", shape: .star, colourings: [.state("status", ["open", "acknowledged", "inProgress", "closed"])], isEvent: true),
        KnownType(name: "WasteContainer", shape: .bar, colourings: [.number("fillingLevel", 0...1)]),
        KnownType(name: "Streetlight", shape: .spark, colourings: [.state("powerState", ["on", "off", "low"]), .state("status", ["ok", "defectiveLamp"])]),
        KnownType(name: "PublicTransportStop", shape: .burst, colourings: []),
        KnownType(name: "EVChargingStation", shape: .hourglass, colourings: [.number("availableCapacity", 0...10), .number("capacity", 0...20)]),
        KnownType(name: "ParkingSpot", shape: .pillar, colourings: [.state("status", ["free", "occupied", "unknown"])]),
        KnownType(name: "OnStreetParking", shape: .bow, colourings: [.number("availableSpotNumber", 0...50), .number("totalSpotNumber", 0...100)]),
        KnownType(name: "ItemFlowObserved", shape: .chevron, colourings: [.number("intensity", nil)]),
        KnownType(name: "CrowdFlowObserved", shape: .right, colourings: [.number("peopleCount", nil)]),
        KnownType(name: "PointOfInterest", shape: .house, colourings: []),
        KnownType(name: "WasteContainerIsle", shape: .octagon, colourings: []),
        KnownType(name: "Tree", shape: .dome, colourings: [.number("height", 0...25)]),
        KnownType(name: "ACMeasurement", shape: .bolt, colourings: [.number("totalActivePower", nil), .number("activePower", nil)]),
        KnownType(name: "WaterConsumptionObserved", shape: .drop, colourings: [.number("flowRate", nil), .number("waterFlow", nil)]),
    ]

    private static let places: [String: Int] = Dictionary(all.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })

    /// By the short name of a type.
    static subscript(name: String) -> KnownType? { places[name].map { all[$0] } }
    /// Where it stands among the layers; nil for types that are not known.
    static func place(of name: String) -> Int? { places[name] }
}

/// What the ground of the map is drawn from.
enum OutlineKind: String, CaseIterable, Sendable {
    case municipality, district, water, green, road, line

    /// By the short name of a type. A thing with several types is the first of these in the order of the cases.
    static func of(_ name: String) -> OutlineKind? { kinds[name] }

    private static let kinds: [String: OutlineKind] = [
        "Municipality": .municipality, "Commune": .municipality, "City": .municipality,
        "District": .district, "Neighbourhood": .district, "Neighborhood": .district, "Quarter": .district, "Borough": .district,
        "AdministrativeArea": .district,
        "River": .water, "Coastline": .water, "WaterBody": .water, "Lake": .water, "Canal": .water, "Sea": .water,
        "Park": .green, "Garden": .green, "Greenspace": .green, "UrbanGreening": .green, "Forest": .green,
        "Road": .road, "RoadSegment": .road,
        "PublicTransportRoute": .line, "GtfsRoute": .line, "GtfsShape": .line, "BusLine": .line,
    ]
}
