package import Broker
package import CityModel
internal import Policy
package import Store
internal import Synchronization
package import Trust

/// Matches changes and delivers notifications, in every municipality, from the start of the program to its end. What it has
/// to do stands in the municipalities' files; it keeps none of them open while there is nothing to do.
package final class NotificationService: Sendable {
    private enum Work: Sendable {
        /// Match what waits, tell who is due.
        case municipality(MunicipalityName)
        case queue(DeliveryBoard.Queue)
    }

    private struct State {
        var matching = WorkBoard<MunicipalityName>()
        var delivering: DeliveryBoard
        /// Queues that were asked to begin anew and not looked at yet.
        var woken: [MunicipalityName: Set<String>] = [:]
        /// Municipalities whose outboxes were looked through since the start.
        var known: Set<MunicipalityName> = []
        var clock = Backstep()
        /// Municipalities of which what waits was reckoned before the clock went back.
        var setBack: Set<MunicipalityName> = []
        var runningCount = 0
    }

    private let store: Store
    private let matcher: Matcher
    private let periodic: PeriodicRound
    private let throttled: ThrottledRound
    private let courier: Courier
    private let cache: CompiledCache
    private let limits: NotificationLimits
    private let now: @Sendable () -> Instant
    private let report: @Sendable (MunicipalityName, any Error) -> Void
    private let state: Mutex<State>
    private let stopping = Stopping()
    private let wakes: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation
    private let endings: AsyncStream<Void>
    private let ended: AsyncStream<Void>.Continuation

    private static let matchingCountMax = 8
    /// Pages that one municipality matches before others have their turn.
    private static let pageCountMax = 16
    private static let tickDuration: Duration = .milliseconds(100)
    private static let pauseAfterFaultSeconds = 5.0

    /// - Parameter tellOfSources: tells a subscription to registrations which there are.
    /// - Parameter send: carries a message to its endpoint.
    /// - Parameter report: told of faults of this program, of files that can't be used, and as `PassedOver` of what is left out.
    package init(
        store: Store, gatekeeper: Gatekeeper, contexts: ContextLibrary, limits: NotificationLimits, now: @escaping @Sendable () -> Instant = { .now },
        tellOfSources: @escaping TellOfSources = { _, _, _ in false },
        send: @escaping Send, report: @escaping @Sendable (MunicipalityName, any Error) -> Void
    ) {
        (self.store, self.limits, self.now, self.report) = (store, limits, now, report)
        let outbox = Outbox(limits: limits)
        cache = CompiledCache(sight: { try await gatekeeper.sight(of: $0, in: $1, to: .subscribe) }, report: report)
        matcher = Matcher(store: store, contexts: contexts, cache: cache, outbox: outbox, report: report)
        periodic = PeriodicRound(
            store: store, contexts: contexts, cache: cache, outbox: outbox, tellOfSources: tellOfSources, report: report)
        throttled = ThrottledRound(store: store, contexts: contexts, cache: cache, outbox: outbox, report: report)
        let stopping = stopping
        courier = Courier(store: store, send: send, plan: DeliveryPlan(attemptCountMax: limits.attemptCountMax)) { stopping.isSet }
        state = Mutex(State(delivering: DeliveryBoard(runningCountMax: limits.inFlightCountMax)))
        (wakes, wakeUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (endings, ended) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Runs until `stop` is called. What is on its way then has a little time to arrive; after that it is broken off, stays in the
    /// outbox and is sent again after the next start.
    package func run() async throws {
        store.work.listen { [wakeUp] in _ = wakeUp.yield() }
        let names = try store.municipalitiesAndSnapshots()
        state.withLock { state in for name in names { state.matching.wake(name) } }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepTime() }
            for await _ in wakes {
                for work in begin() { group.addTask { await self.perform(work) } }
            }
            await rest(within: limits.endingDuration)
            group.cancelAll()
        }
    }

    /// Wakes for what is due at a moment, until `stop` ends the stream of wakes.
    private func keepTime() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.tickDuration)
            if case .terminated = wakeUp.yield() { return }
        }
    }

    /// Returns when nothing runs any more, and no later than after `duration`.
    private func rest(within duration: Duration) async {
        ended.yield()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in self.endings where self.state.withLock({ $0.runningCount == 0 }) { return }
            }
            group.addTask { try? await Task.sleep(for: duration) }
            await group.next()
            group.cancelAll()
        }
    }

    package func stop() {
        stopping.set()
        wakeUp.finish()
    }

    /// Endpoints for which something waits or is on its way.
    package var waitingEndpointCount: Int { state.withLock { $0.delivering.endpointCount } }

    private func begin() -> [Work] {
        let named = store.work.take()
        let moment = now()
        return state.withLock { state in
            if state.clock.isBack(moment) {
                state.setBack.formUnion(state.known)
                for name in state.known { state.matching.wake(name) }
            }
            for (name, queues) in named {
                state.matching.wake(name)
                if !queues.isEmpty { state.woken[name, default: []].formUnion(queues) }
            }
            let work = state.matching.take(at: moment, runningCountMax: Self.matchingCountMax).map(Work.municipality)
                + state.delivering.take(at: moment).map(Work.queue)
            state.runningCount += work.count
            return work
        }
    }

    private func perform(_ work: Work) async {
        switch work {
        case .municipality(let name): await follow(name)
        case .queue(let queue): await deliver(queue)
        }
        state.withLock { $0.runningCount -= 1 }
        wakeUp.yield()
        ended.yield()
    }

    private func follow(_ name: MunicipalityName) async {
        var next: Instant?
        do { next = try await matchAndTell(name) } catch StoreError.notFound {
            cache.forget(name)
            state.withLock { state in
                state.known.remove(name)
                state.woken[name] = nil
            }
        } catch {
            if !stopping.isSet { report(name, error) }
            // What was put into outboxes before the fault has woken nobody yet: they are looked through once more.
            state.withLock { state in _ = state.known.remove(name) }
            next = now().adding(seconds: Self.pauseAfterFaultSeconds)
        }
        state.withLock { state in
            state.matching.finished(name)
            if let next { state.matching.wake(name, at: next) }
        }
    }

    /// - Returns: when there is something to do again, as far as that is known.
    private func matchAndTell(_ name: MunicipalityName) async throws -> Instant? {
        try await followClock(of: name)
        try await readOutbox(of: name)
        var pageCount = 0
        var hasMore = true
        while hasMore, pageCount < Self.pageCountMax, !stopping.isSet {
            let outcome = try await matcher.matchPage(of: name, at: now())
            wake(outcome.queues, of: name)
            (hasMore, pageCount) = (outcome.hasMore, pageCount + 1)
        }
        let held = try await throttled.tellDue(in: name, at: now())
        wake(held.queues, of: name)
        let due = try await periodic.tellDue(in: name, at: now())
        wake(due.queues, of: name)
        if hasMore { return now() }
        return [held.nextDue, due.nextDue].compactMap { $0 }.min()
    }

    /// Has told now what else would wait as much longer as the clock went back: at the first look, for it may have done so since the program ended, and whenever it is noticed.
    private func followClock(of name: MunicipalityName) async throws {
        let (isKnown, isSetBack) = state.withLock { state in (state.known.contains(name), state.setBack.remove(name) != nil) }
        guard isSetBack || !isKnown else { return }
        let moment = now()
        do { try await store.file(name).write { try $0.bringDuesForward(to: moment, all: isSetBack) } } catch {
            if isSetBack { state.withLock { state in _ = state.setBack.insert(name) } }
            throw error
        }
    }

    /// Picks up what waited when the program ended, once, and the queues that are to begin anew.
    private func readOutbox(of name: MunicipalityName) async throws {
        let (isKnown, woken) = state.withLock { state in (state.known.contains(name), state.woken.removeValue(forKey: name) ?? []) }
        do { try await readOutbox(of: name, isKnown: isKnown, woken: woken) } catch {
            // Nobody names them a second time.
            if !woken.isEmpty { state.withLock { state in state.woken[name, default: []].formUnion(woken) } }
            throw error
        }
    }

    private func readOutbox(of name: MunicipalityName, isKnown: Bool, woken: Set<String>) async throws {
        if !isKnown {
            let queues = try await store.file(name).read { try $0.outboxQueues() }
            state.withLock { state in
                state.known.insert(name)
                for queue in queues { state.delivering.wake(.init(name, queue), endpoint: queue.endpoint, at: queue.due) }
            }
        }
        guard !woken.isEmpty else { return }
        let renewed = try await store.file(name).read { snapshot in try woken.compactMap(snapshot.outboxQueue) }
        let emptied = woken.subtracting(renewed.map(\.subscription))
        state.withLock { state in
            for queue in renewed { state.delivering.renew(.init(name, queue), endpoint: queue.endpoint) }
            for id in emptied { state.delivering.drop(.init(municipality: name, subscription: id)) }
        }
        wakeUp.yield()
    }

    private func wake(_ queues: [String: String], of name: MunicipalityName) {
        guard !queues.isEmpty else { return }
        state.withLock { state in
            for (subscription, endpoint) in queues {
                state.delivering.wake(.init(municipality: name, subscription: subscription), endpoint: endpoint)
            }
        }
        wakeUp.yield()
    }

    private func deliver(_ queue: DeliveryBoard.Queue) async {
        var turn = Courier.Turn()
        do { turn = try await courier.deliver(queue, now: now) } catch StoreError.notFound {} catch {
            if !stopping.isSet { report(queue.municipality, error) }
            turn.next = .at(now().adding(seconds: Self.pauseAfterFaultSeconds))
        }
        let moment = now()
        state.withLock { $0.delivering.finished(queue, turn.next, turn.reach, at: moment) }
    }
}

/// Set once, when the program ends.
private final class Stopping: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
}

extension DeliveryBoard.Queue {
    fileprivate init(_ name: MunicipalityName, _ queue: OutboxQueue) { self.init(municipality: name, subscription: queue.subscription) }
}
