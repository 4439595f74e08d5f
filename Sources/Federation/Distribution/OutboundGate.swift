internal import OrderedCollections
internal import Synchronization

/// Lets so many requests to sources on the web out of the program at a time, in the order in which they came.
final class OutboundGate: Sendable {
    private struct State {
        var freeCount: Int
        var lastNumber = 0
        var waiting: OrderedDictionary<Int, CheckedContinuation<Bool, Never>> = [:]
    }

    private let state: Mutex<State>
    private static let waitingCountMax = 256

    init(countMax: Int) { state = Mutex(State(freeCount: countMax)) }

    /// - Returns: false when too many wait, or the task was cancelled; else `leave` has to follow.
    func enter() async -> Bool {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let entered: Bool? = state.withLock { state in
                    // Whoever is cancelled from here on finds the number waiting.
                    if Task.isCancelled || state.waiting.count >= Self.waitingCountMax { return false }
                    if state.freeCount > 0 {
                        state.freeCount -= 1
                        return true
                    }
                    state.waiting[number] = continuation
                    return nil
                }
                if let entered { continuation.resume(returning: entered) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: false)
        }
    }

    func leave() {
        let next = state.withLock { state in
            guard state.waiting.isEmpty else { return Optional(state.waiting.removeFirst().value) }
            state.freeCount += 1
            return nil
        }
        next?.resume(returning: true)
    }
}
