package import CityModel

/// Which notifications are sent next. Those of one subscription are a queue and go one after another; queues go side by side, in
/// turn by municipality, within it by endpoint, within that by who waited longest. So whoever has much to send delays nobody else,
/// and an endpoint that is slow or away holds only its own few places. Decides and performs nothing.
package struct DeliveryBoard: Sendable {
    package struct Queue: Hashable, Sendable {
        package let municipality: MunicipalityName
        package let subscription: String

        package init(municipality: MunicipalityName, subscription: String) {
            (self.municipality, self.subscription) = (municipality, subscription)
        }
    }

    /// How an endpoint showed itself during a turn.
    package enum Reach: Hashable, Sendable { case answered, slow, unreachable }

    package enum Next: Hashable, Sendable {
        /// Nothing waits any more.
        case idle
        case more
        case at(Instant)
    }

    private struct Endpoint: Hashable { let municipality: MunicipalityName, uri: String }

    private struct EndpointState {
        var ready = Line<Queue>()
        var queueCount = 0
        var runningCount = 0
        /// Times in a row that no connection came about.
        var failureCount = 0
        var isSlow = false
        var isPaused = false
        /// Whether it stands in the line of its municipality.
        var isListed = false
        /// Those in trouble share half of the places, whoever is sound has the rest.
        var isTroubled: Bool { failureCount > 0 || isSlow }
    }

    private enum Phase { case ready, running(again: Bool, isTroubled: Bool), waiting(until: Instant) }

    private struct QueueState {
        var endpoint: Endpoint
        var phase: Phase
        /// Where it goes once the turn that runs is over.
        var nextEndpoint: Endpoint?
    }

    /// The endpoints of a municipality that something can be sent to now.
    private struct Round {
        var sound = Line<Endpoint>()
        var troubled = Line<Endpoint>()
        var runningCount = 0
        var troubledCount = 0
        var isListed = false
        var prefersTroubled = false
        var isEmpty: Bool { sound.isEmpty && troubled.isEmpty }
    }

    private let runningCountMax: Int
    private var queues: [Queue: QueueState] = [:]
    private var endpoints: [Endpoint: EndpointState] = [:]
    private var rounds: [MunicipalityName: Round] = [:]
    private var turn = Line<MunicipalityName>()
    private var timers = Timers<Queue>()
    private var pauses = Timers<Endpoint>()
    private var runningCount = 0
    private var troubledCount = 0

    /// Queues of one endpoint that are sent side by side.
    private static let endpointRunningCountMax = 8
    /// How long an endpoint that can't be reached is left alone at most; after it one queue tries.
    private static let pauseSecondsMax = 60.0

    /// - Parameter runningCountMax: queues that are sent at the same time. One municipality has at most half of them, unless that
    ///   is less than one.
    package init(runningCountMax: Int) { self.runningCountMax = max(1, runningCountMax) }

    /// Endpoints for which something waits or is on its way.
    package var endpointCount: Int { endpoints.count }
    package var isRunning: Bool { runningCount > 0 }

    // MARK: - Asking

    /// Says that something was added to a queue. One that waits for its moment goes on waiting.
    package mutating func wake(_ queue: Queue, endpoint uri: String) {
        let endpoint = Endpoint(municipality: queue.municipality, uri: uri)
        switch queues[queue]?.phase {
        case nil: enter(queue, endpoint, .ready)
        case .running(_, let isTroubled)?:
            queues[queue]?.phase = .running(again: true, isTroubled: isTroubled)
            queues[queue]?.nextEndpoint = endpoint
        case .ready?, .waiting?: break
        }
    }

    /// Asks for a queue at a moment, at which the first of it is due.
    package mutating func wake(_ queue: Queue, endpoint uri: String, at moment: Instant) {
        guard queues[queue] == nil else { return }
        enter(queue, Endpoint(municipality: queue.municipality, uri: uri), .waiting(until: moment))
    }

    /// Begins anew with a queue, at an endpoint that may be another or mended.
    package mutating func renew(_ queue: Queue, endpoint uri: String) {
        let endpoint = Endpoint(municipality: queue.municipality, uri: uri)
        endpoints[endpoint]?.failureCount = 0
        resume(endpoint)
        guard case .running(_, let isTroubled)? = queues[queue]?.phase else {
            let before = leave(queue)
            enter(queue, endpoint, .ready)
            if let before { forgetIfUnused(before) }
            return
        }
        queues[queue]?.phase = .running(again: true, isTroubled: isTroubled)
        queues[queue]?.nextEndpoint = endpoint
    }

    /// Forgets a queue in which nothing waits any more. One that has its turn finds that out itself.
    package mutating func drop(_ queue: Queue) {
        if case .running? = queues[queue]?.phase { return }
        if let endpoint = leave(queue) { forgetIfUnused(endpoint) }
    }

    // MARK: - Doing

    /// Takes the queues of which a turn can begin.
    package mutating func take(at now: Instant) -> [Queue] {
        for queue in timers.take(at: now) {
            guard let state = queues[queue], case .waiting = state.phase else { continue }
            queues[queue]?.phase = .ready
            makeReady(queue, state.endpoint)
        }
        for endpoint in pauses.take(at: now) { resume(endpoint) }
        var taken: [Queue] = []
        var blocked: [MunicipalityName] = []
        while runningCount < runningCountMax, let name = turn.popFirst() {
            if let queue = start(in: name) {
                taken.append(queue)
                turn.append(name)
            } else if rounds[name]?.isEmpty ?? true {
                rounds[name]?.isListed = false
                if rounds[name]?.runningCount == 0 { rounds[name] = nil }
            } else {
                blocked.append(name)
            }
        }
        for name in blocked { turn.append(name) }
        return taken
    }

    /// Says how a turn ended.
    /// - Parameter reach: nil when nothing was sent.
    package mutating func finished(_ queue: Queue, _ next: Next, _ reach: Reach?, at now: Instant) {
        guard let state = queues[queue], case .running(let again, let wasTroubled) = state.phase else { return }
        count(-1, queue.municipality, isTroubled: wasTroubled)
        endpoints[state.endpoint]?.runningCount -= 1
        if let reach { note(reach, state.endpoint, at: now) }
        _ = leave(queue)
        let endpoint = state.nextEndpoint ?? state.endpoint
        switch next {
        case .more: enter(queue, endpoint, .ready)
        case .at(let moment):
            // A queue that goes elsewhere now does not wait for what failed there.
            enter(queue, endpoint, state.nextEndpoint == nil || endpoint == state.endpoint ? .waiting(until: moment) : .ready)
        case .idle: if again { enter(queue, endpoint, .ready) }
        }
        list(state.endpoint)
        forgetIfUnused(state.endpoint)
        let name = queue.municipality
        if let round = rounds[name], round.isEmpty, !round.isListed, round.runningCount == 0 { rounds[name] = nil }
    }

    /// A turn of the next endpoint of a municipality that can have one.
    private mutating func start(in name: MunicipalityName) -> Queue? {
        while let (endpoint, isTroubled) = nextEndpoint(in: name) {
            guard let state = endpoints[endpoint] else { continue }
            endpoints[endpoint]?.isListed = false
            // One that fell into trouble, or came out of it, since it was listed stands in the other line.
            let queue = state.isTroubled == isTroubled ? nextQueue(of: endpoint) : nil
            if let queue {
                queues[queue]?.phase = .running(again: false, isTroubled: isTroubled)
                endpoints[endpoint]?.runningCount += 1
                count(1, name, isTroubled: isTroubled)
            }
            list(endpoint)
            if let queue { return queue }
        }
        return nil
    }

    private mutating func nextEndpoint(in name: MunicipalityName) -> (Endpoint, isTroubled: Bool)? {
        guard var round = rounds[name], round.runningCount < max(1, runningCountMax / 2) else { return nil }
        defer { rounds[name] = round }
        let mayTrouble = troubledCount < max(1, runningCountMax / 2) && round.troubledCount < max(1, runningCountMax / 4)
        let takesTroubled = mayTrouble && !round.troubled.isEmpty && (round.sound.isEmpty || round.prefersTroubled)
        guard let endpoint = takesTroubled ? round.troubled.popFirst() : round.sound.popFirst() else { return nil }
        round.prefersTroubled = !takesTroubled
        return (endpoint, takesTroubled)
    }

    private mutating func nextQueue(of endpoint: Endpoint) -> Queue? {
        while let queue = endpoints[endpoint]?.ready.popFirst() {
            // What left the line since, or went elsewhere, is passed over.
            if let state = queues[queue], state.endpoint == endpoint, case .ready = state.phase { return queue }
        }
        return nil
    }

    private mutating func count(_ change: Int, _ name: MunicipalityName, isTroubled: Bool) {
        runningCount += change
        rounds[name]?.runningCount += change
        guard isTroubled else { return }
        troubledCount += change
        rounds[name]?.troubledCount += change
    }

    // MARK: - Endpoints

    private mutating func note(_ reach: Reach, _ endpoint: Endpoint, at now: Instant) {
        switch reach {
        case .answered, .slow:
            endpoints[endpoint]?.failureCount = 0
            endpoints[endpoint]?.isSlow = reach == .slow
        case .unreachable:
            guard let state = endpoints[endpoint], !state.isPaused else { return }
            endpoints[endpoint]?.failureCount += 1
            endpoints[endpoint]?.isPaused = true
            pauses.set(endpoint, now.adding(seconds: min(Double(1 << min(state.failureCount, 10)), Self.pauseSecondsMax)))
        }
    }

    private mutating func resume(_ endpoint: Endpoint) {
        pauses.remove(endpoint)
        endpoints[endpoint]?.isPaused = false
        list(endpoint)
    }

    /// Puts an endpoint into the line of its municipality when something can be sent to it.
    private mutating func list(_ endpoint: Endpoint) {
        guard let state = endpoints[endpoint], !state.isListed, !state.isPaused, !state.ready.isEmpty,
            state.runningCount < (state.failureCount > 0 ? 1 : Self.endpointRunningCountMax)
        else { return }
        endpoints[endpoint]?.isListed = true
        let name = endpoint.municipality
        if state.isTroubled { rounds[name, default: Round()].troubled.append(endpoint) } else { rounds[name, default: Round()].sound.append(endpoint) }
        guard rounds[name]?.isListed == false else { return }
        rounds[name]?.isListed = true
        turn.append(name)
    }

    private mutating func forgetIfUnused(_ endpoint: Endpoint) {
        guard let state = endpoints[endpoint], state.queueCount == 0 else { return }
        pauses.remove(endpoint)
        endpoints[endpoint] = nil
    }

    // MARK: - Queues

    private mutating func enter(_ queue: Queue, _ endpoint: Endpoint, _ phase: Phase) {
        queues[queue] = QueueState(endpoint: endpoint, phase: phase)
        endpoints[endpoint, default: EndpointState()].queueCount += 1
        if case .waiting(let moment) = phase { timers.set(queue, moment) } else { makeReady(queue, endpoint) }
    }

    private mutating func makeReady(_ queue: Queue, _ endpoint: Endpoint) {
        endpoints[endpoint]?.ready.append(queue)
        list(endpoint)
    }

    /// - Returns: the endpoint that it stood under, which is forgotten by whoever knows that nothing comes in its place.
    private mutating func leave(_ queue: Queue) -> Endpoint? {
        guard let state = queues.removeValue(forKey: queue) else { return nil }
        timers.remove(queue)
        endpoints[state.endpoint]?.queueCount -= 1
        return state.endpoint
    }
}
