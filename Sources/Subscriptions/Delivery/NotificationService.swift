package import Broker
package import CityModel
package import Store
internal import Synchronization

/// What notifications may take.
package struct NotificationLimits: Sendable {
    /// Notifications that wait for one endpoint; one more is dropped and counted as failed.
    package var queuedCountMax: Int
    /// Attempts for one notification.
    package var attemptCountMax: Int
    /// Endpoints that are spoken to at the same time.
    package var inFlightCountMax: Int

    package init(queuedCountMax: Int = 10_000, attemptCountMax: Int = 20, inFlightCountMax: Int = 256) {
        (self.queuedCountMax, self.attemptCountMax, self.inFlightCountMax) = (queuedCountMax, attemptCountMax, inFlightCountMax)
    }
}

/// Matches changes and delivers notifications, in every municipality, from the start of the program to its end. What it has
/// to do stands in the municipalities' files; it keeps none of them open while there is nothing to do.
package final class NotificationService: Sendable {
    private enum Work: Hashable, Sendable {
        /// Match what waits, tell who is due.
        case municipality(MunicipalityName)
        case endpoint(MunicipalityName, String)
    }

    private struct State {
        var matching = WorkBoard<Work>()
        var delivering = WorkBoard<Work>()
        /// Municipalities whose outboxes were looked through since the start.
        var known: Set<MunicipalityName> = []
    }

    private let store: Store
    private let matcher: Matcher
    private let periodic: PeriodicRound
    private let courier: Courier
    private let cache: CompiledCache
    private let limits: NotificationLimits
    private let now: @Sendable () -> Instant
    private let report: @Sendable (MunicipalityName, any Error) -> Void
    private let state = Mutex(State())
    private let wakes: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation

    private static let matchingCountMax = 8
    private static let tickDuration: Duration = .milliseconds(100)
    private static let pauseAfterFaultSeconds = 5.0

    /// - Parameter send: carries a message to its endpoint.
    /// - Parameter report: told of faults of this program and of files that can't be used.
    package init(
        store: Store, contexts: ContextLibrary, limits: NotificationLimits, now: @escaping @Sendable () -> Instant = { .now },
        send: @escaping Send, report: @escaping @Sendable (MunicipalityName, any Error) -> Void
    ) {
        (self.store, self.limits, self.now, self.report) = (store, limits, now, report)
        cache = CompiledCache(report: report)
        matcher = Matcher(store: store, contexts: contexts, cache: cache, limits: limits)
        periodic = PeriodicRound(store: store, contexts: contexts, cache: cache, limits: limits)
        courier = Courier(store: store, send: send, plan: DeliveryPlan(attemptCountMax: limits.attemptCountMax))
        (wakes, wakeUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Runs until `stop` is called, then finishes what it has begun.
    package func run() async throws {
        store.work.listen { [wakeUp] in _ = wakeUp.yield() }
        let names = try store.municipalities()
        state.withLock { state in for name in names { state.matching.wake(.municipality(name)) } }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepTime() }
            for await _ in wakes {
                for work in begin() { group.addTask { await self.perform(work) } }
            }
        }
    }

    /// Wakes for what is due at a moment, until `stop` ends the stream of wakes.
    private func keepTime() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.tickDuration)
            if case .terminated = wakeUp.yield() { return }
        }
    }

    package func stop() { wakeUp.finish() }

    /// Endpoints for which something waits or is on its way.
    package var waitingEndpointCount: Int { state.withLock { $0.delivering.count } }

    private func begin() -> [Work] {
        let named = store.work.take()
        let moment = now()
        return state.withLock { state in
            for name in named { state.matching.wake(.municipality(name)) }
            return state.matching.take(at: moment, runningCountMax: Self.matchingCountMax)
                + state.delivering.take(at: moment, runningCountMax: limits.inFlightCountMax)
        }
    }

    private func perform(_ work: Work) async {
        switch work {
        case .municipality(let name): await follow(name, work)
        case .endpoint(let name, let endpoint): await deliver(to: endpoint, of: name, work)
        }
        wakeUp.yield()
    }

    private func follow(_ name: MunicipalityName, _ work: Work) async {
        var next: Instant?
        do {
            try await readOutbox(of: name)
            var hasMore = true
            while hasMore {
                let outcome = try await matcher.matchPage(of: name, at: now())
                wake(outcome.endpoints, of: name)
                hasMore = outcome.hasMore
            }
            let outcome = try await periodic.tellDue(in: name, at: now())
            wake(outcome.endpoints, of: name)
            next = outcome.nextDue
        } catch StoreError.notFound {
            cache.forget(name)
            state.withLock { state in _ = state.known.remove(name) }
        } catch {
            report(name, error)
            next = now().adding(seconds: Self.pauseAfterFaultSeconds)
        }
        state.withLock { state in
            state.matching.finished(work)
            if let next { state.matching.wake(work, at: next) }
        }
    }

    /// Picks up what waited when the program ended, once.
    private func readOutbox(of name: MunicipalityName) async throws {
        guard !state.withLock({ $0.known.contains(name) }) else { return }
        let endpoints = try await store.file(name).read { try $0.outboxEndpoints() }
        state.withLock { state in
            state.known.insert(name)
            for (endpoint, due) in endpoints { state.delivering.wake(.endpoint(name, endpoint), at: due) }
        }
    }

    private func wake(_ endpoints: Set<String>, of name: MunicipalityName) {
        guard !endpoints.isEmpty else { return }
        state.withLock { state in for endpoint in endpoints { state.delivering.wake(.endpoint(name, endpoint)) } }
        wakeUp.yield()
    }

    private func deliver(to endpoint: String, of name: MunicipalityName, _ work: Work) async {
        var next = Courier.Next.idle
        do { next = try await courier.deliver(to: endpoint, of: name, now: now) } catch StoreError.notFound {} catch {
            report(name, error)
            next = .at(now().adding(seconds: Self.pauseAfterFaultSeconds))
        }
        state.withLock { state in
            state.delivering.finished(work)
            switch next {
            case .idle: break
            case .more: state.delivering.wake(work)
            case .at(let moment): state.delivering.wake(work, at: moment)
            }
        }
    }
}
