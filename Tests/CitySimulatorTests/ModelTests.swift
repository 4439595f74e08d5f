import CityModel
import OrderedCollections
import Testing

import CitySimulator

@Suite struct ModelTests {
    let midnight = Samples.wednesday

    private func hour(_ hour: Double, day: Int = 0) -> Instant { midnight.adding(seconds: hour * 3600 + Double(day) * 86400) }

    @Test func `traffic peaks in the morning and in the evening of a working day, not on Sunday`() throws {
        let city = try Samples.metropolis.get()
        let flow = (0..<24).map { city.mean(.traffic, 1, at: hour(Double($0))) }
        #expect((7...9).contains(try #require((0..<12).max { flow[$0] < flow[$1] })))
        #expect((16...18).contains(try #require((12..<24).max { flow[$0] < flow[$1] })))
        #expect(flow[8] > 1.2 * flow[10] && flow[8] > 6 * flow[3])
        #expect(city.mean(.traffic, 1, at: hour(8, day: 4)) < 0.5 * flow[8])
        #expect(city.mean(.traffic, 0, at: hour(8)) < 0.92 * city.mean(.traffic, 0, at: hour(3)))
    }

    @Test func `an incident slows the road where it is, and only while it lasts`() throws {
        let city = try Samples.metropolis.get()
        let detector = try #require(city.sensors(.traffic).first)
        let usual = city.moment(hour(8).seconds)
        var incident = try #require((0..<240).lazy.compactMap { city.moment(hour(Double($0)).seconds).incidents.first }.first)
        (incident.road, incident.loss) = (detector.route, 0.8)
        func speed(incidentAt metres: Double?) throws -> Double {
            var moment = usual
            moment.incidents = []
            if let metres {
                incident.metres = metres
                moment.incidents.append(incident)
            }
            return try #require(city.readings(detector, moment)[0].doubleValue)
        }
        let free = try speed(incidentAt: nil)
        #expect(try speed(incidentAt: detector.position) < 0.5 * free)
        #expect(try speed(incidentAt: detector.position + 700) < 0.95 * free)
        #expect(try speed(incidentAt: detector.position + 1501) == free)
    }

    @Test func `incidents last at most as long as is looked back for`() throws {
        let city = try Samples.unmeasured.get()
        let weeks = midnight.adding(seconds: -14 * 86400)
        var steps: [IRI: [Observation]] = [:]
        for step in city.observations(from: weeks, to: midnight, every: 14 * 86400) where step.types == [Samples.plain("Alert")] {
            steps[step.entityID, default: []].append(step)
        }
        let whole = steps.values.filter { $0.map(\.status) == ["onGoing", "solved"] }
        #expect((20..<400).contains(whole.count))
        // At most the few at the two borders of the fortnight are told in part.
        #expect(whole.count > steps.count - 8)
        for incident in whole {
            let (start, end) = (incident[0].observedAt, incident[1].observedAt)
            #expect((1...130 * 60).contains(end.seconds - start.seconds))
            #expect(city.state(at: start).contains { $0.entityID == incident[0].entityID })
            #expect(city.state(at: end.adding(seconds: -1)).contains { $0.entityID == incident[0].entityID })
            #expect(!city.state(at: end).contains { $0.entityID == incident[0].entityID })
        }
    }

    @Test func `weather and air of two stations move together`() throws {
        let city = try Samples.metropolis.get()
        for (kind, measure, least) in [(SensorKind.weather, 0, 0.9), (.weather, 3, 0.8), (.air, 2, 0.6)] {
            let stations = city.sensors(kind)
            let times = (0..<84).map { hour(Double($0) * 2) }
            func series(_ sensor: Sensor) -> [Double] { times.compactMap { city.truth(sensor, at: $0)[measure].doubleValue } }
            #expect(correlation(series(stations[0]), series(stations[1])) > least, "\(kind) \(measure)")
        }
    }

