import Broker
import CityModel
import LinkedData
import OrderedCollections
import Query
import Store
import Testing
import Trust

/// What a snapshot shows to whom, and how many and how large snapshots are (clauses 5.5.15 and 5.16).
@Suite struct SnapshotKeepingTests {
    private let everything = SnapshotQuery(filter: EntityFilter(types: .type(iri("Lamp"))), view: EntityView(projection: .everything, context: .core))
    private let lamps = EntityQuery(filter: EntityFilter(types: .type(iri("Lamp"))), limit: 10)

    private func folder(count: Int = 2, _ limits: SnapshotLimits = .init()) async throws -> TemporaryBroker {
        let folder = try TemporaryBroker(snapshotLimits: limits)
        for number in 0..<count {
            let id = try #require(IRI("urn:ngsi-ld:Lamp:\(number)"))
            try await folder.broker.create(
                Entity(id: id, types: [iri("Lamp")]), try await folder.writing(), at: noon,
                provenance: Provenance(classification: number == 0 ? .open : .internalUse))
        }
        return folder
    }

    private func record(_ name: String, priority: Int = 5, classificationMax: Classification = .special, seconds: Double = 60) -> SnapshotRecord {
        SnapshotRecord(
            id: "urn:ngsi-ld:Snapshot:\(name)", body: [:], classificationMax: classificationMax, priority: priority, createdAt: noon,
            expiresAt: noon.adding(seconds: seconds))
    }

    private func prepare(_ folder: TemporaryBroker, _ name: String, as access: ReadAccess? = nil) async throws -> SnapshotOutcome {
        let writing = try await folder.writing()
        var record = try #require(try await folder.broker.unfinishedSnapshots(writing).first { $0.id == "urn:ngsi-ld:Snapshot:\(name)" })
        let outcome = try await folder.broker.freeze(record, [.success(everything)], [], access ?? writing.reading, at: noon)
        record.status = outcome.status
        try await folder.broker.finishSnapshot(record, writing)
        return outcome
    }

    private func count(_ folder: TemporaryBroker, _ name: String, _ access: ReadAccess) async throws -> Int {
        let frozen = try await folder.gatekeeper.reading(access, snapshot: "urn:ngsi-ld:Snapshot:\(name)", at: noon)
        return try await folder.broker.query(lamps, frozen, at: noon).entities.count
    }

    @Test func `a snapshot shows everybody what they may see and no more`() async throws {
        let folder = try await folder()
        let access = try await folder.writing()
        try await folder.broker.createSnapshot(record("1"), access, at: noon)
        #expect(try await prepare(folder, "1").status == .success)
        #expect(try await count(folder, "1", access.reading) == 2)
        let open = try await folder.gatekeeper.reading(TemporaryBroker.name, .none)
        #expect(try await count(folder, "1", open) == 1)
        let frozen = try await folder.gatekeeper.reading(open, snapshot: "urn:ngsi-ld:Snapshot:1", at: noon)
        #expect(try await folder.broker.typeInfo(iri("Lamp"), frozen).entityCount == 1)
    }

    @Test func `a snapshot holds no more than its maker could see`() async throws {
        let folder = try await folder()
        let access = try await folder.writing()
        try await folder.broker.createSnapshot(record("1", classificationMax: .open), access, at: noon)
        _ = try await prepare(folder, "1", as: access.reading.narrowed(to: .open))
        #expect(try await count(folder, "1", access.reading) == 1)
        #expect(access.reading.narrowed(to: .open).narrowed(to: .special).classificationMax == .open)
    }

