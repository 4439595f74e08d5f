internal import CMosquitto
internal import Foundation
internal import Subscriptions
internal import Synchronization

/// One connection to an MQTT broker, with a thread of its own: libmosquitto waits where it works. It ends when it fails, when it
/// is told to, and when nobody has used it for a while.
///
/// The thread owns the client and is the only one to free it. Others only publish, which libmosquitto lets several threads do;
/// they do so under `client`, so that it is there.
final class MQTTConnection: Sendable {
    private typealias Waiter = CheckedContinuation<DeliveryResult, Never>

    private struct State {
        var isOpen = false
        var isEnding = false
        /// Nothing is taken any more.
        var isEnded = false
        var nextTicket = 0
        var lastUse = ContinuousClock.now
        /// When the broker last said anything to a message, or was last owed nothing.
        var lastAnswer = ContinuousClock.now
        /// Who waits for the end of a message.
        var waiters: [Int: Waiter] = [:]
        /// Messages that wait for the connection.
        var waiting: [(ticket: Int, message: MQTTMessage)] = []
        /// Messages on their way, by libmosquitto's number.
        var sent: [Int32: Int] = [:]
        /// Ends that libmosquitto told before it told the number.
        var early: [Int32: DeliveryResult] = [:]
        /// Those that were broken off before they began.
        var brokenOff: Set<Int> = []
    }

    /// `@unchecked`: the pointer is used by others than the thread only within the lock.
    private struct Client: @unchecked Sendable { let pointer: OpaquePointer }

    private let broker: MQTTBroker
    private let egress: EgressPolicy
    private let state = Mutex(State())
    private let client = Mutex<Client?>(nil)

    private static let keepAliveSeconds: Int32 = 30
    private static let idleDuration: Duration = .seconds(30)
    /// A broker that opens no connection, or acknowledges nothing, for so long is given up when a message takes too long.
    private static let silentDuration: Duration = .seconds(10)
    /// How long the thread waits for something to read before it looks whether it is to end.
    private static let loopMilliseconds: Int32 = 200
    private static let success = Int32(MOSQ_ERR_SUCCESS.rawValue)
    private static let pending = Int32(MOSQ_ERR_CONN_PENDING.rawValue)

    init(_ broker: MQTTBroker, egress: EgressPolicy) { (self.broker, self.egress) = (broker, egress) }

    var isEnded: Bool { state.withLock { $0.isEnded } }
    /// Whether it still takes messages.
    var isUsable: Bool { state.withLock { !$0.isEnded && !$0.isEnding } }
    var lastUse: ContinuousClock.Instant { state.withLock { $0.lastUse } }

    /// Starts the thread.
    func begin() { Thread.detachNewThread { [self] in live() } }

    /// Lets it end soon. What is on its way fails.
    func end() { state.withLock { $0.isEnding = true } }

