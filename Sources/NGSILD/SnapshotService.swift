package import Broker
package import CityModel
internal import Door
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
package import Subscriptions
package import Trust

/// Prepares snapshots and tells their endpoints (clauses 5.16.1.4 and 5.16.6), from the start of the program to its end. What
/// there is to do stands in the municipalities' files: one that was broken off is begun anew after the next start.
package final class SnapshotService: Sendable {
    private let broker: Broker
    private let gatekeeper: Gatekeeper
    private let contexts: ContextLibrary
    private let send: Send
    private let now: @Sendable () -> Instant
    private let report: @Sendable (MunicipalityName, any Error) -> Void

    /// Attempts to tell an endpoint something.
    static let attemptCountMax = 3
    private static let pause: Duration = .seconds(10)

    /// - Parameter send: carries a message to its endpoint.
    /// - Parameter report: told of faults of this program and of files that can't be used.
    package init(
        broker: Broker, gatekeeper: Gatekeeper, contexts: ContextLibrary, now: @escaping @Sendable () -> Instant = { .now },
        send: @escaping Send, report: @escaping @Sendable (MunicipalityName, any Error) -> Void
    ) {
        (self.broker, self.gatekeeper, self.contexts) = (broker, gatekeeper, contexts)
        (self.now, self.send, self.report) = (now, send, report)
    }

    /// Runs until `stop` is called, then finishes what it has begun.
    package func run() async throws {
        for name in try broker.municipalities() { broker.snapshotWork.publish(name) }
        await withDiscardingTaskGroup { group in
            for await _ in broker.snapshotWork.wakes {
                for name in broker.snapshotWork.take() {
                    guard await perform(in: name) else { continue }
                    group.addTask { await self.wake(name) }
                }
            }
            group.cancelAll()
        }
    }

    package func stop() { broker.snapshotWork.finish() }

    private func wake(_ name: MunicipalityName) async {
        do { try await Task.sleep(for: Self.pause) } catch { return }
        broker.snapshotWork.publish(name)
    }

    /// - Returns: whether something is left to be tried again.
    private func perform(in name: MunicipalityName) async -> Bool {
        do { return try await work(in: name) } catch CityError.nonexistentTenant { return false } catch {
            report(name, error)
            return true
        }
    }

    /// Does what there is to do in one municipality: first prepares, then tells.
    /// - Returns: whether an endpoint is to be told again.
    @discardableResult
    package func work(in name: MunicipalityName) async throws -> Bool {
        let access = try await gatekeeper.writing(name, .program)
        for record in try await broker.unfinishedSnapshots(access) where record.status == .preparing { try await prepare(record, access) }
        var isLeft = false
        for record in try await broker.unfinishedSnapshots(access) where record.untoldCount > 0 {
            let isTold = try await tell(record, name)
            let count = isTold ? 0 : record.untoldCount - 1
            isLeft = isLeft || count > 0
            try await broker.setUntold(count, of: record, access)
        }
        return isLeft
    }

    private func prepare(_ record: SnapshotRecord, _ access: WriteAccess) async throws {
        var (record, document) = (record, record.document)
        let moment = now()
        do throws(CityError) {
            let context = try await contexts.context(document.context, in: access.municipality)
            let queries = document.queries.map { json in Self.result { try SnapshotQueries.query(json, context) } }
            let evolutions = document.evolutionQueries.map { json in Self.result { try SnapshotQueries.evolutionQuery(json, context) } }
            let outcome = try await freeze(record, queries, evolutions, access, at: moment)
            (document.queryDetails, document.evolutionDetails) = (outcome.queries.map(Self.details), outcome.evolutions.map(Self.details))
            record.status = outcome.status
        } catch {
            document.queryDetails = document.queries.map { _ in Self.details(.failure(error)) }
            document.evolutionDetails = document.evolutionQueries.map { _ in Self.details(.failure(error)) }
            record.status = .failure
        }
        (record.body, record.modifiedAt) = (document.json, moment)
        record.untoldCount = try document.endpoint == nil ? 0 : Self.attemptCountMax
        try await broker.finishSnapshot(record, access)
    }

    private func freeze(
        _ record: SnapshotRecord, _ queries: [Result<SnapshotQuery, CityError>], _ evolutions: [Result<SnapshotEvolutionQuery, CityError>],
        _ access: WriteAccess, at moment: Instant
    ) async throws(CityError) -> SnapshotOutcome {
        // No more than whoever made it could see, though the program itself sees all.
        let reading = access.reading.narrowed(to: record.classificationMax)
        do { return try await broker.freeze(record, queries, evolutions, reading, at: moment) } catch let error as CityError { throw error } catch {
            report(access.municipality, error)
            throw .internalFault("a snapshot could not be stored")
        }
    }

    private static func result<Value>(_ body: () throws -> Value) -> Result<Value, CityError> {
        do { return .success(try body()) } catch let error as CityError { return .failure(error) } catch {
            return .failure(.internalFault("a snapshot's query can't be read: \(error)"))
        }
    }

    /// Clause 5.2.42.
    private static func details(_ result: Result<Int, CityError>) -> JSON {
        switch result {
        case .success(0): ["resultStatus": "empty"]
        case .success: ["resultStatus": "success"]
        case .failure(let error): ["resultStatus": "failure", "problemDetails": error.problemJSON]
        }
    }

    /// - Returns: whether it need not be told again.
    private func tell(_ record: SnapshotRecord, _ name: MunicipalityName) async throws -> Bool {
        let document = record.document
        guard let endpoint = try document.endpoint else { return true }
        var headers: [(name: String, value: String)] = [("Content-Type", "application/json")]
        if name != .standard { headers.append(("NGSILD-Tenant", name.text)) }
        headers += endpoint.receiverInfo
        var writer = JSONWriter()
        writer.write(document.notification(record, id: Broker.randomText(), at: now()))
        switch await send(endpoint, headers, writer.bytes) {
        case .accepted, .acceptedOtherwise, .refused: return true
        case .failed, .unreachable, .interrupted: return false
        }
    }
}
