import Broker
import CityModel
import Federation
import Foundation
import LinkedData
import OrderedCollections
import Query
@testable import Store
import RandomEntities
import Synchronization
import Trust

/// Several writers at once on one municipality, with somebody who matches what is watched, one who delivers, one who seals the past, and copies of the files
/// as a crash would leave them.
final class ModelRun: Sendable {
    struct Asked: Sendable {
        let operation: ModelOperation
        let now: Instant
        /// Its place among all moments at which something was asked or answered.
        let askedAt: Int
        var answeredAt: Int?
        var result: ModelResult?
        /// The time by which history was thinned when it was answered, or was being thinned.
        var thinnedAt: Instant?
        /// The instance that was picked.
        var picked: Picked?
    }

    struct Picked: Sendable { let at, recordedAt: Int64 }

    /// Files as a crash left them, or a backup, and what was known when they were taken.
    struct Remains: Sendable {
        let what: String
        let path: String
        /// Operations of each writer that were answered before, and asked before the files were taken.
        var answeredCounts: [Int]
        var askedCounts: [Int]
        /// Notifications that were made, and delivered, before.
        var matchedCount: Int
        var sentCount: Int
        /// Whether all that was written lies in the log still.
        var isAllInLog = false
        /// The times by which the last thinning and the last sweep went that were begun before the files were taken.
        var thinnedAt: Instant?
        var sweptAt: Instant?
        /// Whether the last thinning went to its end and nothing came after it.
        var isThinned = false
    }

    struct State {
        var asked: [[Asked]]
        var tick = 0
        var operationCount: Int64 = 0
        var matchedCount = 0, sentCount = 0
        var isDone = false
        var housekeepingCount: Int64 = 0
        var thinnedAt: Instant?
        var sweptAt: Instant?
        /// The file as it was before there was a log.
        var beginning = Data()

        /// A moment that no other has: those of operations lie further apart.
        mutating func clock() -> Instant {
            housekeepingCount += 1
            return Instant(microseconds: noon.microseconds + operationCount * ModelRun.stepMicroseconds + housekeepingCount)
        }
    }

    static let subscription = "urn:ngsi-ld:Subscription:model"
    /// One that expires.
    static let passing = "urn:ngsi-ld:Subscription:passing"
    static let passingUntil = Instant(microseconds: noon.microseconds + 120 * stepMicroseconds)
    /// How far the clock goes on with each operation: in one round some days pass.
    static let stepMicroseconds: Int64 = 31 * 60_000_000
    private static let source = "urn:model:source"
    static let messageCountMax = 3

    let seed: UInt64
    let path: String
    let store: Store
    let file: MunicipalityFile
    let broker: Broker
    private let access: WriteAccess
    let federation: Federation
    private let run: Int64
    let retention: ModelRetention
    let state: Mutex<State>

    /// - Parameter path: of a folder for everything, which is to be removed afterwards.
    init(seed: UInt64, path: String) async throws {
        (self.seed, self.path, retention) = (seed, path, ModelRetention(seed: seed))
        store = try Store(directory: path + "/live")
        broker = Broker(store: store, configuration: BrokerConfiguration(createsMunicipalities: true))
        file = try store.file(TemporaryBroker.name, creating: true)
        access = try await Gatekeeper(store: store, isOpen: false).writing(TemporaryBroker.name, .program)
        let contexts = ContextLibrary(broker: broker, overrides: [:]) { _ in throw CityError.contextNotAvailable("there is no network") }
        federation = Federation(broker: broker, contexts: contexts, send: { _, _ in .failed("nobody is asked") })
        state = Mutex(State(asked: Array(repeating: [], count: ModelDraw.writerCount + 1)))
        run = try await file.write { [retention] transaction in
            for (id, type, end) in [(Self.subscription, ModelOperation.watchedType, nil), (Self.passing, ModelOperation.otherType, Self.passingUntil)] {
                try transaction.insert(
                    SubscriptionRecord(
                        id: id, body: [:], interest: Interest(types: [type], operations: [.created, .updated, .deleted]), endpoint: "http://127.0.0.1:9/",
                        classificationMax: .special, isActive: true, expiresAt: end, since: 0, due: nil))
            }
            for registration in Self.registered { try transaction.put(registration) }
            try transaction.put(.source, Self.source, retention.document, at: noon)
            return try transaction.beginImportRun(source: Self.source, version: "1", at: noon)
        }
        // Their keys are in the key file before anything is copied.
        for writer in 0..<ModelDraw.writerCount {
            for id in [ModelDraw.personal(writer)] + (writer % 2 == 0 ? [ModelDraw.aging(writer)] : []) {
                await ask(.create(Entity(id: id, types: [ModelDraw.type(of: id)]), isPersonal: true), by: writer)
                await ask(.delete(id), by: writer)
            }
        }
        try await file.checkpointLog()
        let beginning = try Data(contentsOf: URL(filePath: Self.file(path + "/live")))
        state.withLock { $0.beginning = beginning }
    }

