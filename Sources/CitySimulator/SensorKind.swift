internal import CityModel

/// The kinds of thing that report values: how many there are of each, how often they report, what they measure and how
/// they may fail.
package enum SensorKind: Int, CaseIterable, Sendable {
    case weather, air, noise, traffic, parking, bikes, bus, light, container, electricity, water

    /// What one measured attribute is: its name, unit, and the decimals it is reported with.
    struct Measure: Sendable {
        let name: IRI
        let unit: String?
        init(_ term: String, _ unit: String? = nil) { (name, self.unit) = (Term.plain(term), unit) }
        init(_ name: IRI) { (self.name, unit) = (name, nil) }
    }

    /// Parts of a hundred of the plan's sensors.
    package var share: Double {
        switch self {
        case .weather: 1.5
        case .air: 3
        case .noise: 4
        case .traffic: 16
        case .parking: 4
        case .bikes: 6
        case .bus: 6
        case .light: 18
        case .container: 15
        case .electricity: 14
        case .water: 12.5
        }
    }

    /// Seconds between reports while living; a divisor of 3600.
    package var periodSeconds: Int {
        switch self {
        case .bus: 5
        case .bikes, .parking: 30
        case .traffic, .noise, .weather: 60
        case .air: 300
        case .light, .electricity: 600
        case .container, .water: 900
        }
    }

    var typeName: String {
        switch self {
        case .weather: "WeatherObserved"
        case .air: "AirQualityObserved"
        case .noise: "NoiseLevelObserved"
        case .traffic: "TrafficFlowObserved"
        case .parking: "OffStreetParking"
        case .bikes: "BikeHireDockingStation"
        case .bus: "Vehicle"
        case .light: "Streetlight"
        case .container: "WasteContainer"
        case .electricity: "ACMeasurement"
        case .water: "WaterConsumptionObserved"
        }
    }

    var codeLetter: String {
        switch self {
        case .weather: "W"
        case .air: "A"
        case .noise: "N"
        case .traffic: "T"
        case .parking: "P"
        case .bikes: "V"
        case .bus: "B"
        case .light: "L"
        case .container: "C"
        case .electricity: "E"
        case .water: "H"
        }
    }

    var title: String {
        switch self {
        case .weather: "Weather station"
        case .air: "Air station"
        case .noise: "Noise meter"
        case .traffic: "Detector"
        case .parking: "Car park"
        case .bikes: "Bike station"
        case .bus: "Bus"
        case .light: "Lamp"
        case .container: "Container"
        case .electricity: "Electricity meter"
        case .water: "Water meter"
        }
    }

    /// The faults that this kind can have; docs/simulator.md gives the rates.
    var faults: [FaultKind] {
        switch self {
        case .weather, .air, .noise, .traffic: [.gap, .stuck, .drift, .spike]
        case .electricity, .water: [.gap, .stuck, .spike]
        case .parking, .bikes, .container: [.gap, .stuck]
        case .bus, .light: [.gap]
        }
    }

    /// Which of `measures` drifts and spikes.
    var primaryIndex: Int { self == .electricity ? 1 : 0 }

    /// In the order in which `Readings` gives the values.
    var measures: [Measure] { Self.allMeasures[rawValue] }

    private static let allMeasures: [[Measure]] = allCases.map { kind in
        switch kind {
        case .weather:
            [
                Measure("temperature", Unit.celsius), Measure("relativeHumidity", Unit.one), Measure("atmosphericPressure", Unit.hectopascals),
                Measure("windSpeed", Unit.metresPerSecond), Measure("windDirection", Unit.degrees),
                Measure("precipitation", Unit.millimetres), Measure("illuminance", Unit.lux),
            ]
        case .air:
            [
                Measure("no2", Unit.microgramsPerCubicMetre), Measure("pm10", Unit.microgramsPerCubicMetre),
                Measure("pm25", Unit.microgramsPerCubicMetre), Measure("o3", Unit.microgramsPerCubicMetre),
                Measure("co", Unit.milligramsPerCubicMetre), Measure("airQualityIndex"), Measure("airQualityLevel"),
            ]
        case .noise: [Measure("LAeq", Unit.decibels), Measure("LAmax", Unit.decibels)]
        case .traffic:
            [
                Measure("averageVehicleSpeed", Unit.kilometresPerHour), Measure("intensity", Unit.one), Measure("occupancy", Unit.one),
                Measure("congested"),
            ]
        case .parking: [Measure("availableSpotNumber", Unit.one), Measure("occupancy", Unit.one), Measure(Term.status)]
        case .bikes: [Measure("availableBikeNumber", Unit.one), Measure("freeSlotNumber", Unit.one), Measure(Term.status)]
        case .bus:
            [Measure(Term.location), Measure("speed", Unit.kilometresPerHour), Measure("heading", Unit.degrees), Measure("serviceStatus")]
        case .light: [Measure("powerState"), Measure("illuminanceLevel", Unit.one), Measure("powerConsumption", Unit.watts), Measure(Term.status)]
        case .container: [Measure("fillingLevel", Unit.one), Measure("dateLastEmptying")]
        case .electricity: [Measure("totalActivePower", Unit.watts), Measure("totalActiveEnergyImport", Unit.kilowattHours)]
        case .water: [Measure("waterConsumption", Unit.cubicMetres), Measure("flowRate", Unit.litresPerHour)]
        }
    }

    /// Whole numbers that sum to `total`, in proportion to the shares; what rounding leaves goes to the largest rests.
    package static func counts(total: Int) -> [Int] {
        let exact = allCases.map { Double(total) * $0.share / 100 }
        var counts = exact.map { Int($0) }
        let order = exact.indices.sorted { (exact[$1] - Double(counts[$1]), $0) < (exact[$0] - Double(counts[$0]), $1) }
        for index in order.prefix(total - counts.reduce(0, +)) { counts[index] += 1 }
        return counts
    }
}
