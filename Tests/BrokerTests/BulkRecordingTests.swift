import Broker
import CityModel
import Foundation
import LinkedData
import OrderedCollections
import Query
import RandomEntities
import Store
import Testing
import Trust

/// Old observations that are gathered and packed as they arrive give what they would have given one after the other.
@Suite struct BulkRecordingTests {
    private static let entities = [lamp, IRI("urn:ngsi-ld:Lamp:2")!]
    private static let later = noon.adding(seconds: 100 * 86_400)

    private static func value(_ kind: String, _ chance: inout SplitMix) -> JSON {
        switch kind {
        case "level": .number(Double(chance.next() % 400) / 10 - 10)
        case "count": .integer(Int64(chance.next() % 17))
        default: ["free", "taken", true, ["a": 1]][Int(chance.next() % 4)]
        }
    }

    /// Mostly one after the other, now and then of a moment that was, or twice.
    private static func observations(_ count: Int, from start: Int, _ chance: inout SplitMix, isOdd: Bool) -> [ObservedEntity] {
        var found: [ObservedEntity] = []
        for step in 0..<count {
            if chance.next() % 30 == 0, let known = found.randomElement(using: &chance) {
                found.append(known)
                continue
            }
            let minute = Double(start + (chance.next() % 12 == 0 ? Int(chance.next() % UInt64(count)) : step)) + (isOdd ? 0 : Double(step) / 1e6)
            var attributes: Attributes = [:]
            for kind in ["level", "count", "state"] where chance.next() % 9 != 0 {
                var instances = observed(value(kind, &chance), minute: isOdd && chance.next() % 40 == 0 ? nil : minute)
                if kind == "level" { instances[0].unitCode = "CEL" }
                if isOdd, chance.next() % 30 == 0 { instances[0].subattributes = [iri("accuracy"): observed(1, minute: nil)] }
                if isOdd, chance.next() % 30 == 0 { instances[0].expiresAt = later.adding(seconds: 9e6) }
                if kind == "count", chance.next() % 4 == 0 { instances[0].datasetID = iri("second") }
                attributes[iri(kind)] = instances
            }
            attributes[iri("place")] = observed(chance.next() % 50 == 0 ? "moved" : "corner", minute: nil)
            found.append(
                ObservedEntity(
                    id: entities[Int(chance.next() % 8) / 6], types: [iri("Lamp")], attributes: attributes,
                    observedAt: noon.adding(seconds: minute * 60)))
        }
        return found
    }

    private func bulkBroker(countMin: Int) throws -> TemporaryBroker {
        try TemporaryBroker(packing: HistoryPacking(ageSeconds: 0, countMin: countMin))
    }

    private func record(
        _ all: [ObservedEntity], _ folder: TemporaryBroker, _ classification: Classification = .open, at now: Instant, turn: Duration = .milliseconds(10)
    ) async throws -> [RecordingOutcome] {
        let access = try await folder.writing()
        var bulk = BulkRecording(provenance: .init(classification: classification))
        for start in stride(from: 0, to: all.count, by: 70) {
            try await folder.broker.gather(Array(all[start..<min(start + 70, all.count)]), into: &bulk, access)
        }
        return try await folder.broker.record(bulk, access, at: now, turn: turn)
    }

    /// Everything that is answered.
    private struct Seen {
        var entities: [Attributes] = []
        var instances: [Instance] = []

        struct Instance: Equatable {
            let id: String
            let attribute: Attribute
            let time: Instant
        }

        func expectEqual(to other: Seen) {
            #expect(entities == other.entities)
            #expect(instances.count == other.instances.count)
            if let (own, others) = zip(instances, other.instances).first(where: { $0 != $1 }) { Issue.record("\(own)\nand not\n\(others)") }
        }
    }

