import CityModel
import Foundation
import RandomEntities
import Store
import Testing

/// Random operations by several writers at once, crashes, and a model that says what has to be there afterwards (`ModelCity`).
/// `CONURB_MODEL_SEED=17 swift test --filter StoreModelTests` repeats one run: the operations of each writer are the same, how they meet is up to the machine.
/// `CONURB_MODEL_MINUTES=10` goes on with more seeds for so long.
@Suite(.serialized) struct StoreModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seeds: [UInt64] = environment["CONURB_MODEL_SEED"].flatMap(UInt64.init).map { [$0] } ?? Array(1...3)
    private static let minutes = environment["CONURB_MODEL_MINUTES"].flatMap(Double.init)

    @Test(arguments: seeds)
    func `after a crash there is what was answered, nothing of what was refused, and no half of anything`(seed: UInt64) async throws {
        _ = try await Self.round(seed)
    }

    @Test(.enabled(if: minutes != nil), .timeLimit(.minutes(240)))
    func `so it is for as long as one likes`() async throws {
        let end = ContinuousClock.now + .seconds(60 * (Self.minutes ?? 0))
        var (count, operationCount, crashCount, seed) = (0, 0, 0, UInt64(1000))
        while ContinuousClock.now < end {
            let done = try await Self.round(seed)
            (count, operationCount, crashCount, seed) = (count + 1, operationCount + done.operationCount, crashCount + done.crashCount, seed + 1)
        }
        print("MODEL: \(count) rounds, \(operationCount) operations, \(crashCount) files after crashes and from backups")
    }

    /// One city from its beginning on. What fails names its seed and leaves its files.
    private static func round(_ seed: UInt64) async throws -> (operationCount: Int, crashCount: Int) {
        let path = FileManager.default.temporaryDirectory.appending(path: "conurb-model-\(UUID().uuidString)").path
        let run = try await ModelRun(seed: seed, path: path)
        var remains = try await run.run(operationCount: 60, copyCount: 6)
        let answered = run.asked
        var check = ModelCheck(answered, run.retention)
        let journal = try await run.file.read { try $0.changes(after: 0, limit: .max / 2) }
        var failures = [check.readOrder(of: journal)].compactMap(\.self)
        if failures.isEmpty {
            remains += try torn(remains, seed)
            for one in remains {
                let store = try Store(directory: one.path)
                let difference = try await check.differences(of: store.file(TemporaryBroker.name), one)
                if let difference { failures.append("\(one.what): \(difference)") }
                try store.close()
            }
            if let difference = try await check.differences(of: run.file, run.end) { failures.append("the end: \(difference)") }
        }
        try run.store.close()
        for failure in failures { Issue.record("CONURB_MODEL_SEED=\(seed), files in \(path): \(failure)") }
        if failures.isEmpty { try FileManager.default.removeItem(atPath: path) }
        return (answered.reduce(0) { $0 + $1.count }, remains.count)
    }

    /// What a power cut may leave: the log ends anywhere, also within a record of it. That what was answered is there is not asked for then, since the disk said
    /// that it had it; but there is still no half of anything. Only of logs of which nothing was moved into the file yet.
    private static func torn(_ remains: [ModelRun.Remains], _ seed: UInt64) throws -> [ModelRun.Remains] {
        var (random, torn) = (SplitMix(seed: seed &+ 5), [ModelRun.Remains]())
        for one in remains where one.isAllInLog {
            let log = try Data(contentsOf: URL(filePath: ModelRun.file(one.path) + "-wal"))
            let end = Int(random.next() % UInt64(log.count + 1))
            let less = ModelRun.Remains(
                what: "\(one.what), torn at \(end) of \(log.count)", path: one.path + "-torn", answeredCounts: one.answeredCounts.map { _ in 0 },
                askedCounts: one.askedCounts, matchedCount: 0, sentCount: 0, thinnedAt: one.thinnedAt, sweptAt: one.sweptAt)
            try FileManager.default.copyItem(atPath: one.path, toPath: less.path)
            try log.prefix(end).write(to: URL(filePath: ModelRun.file(less.path) + "-wal"))
            torn.append(less)
        }
        return torn
    }
}
