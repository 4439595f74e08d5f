public import CityModel

/// A metropolis that does not exist: its map, and its life at any moment.
///
/// It has no state. What happens at a moment follows from the plan and the moment alone, so that a program that stops
/// and starts again, or asks twice, gets the same. Making one costs up to a second; it can be shared between tasks.
public struct Metropolis: Sendable {
    public let plan: SimulationPlan
    public let municipalities: [SimulatedMunicipality]

    package let geography: Geography
    package let roads: Roads
    package let buses: BusLines
    let observer: Observer
    let happenings: Happenings
    private let rota: Rota

    /// - Throws: `CityError.internalFault` if the geography cannot be expressed, which no plan is known to cause.
    public init(_ plan: SimulationPlan) throws(CityError) {
        self.plan = plan
        let geography = try Geography(municipalityCount: plan.municipalityCount, seed: plan.seed)
        let roads = Roads(geography, seed: plan.seed)
        let buses = BusLines(geography, roads, seed: plan.seed)
        let sensors = SensorPlacement(plan, geography, roads, buses.lines).sensors
        var vehiclesOnLine = [Int](repeating: 0, count: buses.lines.count)
        for sensor in sensors where sensor.kind == .bus && sensor.route >= 0 { vehiclesOnLine[sensor.route] += 1 }
        let models = Models(
            seed: plan.seed, lines: buses.lines, vehiclesOnLine: vehiclesOnLine, speedLimits: roads.roads.map(\.speedLimit))
        self.geography = geography
        self.roads = roads
        self.buses = buses
        municipalities = geography.municipalities
        observer = Observer(sensors: sensors, models: models, faults: FaultSchedule(seed: plan.seed &+ 78), geography: geography)
        happenings = Happenings(geography, roads, seed: plan.seed)
        rota = Rota(sensors)
    }

    public var sensorCount: Int { observer.sensors.count }
    package var sensors: [Sensor] { observer.sensors }

    /// Number of sensors by the local name of their type.
    public var sensorCounts: [String: Int] {
        observer.sensors.reduce(into: [:]) { $0[$1.kind.typeName, default: 0] += 1 }
    }

    /// History: each sensor's values at every whole multiple of `step` seconds since 1970 in `from..<to`, in order of time, one
    /// sensor after the other, so that whoever keeps them writes one series at a time; then every step of incidents and reports
    /// between, in order of time. Made as it is asked for; in memory is what the city was like at each of the moments.
    public func observations(from: Instant, to: Instant, every step: Int) -> some Sequence<Observation> {
        let (from, to, step) = (from.secondsRoundedUp, to.secondsRoundedUp, Int64(max(step, 1)))
        let first = from + ((-from % step) + step) % step
        let moments = stride(from: first, to: to, by: Int64.Stride(step)).map(moment)
        let readings = observer.sensors.indices.lazy.flatMap { index in
            moments.lazy.compactMap { observer.observation(index, $0, momentAt: moment) }
        }
        return [AnySequence(readings), AnySequence(happenings.steps(from: from, to: to))].joined()
    }

    /// Life: what was reported at a second in `after < t <= upTo`, in order of time. Sensors report at their own pace, from every
    /// 5 s (buses) to every 15 min (containers and water meters), spread evenly. Asking for two intervals one after the
    /// other gives exactly what asking for both at once gives.
    ///
    /// The answer grows with the interval: some 30 observations a second for 1500 sensors. For hours, use `observations`.
    public func changes(after: Instant, upTo: Instant) -> [Observation] {
        let first = after.seconds + 1, last = upTo.seconds
        guard first <= last else { return [] }
        var changes: [Observation] = []
        var steps = happenings.steps(from: first, to: last + 1)[...]
        for second in first...last {
            while let step = steps.first, step.observedAt.seconds <= second { changes.append(steps.removeFirst()) }
            let now = moment(second)
            rota.reporting(at: second) { index in
                if let observation = observer.observation(index, now, momentAt: moment) { changes.append(observation) }
            }
        }
        return changes
    }

    /// What every sensor would report at a moment, silent ones left out, with the incidents that are on and the reports that are not closed.
    public func state(at instant: Instant) -> [Observation] {
        let now = moment(instant.seconds)
        return observer.sensors.indices.compactMap { observer.observation($0, now, momentAt: moment) } + happenings.open(at: instant.seconds)
    }

    /// The faults that are on at some moment of `from..<to`, in order of beginning: what work on quality has to find.
    public func faults(from: Instant, to: Instant) -> [Fault] {
        guard from < to else { return [] }
        let start = from.seconds, end = to.secondsRoundedUp
        let days = CityTime.day(of: start)...CityTime.day(of: end - 1)
        let weeks = FaultSchedule.week(ofDay: days.lowerBound)...FaultSchedule.week(ofDay: days.upperBound)
        var found: [Fault] = []
        for sensor in observer.sensors {
            let possible = sensor.kind.faults
            let spells =
                days.compactMap { observer.faults.short(sensor.index, possible, day: $0) }
                + weeks.compactMap { observer.faults.drift(sensor.index, possible, week: $0) }
            for spell in spells where spell.start < end && spell.end > start { found.append(fault(spell, of: sensor)) }
        }
        return found.sorted { ($0.start, $0.entityID) < ($1.start, $1.entityID) }
    }

    private func fault(_ spell: FaultSchedule.Spell, of sensor: Sensor) -> Fault {
        let isPartial = spell.kind == .drift || spell.kind == .spike
        return Fault(
            kind: spell.kind, municipality: municipalities[sensor.municipality].identifier, entityID: sensor.id,
            attribute: isPartial ? sensor.kind.measures[sensor.kind.primaryIndex].name : nil, start: Instant(seconds: spell.start),
            end: Instant(seconds: spell.end))
    }

    /// The true value of each of a sensor's measures, whatever is wrong with the sensor.
    package func readings(_ sensor: Sensor, _ moment: Moment) -> [JSON] { observer.models.readings(sensor, moment) }

    /// What is the same for all at one second.
    package func moment(_ seconds: Int64) -> Moment {
        let time = CityTime(seconds)
        return Moment(
            time: time, weather: Weather(time, seed: plan.seed &+ 81), sineOfSun: Sun.sineOfElevation(time),
            incidents: happenings.incidents.active(at: seconds), traffic: Rhythm.roads[2].rate(time))
    }
}

/// Which sensors report at which second, without looking at those that do not.
private struct Rota: Sendable {
    /// For each kind and each second of its period, the sensors that report then.
    private let sensors: [[[Int]]]

    init(_ all: [Sensor]) {
        var sensors = SensorKind.allCases.map { [[Int]](repeating: [], count: $0.periodSeconds) }
        for sensor in all { sensors[sensor.kind.rawValue][sensor.phase].append(sensor.index) }
        self.sensors = sensors
    }

    func reporting(at second: Int64, _ report: (Int) -> Void) {
        for kind in SensorKind.allCases {
            let period = Int64(kind.periodSeconds)
            for index in sensors[kind.rawValue][Int((second % period + period) % period)] { report(index) }
        }
    }
}

extension Instant {
    var secondsRoundedUp: Int64 { adding(seconds: 0.999_999).seconds }
}