    private func seen(_ folder: TemporaryBroker, _ temporal: TemporalQuery?) async throws -> Seen {
        var seen = Seen()
        let access = try await folder.writing().reading
        for id in Self.entities {
            if let found = try? await folder.broker.retrieve(id, access, at: Self.later) {
                seen.entities.append(try folder.broker.entity(found, access).attributes)
            }
            let page = try? await folder.broker.retrieveEvolution(
                of: id, EvolutionSelection(temporal: temporal), limits: EvolutionLimits(instanceCountMax: 100_000), access, at: Self.later)
            for entity in page?.entities ?? [] {
                guard case .instances(let attributes) = entity.content else { continue }
                for instance in attributes.values.joined() {
                    seen.instances.append(Seen.Instance(id: instance.instanceID, attribute: instance.attribute, time: instance.time))
                }
            }
        }
        return seen
    }

    private func packedCount(_ folder: TemporaryBroker) async throws -> Int {
        try await folder.store.file(TemporaryBroker.name).read { try $0.sealedCount() }
    }

    @Test func `what is gathered of somebody lies plain in no file, whether it is packed or not`() async throws {
        let folder = try bulkBroker(countMin: 50)
        let (text, number) = ("Quetzalcoatl-7719", 48_151_623.4375)
        for day in 0..<3 {
            let all = (0..<300).map { step in
                let minute = Double(day * 300 + step)
                return ObservedEntity(
                    id: lamp, types: [iri("Lamp")],
                    attributes: [iri("level"): observed(.number(number), minute: minute), iri("state"): observed(.string(text), minute: minute)],
                    observedAt: noon.adding(seconds: minute * 60))
            }
            _ = try await record(all, folder, day == 0 ? .internalUse : .personal, at: Self.later.adding(seconds: Double(day)))
        }
        #expect(try await packedCount(folder) > 0)
        let file = try folder.store.file(TemporaryBroker.name)
        #expect(try await file.verify().faults == [])
        try await file.emptyLog()
        let wanted = [Data(text.utf8), Data("\(number)".utf8), withUnsafeBytes(of: number.bitPattern.bigEndian) { Data($0) }]
        for name in try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap({ $0 as? String }) {
            guard let bytes = FileManager.default.contents(atPath: "\(folder.path)/\(name)") else { continue }
            for trace in wanted { #expect(bytes.range(of: trace) == nil, "\(name)") }
        }
    }

    @Test(arguments: UInt64(0)..<8)
    func `gathered observations answer as those that were written together, to the last microsecond`(seed: UInt64) async throws {
        var chance = SplitMix(seed: seed)
        let (plain, bulk) = (try TemporaryBroker(), try bulkBroker(countMin: 10 + Int(chance.next() % 40)))
        let classification: Classification = seed % 4 == 3 ? .personal : .open
        var groups: [[ObservedEntity]] = []
        for number in 0..<5 {
            let group =
                number == 3 ? groups[Int(chance.next() % 3)]
                : Self.observations(80 + Int(chance.next() % 160), from: Int(chance.next() % 2000), &chance, isOdd: true)
            groups.append(group)
            let now = Self.later.adding(seconds: Double(number) * 60)
            let expected = try await plain.broker.record(group, provenance: .init(classification: .open), plain.writing(), at: now)
            // However short the writer's turns are.
            let found = try await record(group, bulk, classification, at: now, turn: seed % 2 == 0 ? .zero : .milliseconds(10))
            #expect(found == expected)
            if chance.next() % 3 == 0 {
                var sealing = HistorySealing(broker: bulk.broker, ageSeconds: 0, rowCountMin: 20)
                while try await sealing.step(at: now) != nil {}
            }
            try await seen(bulk, nil).expectEqual(to: seen(plain, nil))
            #expect(try await bulk.store.file(TemporaryBroker.name).verify().faults == [])
        }
        #expect(try await packedCount(bulk) > 0)
    }

    @Test(arguments: UInt64(0)..<4)
    func `gathered observations answer as those that were written one by one`(seed: UInt64) async throws {
        var chance = SplitMix(seed: seed)
        let (plain, bulk) = (try TemporaryBroker(), try bulkBroker(countMin: 20))
        for number in 0..<3 {
            let group = Self.observations(150, from: number * 100, &chance, isOdd: false)
            let now = Self.later.adding(seconds: Double(number) * 60)
            var expected: [RecordingOutcome] = []
            for observation in group {
                expected += try await plain.broker.record([observation], provenance: .init(classification: .open), plain.writing(), at: now)
            }
            let found = try await record(group, bulk, at: now)
            #expect(found.map { $0 == .unchanged } == expected.map { $0 == .unchanged })
            let after = TemporalQuery(.after(noon.adding(seconds: -1)))
            try await seen(bulk, after).expectEqual(to: seen(plain, after))
        }
        #expect(try await packedCount(bulk) > 0)
    }

    /// Clauses 5.6.11, 5.6.12.
    @Test(arguments: UInt64(0)..<8)
    func `instances that are added to an evolution together answer as those that become rows`(seed: UInt64) async throws {
        var chance = SplitMix(seed: seed)
        let (plain, bulk) = (try TemporaryBroker(), try bulkBroker(countMin: 20))
        for number in 0..<4 {
            let group = Self.observations(100, from: Int(chance.next() % 150), &chance, isOdd: number > 1).filter { $0.id == lamp }
            var fragment = TemporalFragment()
            (fragment.id, fragment.types) = (lamp, [iri("Lamp")])
            for observation in group { for (name, instances) in observation.attributes { fragment.attributes[name, default: []] += instances } }
            for folder in [plain, bulk] {
                let (access, now) = (try await folder.writing(), Self.later.adding(seconds: Double(number) * 60))
                let isNew = try await folder.broker.createEvolution(fragment, of: lamp, access, at: now)
                #expect(isNew == (number == 0))
                // One instance is corrected by its identifier, another erased.
                let some = try await seen(folder, nil).instances
                for (place, erases) in [(some.count / 3, false), (some.count / 2, true)] {
                    let id = try #require(IRI(some[place].id))
                    let other = Attribute(kind: .property, value: 99, observedAt: some[place].attribute.observedAt)
                    // It is found under one of the names.
                    for name in ["level", "count", "state", "place"].map(iri) {
                        if erases {
                            try? await folder.broker.deleteInstance(id, name, of: lamp, access, at: now)
                        } else {
                            try? await folder.broker.replaceInstance(id, name, of: lamp, with: other, access, at: now)
                        }
                    }
                }
            }
            try await seen(bulk, nil).expectEqual(to: seen(plain, nil))
            #expect(try await bulk.store.file(TemporaryBroker.name).verify().faults == [])
        }
        #expect(try await packedCount(bulk) > 0)
    }

    @Test func `what others write while observations wait is not lost, and the later observation is current`() async throws {
        let folder = try bulkBroker(countMin: 20)
        let access = try await folder.writing()
        func observation(_ minute: Int, _ value: Int64) -> ObservedEntity {
            ObservedEntity(
                id: lamp, types: [iri("Lamp")], attributes: [iri("level"): observed(.integer(value), minute: Double(minute))],
                observedAt: noon.adding(seconds: Double(minute) * 60))
        }
        _ = try await folder.broker.record([observation(5, 5)], provenance: .init(), access, at: Self.later)
        var bulk = BulkRecording(provenance: .init())
        try await folder.broker.gather((0..<200).map { observation($0, Int64($0)) }, into: &bulk, access)
        _ = try await folder.broker.record([observation(300, 300), observation(7, -7)], provenance: .init(), access, at: Self.later.adding(seconds: 1))
        let outcomes = try await folder.broker.record(bulk, access, at: Self.later.adding(seconds: 2))
        #expect(outcomes[5] == .unchanged && outcomes[7] != .unchanged)
        let seen = try await seen(folder, TemporalQuery(.after(noon.adding(seconds: -1))))
        #expect(seen.entities.first?[iri("level")]?.first?.value == 300)
        #expect(seen.instances.map(\.attribute.value) == (0..<200).map { JSON.integer($0) } + [300])
        #expect(try await packedCount(folder) == 198)
        #expect(try await folder.store.file(TemporaryBroker.name).verify().faults == [])
    }

    @Test func `an entity that goes while observations wait is there again, with its history`() async throws {
        for erasesHistory in [false, true] {
            let folder = try bulkBroker(countMin: 20)
            let access = try await folder.writing()
            let all = (0..<100).map { minute in
                ObservedEntity(
                    id: lamp, types: [iri("Lamp")], attributes: [iri("level"): observed(.integer(Int64(minute)), minute: Double(minute))],
                    observedAt: noon.adding(seconds: Double(minute) * 60))
            }
            _ = try await folder.broker.record([all[50]], provenance: .init(), access, at: Self.later)
            var bulk = BulkRecording(provenance: .init())
            try await folder.broker.gather(all, into: &bulk, access)
            try await folder.broker.delete(lamp, access, at: Self.later)
            if erasesHistory { try await folder.broker.deleteEvolution(of: lamp, access, at: Self.later) }
            _ = try await folder.broker.record(bulk, access, at: Self.later.adding(seconds: 2))
            let seen = try await seen(folder, TemporalQuery(.after(noon.adding(seconds: -1))))
            #expect(seen.entities.first?[iri("level")]?.first?.value == 99)
            // What was erased before it was told again had been known when it was told.
            #expect(seen.instances.count >= 99)
            #expect(try await folder.store.file(TemporaryBroker.name).verify().faults == [])
        }
    }

    @Test func `what is gathered is full when its entities are large, those that are stored and those that are new`() async throws {
        let folder = try bulkBroker(countMin: 20)
        let access = try await folder.writing()
        func observation(_ number: Int, _ length: Int, _ minute: Int) -> ObservedEntity {
            let text = JSON.string(String(repeating: "x", count: length))
            return ObservedEntity(
                id: iri("lamp\(number)"), types: [iri("Lamp")], attributes: [iri("about"): observed(text, minute: Double(minute))],
                observedAt: noon.adding(seconds: Double(minute) * 60))
        }
        func bulk() -> BulkRecording { BulkRecording(provenance: .init(), documentByteCountMax: 1 << 20, durationMax: .seconds(3600)) }
        var new = bulk()
        try await folder.broker.gather((0..<9).map { observation($0, 100_000, $0) }, into: &new, access)
        #expect([new.isFull] == [false])
        try await folder.broker.gather([observation(9, 150_000, 9)], into: &new, access)
        #expect([new.isFull] == [true])
        _ = try await folder.broker.record(new, access, at: Self.later)
        // As they are stored, and as they are read.
        var stored = bulk()
        try await folder.broker.gather((0..<5).map { observation($0, 1, 100) }, into: &stored, access)
        #expect([stored.isFull] == [false])
        try await folder.broker.gather([observation(5, 1, 100)], into: &stored, access)
        #expect([stored.isFull] == [true])
        // What takes the place of itself again and again does not add up.
        var one = bulk()
        try await folder.broker.gather((0..<40).map { observation(20, 50_000, $0) }, into: &one, access)
        #expect([one.isFull] == [false])
    }

    @Test func `what is young or has no time is not gathered, nor anything where nothing is sealed`() async throws {
        let (bulk, plain) = (try TemporaryBroker(packing: HistoryPacking(ageSeconds: 3600, countMin: 20)), try TemporaryBroker())
        func observation(_ minute: Double?) -> [ObservedEntity] {
            let at = minute.map { noon.adding(seconds: $0 * 60) }
            return [ObservedEntity(id: lamp, types: [iri("Lamp")], attributes: [iri("level"): observed(1, minute: minute)], observedAt: at)]
        }
        #expect(bulk.broker.areGathered(observation(-60.1), at: noon) && !bulk.broker.areGathered(observation(-60), at: noon))
        #expect(!bulk.broker.areGathered(observation(nil), at: noon) && !plain.broker.areGathered(observation(-9999), at: noon))
    }
}
