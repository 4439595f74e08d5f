internal import CityModel
internal import Dispatch
internal import OrderedCollections
internal import Synchronization

/// Where hashes of passwords are computed: beside the threads that serve requests, and so few at once that their memory is bounded. Others wait
/// in a line; when that is long, whoever comes is told to come again.
final class PasswordWorkshop: Sendable {
    private struct State {
        var runningCount = 0
        var nextTicket = 0
        var waiting: OrderedDictionary<Int, CheckedContinuation<Void, any Error>> = [:]
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "conurb.passwords", attributes: .concurrent)
    private let (runningCountMax, waitingCountMax): (Int, Int)

    init(runningCountMax: Int = 2, waitingCountMax: Int = 32) {
        (self.runningCountMax, self.waitingCountMax) = (runningCountMax, waitingCountMax)
    }

    /// - Throws: `overloaded` when too many wait.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await takePlace()
        defer { givePlace() }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }

    private func takePlace() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<Void, any Error>? = state.withLock { state in
                guard state.runningCount >= runningCountMax else {
                    state.runningCount += 1
                    return .success(())
                }
                guard state.waiting.count < waitingCountMax else { return .failure(CityError.overloaded("too many are signing in at this moment")) }
                state.nextTicket += 1
                state.waiting[state.nextTicket] = continuation
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }

    /// To the first in the line, else back.
    private func givePlace() {
        let next = state.withLock { state in
            if !state.waiting.isEmpty { return Optional(state.waiting.removeFirst().value) }
            state.runningCount -= 1
            return nil
        }
        next?.resume()
    }
}
