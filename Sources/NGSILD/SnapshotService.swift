package import Broker
package import CityModel
internal import Door
package import Federation
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
package import Subscriptions
package import Trust

/// Prepares snapshots and tells their endpoints (clauses 5.16.1.4 and 5.16.6), from the start of the program to its end. What
/// there is to do stands in the municipalities' files: one that was broken off is begun anew after the next start. One municipality
/// does not hold up the others: several have their turn at a time, each for one snapshot.
package final class SnapshotService: Sendable {
    private let broker: Broker
    private let gatekeeper: Gatekeeper
    private let contexts: ContextLibrary
    private let federation: Federation
    private let send: Send
    private let now: @Sendable () -> Instant
    private let report: @Sendable (MunicipalityName, any Error) -> Void

    /// Attempts to tell an endpoint something.
    static let attemptCountMax = 3
    private static let pause: Duration = .seconds(10)
    private let line = SnapshotLine(countMax: 4)

    /// - Parameter send: carries a message to its endpoint.
    /// - Parameter report: told of faults of this program and of files that can't be used.
    package init(
        broker: Broker, gatekeeper: Gatekeeper, contexts: ContextLibrary, federation: Federation, now: @escaping @Sendable () -> Instant = { .now },
        send: @escaping Send, report: @escaping @Sendable (MunicipalityName, any Error) -> Void
    ) {
        (self.broker, self.gatekeeper, self.contexts, self.federation) = (broker, gatekeeper, contexts, federation)
        (self.now, self.send, self.report) = (now, send, report)
    }

    /// Runs until `stop` is called; what is being prepared then is broken off.
    package func run() async throws {
        for name in try broker.municipalities() { broker.snapshotWork.publish(name) }
        await withDiscardingTaskGroup { group in
            for await _ in broker.snapshotWork.wakes {
                for name in line.begin(adding: broker.snapshotWork.take()) { group.addTask { await self.turn(name) } }
            }
            group.cancelAll()
        }
    }

    package func stop() { broker.snapshotWork.finish() }

    /// What is left to be done after a turn.
    private enum Rest { case nothing, atOnce, later }

    private func turn(_ name: MunicipalityName) async {
        let rest = await perform(in: name)
        line.end(name)
        switch rest {
        case .nothing: broker.snapshotWork.wake()
        case .atOnce: broker.snapshotWork.publish(name)
        case .later:
            broker.snapshotWork.wake()
            do { try await Task.sleep(for: Self.pause) } catch { return }
            broker.snapshotWork.publish(name)
        }
    }

    private func perform(in name: MunicipalityName) async -> Rest {
        do { return try await step(in: name) } catch CityError.nonexistentTenant { return .nothing } catch is CancellationError { return .nothing } catch {
            report(name, error)
            return .later
        }
    }

    /// Does all there is to do in one municipality.
    package func work(in name: MunicipalityName) async throws { while try await step(in: name) == .atOnce {} }

    /// Prepares one snapshot; when there is none, tells of those that were prepared.
    private func step(in name: MunicipalityName) async throws -> Rest {
        let access = try await gatekeeper.writing(name, .program)
        let records = try await broker.unfinishedSnapshots(access)
        if let record = records.first(where: { $0.status == .preparing }) {
            try await prepare(record, access)
            return .atOnce
        }
        var isLeft = false
        for record in records where record.untoldCount > 0 {
            let isTold = try await tell(record, name)
            let count = isTold ? 0 : record.untoldCount - 1
            isLeft = isLeft || count > 0
            try await broker.setUntold(count, of: record, access)
        }
        return isLeft ? .later : .nothing
    }

    private func prepare(_ record: SnapshotRecord, _ access: WriteAccess) async throws {
        var (record, document) = (record, record.document)
        let moment = now()
        do throws(CityError) {
            let context = try await contexts.context(document.context, in: access.municipality)
            let origin = origin(record, access, context, at: moment)
            let (queries, warnings) = await asked(document.queries) { json in
                try SnapshotQueries.query(json, context)
            } ask: { read in
                try await askSources(&read, origin)
            }
            let (evolutions, evolutionWarnings) = await asked(document.evolutionQueries) { json in
                try SnapshotQueries.evolutionQuery(json, context)
            } ask: { read in
                try await askSources(&read, origin)
            }
            let outcome = try await freeze(record, queries.map { $0.map(\.query) }, evolutions.map { $0.map(\.query) }, access, at: moment)
            document.queryDetails = zip(outcome.queries, warnings).map { Self.details($0, $1) }
            document.evolutionDetails = zip(outcome.evolutions, evolutionWarnings).map { Self.details($0, $1) }
            record.status = outcome.status
        } catch {
            document.queryDetails = document.queries.map { _ in Self.details(.failure(error)) }
            document.evolutionDetails = document.evolutionQueries.map { _ in Self.details(.failure(error)) }
            record.status = .failure
        }
        try Task.checkCancellation()
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
            if !Task.isCancelled { report(access.municipality, error) }
            throw .internalFault("a snapshot could not be stored")
        }
    }

    /// For what sources are asked, all queries of a snapshot within what one distributed request may take. No credential of whoever made
    /// the snapshot is kept: sources answer what they show to anybody.
    private func origin(_ record: SnapshotRecord, _ access: WriteAccess, _ context: Context, at moment: Instant) -> Origin {
        Origin(
            access: access.reading.narrowed(to: record.classificationMax), asker: Asker(now: moment, credential: .none), context: context, via: []
        ) { _ in nil }
    }

    /// Reads queries, and has what sources have of them. One that can't be read, or of which sources have too much, fails alone.
    /// - Parameter ask: fills in what sources have, and returns what went wrong with them.
    /// - Returns: what went wrong with each query's sources beside the queries.
    private func asked<Read>(
        _ queries: [JSON], read: (JSON) throws -> Read, ask: (inout Read) async throws -> [SourceWarning]
    ) async -> ([Result<Read, CityError>], [[SourceWarning]]) {
        var (results, warnings) = ([Result<Read, CityError>](), [[SourceWarning]]())
        for query in queries {
            do {
                var query = try read(query)
                warnings.append(try await ask(&query))
                results.append(.success(query))
            } catch {
                warnings.append([])
                results.append(.failure(error as? CityError ?? .internalFault("a snapshot's query could not be prepared: \(error)")))
            }
        }
        return (results, warnings)
    }

    /// Clause 5.7.2.4.
    private func askSources(_ read: inout SnapshotQueries.Read, _ origin: Origin) async throws -> [SourceWarning] {
        guard let distributed = read.distributed,
            let answer = try await federation.everything(distributed, countMax: broker.snapshotLimits.entityCountMax, origin)
        else { return [] }
        read.query.elsewhere = answer.found
        return answer.warnings
    }

    /// Clause 5.7.4.4.
    private func askSources(_ read: inout SnapshotQueries.ReadEvolution, _ origin: Origin) async throws -> [SourceWarning] {
        let limits = broker.snapshotLimits
        guard let distributed = read.distributed,
            let answer = try await federation.everything(
                distributed, countMax: limits.entityCountMax, instanceCountMax: limits.instanceCountMax, origin)
        else { return [] }
        read.query.elsewhere = answer.found
        return answer.warnings
    }

    /// Clause 5.2.42. Sources that did not answer make no failure of a query (clause 6.3.17), but they are named.
    private static func details(_ result: Result<Int, CityError>, _ warnings: [SourceWarning] = []) -> JSON {
        var details: JSONObject
        switch result {
        case .success(let count): details = ["resultStatus": count == 0 ? "empty" : "success"]
        case .failure(let error): details = ["resultStatus": "failure", "problemDetails": error.problemJSON]
        }
        let texts = OrderedSet(warnings.map(\.header)).prefix(warningCountMax)
        if details["problemDetails"] == nil, !texts.isEmpty {
            details["problemDetails"] = [
                "type": "about:blank", "title": "Not all context sources answered", "detail": .string(texts.joined(separator: "; ")),
            ]
        }
        return .object(details)
    }

    private static let warningCountMax = 10

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