    @Test(arguments: [(limit: 2, status: SnapshotStatus.success), (limit: 1, status: .failure)])
    func `a snapshot holds so many entities and no more`(limit: Int, status: SnapshotStatus) async throws {
        let folder = try await folder(SnapshotLimits(entityCountMax: limit))
        try await folder.broker.createSnapshot(record("1"), try await folder.writing(), at: noon)
        let outcome = try await prepare(folder, "1")
        #expect(outcome.status == status)
        if status == .failure { #expect(outcome.queries == [.failure(.tooManyResults("a snapshot holds at most 1 entities; narrow its queries"))]) }
    }

    @Test(arguments: [(mebibytes: 4, status: SnapshotStatus.success), (mebibytes: 1, status: .failure)])
    func `a snapshot holds so many bytes and no more`(mebibytes: Int, status: SnapshotStatus) async throws {
        let folder = try await folder(count: 0, SnapshotLimits(byteCountMax: mebibytes << 20))
        for number in 0..<3 {
            let text = JSON.string(String(repeating: "x", count: 500_000))
            try await folder.broker.create(
                Entity(
                    id: try #require(IRI("urn:ngsi-ld:Lamp:\(number)")), types: [iri("Lamp")],
                    attributes: [iri("note"): [Attribute(kind: .property, value: text)]]), try await folder.writing(), at: noon)
        }
        try await folder.broker.createSnapshot(record("1"), try await folder.writing(), at: noon)
        let outcome = try await prepare(folder, "1")
        #expect(outcome.status == status)
        if status == .failure { #expect(outcome.queries == [.failure(.tooManyResults("a snapshot holds at most about 1 MiB; narrow its queries"))]) }
    }

    @Test func `of too many snapshots the least important goes, of several the one longest not used (clause 5.5.15)`() async throws {
        let folder = try await folder(SnapshotLimits(countMax: 2))
        let access = try await folder.writing()
        for name in ["1", "2"] {
            try await folder.broker.createSnapshot(record(name), access, at: noon)
            _ = try await prepare(folder, name)
        }
        _ = try await folder.gatekeeper.reading(access.reading, snapshot: "urn:ngsi-ld:Snapshot:1", at: noon.adding(seconds: 1))
        await folder.broker.sweep(at: noon.adding(seconds: 2)) { Issue.record($1, "\($0)") }
        try await folder.broker.createSnapshot(record("3", priority: 6), access, at: noon)
        #expect(try await names(folder) == ["1", "3"])
        try await folder.broker.createSnapshot(record("4", priority: 6), access, at: noon)
        #expect(try await names(folder) == ["3", "4"])
        await #expect(throws: CityError.tooManyResults("a municipality has at most 2 snapshots, and all others are more important")) {
            try await folder.broker.createSnapshot(record("5"), access, at: noon)
        }
    }

    private func names(_ folder: TemporaryBroker) async throws -> [String] {
        try await folder.store.file(TemporaryBroker.name).read { try $0.snapshots().compactMap { $0.id.split(separator: ":").last.map(String.init) } }
    }

    @Test func `a preparation that was broken off is begun anew`() async throws {
        let folder = try await folder()
        let access = try await folder.writing()
        try await folder.broker.createSnapshot(record("1"), access, at: noon)
        let unfinished = try #require(try await folder.broker.unfinishedSnapshots(access).first)
        _ = try await folder.broker.freeze(unfinished, [.success(everything)], [], access.reading, at: noon)
        try await folder.broker.delete(try #require(IRI("urn:ngsi-ld:Lamp:1")), access, at: noon)
        #expect(try await prepare(folder, "1").status == .success)
        #expect(try await count(folder, "1", access.reading) == 1)
    }

    @Test func `what a snapshot held goes with it`() async throws {
        let folder = try await folder()
        let access = try await folder.writing()
        try await folder.broker.createSnapshot(record("1"), access, at: noon)
        _ = try await prepare(folder, "1")
        let number = try await folder.broker.snapshot(try #require(IRI("urn:ngsi-ld:Snapshot:1")), access, at: noon).number
        let (file, name) = (try folder.store.file(TemporaryBroker.name), TemporaryBroker.name.snapshot(number))
        #expect(try await folder.store.file(name).read { try $0.entityCount() } == 2)
        for _ in 0..<2 { await folder.broker.sweep(at: noon.adding(seconds: 60)) { Issue.record($1, "\($0)") } }
        #expect(try await names(folder) == [])
        #expect(throws: StoreError.notFound(name)) { try folder.store.file(name) }
        #expect(try await file.read { try $0.removedSnapshots() } == [])
    }

    @Test func `an expired snapshot stands in the way of no new one with its identifier`() async throws {
        let folder = try await folder()
        let access = try await folder.writing()
        try await folder.broker.createSnapshot(record("1", seconds: 10), access, at: noon)
        await #expect(throws: CityError.alreadyExists("snapshot urn:ngsi-ld:Snapshot:1 exists already")) {
            try await folder.broker.createSnapshot(record("1"), access, at: noon.adding(seconds: 9))
        }
        try await folder.broker.createSnapshot(record("1"), access, at: noon.adding(seconds: 10))
    }
}
