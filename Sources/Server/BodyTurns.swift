internal import DequeModule
internal import Synchronization

/// In which order larger request bodies are worked on, and how much of them at the same time: what is made of a body takes some ten times its bytes of memory, and
/// what is written is written one after the other anyway. Who waits holds no more than the body as it came, and goes on beside the others where they take
/// too long, for they may wait for context sources.
final class BodyTurns: Sendable {
    private struct Waiting {
        let ticket: Int
        let byteCount: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var byteCount = 0
        var lastTicket = 0
        var line: Deque<Waiting> = []

        /// One that is alone is worked on whatever its size.
        func hasRoom(for byteCount: Int, _ byteCountMax: Int) -> Bool { self.byteCount == 0 || self.byteCount + byteCount <= byteCountMax }
    }

    private let byteCountMax: Int
    private let patience: Duration
    private let state = Mutex(State())

    var waitingCount: Int { state.withLock { $0.line.count } }

    /// - Parameter patience: how long a body waits.
    init(byteCountMax: Int, patience: Duration = .seconds(5)) { (self.byteCountMax, self.patience) = (byteCountMax, patience) }

    /// Returns when it is a body's turn, which ends with `leave`.
    func enter(_ byteCount: Int) async {
        let ticket: Int? = state.withLock { state in
            guard !state.line.isEmpty || !state.hasRoom(for: byteCount, byteCountMax) else {
                state.byteCount += byteCount
                return nil
            }
            state.lastTicket += 1
            return state.lastTicket
        }
        guard let ticket else { return }
        let timer = Task {
            try await Task.sleep(for: patience)
            passBy(ticket)
        }
        await withCheckedContinuation { continuation in
            state.withLock { $0.line.append(Waiting(ticket: ticket, byteCount: byteCount, continuation: continuation)) }
            admit()
        }
        timer.cancel()
    }

    func leave(_ byteCount: Int) {
        state.withLock { $0.byteCount -= byteCount }
        admit()
    }

    private func admit() {
        let admitted = state.withLock { state in
            var admitted: [Waiting] = []
            while let first = state.line.first, state.hasRoom(for: first.byteCount, byteCountMax) {
                state.line.removeFirst()
                state.byteCount += first.byteCount
                admitted.append(first)
            }
            return admitted
        }
        for waiting in admitted { waiting.continuation.resume() }
    }

    private func passBy(_ ticket: Int) {
        let waiting = state.withLock { state -> Waiting? in
            guard let place = state.line.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            let waiting = state.line.remove(at: place)
            state.byteCount += waiting.byteCount
            return waiting
        }
        waiting?.continuation.resume()
    }
}
