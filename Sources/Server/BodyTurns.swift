internal import CityModel
internal import DequeModule
internal import Synchronization

/// In which order larger request bodies are worked on, and how much of them at the same time: what is made of a body takes some ten times its bytes of memory, and
/// what is written is written one after the other anyway. Who waits holds no more than the body as it came.
final class BodyTurns: Sendable {
    private struct Waiting {
        let ticket: Int
        let byteCount: Int
        let continuation: CheckedContinuation<Bool, Never>
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
    init(byteCountMax: Int, patience: Duration = .seconds(20)) { (self.byteCountMax, self.patience) = (byteCountMax, patience) }

    /// Returns when it is a body's turn, which ends with `leave`.
    /// - Throws: `CityError.overloaded` when that takes too long.
    func enter(_ byteCount: Int) async throws(CityError) {
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
            giveUp(ticket)
        }
        let isIn = await withCheckedContinuation { continuation in
            state.withLock { $0.line.append(Waiting(ticket: ticket, byteCount: byteCount, continuation: continuation)) }
            admit()
        }
        timer.cancel()
        guard isIn else { throw .overloaded("bodies of other requests are being worked on; come again in a second, or send less at once") }
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
        for waiting in admitted { waiting.continuation.resume(returning: true) }
    }

    private func giveUp(_ ticket: Int) {
        let waiting = state.withLock { state in
            state.line.firstIndex { $0.ticket == ticket }.map { state.line.remove(at: $0) }
        }
        waiting?.continuation.resume(returning: false)
        // Who stood behind it may be smaller.
        admit()
    }
}
