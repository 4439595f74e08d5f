internal import GRDB
internal import GRDBSQLite
internal import Synchronization

/// The connections through which a municipality's file is read on the thread that asks, for as long as a moment. What takes longer is broken off, so that
/// a thread that serves many is not held up by one.
final class PromptReaders: Sendable {
    private struct State {
        var free: [PromptReader] = []
        var openCount = 0
    }

    private let path: String
    private let configuration: Configuration
    private let limits: StoreLimits
    private let state = Mutex(State())

    init(path: String, configuration: Configuration, limits: StoreLimits) {
        var configuration = configuration
        configuration.readonly = true
        (self.path, self.configuration, self.limits) = (path, configuration, limits)
    }

    /// Runs `body` on a consistent view of what is committed.
    /// - Returns: nil when it was broken off, or could not begin at once.
    func read<Value>(_ body: (Database) throws -> Value) throws -> Value? {
        // Where a connection can't be had, whoever reads on a queue waits for one, or says why not.
        guard let reader = try? take() else { return nil }
        defer { state.withLock { if reader.isSound { $0.free.append(reader) } else { $0.openCount -= 1 } } }
        return try reader.read(body)
    }

    private func take() throws -> PromptReader? {
        let (free, mayOpen) = state.withLock { state -> (PromptReader?, Bool) in
            if let free = state.free.popLast() { return (free, false) }
            guard state.openCount < limits.readerCountMax else { return (nil, false) }
            state.openCount += 1
            return (nil, true)
        }
        guard mayOpen else { return free }
        do { return try PromptReader(path: path, configuration: configuration, durationMax: limits.promptReadMax) } catch {
            state.withLock { $0.openCount -= 1 }
            throw error
        }
    }

    func close() { state.withLock { $0.free = [] } }
}

/// One connection. `@unchecked`: `PromptReaders` lends it to one holder at a time.
private final class PromptReader: @unchecked Sendable {
    private let queue: DatabaseQueue
    private let limit: TimeLimit
    private let begin: Statement
    private let end: Statement
    /// Whether each transaction ended that was begun.
    private(set) var isSound = true

    init(path: String, configuration: Configuration, durationMax: Duration) throws {
        let limit = TimeLimit(durationMax: durationMax)
        queue = try DatabaseQueue(path: path, configuration: configuration)
        (begin, end) = try queue.unsafeRead { db in
            limit.watch(db)
            return (try db.makeStatement(sql: "BEGIN"), try db.makeStatement(sql: "COMMIT"))
        }
        self.limit = limit
    }

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value? {
        try queue.unsafeRead { db in
            // Not before it has begun: SQLite looks at the clock at the end of a statement too, and says of one that is done that it was broken off.
            isSound = false
            try begin.run(db)
            limit.start()
            let result = Result { try body(db) }
            limit.stop()
            // A fault of the disk has ended it.
            if db.isInsideTransaction { try end.run(db) }
            isSound = true
            // What was broken off may have taken the fault for something else, and gone on.
            return limit.isOver ? nil : try result.get()
        }
    }
}

extension Statement {
    /// Runs a statement without arguments and rows.
    fileprivate func run(_ db: Database) throws {
        let code = sqlite3_step(sqliteStatement)
        sqlite3_reset(sqliteStatement)
        guard code == SQLITE_DONE else {
            let message = db.sqliteConnection.flatMap(sqlite3_errmsg).map { String(cString: $0) }
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: sql)
        }
    }
}

/// Breaks off what a connection does when its time is over.
private final class TimeLimit {
    private let durationMax: Duration
    private var deadline: ContinuousClock.Instant?
    private(set) var isOver = false

    /// Instructions of SQLite's machine after which it looks at the clock: some tens of microseconds.
    private static let instructionCount: CInt = 1000

    init(durationMax: Duration) { self.durationMax = durationMax }

    func watch(_ db: Database) {
        sqlite3_progress_handler(
            db.sqliteConnection, Self.instructionCount, { limit in
                guard let limit else { return 0 }
                return Unmanaged<TimeLimit>.fromOpaque(limit).takeUnretainedValue().check() ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func start() { (deadline, isOver) = (.now + durationMax, false) }
    func stop() { deadline = nil }

    private func check() -> Bool {
        if !isOver, let deadline, ContinuousClock.now > deadline { isOver = true }
        return isOver && deadline != nil
    }
}
