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
                #expect(FaultSchedule.week(ofDay: CityTime.day(of: spell.start)) == 2900)
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
            let index = try #require(city.observer.sensors.firstIndex { $0.id == fault.entityID })
            let others = faults.filter { $0.entityID == fault.entityID }
            guard others.count == 1 else { continue }
            func seen(_ seconds: Int64) -> Observation? { city.observer.observation(index, city.moment(seconds), momentAt: city.moment) }
            let sensor = city.observer.sensors[index]
            let inside = fault.end.seconds - 60
            let truth = city.truth(sensor, at: Instant(seconds: inside))
            let values = seen(inside)?.attributes.values.map { $0[0].value }
            switch fault.kind {
            case .gap:
                #expect(values == nil)
                #expect(seen(fault.end.seconds) != nil)
            case .stuck: #expect(values == city.truth(sensor, at: fault.start))
            case .drift: #expect(values?[sensor.kind.primaryIndex] != truth[sensor.kind.primaryIndex])
            case .spike:
                let spiked = (0..<30).filter { step in
                    let second = fault.start.seconds + Int64(step) * 60
                    return seen(second)?.attributes.values.map { $0[0].value } != city.truth(sensor, at: Instant(seconds: second))
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
        let now = city.moment(midnight.seconds + 1800)
        for sensor in city.observer.sensors where !faulty.contains(sensor.id) {
            let observation = try #require(city.observer.observation(sensor.index, now, momentAt: city.moment))
            #expect(observation.attributes.values.map { $0[0].value } == city.observer.models.readings(sensor, now))
        }
    }
}
