internal import Broker
internal import CityModel
internal import Store
internal import Synchronization

/// What somebody may be told of a municipality by the rules as they are now.
typealias SightOfClaimant = @Sendable (JSON, MunicipalityName) async throws -> Sight

/// Keeps the subscriptions that were compiled last. Which of them are still what the file says, the file is asked each time.
final class CompiledCache: Sendable {
    private struct Name: Hashable { let municipality: MunicipalityName, subscription: String }

    private struct State {
        var kept: [Name: (compiled: CompiledSubscription, use: Int64)] = [:]
        var useCount: Int64 = 0
    }

    private let state = Mutex(State())
    private let countMax: Int
    private let sight: SightOfClaimant
    /// Told as `PassedOver` of subscriptions that can't be read: they hold up nobody else.
    private let report: @Sendable (MunicipalityName, any Error) -> Void

    init(
        countMax: Int = 20_000, sight: @escaping SightOfClaimant = { _, _ in .upTo(.special) }, report: @escaping @Sendable (MunicipalityName, any Error) -> Void
    ) {
        (self.countMax, self.sight, self.report) = (countMax, sight, report)
    }

    var count: Int { state.withLock { $0.kept.count } }

    /// The subscriptions with these identifiers that are there, as the file had them at one moment during the call.
    func compiled(
        _ ids: Set<String>, of file: MunicipalityFile, _ contexts: ContextLibrary, at now: Instant
    ) async throws -> [String: CompiledSubscription] {
        let name = file.name
        var (found, stale) = try await file.read { [self] snapshot in
            var found: [String: CompiledSubscription] = [:]
            var stale: [(record: SubscriptionRecord, failureCount: Int)] = []
            for id in ids {
                let kept = find(id, in: name)
                guard let revision = try snapshot.subscriptionRevision(id) else {
                    forget(id, in: name)
                    continue
                }
                if let kept, kept.revision == revision, kept.retry.map({ now < $0.due }) ?? true {
                    found[id] = kept
                } else if let record = try snapshot.subscription(id) {
                    stale.append((record, kept?.revision == revision ? kept?.retry?.failureCount ?? 0 : 0))
                }
            }
            return (found, stale)
        }
        for (record, failureCount) in stale {
            do {
                let compiled = try await CompiledSubscription(record, file, contexts, failureCount: failureCount, at: now)
                keep(compiled, in: name)
                found[record.id] = compiled
            } catch { report(name, PassedOver(subscription: record.id, change: nil, reason: error)) }
        }
        for (id, compiled) in found {
            guard let claimant = compiled.claimant else { continue }
            // Whom the rules can't be asked for is told nothing.
            do { found[id]?.sight = try await sight(claimant, name).narrowed(to: compiled.sight.classificationMax) } catch {
                found[id] = nil
                report(name, PassedOver(subscription: id, change: nil, reason: error))
            }
        }
        return found
    }

    func forget(_ municipality: MunicipalityName) {
        state.withLock { state in state.kept = state.kept.filter { $0.key.municipality != municipality } }
    }

    private func find(_ id: String, in municipality: MunicipalityName) -> CompiledSubscription? {
        state.withLock { state in
            let name = Name(municipality: municipality, subscription: id)
            state.useCount += 1
            state.kept[name]?.use = state.useCount
            return state.kept[name]?.compiled
        }
    }

    private func keep(_ compiled: CompiledSubscription, in municipality: MunicipalityName) {
        state.withLock { state in
            state.useCount += 1
            state.kept[Name(municipality: municipality, subscription: compiled.id)] = (compiled, state.useCount)
            guard state.kept.count > countMax else { return }
            // A quarter at once, those used longest ago, so that sorting is rare.
            for (name, _) in state.kept.sorted(by: { $0.value.use < $1.value.use }).prefix(max(1, countMax / 4)) { state.kept[name] = nil }
        }
    }

    private func forget(_ id: String, in municipality: MunicipalityName) {
        state.withLock { $0.kept[Name(municipality: municipality, subscription: id)] = nil }
    }
}