    @Test func `summer is warmer than winter, noon warmer than dawn, and it rains on some days`() throws {
        let city = try Samples.metropolis.get()
        func temperatures(month: Int, hour: Int) -> Double {
            (1...28).reduce(0) { sum, day in
                sum + city.mean(.weather, 0, at: Instant(utc: CivilTime(year: 2026, month: month, day: day, hour: hour)))
            } / 28
        }
        #expect(temperatures(month: 7, hour: 14) > temperatures(month: 1, hour: 14) + 8)
        #expect(temperatures(month: 7, hour: 14) > temperatures(month: 7, hour: 5) + 3)
        let station = try #require(city.sensors(.weather).first)
        let wetHours = (0..<1460).filter { city.truth(station, at: hour(Double($0) * 6))[5].doubleValue ?? 0 > 0.1 }.count
        #expect((60..<400).contains(wetHours), "\(wetHours) of 1460")
    }

    @Test(arguments: [(month: 6, from: 3.0, to: 5.5), (month: 12, from: 6.8, to: 9.0)])
    func `lamps go out at sunrise`(month: Int, from: Double, to: Double) throws {
        let day = Instant(utc: CivilTime(year: 2026, month: month, day: 21))
        let city = try Samples.metropolis.get()
        let sunrise = stride(from: 0.0, to: 12, by: 0.05).first { city.moment(day.adding(seconds: $0 * 3600).seconds).sineOfSun > 0 }
        #expect((from..<to).contains(try #require(sunrise)))
        let lamp = try #require(city.sensors(.light).first)
        #expect(city.truth(lamp, at: day.adding(seconds: 2 * 3600))[0] == "on")
        #expect(city.truth(lamp, at: day.adding(seconds: 12 * 3600))[0] == "off")
    }

    @Test(arguments: [(SensorKind.electricity, 1), (.water, 0)])
    func `counters of meters never run backwards`(kind: SensorKind, measure: Int) throws {
        let city = try Samples.metropolis.get()
        for meter in city.sensors(kind).prefix(12) {
            var previous = -Double.infinity
            // A whole year in coarse steps for the seasons, then three days in fine ones.
            for seconds in Array(stride(from: 0.0, to: 365 * 86400, by: 86400 * 0.7)) + Array(stride(from: 366.0 * 86400, to: 369 * 86400, by: 900)) {
                let reading = try #require(city.truth(meter, at: midnight.adding(seconds: seconds))[measure].doubleValue)
                #expect(reading >= previous)
                previous = reading
            }
        }
    }

    @Test func `containers fill up and are emptied within two weeks`() throws {
        let city = try Samples.metropolis.get()
        for container in city.sensors(.container).prefix(10) {
            let levels = try stride(from: 0.0, to: 21 * 24, by: 2).map { try #require(city.truth(container, at: hour($0))[0].doubleValue) }
            #expect(levels.allSatisfy { (0...1).contains($0) })
            let emptyings = zip(levels, levels.dropFirst()).filter { $1 < $0 }.count
            #expect((1...11).contains(emptyings))
            #expect((levels.max() ?? 0) > 0.4)
        }
    }

    /// Ranges that a city engineer would not question, over one working day.
    @Test func `values stay within what can be believed`() throws {
        let city = try Samples.metropolis.get()
        let ranges: [(SensorKind, Int, ClosedRange<Double>)] = [
            (.weather, 0, -15...42), (.weather, 1, 0.15...1), (.weather, 2, 980...1045), (.weather, 3, 0...25), (.weather, 4, 0...360),
            (.air, 0, 1...200), (.air, 1, 3...150), (.air, 2, 2...90), (.air, 3, 2...220), (.noise, 0, 35...80), (.noise, 1, 40...95),
            (.traffic, 0, 4...75), (.traffic, 1, 0...520), (.traffic, 2, 0...0.95), (.parking, 0, 0...520), (.parking, 1, 0...1),
            (.bikes, 0, 0...34), (.bus, 1, 0...50), (.bus, 2, -1...360), (.light, 2, 0...115), (.electricity, 0, 300...12e5), (.water, 1, 0...12_000),
        ]
        for step in 0..<24 {
            let moment = city.moment(hour(Double(step)).seconds)
            for (kind, measure, range) in ranges {
                for sensor in city.sensors(kind) {
                    let value = try #require(city.readings(sensor, moment)[measure].doubleValue)
                    #expect(range.contains(value), "\(sensor.name), measure \(measure)")
                }
            }
        }
    }
}