    /// - Returns: what became of the message: taken means sent for QoS 0, acknowledged for 1, completed for 2. Nil when the
    ///   connection has ended and nothing was sent.
    func send(_ message: MQTTMessage, within duration: Duration) async -> DeliveryResult? {
        let ticket = state.withLock { state -> Int? in
            guard !state.isEnded, !state.isEnding else { return nil }
            state.nextTicket += 1
            state.lastUse = .now
            if state.isOpen, state.sent.isEmpty { state.lastAnswer = .now }
            return state.nextTicket
        }
        guard let ticket else { return nil }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await Task.sleep(for: duration)
                guard !Task.isCancelled else { return }
                // Others share the connection: one message that takes too long is no reason to break off theirs.
                self.endIfSilent()
                self.finish(ticket, .failed)
            }
            defer { group.cancelAll() }
            return await withTaskCancellationHandler {
                await withCheckedContinuation { self.enter(ticket, message, $0) }
            } onCancel: {
                self.breakOff(ticket)
            }
        }
    }

    private func endIfSilent() {
        state.withLock { state in
            if ContinuousClock.now - state.lastAnswer >= Self.silentDuration { state.isEnding = true }
        }
    }

    private func enter(_ ticket: Int, _ message: MQTTMessage, _ waiter: Waiter) {
        enum Next { case publish, wait, refuse }
        let (next, isBrokenOff) = state.withLock { state -> (Next, Bool) in
            let isBrokenOff = state.brokenOff.remove(ticket) != nil
            guard !state.isEnded, !isBrokenOff else { return (.refuse, isBrokenOff) }
            state.waiters[ticket] = waiter
            if state.isOpen { return (.publish, false) }
            state.waiting.append((ticket, message))
            return (.wait, false)
        }
        switch next {
        case .publish: client.withLock { client in if let client { publish(message, ticket, client.pointer) } }
        case .wait: break
        case .refuse: waiter.resume(returning: isBrokenOff ? .interrupted : .failed)
        }
    }

    private func finish(_ ticket: Int, _ result: DeliveryResult) {
        let waiter = state.withLock { state in
            state.waiting.removeAll { $0.ticket == ticket }
            return state.waiters.removeValue(forKey: ticket)
        }
        waiter?.resume(returning: result)
    }

    private func breakOff(_ ticket: Int) {
        let isWaiting = state.withLock { state in
            if state.waiters[ticket] == nil { state.brokenOff.insert(ticket) }
            return state.waiters[ticket] != nil
        }
        if isWaiting { finish(ticket, .interrupted) }
    }

    private func publish(_ message: MQTTMessage, _ ticket: Int, _ pointer: OpaquePointer) {
        var number: Int32 = 0
        let result = mosquitto_publish(pointer, &number, message.topic, Int32(message.body.count), message.body, message.qualityOfService, false)
        guard result == Self.success else { return finish(ticket, .failed) }
        let early = state.withLock { state -> DeliveryResult? in
            if let early = state.early.removeValue(forKey: number) { return early }
            state.sent[number] = ticket
            return nil
        }
        if let early { finish(ticket, early) }
    }

    // MARK: - The thread

    private func live() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        if let pointer = mosquitto_new(nil, true, context) {
            client.withLock { $0 = Client(pointer: pointer) }
            if prepare(pointer), connect(pointer) { loop(pointer) }
            close()
            client.withLock { $0 = nil }
            mosquitto_disconnect(pointer)
            _ = mosquitto_loop(pointer, 0, 1)
            mosquitto_destroy(pointer)
        } else {
            close()
        }
    }

    private func connect(_ pointer: OpaquePointer) -> Bool {
        let result = mosquitto_connect_async(pointer, broker.target, Int32(broker.port), Self.keepAliveSeconds)
        return result == Self.success || result == Self.pending
    }

    private func loop(_ pointer: OpaquePointer) {
        while !isOver {
            let result = mosquitto_loop(pointer, Self.loopMilliseconds, 1)
            guard result == Self.success || result == Self.pending else { return }
        }
    }

    private var isOver: Bool {
        state.withLock { state in
            if state.isEnding { return true }
            guard state.waiters.isEmpty, ContinuousClock.now - state.lastUse > Self.idleDuration else { return false }
            state.isEnded = true
            return true
        }
    }

    private func close() {
        let (waiters, wasOpen) = state.withLock { state in
            state.isEnded = true
            defer { (state.waiters, state.waiting, state.sent) = ([:], [], [:]) }
            return (Array(state.waiters.values), state.isOpen)
        }
        for waiter in waiters { waiter.resume(returning: wasOpen ? .failed : .unreachable) }
    }

    private func prepare(_ pointer: OpaquePointer) -> Bool {
        mosquitto_threaded_set(pointer, true)
        // The numbers that mosquitto.h gives the versions 3.1.1 and 5.
        guard mosquitto_int_option(pointer, MOSQ_OPT_PROTOCOL_VERSION, broker.version == .v5 ? 5 : 4) == Self.success else { return false }
        if let username = broker.username { mosquitto_username_pw_set(pointer, username, broker.password) }
        if broker.isSecure {
            // The machine's certificates of authorities; the broker's own is held against them and against its name.
            guard mosquitto_int_option(pointer, MOSQ_OPT_TLS_USE_OS_CERTS, 1) == Self.success else { return false }
        }
        mosquitto_connect_callback_set(pointer) { pointer, context, code in
            guard let pointer, let context else { return }
            Unmanaged<MQTTConnection>.fromOpaque(context).takeUnretainedValue().connected(pointer, code)
        }
        mosquitto_publish_v5_callback_set(pointer) { _, context, number, reason, _ in
            guard let context else { return }
            Unmanaged<MQTTConnection>.fromOpaque(context).takeUnretainedValue().published(number, reason)
        }
        return true
    }

    private func connected(_ pointer: OpaquePointer, _ code: Int32) {
        guard code == 0, isPermitted(mosquitto_socket(pointer)) else { return end() }
        let waiting = state.withLock { state in
            state.isOpen = true
            state.lastAnswer = .now
            defer { state.waiting = [] }
            return state.waiting
        }
        for (ticket, message) in waiting { publish(message, ticket, pointer) }
    }

    /// Reasons from 128 on are errors (MQTT 5, section 2.4).
    private func published(_ number: Int32, _ reason: Int32) {
        let result = reason < 128 ? DeliveryResult.accepted : .failed
        let ticket = state.withLock { state -> Int? in
            state.lastAnswer = .now
            if let ticket = state.sent.removeValue(forKey: number) { return ticket }
            state.early[number] = result
            return nil
        }
        if let ticket { finish(ticket, result) }
    }

    private func isPermitted(_ socket: Int32) -> Bool {
        guard !egress.allowsPrivate else { return true }
        return EgressPolicy.peer(of: socket).map { !EgressPolicy.isPrivate($0) } ?? false
    }
}
