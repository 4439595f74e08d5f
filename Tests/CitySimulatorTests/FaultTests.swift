import CityModel
import OrderedCollections
import Testing

import CitySimulator

@Suite struct FaultTests {
    let midnight = Samples.wednesday

    @Test func `faults come as often as documented`() {
        let schedule = FaultSchedule(seed: 3)
        var counts: [FaultKind: Double] = [:]
        let sensors = 400, days = 140
        for sensor in 0..<sensors {
            for day in 0..<days {
                if let spell = schedule.short(sensor, FaultKind.allCases, day: Int64(20_000 + day)) { counts[spell.kind, default: 0] += 1 }
            }
            for week in 0..<(days / 7) where schedule.drift(sensor, FaultKind.allCases, week: Int64(2900 + week)) != nil {
                counts[.drift, default: 0] += 1
            }
        }
        let sensorDays = Double(sensors * days)
        let rates = [
            (FaultKind.gap, FaultSchedule.gapPerDay), (.stuck, FaultSchedule.stuckPerDay), (.spike, FaultSchedule.spikePerDay),
            (.drift, FaultSchedule.driftPerWeek / 7),
        ]
        for (kind, rate) in rates {
            let expected = rate * sensorDays
            #expect(abs((counts[kind] ?? 0) - expected) < 4 * expected.squareRoot(), "\(kind): \(counts[kind] ?? 0) of \(expected)")
        }
    }

    @Test func `a short fault stays in its day and a drift in its week`() {
        let schedule = FaultSchedule(seed: 3)
        for sensor in 0..<3000 {
            if let spell = schedule.short(sensor, FaultKind.allCases, day: 20_000) {
                #expect(20_000 * 86400 <= spell.start && spell.start < spell.end && spell.end <= 20_001 * 86400)
            }
            if let spell = schedule.drift(sensor, FaultKind.allCases, week: 2900) {
                let monday = Int64(2900 * 7 - 3) * 86400
                #expect(monday <= spell.start && spell.end <= monday + 7 * 86400)
                #expect(FaultSchedule.week(ofDay: spell.start / 86400) == 2900)
            }
        }
    }

    @Test func `the faults told are the faults seen`() throws {
        let city = try Samples.metropolis.get()
        let end = midnight.adding(seconds: 2 * 86400)
        let faults = city.faults(from: midnight, to: end)
        #expect(Set(faults.map(\.kind)).isSuperset(of: [.gap, .stuck]))
        #expect(faults.allSatisfy { $0.start < end && $0.end > midnight })
        var checked: Set<FaultKind> = []
        for fault in faults {
            let sensor = try #require(city.sensors.first { $0.id == fault.entityID })
            let others = faults.filter { $0.entityID == fault.entityID }
            guard others.count == 1 else { continue }
            func seen(_ instant: Instant) -> Observation? { city.state(at: instant).first { $0.entityID == fault.entityID } }
            let inside = fault.end.adding(seconds: -60)
            let observation = seen(inside)
            switch fault.kind {
            case .gap:
                #expect(observation == nil)
                #expect(seen(fault.end) != nil)
            case .stuck: #expect(observation?.values == city.truth(sensor, at: fault.start))
            case .drift:
                let primary = try #require(observation?.attributes.keys.firstIndex { $0 == fault.attribute })
                #expect(observation?.values[primary] != city.truth(sensor, at: inside)[primary])
            case .spike:
                let spiked = (0..<30).filter { step in
                    let moment = fault.start.adding(seconds: Double(step) * 60)
                    return seen(moment)?.values != city.truth(sensor, at: moment)
                }
                #expect((4...26).contains(spiked.count))
            }
            checked.insert(fault.kind)
        }
        #expect(checked.contains(.gap) && checked.contains(.stuck))
    }

    @Test func `a sensor without a fault tells the truth`() throws {
        let city = try Samples.metropolis.get()
        let later = midnight.adding(seconds: 3600)
        let faulty = Set(city.faults(from: midnight, to: later).map(\.entityID))
        let now = midnight.adding(seconds: 1800)
        let observations = Dictionary(uniqueKeysWithValues: city.state(at: now).map { ($0.entityID, $0) })
        for sensor in city.sensors where !faulty.contains(sensor.id) {
            let observation = try #require(observations[sensor.id])
            #expect(observation.values == city.truth(sensor, at: now))
        }
    }
}
