package import CityModel
internal import Synchronization

/// What a file's writers and those who pack tell each other. Writers say what they change of the past; so whoever reads and
/// packs while others write knows whether what he packed is still so when his turn to write comes.
final class SealingState: Sendable {
    private struct State {
        var sealedUntil: Int64?
        var thinnedUntil: Int64?
        /// How often records were taken out of chunks, by series.
        var edits: [SeriesKey: Int] = [:]
        /// By the number of their watch.
        var marks: [Int: Mark] = [:]
        var watchCount = 0
    }

    private struct Mark {
        var entities: Set<Int64>
        let before: Int64
        var touched: Set<Int64> = []
    }

    private let state: Mutex<State>

    /// - Parameter sealedUntil: the last moment of any chunk; nil when there is none.
    /// - Parameter thinnedUntil: the moment after the last of which anything was thinned; nil when nothing was.
    init(sealedUntil: Int64?, thinnedUntil: Int64?) { state = Mutex(State(sealedUntil: sealedUntil, thinnedUntil: thinnedUntil)) }

    /// Whether a moment may be one of which anything was thinned. What is recorded of now never is, and so costs no look-up.
    func mayBeThinned(_ microseconds: Int64) -> Bool { state.withLock { $0.thinnedUntil.map { microseconds < $0 } ?? false } }

    /// Never goes back, as `sealed(until:)`.
    func thinned(until microseconds: Int64) { state.withLock { $0.thinnedUntil = max($0.thinnedUntil ?? .min, microseconds) } }

    /// Whether a moment may lie in a chunk. What is recorded of now never does, and so costs no look-up.
    func mayHold(_ microseconds: Int64) -> Bool { state.withLock { $0.sealedUntil.map { microseconds <= $0 } ?? false } }

    /// Never goes back: a transaction that is undone leaves a look-up more.
    func sealed(until microseconds: Int64) { state.withLock { $0.sealedUntil = max($0.sealedUntil ?? .min, microseconds) } }

    /// Edits after which what lies around one becomes rows: those that correct one record of a series mostly correct its neighbours too.
    private static let editCountMax = 4
    private static let editedSeriesCountMax = 10_000

    /// Counts the edits of a series.
    /// - Returns: whether it was edited so often that what lies around had better be rows.
    func countEdit(of series: SeriesKey) -> Bool {
        state.withLock { state in
            if state.edits.count >= Self.editedSeriesCountMax { state.edits = [:] }
            let count = state.edits[series, default: 0] + 1
            state.edits[series] = count < Self.editCountMax ? count : nil
            return count >= Self.editCountMax
        }
    }

    /// Says that a part of an entity's history is being written or removed.
    /// - Parameter microseconds: its moment; the least stands for any.
    /// - Parameter own: the watch of whoever does that.
    fileprivate func touch(_ entity: Int64, at microseconds: Int64, except own: Int?) {
        state.withLock { state in
            guard !state.marks.isEmpty else { return }
            for (number, mark) in state.marks where number != own && microseconds < mark.before && mark.entities.contains(entity) {
                state.marks[number]?.touched.insert(entity)
            }
        }
    }

    fileprivate func nextWatch() -> Int {
        state.withLock { state in
            state.watchCount += 1
            return state.watchCount
        }
    }

    fileprivate func begin(_ watch: Int, _ entities: Set<Int64>, before: Int64) {
        state.withLock { $0.marks[watch] = Mark(entities: entities, before: before) }
    }

    fileprivate func add(_ entity: Int64, to watch: Int) { state.withLock { _ = $0.marks[watch]?.entities.insert(entity) } }
    fileprivate func end(_ watch: Int) { state.withLock { $0.marks[watch] = nil } }

    fileprivate func isUntouched(_ entity: Int64, since watch: Int) -> Bool {
        state.withLock { $0.marks[watch].map { $0.entities.contains(entity) && !$0.touched.contains(entity) } ?? false }
    }
}

/// Sees whether others write to what entities were before a moment. Ends with its last reference.
package final class HistoryWatch: Sendable {
    private let state: SealingState
    private let number: Int

    fileprivate init(_ state: SealingState) { (self.state, number) = (state, state.nextWatch()) }
    deinit { state.end(number) }

    /// Whether nothing was written to an entity's past since it is watched.
    package func isUntouched(_ entity: Int64) -> Bool { state.isUntouched(entity, since: number) }

    /// Watches one more entity. To be called by a transaction that has just looked at it.
    package func add(_ entity: Int64) { state.add(entity, to: number) }

    fileprivate func begin(_ entities: Set<Int64>, before: Int64) { state.begin(number, entities, before: before) }
    fileprivate func touch(_ entity: Int64, at microseconds: Int64) { state.touch(entity, at: microseconds, except: number) }
}

extension MunicipalityFile {
    /// Watches what entities were before a moment. What is read after that is so as long as they are untouched.
    package func watchHistory(of entities: Set<Int64>, before moment: Instant) async throws -> HistoryWatch {
        let watch = HistoryWatch(sealing)
        // On the writer's turn: so all writes before it are to be seen by whoever reads after it.
        try await write { _ in watch.begin(entities, before: moment.microseconds) }
        return watch
    }
}

extension WriteTransaction {
    /// Says that a part of an entity's history is being written or removed.
    /// - Parameter microseconds: its moment; the least stands for any.
    func touch(_ entity: Int64, at microseconds: Int64 = .min) {
        guard let watch else { return sealing.touch(entity, at: microseconds, except: nil) }
        watch.touch(entity, at: microseconds)
    }
}
