internal import Synchronization

/// What a file's writers and its sealer tell each other. Writers say what they change of the past; so the sealer, which reads and
/// packs while others write, knows whether what it packed is still so when its turn to write comes.
final class SealingState: Sendable {
    private struct State {
        var sealedUntil: Int64?
        /// How often records were taken out of chunks, by series.
        var edits: [SeriesKey: Int] = [:]
        var mark: (series: SeriesKey, before: Int64, isTouched: Bool)?
    }

    private let state: Mutex<State>

    /// - Parameter sealedUntil: the last moment of any chunk; nil when there is none.
    init(sealedUntil: Int64?) { state = Mutex(State(sealedUntil: sealedUntil)) }

    /// Whether a moment may lie in a chunk. What is recorded of now never does, and so costs no look-up.
    func mayHold(_ microseconds: Int64) -> Bool { state.withLock { $0.sealedUntil.map { microseconds <= $0 } ?? false } }

    /// Never goes back: a transaction that is undone leaves a look-up more.
    func sealed(until microseconds: Int64) { state.withLock { $0.sealedUntil = max($0.sealedUntil ?? .min, microseconds) } }

    /// Edits after which a chunk is undone as a whole: it costs about as much as three that write it anew, and those that correct
    /// one record of a series mostly correct more.
    private static let editCountMax = 4
    private static let editedSeriesCountMax = 10_000

    /// Counts the edits of a series.
    /// - Returns: whether it was edited so often that its chunk had better be rows.
    func countEdit(of series: SeriesKey) -> Bool {
        state.withLock { state in
            if state.edits.count >= Self.editedSeriesCountMax { state.edits = [:] }
            let count = state.edits[series, default: 0] + 1
            state.edits[series] = count < Self.editCountMax ? count : nil
            return count >= Self.editCountMax
        }
    }

    /// Begins to watch what a series was before a moment, in place of another. To be called on the writer's turn: so all writes
    /// before it are to be seen by whoever reads after it.
    func watch(_ series: SeriesKey, before: Int64) { state.withLock { $0.mark = (series, before, false) } }

    /// Says that a row of an entity's history is being written or removed.
    /// - Parameter microseconds: its moment; the least stands for any.
    func touch(_ entity: Int64, at microseconds: Int64 = .min) {
        state.withLock { state in
            guard let mark = state.mark, mark.series.entity == entity, microseconds < mark.before else { return }
            state.mark?.isTouched = true
        }
    }

    /// Whether nothing was said of the series since it is watched.
    func isUntouched(_ series: SeriesKey) -> Bool { state.withLock { $0.mark.map { $0.series == series && !$0.isTouched } ?? false } }
}
