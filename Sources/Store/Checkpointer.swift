internal import Dispatch
internal import GRDB
internal import GRDBSQLite
internal import Synchronization

/// Moves what is committed from the write-ahead log into the file while writes go on, on a thread and a connection of its own. Left to itself SQLite does it on the
/// writer's, where all who write meanwhile wait until the file is flushed. What was committed during it is moved again, until that is little; the writer moves the rest,
/// and with that the log begins anew.
final class Checkpointer: Sendable {
    private enum Phase {
        case idle, running
        /// So many pages of the log are in the file, after so many rounds.
        case moved(pageCount: Int, roundCount: Int)
    }

    private struct State {
        var phase = Phase.idle
        var pageCount = 0
        var roundCount = 0
        var connection: DatabaseQueue?
        var isClosed = false
    }

    private enum Step { case none, begin, finish, wait }

    /// Pages of the log from which they are moved.
    private static let pageCountMin = 1000
    /// From here on the writer waits: the log is not to grow without end.
    private static let pageCountMax = 16_000
    /// So few pages the writer moves itself, or whatever is left after so many rounds.
    private static let restMax = 200, roundCountMax = 4

    private let path: String
    private let configuration: Configuration
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "conurb.checkpoint")

    init(path: String) {
        self.path = path
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA cache_size = -64; PRAGMA mmap_size = 0") }
        self.configuration = configuration
    }

    /// Watches the log of the connection that writes, in place of SQLite's own check.
    func watch(_ db: Database) {
        sqlite3_wal_hook(
            db.sqliteConnection, { checkpointer, connection, _, pageCount in
                guard let checkpointer else { return SQLITE_OK }
                Unmanaged<Checkpointer>.fromOpaque(checkpointer).takeUnretainedValue().committed(connection, pageCount: Int(pageCount))
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Waits for what runs, and closes the connection.
    func close() {
        state.withLock { $0.isClosed = true }
        queue.sync {}
        state.withLock { $0.connection = nil }
    }

    private func committed(_ writer: OpaquePointer?, pageCount: Int) {
        switch next(pageCount) {
        case .none: break
        case .begin: queue.async { self.move() }
        case .finish: sqlite3_wal_checkpoint_v2(writer, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        case .wait: sqlite3_wal_checkpoint_v2(writer, nil, SQLITE_CHECKPOINT_FULL, nil, nil)
        }
    }

    private func next(_ pageCount: Int) -> Step {
        state.withLock { state in
            // The log has begun anew meanwhile.
            if case .moved = state.phase, pageCount < state.pageCount { state.phase = .idle }
            state.pageCount = pageCount
            guard pageCount >= Self.pageCountMin, !state.isClosed else { return .none }
            switch state.phase {
            case .idle:
                (state.phase, state.roundCount) = (.running, 1)
                return .begin
            case .running: return pageCount >= Self.pageCountMax ? .wait : .none
            case .moved(let movedCount, let roundCount) where pageCount - movedCount > Self.restMax && roundCount < Self.roundCountMax:
                (state.phase, state.roundCount) = (.running, roundCount + 1)
                return .begin
            case .moved:
                state.phase = .idle
                return .finish
            }
        }
    }

    /// What can't be moved now stays in the log, where it is as safe.
    private func move() {
        var movedCount: CInt = -1
        try? connection()?.writeWithoutTransaction { db in
            _ = sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, SQLITE_CHECKPOINT_PASSIVE, nil, &movedCount)
        }
        state.withLock { state in state.phase = movedCount < 0 ? .idle : .moved(pageCount: Int(movedCount), roundCount: state.roundCount) }
    }

    private func connection() throws -> DatabaseQueue? {
        let (known, isClosed) = state.withLock { ($0.connection, $0.isClosed) }
        guard known == nil, !isClosed else { return known }
        let connection = try DatabaseQueue(path: path, configuration: configuration)
        state.withLock { $0.connection = connection }
        return connection
    }
}
