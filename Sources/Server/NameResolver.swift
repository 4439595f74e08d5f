internal import Foundation
internal import NIOCore
internal import Synchronization

/// Finds the addresses of hosts. The system's look-up waits where it is called, for as long as a name server is silent; so each
/// has a thread of its own, there are so many and no more, one name is looked up once at a time, and names that were trouble the
/// last time share a few threads: whoever asks for a name that works does not wait behind those that don't.
final class NameResolver: Sendable {
    private typealias Waiter = CheckedContinuation<[SocketAddress], Never>

    private struct State {
        var answers: [String: Answer] = [:]
        var waiters: [String: [Int: Waiter]] = [:]
        var nextTicket = 0
        /// Names to be looked up, sound ones and those in trouble.
        var sound: [String] = []
        var troubled: [String] = []
        /// Those in either line: none stands there twice.
        var queued: Set<String> = []
        var running: [String: Bool] = [:]
    }

    private struct Answer {
        let addresses: [SocketAddress]
        let until: ContinuousClock.Instant
        let isTroubled: Bool
    }

    private let state = Mutex(State())
    private let lookUp: @Sendable (String) -> [SocketAddress]

    private static let threadCountMax = 32
    private static let troubledThreadCountMax = 8
    private static let answerCountMax = 10_000
    private static let waitDuration: Duration = .seconds(5)
    private static let keptDuration: Duration = .seconds(30)
    private static let failureKeptDuration: Duration = .seconds(5)
    private static let slowDuration: Duration = .seconds(1)

    /// - Parameter lookUp: may wait; no addresses mean that there are none.
    init(lookUp: @escaping @Sendable (String) -> [SocketAddress] = NameResolver.systemLookUp) { self.lookUp = lookUp }

    /// None when the host has none, or when it took too long to find out.
    func addresses(of host: String) async -> [SocketAddress] {
        if let literal = try? SocketAddress(ipAddress: host.trimmingCharacters(in: ["[", "]"]), port: 0) { return [literal] }
        let known = state.withLock { state in state.answers[host].flatMap { ContinuousClock.now < $0.until ? $0.addresses : nil } }
        if let known { return known }
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return await withTaskGroup(of: [SocketAddress].self) { group in
            group.addTask { await withCheckedContinuation { self.ask(host, ticket, $0) } }
            group.addTask {
                try? await Task.sleep(for: Self.waitDuration)
                self.giveUp(host, ticket)
                return []
            }
            defer { group.cancelAll() }
            return await group.next() ?? []
        }
    }

    private func ask(_ host: String, _ ticket: Int, _ waiter: Waiter) {
        let begun = state.withLock { state -> [String] in
            state.waiters[host, default: [:]][ticket] = waiter
            guard state.running[host] == nil, state.queued.insert(host).inserted else { return [] }
            if state.answers[host]?.isTroubled ?? false { state.troubled.append(host) } else { state.sound.append(host) }
            return Self.begin(&state)
        }
        start(begun)
    }

    private func giveUp(_ host: String, _ ticket: Int) {
        let waiter = state.withLock { state in
            // The one who asks may not have come so far yet; then its answer comes when the look-up ends.
            defer { if state.waiters[host]?.isEmpty ?? false { state.waiters[host] = nil } }
            return state.waiters[host]?.removeValue(forKey: ticket)
        }
        waiter?.resume(returning: [])
    }

    /// Names that stand in line.
    var queuedCount: Int { state.withLock { $0.sound.count + $0.troubled.count } }
    func waiterCount(of host: String) -> Int { state.withLock { $0.waiters[host]?.count ?? 0 } }

    private static func begin(_ state: inout State) -> [String] {
        var begun: [String] = []
        while state.running.count < threadCountMax {
            let isTroubled = state.sound.isEmpty
            if isTroubled, state.troubled.isEmpty || state.running.values.count(where: { $0 }) >= troubledThreadCountMax { break }
            let host = isTroubled ? state.troubled.removeFirst() : state.sound.removeFirst()
            state.queued.remove(host)
            // Whoever asked has given up meanwhile.
            guard state.waiters[host] != nil, state.running[host] == nil else { continue }
            state.running[host] = isTroubled
            begun.append(host)
        }
        return begun
    }

    private func start(_ hosts: [String]) {
        for host in hosts {
            Thread.detachNewThread { [self] in
                let began = ContinuousClock.now
                let addresses = lookUp(host)
                finish(host, addresses, took: ContinuousClock.now - began)
            }
        }
    }

    private func finish(_ host: String, _ addresses: [SocketAddress], took: Duration) {
        let (waiters, begun) = state.withLock { state in
            state.running[host] = nil
            if state.answers.count >= Self.answerCountMax { state.answers.removeAll() }
            let kept = addresses.isEmpty ? Self.failureKeptDuration : Self.keptDuration
            state.answers[host] = Answer(
                addresses: addresses, until: .now + kept, isTroubled: addresses.isEmpty || took > Self.slowDuration)
            return (state.waiters.removeValue(forKey: host) ?? [:], Self.begin(&state))
        }
        for waiter in waiters.values { waiter.resume(returning: addresses) }
        start(begun)
    }

    static func systemLookUp(_ host: String) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let info = next?.pointee {
            if let address = info.ai_addr, let ip = numericHost(address, info.ai_addrlen), let parsed = try? SocketAddress(ipAddress: ip, port: 0) {
                addresses.append(parsed)
            }
            next = info.ai_next
        }
        return addresses
    }

    /// The address as text, without a look-up.
    static func numericHost(_ address: UnsafeMutablePointer<sockaddr>, _ length: socklen_t) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, length, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