    /// The municipality's file in a data directory.
    static func file(_ directory: String) -> String { "\(directory)/\(TemporaryBroker.name)/\(MunicipalityFile.fileName)" }

    var asked: [[Asked]] { state.withLock { $0.asked } }

    /// Runs until every writer has done its operations.
    /// - Returns: what crashes and backups at some moments left.
    func run(operationCount: Int, copyCount: Int) async throws -> [Remains] {
        try await withThrowingTaskGroup(of: [Remains].self) { group in
            group.addTask { [self] in
                try await untilDone(seed &+ 1) { _ in try await match() }
                return []
            }
            group.addTask { [self] in
                try await untilDone(seed &+ 2) { _ in try await deliver() }
                return []
            }
            group.addTask { [self] in
                try await untilDone(seed &+ 3) { random in try await seal(&random) }
                return []
            }
            group.addTask { [self] in
                try await untilDone(seed &+ 6) { random in try await thin(&random) }
                return []
            }
            group.addTask { [self] in
                try await untilDone(seed &+ 7) { random in await sweep(&random) }
                return []
            }
            group.addTask { [self] in try await copies(copyCount) }
            await withTaskGroup(of: Void.self) { writers in
                for writer in 0..<ModelDraw.writerCount {
                    writers.addTask { [self] in
                        var draw = ModelDraw(seed: seed, writer: writer)
                        for _ in 0..<operationCount { await ask(draw.next(), by: writer) }
                    }
                }
            }
            state.withLock { $0.isDone = true }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private var isDone: Bool { state.withLock { $0.isDone } }

    private func untilDone(_ seed: UInt64, _ body: (inout SplitMix) async throws -> Void) async throws {
        var random = SplitMix(seed: seed)
        while !isDone {
            try await body(&random)
            await Task.yield()
        }
    }

    private func copies(_ count: Int) async throws -> [Remains] {
        var (random, remains) = (SplitMix(seed: seed &+ 4), [Remains]())
        for number in 0..<count where !isDone {
            for _ in 0..<(random.next() % 400) { await Task.yield() }
            remains.append(number == count / 2 ? try await backup() : try crash(number))
        }
        return remains
    }
}

// MARK: What is asked

extension ModelRun {
    /// - Parameter moment: nil for the next.
    func ask(_ operation: ModelOperation, by writer: Int, at moment: Instant? = nil) async {
        let (now, place) = state.withLock { state in
            if moment == nil { state.operationCount += 1 }
            state.tick += 1
            let now = moment ?? Instant(microseconds: noon.microseconds + state.operationCount * Self.stepMicroseconds)
            state.asked[writer].append(Asked(operation: operation, now: now, askedAt: state.tick))
            return (now, state.asked[writer].count - 1)
        }
        var result = ModelResult.refused
        var picked: Picked?
        do { result = try await perform(operation, at: now, &picked) } catch let error as CityError {
            if case .internalFault = error { result = .partly([iri("internal-fault")]) }
        } catch { result = .partly([iri("\(type(of: error))")]) }
        state.withLock { state in
            state.tick += 1
            (state.asked[writer][place].answeredAt, state.asked[writer][place].result) = (state.tick, result)
            (state.asked[writer][place].thinnedAt, state.asked[writer][place].picked) = (state.thinnedAt, picked)
        }
    }

    private func perform(_ operation: ModelOperation, at now: Instant, _ picked: inout Picked?) async throws -> ModelResult {
        switch operation {
        case .create(let entity, let isPersonal):
            let run = ModelDraw.isAging(entity.id) ? run : nil
            try await broker.create(entity, access, at: now, provenance: .init(classification: isPersonal ? .personal : nil, run: run))
        case .replace(let entity): try await broker.replace(entity, access, at: now)
        case .append(let change, let id, let overwriting):
            return .partly(try await broker.append(change.fragment(), to: id, overwriting: overwriting, access, at: now).notUpdated.map(\.attribute))
        case .update(let change, let id): _ = try await broker.update(change.fragment(), of: id, access, at: now)
        case .merge(let change, let id): _ = try await broker.merge(change.fragment(), into: id, access, at: now)
        case .deleteAttribute(let name, let id, let dataset): try await broker.deleteAttribute(name, of: id, datasetID: dataset, access, at: now)
        case .delete(let id): try await broker.delete(id, access, at: now)
        case .batch(let kind, let entries):
            let result = try await batch(kind, entries, at: now)
            return .batch(created: result.created, changed: result.changed, errors: result.errors.compactMap(\.id))
        case .addHistory(let id, let name, let instances):
            return .began(try await broker.createEvolution(Self.evolution(of: id, name, instances), of: id, access, at: now))
        case .deleteInstance(let id, let name, let pick):
            guard let instance = try await instance(pick, of: id, name, &picked) else { return .refused }
            try await broker.deleteInstance(instance, name, of: id, access, at: now)
        case .replaceInstance(let id, let name, let pick, let new):
            guard let instance = try await instance(pick, of: id, name, &picked) else { return .refused }
            try await broker.replaceInstance(instance, name, of: id, with: new, access, at: now)
        case .eraseSeries(let id, let name): try await broker.deleteEvolutionAttribute(name, of: id, datasetID: nil, all: true, access, at: now)
        case .eraseHistory(let id): try await broker.deleteEvolution(of: id, access, at: now)
        case .failing(let entity): try await fail(after: entity, at: now)
        case .sweep: try await sweep(at: now)
        }
        return .done
    }

    private static func evolution(of id: IRI, _ name: IRI, _ instances: [Attribute]) -> TemporalFragment {
        var fragment = TemporalFragment()
        (fragment.id, fragment.types, fragment.attributes) = (id, [ModelDraw.type(of: id)], [name: instances])
        return fragment
    }

    private func batch(_ kind: ModelOperation.Batch, _ entries: [ModelOperation.Entry], at now: Instant) async throws -> BatchResult {
        let changes = entries.map { ModelChange($0.entity).fragment($0.id) }
        switch kind {
        case .create: return try await broker.createBatch(entries.map(\.entity), access, at: now)
        case .upsert(let replaces): return try await broker.upsertBatch(entries.map(\.entity), mode: replaces ? .replace : .update, access, at: now)
        case .update(let overwriting): return try await broker.updateBatch(changes, overwriting: overwriting, access, at: now)
        case .merge: return try await broker.mergeBatch(changes, access, at: now)
        case .delete: return try await broker.deleteBatch(entries.map(\.id), access, at: now)
        }
    }

    /// Puts an entity in the place of what is there, then finds that it must not.
    private func fail(after entity: Entity, at now: Instant) async throws {
        try await file.write { transaction in
            if let stored = try transaction.storedEntity(entity.id) { try transaction.delete(stored, transaction.entity(stored), at: now) }
            var new = entity
            new.types.append(iri("Fresh-\(now.microseconds)"))
            try transaction.insert(new, provenance: .init(), at: now)
            throw CityError.badRequestData("on second thoughts")
        }
    }

    /// The identifier of one of the instances of an attribute, counted in the order of time.
    private func instance(_ pick: Int, of id: IRI, _ name: IRI, _ picked: inout Picked?) async throws -> IRI? {
        let records = try await file.read { try $0.allRecords(of: id)[SeriesName(attribute: name, datasetID: nil)] ?? [] }
        guard !records.isEmpty else { return nil }
        let record = records[pick % records.count]
        picked = Picked(at: record.time.microseconds, recordedAt: (record.attribute.createdAt ?? record.time).microseconds)
        return IRI(record.instanceID)
    }
}

// MARK: Crashes and backups

extension ModelRun {
    /// Copies the files as they are at a moment. Of the log any prefix is what a process that was killed may have left; the file itself is written to only
    /// when the log is moved into it, and then it is copied again.
    private func crash(_ number: Int) throws -> Remains {
        let folder = "\(path)/crash-\(number)", file = Self.file(path + "/live"), copy = Self.file(folder)
        var remains = remains("crash \(number)", folder)
        try FileManager.default.createDirectory(atPath: "\(folder)/\(TemporaryBroker.name)", withIntermediateDirectories: true)
        var (whole, log) = (Data(), Data())
        repeat {
            whole = try Data(contentsOf: URL(filePath: file))
            log = try Data(contentsOf: URL(filePath: file + "-wal"))
        } while try Data(contentsOf: URL(filePath: file)) != whole
        try whole.write(to: URL(filePath: copy))
        try log.write(to: URL(filePath: copy + "-wal"))
        try FileManager.default.copyItem(atPath: store.keysDirectory, toPath: "\(folder)/_keys")
        remains.isAllInLog = state.withLock { $0.beginning == whole }
        note(&remains)
        return remains
    }

    /// A backup taken while others write, put back elsewhere.
    private func backup() async throws -> Remains {
        let folder = "\(path)/restored"
        var remains = remains("backup", folder)
        try await file.copy(to: "\(path)/backup.sqlite")
        note(&remains)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: store.keysDirectory, toPath: "\(folder)/_keys")
        let restored = try Store(directory: folder)
        let loss = try await restored.restore(TemporaryBroker.name, from: "\(path)/backup.sqlite")
        guard loss == SealedLoss() else { throw CityError.internalFault("seed \(seed): the backup lost \(loss)") }
        try restored.close()
        return remains
    }

    private func remains(_ what: String, _ path: String) -> Remains {
        state.withLock { state in
            Remains(
                what: what, path: path, answeredCounts: state.asked.map { $0.prefix { $0.answeredAt != nil }.count }, askedCounts: [],
                matchedCount: state.matchedCount, sentCount: state.sentCount)
        }
    }

    /// What was asked before the files were taken.
    private func note(_ remains: inout Remains) {
        state.withLock { (remains.askedCounts, remains.thinnedAt, remains.sweptAt) = ($0.asked.map(\.count), $0.thinnedAt, $0.sweptAt) }
    }

    /// The files as they are when all is done.
    var end: Remains {
        var end = remains("the end", path)
        note(&end)
        return end
    }
}
