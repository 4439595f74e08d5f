import CityModel
import OrderedCollections
import Testing

import CitySimulator

@Suite struct LifeTests {
    let start = Samples.wednesday

    private func summary(_ city: Metropolis) -> [String] {
        city.staticEntities().map { "\($0.municipality) \($0.entity.id) \($0.entity.attributes.values.map { $0[0].value.description })" }
            + city.observations(from: start, to: start.adding(seconds: 3600), every: 1800).map(\.summary)
            + city.changes(after: start, upTo: start.adding(seconds: 60)).map(\.summary)
    }

    @Test func `the same plan gives the same metropolis, another seed another one`() throws {
        let plan = SimulationPlan(seed: 7, municipalityCount: 8, sensorCount: 60)
        var other = plan
        other.seed = 8
        let first = summary(try Metropolis(plan))
        #expect(first == summary(try Metropolis(plan)))
        #expect(first != summary(try Metropolis(other)))
    }

    @Test func `two intervals one after the other give what both give at once`() throws {
        let city = try Samples.metropolis.get()
        let begin = start.adding(seconds: 8 * 3600), middle = begin.adding(seconds: 47.5), end = begin.adding(seconds: 400)
        let parts = city.changes(after: begin, upTo: middle) + city.changes(after: middle, upTo: end)
        let whole = city.changes(after: begin, upTo: end)
        #expect(parts == whole)
        #expect(whole.count > 400)
        #expect(zip(whole, whole.dropFirst()).allSatisfy { $0.observedAt <= $1.observedAt })
        #expect(whole.allSatisfy { $0.observedAt > begin && $0.observedAt <= end })
        #expect(city.changes(after: end, upTo: begin).isEmpty)
    }

    @Test func `history can be told in pieces, one sensor after the other, and borders belong to the later piece`() throws {
        let city = try Samples.metropolis.get()
        let middle = start.adding(seconds: 7200), end = start.adding(seconds: 4 * 3600)
        let whole = Array(city.observations(from: start, to: end, every: 1800))
        let parts = Array(city.observations(from: start, to: middle, every: 1800)) + Array(city.observations(from: middle, to: end, every: 1800))
        #expect(Set(whole) == Set(parts) && whole.count == parts.count)
        #expect(whole.allSatisfy { $0.observedAt >= start && $0.observedAt < end })
        let readings = whole.filter(\.isSensor)
        #expect(zip(readings, readings.dropFirst()).allSatisfy { $0.entityID != $1.entityID || $0.observedAt < $1.observedAt })
        let turns = 1 + zip(readings, readings.dropFirst()).count { $0.entityID != $1.entityID }
        #expect(turns == Set(readings.map(\.entityID)).count)
        #expect(readings.allSatisfy { $0.observedAt.seconds % 1800 == 0 })
        let silent = 400 * 8 - readings.count
        #expect((0..<160).contains(silent))
    }

    @Test func `every attribute that moves says when, and every name is an expanded one`() throws {
        let city = try Samples.metropolis.get()
        let state = city.state(at: start.adding(seconds: 30_000))
        #expect(state.count > 400)
        for observation in state {
            if observation.isSensor { #expect(observation.attributes.values.allSatisfy { $0[0].observedAt == observation.observedAt }) }
            #expect(observation.types.allSatisfy { $0.text.hasPrefix(IRI.defaultContextNamespace) })
            #expect(observation.scopes.count == 1)
            for (name, instances) in observation.attributes where instances[0].kind == .geoProperty {
                #expect(name == .location)
                #expect(throws: Never.self) { try Geometry(instances[0].value) }
            }
        }
    }

    @Test func `reports are opened, taken up and closed in that order`() throws {
        let city = try Samples.unmeasured.get()
        let weeks = start.adding(seconds: -28 * 86400)
        var steps: [IRI: [Observation]] = [:]
        for step in city.observations(from: weeks, to: start, every: 28 * 86400) where step.types == [Samples.plain("Open311ServiceRequest")] {
            steps[step.entityID, default: []].append(step)
        }
        // Those opened in the first days had the time to be closed.
        let old = steps.values.filter { $0[0].status == "open" && $0[0].observedAt < weeks.adding(seconds: 10 * 86400) }
        #expect(old.count > 100)
        for request in old {
            #expect(request.map(\.status) == ["open", "inProgress", "closed"])
            #expect(zip(request, request.dropFirst()).allSatisfy { $0.observedAt < $1.observedAt })
            #expect(request.allSatisfy { $0.observedAt <= request[0].observedAt.adding(seconds: 18 * 86400) })
        }
        for request in old.sorted(by: { $0[0].entityID < $1[0].entityID }).prefix(40) {
            for step in request {
                let shown = city.state(at: step.observedAt).first { $0.entityID == step.entityID }
                #expect(shown?.status == (step.status == "closed" ? nil : step.status))
            }
        }
    }

    @Test func `buses move without leaps and rest at night`() throws {
        let city = try Samples.metropolis.get()
        let bus = try #require(city.sensors(.bus).first)
        func place(_ seconds: Double) throws -> (Double, Double) {
            let position = try #require(city.truth(bus, at: start.adding(seconds: seconds))[0]["coordinates"]?.arrayValue)
            return (try #require(position[0].doubleValue) * 77_887, try #require(position[1].doubleValue) * 111_150)
        }
        var previous = try place(9 * 3600), driven = 0.0
        for step in 1...720 {
            let here = try place(9 * 3600 + Double(step) * 5)
            let metres = ((here.0 - previous.0) * (here.0 - previous.0) + (here.1 - previous.1) * (here.1 - previous.1)).squareRoot()
            #expect(metres < 95, "\(metres) m in 5 s")
            driven += metres
            previous = here
        }
        #expect((6000..<30_000).contains(driven))
        #expect(city.truth(bus, at: start.adding(seconds: 3 * 3600))[3] == "parked")
    }
}
