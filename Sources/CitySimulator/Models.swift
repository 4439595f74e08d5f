internal import CityModel

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The value of each measure of a sensor at a moment, in the order of `SensorKind.measures`, as if nothing were broken.
struct Models {
    let seed: UInt64
    let lines: [BusLines.Line]
    let vehiclesOnLine: [Int]
    let speedLimits: [Int]

    func readings(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        switch sensor.kind {
        case .weather: weather(sensor, moment)
        case .air: air(sensor, moment)
        case .noise: noise(sensor, moment)
        case .traffic: traffic(sensor, moment)
        case .parking: parking(sensor, moment)
        case .bikes: bikes(sensor, moment)
        case .bus: bus(sensor, moment)
        case .light: light(sensor, moment)
        case .container: container(sensor, moment)
        case .electricity: electricity(sensor, moment)
        case .water: water(sensor, moment)
        }
    }

    /// Noise of the sensor's own, in -1...1, that changes over about `seconds`.
    private func own(_ sensor: Sensor, _ moment: Moment, seconds: Double, _ salt: UInt64 = 0) -> Double {
        Chance.noise(Double(moment.time.seconds) / seconds, sensor.seed &+ salt)
    }

    // MARK: - Sky and air

    /// Weather comes from the west at 11 m/s.
    private func localWeather(_ sensor: Sensor, _ time: CityTime) -> Weather {
        Weather(time, delaySeconds: sensor.place.x / 11, seed: seed &+ 81)
    }

    private func weather(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        let time = moment.time
        let local = localWeather(sensor, time)
        let lastHour = [1200, 2400].map { localWeather(sensor, CityTime(time.seconds - $0)).rainRate }
        let rain = (local.rainRate + lastHour[0] + lastHour[1]) / 3
        let temperature = local.temperature + sensor.size + 0.25 * own(sensor, moment, seconds: 900)
        let wind = local.windSpeed * (1 + 0.12 * own(sensor, moment, seconds: 240, 1)) * (1 - 0.2 * abs(sensor.size))
        let direction = (local.windDirection + 9 * own(sensor, moment, seconds: 400, 2) + 360).truncatingRemainder(dividingBy: 360)
        let lux = 98_000 * max(0, moment.sineOfSun) * (1 - 0.78 * local.cloud * local.cloud) + (moment.sineOfSun > -0.1 ? 40 : 0)
        return [
            .number(temperature.rounded(decimals: 1)), .number((local.humidity - 0.02 * sensor.size).clamped(0.15, 1).rounded(decimals: 2)),
            .number(local.pressure.rounded(decimals: 1)), .number(wind.rounded(decimals: 1)), .number(direction.rounded(decimals: 0)),
            .number(rain.rounded(decimals: 1)), .number((lux / 10).rounded(decimals: 0) * 10),
        ]
    }

    private func air(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        let local = localWeather(sensor, moment.time)
        let days = moment.time.days
        let stillness = (1.5 / (0.4 + 0.3 * local.windSpeed)).clamped(0.4, 1.9)
        let layer = moment.sineOfSun < 0 ? 1.25 : 1.25 - 0.4 * moment.sineOfSun
        let heating = ((15 - local.temperature) / 15).clamped(0, 1.2)
        let washed = 1 / (1 + 0.25 * local.rainRate)
        let traffic = moment.traffic * sensor.exposure
        let no2 = (5 + 36 * traffic + 7 * heating) * stillness * layer * (1 + 0.12 * own(sensor, moment, seconds: 2700))
        let haze = 3.5 * (1 + Chance.noise(days / 2.6, seed &+ 91))
        let unrest = 1 + 0.1 * own(sensor, moment, seconds: 3600, 1)
        let fine = (3 + haze + 5 * heating + 6 * traffic) * stillness.squareRoot() * layer * washed * unrest
        let coarse = fine * 1.45 + (4 + 4 * traffic) * washed
        let sunlight = max(0, Sun.sineOfElevation(CityTime(moment.time.seconds - 7200))) * (1 - 0.6 * local.cloud)
        let ozone = (52 + 62 * sunlight * (0.75 + 0.35 * moment.time.summer) - 0.75 * no2 + 5 * own(sensor, moment, seconds: 5400, 2)).clamped(2, 220)
        let index = AirQualityIndex(no2: no2, pm10: coarse, pm25: fine, o3: ozone)
        return [
            .number(no2.rounded(decimals: 1)), .number(coarse.rounded(decimals: 1)), .number(fine.rounded(decimals: 1)),
            .number(ozone.rounded(decimals: 1)), .number((0.16 + 0.006 * no2).rounded(decimals: 2)), .number(index.value.rounded(decimals: 0)),
            .string(index.level),
        ]
    }

