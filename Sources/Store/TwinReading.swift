internal import Synchronization

/// A share of what a read looks at.
package enum ReadShare: Sendable, CaseIterable {
    case even, odd

    package func holds(_ number: Int64) -> Bool { (number & 1 == 0) == (self == .even) }
    /// The same in SQL, of a column.
    func condition(on column: String) -> String { "\(column) & 1 = \(self == .even ? 0 : 1)" }
}

/// Whether the file was written between two looks. Odd while a commit is under way.
final class CommitCount: Sendable {
    private let count = Atomic<UInt64>(0)
    private let settingCount = Atomic<UInt64>(0)
    private let closed = Atomic(false)

    /// To be called before a commit.
    func begin() { count.bitwiseOr(1, ordering: .sequentiallyConsistent) }

    /// To be called when the file is closed.
    func close() { closed.store(true, ordering: .sequentiallyConsistent) }
    var isClosed: Bool { closed.load(ordering: .sequentiallyConsistent) }

    /// To be called by who began, after the commit, however it ended, and after what is remembered of the file was told of it; without a begin it does nothing.
    func end() { if now & 1 == 1 { count.add(1, ordering: .sequentiallyConsistent) } }

    /// Something changed that is remembered of the file.
    func skip() {
        settingCount.add(1, ordering: .sequentiallyConsistent)
        count.add(2, ordering: .sequentiallyConsistent)
    }

    var now: UInt64 { count.load(ordering: .sequentiallyConsistent) }

    /// How often something changed that is remembered of the file.
    var settings: UInt64 { settingCount.load(ordering: .sequentiallyConsistent) }

    /// The count that belongs to what a read sees that began after `before` and has seen something by now; nil where a commit may have fallen
    /// into its beginning.
    func moment(since before: UInt64) -> UInt64? { before & 1 == 0 && now == before ? before : nil }
}

/// What two reads of the same moment know of each other. Whoever comes first takes shares until there are none; the other helps, if it
/// sees the same moment.
private final class Twins: Sendable {
    private struct State {
        var moment: UInt64?
        var isBegun = false
        var isOver = false
        var helps = false
        var rest = ReadShare.allCases[...]
    }

    private let state = Mutex(State())

    /// Whether a read takes part.
    func enter(_ moment: UInt64?, isHelper: Bool) -> Bool {
        state.withLock { state in
            guard !state.isOver, !state.isBegun || (moment != nil && moment == state.moment) else { return false }
            if !state.isBegun { (state.isBegun, state.moment) = (true, moment) }
            if isHelper { state.helps = true }
            return true
        }
    }

    func next() -> ReadShare? { state.withLock { $0.rest.popFirst() } }

    /// Ends it for a helper that has not come yet.
    /// - Returns: whether one has.
    func end() -> Bool {
        state.withLock { state in
            state.isOver = true
            return state.helps
        }
    }
}

extension MunicipalityFile {
    /// Runs `body` for each share of what there is to look at, on one consistent view: at the same time where a second reader is
    /// free and sees the same moment, else one after the other. Never waits for a writer, nor for a second reader.
    /// - Returns: one value for each share, in any order.
    package func readShares<Value: Sendable>(_ body: @escaping @Sendable (ReadSnapshot, ReadShare) throws -> Value) async throws -> [Value] {
        let twins = Twins()
        let helper = Task { try await readShares(twins, isHelper: true, body) }
        return try await withTaskCancellationHandler {
            do {
                let own = try await readShares(twins, isHelper: false, body)
                return twins.end() ? own + (try await helper.value) : own
            } catch {
                helper.cancel()
                throw error
            }
        } onCancel: {
            helper.cancel()
        }
    }

    private func readShares<Value: Sendable>(
        _ twins: Twins, isHelper: Bool, _ body: @escaping @Sendable (ReadSnapshot, ReadShare) throws -> Value
    ) async throws -> [Value] {
        let commits = commits
        // A connection may look at the file before it is given to a read, and from then on sees what was committed until then.
        let before = commits.now
        return try await read { snapshot in
            _ = try snapshot.row("SELECT 1 FROM term LIMIT 1")
            let moment = commits.moment(since: before)
            guard twins.enter(moment, isHelper: isHelper) else { return [] }
            var values: [Value] = []
            while let share = twins.next() { values.append(try body(snapshot, share)) }
            return values
        }
    }
}
