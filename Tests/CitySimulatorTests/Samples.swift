import CityModel
import OrderedCollections
import Testing

import CitySimulator

/// Metropolises and moments that several tests look at, made once.
enum Samples {
    static let plan = SimulationPlan(seed: 1, municipalityCount: 8, sensorCount: 400)
    static let metropolis = Result { try Metropolis(plan) }
    /// The same without sensors: what is left of its life are incidents and reports.
    static let unmeasured = Result { try Metropolis(SimulationPlan(seed: 1, municipalityCount: 8, sensorCount: 0)) }

    /// A Wednesday, midnight.
    static let wednesday = Instant(utc: CivilTime(year: 2026, month: 11, day: 18))

    static func plain(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }
    static let status = IRI(known: IRI.ngsildNamespace + "status")
}

extension Observation {
    func number(_ term: String) -> Double? { attributes[Samples.plain(term)]?.first?.value.doubleValue }
    func text(_ term: String) -> String? { attributes[Samples.plain(term)]?.first?.value.stringValue }
    var status: String? { attributes[Samples.status]?.first?.value.stringValue }
    /// The values, in the order of the attributes.
    var values: [JSON] { attributes.values.map { $0[0].value } }
    var isSensor: Bool { !isWhole }
    /// Everything in it, as one text.
    var summary: String {
        let values = attributes.map { "\($0.key)=\($0.value[0].value)@\($0.value[0].observedAt?.description ?? "")\($0.value[0].unitCode ?? "")" }
        return "\(municipality) \(entityID) \(values.joined(separator: " "))"
    }
}

extension Metropolis {
    /// The model's values of one sensor at a moment, as if nothing were broken.
    func truth(_ sensor: Sensor, at instant: Instant) -> [JSON] { readings(sensor, moment(instant.seconds)) }

    func sensors(_ kind: SensorKind) -> [Sensor] { sensors.filter { $0.kind == kind } }

    /// The mean of a measure over all sensors of a kind.
    func mean(_ kind: SensorKind, _ measure: Int, at instant: Instant) -> Double {
        let now = moment(instant.seconds)
        let values = sensors(kind).compactMap { readings($0, now)[measure].doubleValue }
        return values.reduce(0, +) / Double(max(values.count, 1))
    }
}

func correlation(_ first: [Double], _ second: [Double]) -> Double {
    let count = Double(first.count)
    let means = (first.reduce(0, +) / count, second.reduce(0, +) / count)
    let both = zip(first, second).reduce(0) { $0 + ($1.0 - means.0) * ($1.1 - means.1) }
    let one = first.reduce(0) { $0 + ($1 - means.0) * ($1 - means.0) }
    let two = second.reduce(0) { $0 + ($1 - means.1) * ($1 - means.1) }
    return both / (one * two).squareRoot()
}