    private func noise(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        let flow = moment.traffic * (1 + 0.15 * own(sensor, moment, seconds: 300)) + 0.01
        let background = pow(10, (37 + 2.5 * own(sensor, moment, seconds: 1800, 1)) / 10)
        let road = sensor.exposure * sensor.exposure * pow(10, 7.05) * flow
        let wind = pow(10, (26 + 2.2 * moment.weather.windSpeed) / 10)
        let level = 10 * log10(background + road + wind)
        let peak = level + 11 + 5 * own(sensor, moment, seconds: 60, 2)
        return [.number(level.rounded(decimals: 1)), .number(peak.rounded(decimals: 1))]
    }

    // MARK: - Roads, parks, docks and buses

    private func traffic(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        let limit = Double(speedLimits[sensor.route])
        let season = 0.97 - 0.07 * max(0, moment.time.summer)
        let unrest = 1 + 0.09 * own(sensor, moment, seconds: 1300) + 0.05 * own(sensor, moment, seconds: 150, 1)
        let demand = Rhythm.roads[sensor.variant].rate(moment.time) * sensor.exposure * season * unrest * sensor.size
        let lost = moment.incidents.reduce(0) { max($0, $1.loss(at: sensor)) }
        let capacity = sensor.size * (1 - lost) * (moment.weather.rainRate > 0.5 ? 0.93 : 1)
        let load = min(demand / capacity, 1.55)
        let served = min(demand, capacity)
        let load2 = load * load
        let free = limit * 0.94 * (1 + 0.03 * own(sensor, moment, seconds: 200, 2)) * (1 - 0.45 * lost)
        let speed = max(4, free / (1 + 0.85 * load2 * load2 * load))
        let lanes = sensor.size < 1000 ? 1.0 : 2
        let occupancy = min(0.95, served / lanes / speed * 0.0065)
        return [
            .number(speed.rounded(decimals: 1)), .integer(Int64((served / 4).rounded())), .number(occupancy.rounded(decimals: 3)),
            .bool(speed < 0.55 * limit),
        ]
    }

    private func parking(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        let usual = Rhythm.parking[sensor.variant].rate(moment.time)
        let unrest = 0.07 * own(sensor, moment, seconds: 5000) + 0.012 * own(sensor, moment, seconds: 300, 1)
        let share = (usual + unrest * (0.3 + usual)).clamped(0.01, 1)
        let free = sensor.size - (sensor.size * share).rounded()
        return [
            .integer(Int64(free)), .number((1 - free / sensor.size).rounded(decimals: 2)),
            .array([.string("open"), .string(free < 1 ? "full" : free < sensor.size * 0.05 ? "almostFull" : "spacesAvailable")]),
        ]
    }

    private func bikes(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        let usual = Rhythm.bikes[sensor.variant].rate(moment.time)
        let unrest = 0.2 * own(sensor, moment, seconds: 7000) + 0.09 * own(sensor, moment, seconds: 600, 1)
        let stillness = moment.time.hour < 5 ? 0.4 : 1
        let bikes = (sensor.size * (usual + unrest * stillness)).rounded().clamped(0, sensor.size)
        return [.integer(Int64(bikes)), .integer(Int64(sensor.size - bikes)), .string("working")]
    }

    private func bus(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        let line = lines[sensor.route]
        let delay = 50 * own(sensor, moment, seconds: 900) + 60 * moment.traffic
        let count = vehiclesOnLine[sensor.route]
        guard let phase = line.timetable.phase(moment.time, vehicle: Int(sensor.position), of: count, delay: delay) else {
            let bay = Place(x: 14 * sensor.position + 10, y: 12)
            return [Globe.point(sensor.place + bay), 0, -1, "parked"]
        }
        let (metres, speed, isBackwards) = line.timetable.at(phase)
        let (place, heading) = line.route.at(metres)
        let direction = isBackwards ? (heading + 180).truncatingRemainder(dividingBy: 360) : heading
        let kilometresPerHour = (speed * 3.6).rounded(decimals: 1)
        // The model's own rule: a vehicle that stands has the heading -1.
        return [
            Globe.point(place), .number(kilometresPerHour), kilometresPerHour > 0 ? .number(direction.rounded(decimals: 0)) : -1, "onRoute",
        ]
    }

    // MARK: - Lamps, containers and meters

    private func light(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        let week = FaultSchedule.week(ofDay: moment.time.day)
        let isBroken = Chance.unit(Chance.hash(sensor.seed &+ 5, week)) < 0.02
        let threshold = -0.04 + 0.012 * Chance.signed(sensor.seed) + 0.02 * moment.weather.cloud
        let isOn = moment.sineOfSun < threshold
        let isDimmed = moment.time.hour < 5
        let level = !isOn || isBroken ? 0 : isDimmed ? 0.5 : 1
        let watts = level > 0 ? sensor.size * (0.08 + 0.92 * level) * (1 + 0.02 * own(sensor, moment, seconds: 1800)) : 0.6
        return [
            .string(isOn ? "on" : "off"), .number(level), .number(watts.rounded(decimals: 1)), .string(isBroken ? "defectiveLamp" : "ok"),
        ]
    }

