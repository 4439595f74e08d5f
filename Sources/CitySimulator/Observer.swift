internal import CityModel
internal import OrderedCollections

/// Turns sensors and moments into observations, faults included.
struct Observer: Sendable {
    let sensors: [Sensor]
    let models: Models
    let faults: FaultSchedule
    private let municipalities: [MunicipalityName]
    private let scopes: [[Scope]]
    private let types: [[IRI]]
    /// For each kind, attributes that are in the right order and only await their values.
    private let templates: [Attributes]

    init(sensors: [Sensor], models: Models, faults: FaultSchedule, geography: Geography) {
        self.sensors = sensors
        self.models = models
        self.faults = faults
        municipalities = geography.municipalities.map(\.identifier)
        scopes = geography.districts.map { [$0.scope] }
        types = SensorKind.allCases.map { [Term.plain($0.typeName)] }
        templates = SensorKind.allCases.map { kind in
            var list = AttributeList()
            for measure in kind.measures { list.add(measure.name, .property(.null)) }
            return list.attributes
        }
    }

    /// Nil while the sensor is silent. `momentAt` gives what the city was like at another second, for stuck values.
    func observation(_ index: Int, _ moment: Moment, momentAt: (Int64) -> Moment) -> Observation? {
        let sensor = sensors[index]
        guard let values = values(sensor, moment, momentAt) else { return nil }
        let kind = sensor.kind
        let instant = moment.instant
        var attributes = templates[kind.rawValue]
        for (position, measure) in kind.measures.enumerated() {
            var attribute = Attribute(
                kind: measure.name == Term.location ? .geoProperty : .property, value: values[position], observedAt: instant)
            attribute.unitCode = measure.unit
            attributes.values[position] = [attribute]
        }
        return Observation(
            municipality: municipalities[sensor.municipality], entityID: sensor.id, types: types[kind.rawValue], scopes: scopes[sensor.district],
            attributes: attributes, observedAt: instant)
    }

    private func values(_ sensor: Sensor, _ moment: Moment, _ momentAt: (Int64) -> Moment) -> [JSON]? {
        let seconds = moment.time.seconds
        let possible = sensor.kind.faults
        guard let spell = faults.shortActive(sensor.index, possible, at: seconds) else { return drifted(sensor, moment) }
        switch spell.kind {
        case .gap: return nil
        case .stuck: return drifted(sensor, momentAt(spell.start))
        case .spike:
            var values = drifted(sensor, moment)
            // About every second report: which ones is drawn for each minute.
            if Chance.hash(sensor.seed &+ 9, seconds / 60) & 1 == 0 { spike(&values, sensor, spell.size) }
            return values
        case .drift: return drifted(sensor, moment)
        }
    }

    /// The model's values, and the primary one moved by the drift if there is one: temperatures by up to 5 degrees,
    /// levels of sound by up to 9 dB, all others by up to 45 of 100 parts, growing evenly from nothing to that.
    private func drifted(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        var values = models.readings(sensor, moment)
        guard let spell = faults.driftActive(sensor.index, sensor.kind.faults, at: moment.time.seconds) else { return values }
        let progress = Double(moment.time.seconds - spell.start) / Double(spell.end - spell.start)
        let size = (spell.size < 0 ? -1 : 1) * (0.4 + 0.6 * abs(spell.size)) * progress
        change(&values, sensor) { value in
            switch sensor.kind {
            case .weather: value + 5 * size
            case .noise: value + 9 * size
            default: value * (1 + 0.45 * size)
            }
        }
        return values
    }

    private func spike(_ values: inout [JSON], _ sensor: Sensor, _ size: Double) {
        change(&values, sensor) { value in
            switch sensor.kind {
            case .weather: value + (size < 0 ? -25 : 25) + 10 * size
            case .noise: value + 35 + 10 * size
            case .electricity, .water: max(0, value * 0.1)
            default: value * (5 + 3 * size) + 20
            }
        }
    }

    private func change(_ values: inout [JSON], _ sensor: Sensor, by change: (Double) -> Double) {
        let index = sensor.kind.primaryIndex
        guard let value = values[index].doubleValue else { return }
        values[index] = .number(change(value).rounded(decimals: sensor.kind == .water ? 3 : sensor.kind == .electricity ? 2 : 1))
    }
}
