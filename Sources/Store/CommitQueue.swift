internal import CityModel
internal import DequeModule
internal import GRDB
internal import Synchronization

/// Group commit: writes that wait at the same moment share one transaction and one flush to disk. Each runs inside a
/// savepoint of its own, so that one that fails leaves nothing behind and disturbs no other; each is answered after the
/// commit is on disk.
///
/// A transaction takes what comes while it works, for some times as long as the flush at its end takes: so most of the time is work, and
/// those that were first are answered while the others work.
final class CommitQueue: Sendable {
    private struct State {
        var waiting: Deque<any PendingWrite> = []
        var isDraining = false
        /// How long a flush takes, of late.
        var flush: Duration = .milliseconds(2)
    }

    private let state = Mutex(State())
    private let pool: DatabasePool
    /// Hears of each commit of the pool's writer.
    private let checkpointer: Checkpointer
    private let terms: TermTable
    private let decoders: DecoderPool
    private let vault: ResidentKeys
    private let journal: JournalSignal
    private let watches: WatchTable
    private let sealing: SealingState
    private let registrations: RevisionSignal
    private let policies: RevisionSignal
    private let consents: RevisionSignal
    private let uses: UseMemory
    private let commits: CommitCount
    /// Called after a commit that left something to do for whoever delivers notifications.
    private let hasWork: @Sendable (_ wokenQueues: Set<String>) -> Void

    /// Writes that may wait; one more is refused rather than queued.
    static let waitingCountMax = 20_000
    /// Writes that share one transaction.
    static let batchCountMax = 500
    /// Flushes that a transaction may take in work, and how long that is at least and at most; the last write that began within it is part of it.
    private static let workFlushCount = 8, workMin: Duration = .milliseconds(5), workMax: Duration = .milliseconds(100)

    init(
        pool: DatabasePool, checkpointer: Checkpointer, terms: TermTable, decoders: DecoderPool, vault: ResidentKeys, journal: JournalSignal, watches: WatchTable,
        registrations: RevisionSignal, policies: RevisionSignal, consents: RevisionSignal, uses: UseMemory, sealing: SealingState, commits: CommitCount,
        hasWork: @escaping @Sendable (_ wokenQueues: Set<String>) -> Void
    ) {
        (self.pool, self.checkpointer) = (pool, checkpointer)
        self.terms = terms
        self.decoders = decoders
        self.vault = vault
        self.journal = journal
        self.watches = watches
        self.sealing = sealing
        (self.registrations, self.policies, self.consents, self.uses) = (registrations, policies, consents, uses)
        self.commits = commits
        self.hasWork = hasWork
    }

