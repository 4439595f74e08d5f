internal import Synchronization

/// Tells followers that the journal has grown. It carries no changes: a follower reads them from the file, from where
/// its cursor stands, so that a slow follower costs nothing and misses nothing.
package final class JournalSignal: Sendable {
    private struct State {
        var last: Int64
        var listeners: [Int: AsyncStream<Int64>.Continuation] = [:]
        var nextListener = 0
    }

    private let state: Mutex<State>

    init(last: Int64) { state = Mutex(State(last: last)) }

    /// The number of the newest durable change; 0 before the first.
    package var last: Int64 { state.withLock { $0.last } }

    func publish(_ change: Int64) {
        let listeners = state.withLock { state in
            state.last = change
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.yield(change) }
    }

    /// Yields the newest change's number at once and whenever it grows; numbers may be skipped, never the newest.
    package func numbers() -> AsyncStream<Int64> {
        let (stream, continuation) = AsyncStream.makeStream(of: Int64.self, bufferingPolicy: .bufferingNewest(1))
        let (listener, last) = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return (state.nextListener, state.last)
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in state.listeners[listener] = nil }
        }
        continuation.yield(last)
        return stream
    }

    /// Ends every stream, so that followers stop when the file closes.
    func finish() {
        let listeners = state.withLock { state in
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}
