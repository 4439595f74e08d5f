internal import Broker
package import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Store
internal import Subscriptions
package import Trust

/// Passes subscriptions on to context sources, from the start of the program to its end (clauses 5.8.1.4, 5.8.2.4, 5.8.5.4).
///
/// What should be at the sources follows from subscriptions and registrations; what is there stands in the file (`PassedOnRecord`).
/// Whenever either side may be another one they are held against each other, and the sources are asked for the difference. So it
/// does not matter what changed, nor whether the program ended in between. Whoever subscribes waits for no source.
package struct SubscriptionPassing: Sendable {
    let federation: Federation
    let gatekeeper: Gatekeeper
    private let report: @Sendable (MunicipalityName, any Error) -> Void

    /// Copies of one municipality at all its sources.
    private static let countMax = 10_000
    /// Requests of one municipality at a time: those of all that have their turn leave room for what people ask for.
    private static let concurrentCountMax = 4
    private static let pause: Duration = .seconds(1)
    /// Until this program knows where it can be reached.
    private static let addressSeconds: Double = 1
    /// Rows that are written together.
    private static let batchCountMax = 256

    /// - Parameter report: told of faults of this program and of files that can't be used.
    package init(_ federation: Federation, _ gatekeeper: Gatekeeper, report: @escaping @Sendable (MunicipalityName, any Error) -> Void) {
        (self.federation, self.gatekeeper, self.report) = (federation, gatekeeper, report)
    }

    /// Runs until `stop` is called, then finishes what it has begun. Several municipalities have their turns at a time.
    package func run() async throws {
        let work = federation.passingWork
        for name in try federation.broker.municipalities() { work.publish(name) }
        await withDiscardingTaskGroup { group in
            group.addTask {
                while (try? await Task.sleep(for: Self.pause)) != nil { work.publishDue(at: .now) }
            }
            await withDiscardingTaskGroup { turns in
                for await _ in work.wakes {
                    for name in work.begin() { turns.addTask { await turn(name) } }
                }
            }
            group.cancelAll()
        }
    }

    package func stop() { federation.passingWork.finish() }

    private func turn(_ name: MunicipalityName) async {
        let due = await perform(in: name)
        federation.passingWork.end(name)
        guard let due else { return }
        if due <= .now { federation.passingWork.publish(name) } else { federation.passingWork.publish(name, at: due) }
    }

    /// - Returns: when there is something to be done again.
    private func perform(in name: MunicipalityName) async -> Instant? {
        do { return try await pass(in: name, at: .now) } catch CityError.nonexistentTenant { return nil } catch is CancellationError { return nil } catch {
            report(name, error)
            return Instant.now.adding(seconds: 5)
        }
    }

    /// Holds what should be at the sources against what is there.
    /// - Returns: when there is something to be done again.
    func pass(in name: MunicipalityName, at now: Instant) async throws -> Instant? {
        let access = try await gatekeeper.writing(name, .program).reading
        let file = try federation.broker.registry(access)
        if try await federation.registrations(access).isEmpty, try await !file.read({ try $0.hasPassedOn() }) { return nil }
        guard let address = federation.address() else { return now.adding(seconds: Self.addressSeconds) }
        // All of one moment: what is kept of a registration is what its source is asked by.
        let (registrations, known, subscriptions) = try await file.read { snapshot in
            (try snapshot.registrations(), try snapshot.passedOn(), try snapshot.unexpiredSubscriptions(at: now, limit: Self.countMax))
        }
        let sources = try registrations.map(CopySource.init)
        var wanted = try await WantedCopies(federation, access, sources, address: address, at: now)
        for record in subscriptions { try await wanted.add(record, countMax: Self.countMax) }
        let plan = PassingPlan(
            known: known, wanted: wanted.copies, sources: Dictionary(uniqueKeysWithValues: sources.map { ($0.registration.id.text, $0) }),
            countMax: Self.countMax, at: now, secret: Self.secret)
        // Before a source hears of it: what it tells at once has to be known here, and what it may have too.
        try await write(plan.written, removing: plan.removed, file)
        let dues = try await perform(plan.steps, file, access)
        return (plan.dues + dues + subscriptions.compactMap(\.expiresAt)).min()
    }

    private func write(_ records: [PassedOnRecord], removing removed: [String], _ file: MunicipalityFile) async throws {
        for start in stride(from: 0, to: max(records.count, removed.count), by: Self.batchCountMax) {
            let (records, removed) = (records.dropFirst(start).prefix(Self.batchCountMax), removed.dropFirst(start).prefix(Self.batchCountMax))
            try await file.write { transaction in
                for record in records { try transaction.put(record) }
                for id in removed { try transaction.removePassedOn(id) }
            }
        }
    }

    /// Asks the sources, some at a time, and writes down together what came of it. One that fails is asked nothing else in this turn.
    /// - Returns: when they are to be asked again.
    private func perform(_ steps: [PassingStep], _ file: MunicipalityFile, _ access: ReadAccess) async throws -> [Instant] {
        let asking = CopyAsking(federation: federation, access: access)
        var records: [PassedOnRecord] = []
        var removed: [String] = []
        await withTaskGroup(of: (String, PassedOnRecord?).self) { group in
            var failing: Set<String> = []
            var runningCount = 0
            func take(_ answer: (id: String, record: PassedOnRecord?)?) {
                guard let answer else { return }
                runningCount -= 1
                guard let record = answer.record else { return removed.append(answer.id) }
                if record.attemptCount > 0 { failing.insert(record.registration) }
                records.append(record)
            }
            for step in steps {
                if runningCount >= Self.concurrentCountMax { take(await group.next()) }
                // What is not asked any more counts as asked, and is seen to when the program runs again.
                if federation.passingWork.isFinished { break }
                guard !failing.contains(step.record.registration) else {
                    records.append(step.before.waiting())
                    continue
                }
                runningCount += 1
                group.addTask { (step.record.id, await asking.record(after: step)) }
            }
            for await answer in group { take(answer) }
        }
        try await write(records, removing: removed, file)
        return records.compactMap(\.due)
    }

    /// 128 bits that nobody can guess.
    private static func secret() -> String {
        (0..<2).map { _ in
            let text = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }
}

extension PassedOnRecord {
    /// The same, to be seen to when its source may be well again.
    fileprivate func waiting() -> PassedOnRecord {
        var record = self
        record.due = Instant.now.adding(seconds: 2)
        return record
    }
}