    /// Runs `body` in a transaction and returns after it is durable.
    func write<Value: Sendable>(_ body: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            enqueue(Write(body: body, continuation: continuation))
        }
    }

    private func enqueue(_ write: any PendingWrite) {
        enum Next { case drain, wait, refuse }
        let next: Next = state.withLock { state in
            guard state.waiting.count < Self.waitingCountMax else { return .refuse }
            state.waiting.append(write)
            if state.isDraining { return .wait }
            state.isDraining = true
            return .drain
        }
        switch next {
        case .drain: pool.asyncWriteWithoutTransaction { db in self.drain(db) }
        case .wait: break
        case .refuse: write.finish(throwing: CityError.overloaded("more than \(Self.waitingCountMax) writes are waiting"))
        }
    }

    /// Commits batch after batch until nothing waits. Runs on the writer's thread.
    private func drain(_ db: Database) {
        while let first = next(endsDraining: true) {
            var batch = [first]
            defer { commits.end() }
            do {
                var outcome = Outcome()
                try commit(&batch, db, &outcome)
                if let lastChange = outcome.lastChange { journal.publish(lastChange) }
                if outcome.changesRegistrations { registrations.changed() }
                if outcome.changesPolicies { policies.changed() }
                if outcome.changesConsents { consents.changed() }
                if outcome.changesSettings { commits.skip() }
                for body in outcome.afterCommit { body() }
                commits.end()
                if outcome.hasWork { hasWork(outcome.wokenQueues) }
                for write in batch { write.finish(throwing: nil) }
            } catch {
                // What the index was told of subscriptions did not come to be, nor did the names that were new.
                try? terms.reload(db)
                if let index = try? ReadSnapshot(db: db, terms: terms, decoders: decoders, vault: vault).watchIndex() { watches.replace(with: index) }
                for write in batch { write.finish(throwing: error) }
            }
        }
    }

    /// - Parameter batch: the first write of the transaction; with those that it took when it ends.
    private func commit(_ batch: inout [any PendingWrite], _ db: Database, _ outcome: inout Outcome) throws {
        do {
            let began = ContinuousClock.now
            let workMax = state.withLock { min(max($0.flush * Self.workFlushCount, Self.workMin), Self.workMax) }
            var isFull: Bool { batch.count >= Self.batchCountMax || ContinuousClock.now - began >= workMax }
            var worked = began
            try db.transact {
                outcome.add(try perform(batch[0], db))
                while !isFull, let write = next(endsDraining: false) {
                    batch.append(write)
                    outcome.add(try perform(write, db))
                }
                worked = .now
                // What is sealed can be opened as soon as it is on disk.
                try vault.flush()
                commits.begin()
            }
            let flush = ContinuousClock.now - worked
            state.withLock { $0.flush = ($0.flush * 7 + flush) / 8 }
        } catch {
            vault.absolve(outcome.condemned)
            throw error
        }
    }

    /// - Parameter endsDraining: whether who comes next has to begin anew where nothing waits.
    private func next(endsDraining: Bool) -> (any PendingWrite)? {
        state.withLock { state in
            let next = state.waiting.popFirst()
            if next == nil, endsDraining { state.isDraining = false }
            return next
        }
    }

    /// Runs one write in its savepoint. What it throws is kept for its own answer and rolls back only itself.
    private func perform(_ write: any PendingWrite, _ db: Database) throws -> Outcome {
        var outcome = Outcome()
        try db.attempt {
            let transaction = WriteTransaction(db: db, terms: terms, decoders: decoders, vault: vault, watches: watches, sealing: sealing, uses: uses)
            let failure = write.run(transaction)
            if failure == nil {
                outcome = Outcome(
                    lastChange: transaction.lastChange, hasWork: transaction.hasWork, wokenQueues: transaction.wokenQueues,
                    changesRegistrations: transaction.changesRegistrations, changesPolicies: transaction.changesPolicies,
                    condemned: transaction.condemned, changesConsents: transaction.changesConsents, afterCommit: transaction.afterCommit)
                watches.apply(transaction.watchChanges)
                return true
            }
            terms.forget(transaction.newTerms)
            vault.absolve(transaction.condemned)
            // A full or failing disk ends the whole transaction: all who share it are told why.
            if let failure, !db.isInsideTransaction { throw failure }
            return false
        }
        return outcome
    }
}

/// What writes did that others have to know.
private struct Outcome {
    /// The number of the last change.
    var lastChange: Int64?
    var hasWork = false
    var wokenQueues: Set<String> = []
    var changesRegistrations = false
    var changesPolicies = false
    var condemned: Set<KeyID> = []
    var changesConsents = false
    var afterCommit: [@Sendable () -> Void] = []

    var changesSettings: Bool { changesRegistrations || changesPolicies || changesConsents }

    mutating func add(_ other: Outcome) {
        lastChange = other.lastChange ?? lastChange
        hasWork = hasWork || other.hasWork
        wokenQueues.formUnion(other.wokenQueues)
        changesRegistrations = changesRegistrations || other.changesRegistrations
        changesPolicies = changesPolicies || other.changesPolicies
        condemned.formUnion(other.condemned)
        changesConsents = changesConsents || other.changesConsents
        afterCommit += other.afterCommit
    }
}

private protocol PendingWrite: Sendable {
    /// Runs the write and keeps its result. Returns why it failed; nil when it succeeded.
    func run(_ transaction: WriteTransaction) -> (any Error)?
    /// Answers the caller: with the kept result, or with `error` when the transaction as a whole failed.
    func finish(throwing error: (any Error)?)
}

/// `@unchecked`: `result` is written in `run` and read in `finish`, both on the one writer thread, one after the other.
private final class Write<Value: Sendable>: PendingWrite, @unchecked Sendable {
    private let body: @Sendable (WriteTransaction) throws -> Value
    private let continuation: CheckedContinuation<Value, any Error>
    private var result: Result<Value, any Error>?

    init(body: @escaping @Sendable (WriteTransaction) throws -> Value, continuation: CheckedContinuation<Value, any Error>) {
        self.body = body
        self.continuation = continuation
    }

    func run(_ transaction: WriteTransaction) -> (any Error)? {
        let result = Result { try body(transaction) }
        self.result = result
        if case .failure(let error) = result { return error }
        return nil
    }

    func finish(throwing error: (any Error)?) {
        if case .failure(let own)? = result { return continuation.resume(throwing: own) }
        if let error { return continuation.resume(throwing: error) }
        guard case .success(let value)? = result else {
            return continuation.resume(throwing: CityError.internalFault("a write was answered before it ran"))
        }
        continuation.resume(returning: value)
    }
}