    /// Filled day by day since it was last emptied.
    private func container(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        let emptied = WasteCollection(sensor).lastEmptying(before: moment.time.seconds)
        let days = CityTime.day(of: emptied)...max(moment.time.day, CityTime.day(of: emptied))
        let perDay = sensor.size / WasteCollection.intervalDays(sensor.variant)
        var level = 0.02
        for day in days {
            let begin = day == days.lowerBound ? Rhythm.waste.sum(Double(emptied - day * 86400)) : 0
            let end = day == days.upperBound ? Rhythm.waste.sum(Double(moment.time.seconds - day * 86400)) : Rhythm.waste.total
            let appetite = 0.6 + 0.6 * Chance.unit(Chance.hash(sensor.seed &+ 6, day)) + (CityTime.weekday(day) > 4 ? 0.25 : 0)
            level += perDay * appetite * (end - begin) / Rhythm.waste.total
        }
        return [.number(min(level, 1).rounded(decimals: 2)), .string(Instant(seconds: emptied).description)]
    }

    /// The counter is what the model gives; power is what it gained over the last quarter of an hour.
    private func electricity(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        func counter(_ seconds: Int64) -> Double {
            let time = CityTime(seconds)
            let season = -0.2 * 365.2425 / (2 * .pi) * sin(time.yearAngle - 2 * .pi * 196 / 365.2425)
            let elapsed = Rhythm.electricity[sensor.variant].elapsedDays(time) - Meter.startDays
            return exp(sensor.size) * (elapsed + season + 12 + 0.006 * Chance.noise(time.days * 10, sensor.seed))
        }
        let now = counter(moment.time.seconds)
        let watts = (now - counter(moment.time.seconds - 900)) * 4000
        return [.number(watts.rounded(decimals: 0)), .number(now.rounded(decimals: 2))]
    }

    private func water(_ sensor: Sensor, _ moment: Moment) -> [JSON] {
        func counter(_ seconds: Int64) -> Double {
            let time = CityTime(seconds)
            let season = 0.1 * 365.2425 / (2 * .pi) * sin(time.yearAngle - 2 * .pi * 196 / 365.2425)
            let elapsed = Rhythm.water[sensor.variant].elapsedDays(time) - Meter.startDays
            return exp(sensor.size) * (elapsed + season + 12 + 0.003 * Chance.noise(time.days * 8, sensor.seed))
        }
        let now = counter(moment.time.seconds)
        let litresPerHour = (now - counter(moment.time.seconds - 900)) * 4000
        return [.number(now.rounded(decimals: 3)), .number(litresPerHour.rounded(decimals: 0))]
    }
}

enum Meter {
    /// Meters were installed on Monday, 30 December 2019, in days since the origin of `WeekProfile.elapsedDays`.
    static let startDays = 18_263.0
}

/// The Common Air Quality Index (hourly grid, CITEAIR): the worst pollutant decides.
struct AirQualityIndex {
    let value: Double
    let level: String

    init(no2: Double, pm10: Double, pm25: Double, o3: Double) {
        func grade(_ value: Double, _ grid: [Double]) -> Double {
            for index in 1..<grid.count where value < grid[index] {
                return 25 * (Double(index - 1) + (value - grid[index - 1]) / (grid[index] - grid[index - 1]))
            }
            return 25 * value / grid[grid.count - 1] * Double(grid.count - 1)
        }
        value = [
            grade(no2, [0, 50, 100, 200, 400]), grade(pm10, [0, 25, 50, 90, 180]), grade(pm25, [0, 15, 30, 55, 110]),
            grade(o3, [0, 60, 120, 180, 240]),
        ].max() ?? 0
        level = switch value {
        case ..<25: "veryLow"
        case ..<50: "low"
        case ..<75: "medium"
        case ..<100: "high"
        default: "veryHigh"
        }
    }
}

/// When a container is emptied: every few days in the morning, and in 4 of 100 cases not.
struct WasteCollection {
    private let sensor: Sensor

    init(_ sensor: Sensor) { self.sensor = sensor }

    /// Household waste, organic waste, paper, glass.
    static let kinds = ["other", "organic", "paper", "glass"]
    static func intervalDays(_ variant: Int) -> Double { [3, 2, 5, 7][variant] }

    func lastEmptying(before seconds: Int64) -> Int64 {
        let interval = Int64(Self.intervalDays(sensor.variant))
        let phase = Int64(sensor.district * 3 + sensor.variant)
        let today = CityTime.day(of: seconds)
        var day = today - ((today + phase) % interval + interval) % interval
        for _ in 0..<3 {
            if let moment = emptying(on: day), moment <= seconds { return moment }
            day -= interval
        }
        return day * 86400 + 8 * 3600
    }

    private func emptying(on day: Int64) -> Int64? {
        let bits = Chance.hash(sensor.seed &+ 7, day)
        guard Chance.unit(bits) > 0.04 else { return nil }
        let round = Double(sensor.district % 5) + 1.2 * Chance.unit(Chance.mix(bits))
        return day * 86400 + Int64((5.5 + round) * 3600)
    }
}
