package import CityModel
internal import Foundation
internal import GRDB
internal import Synchronization

/// The one SQLite file that holds all of a municipality's state, or what a snapshot of one holds: one writer, many readers (write-ahead log), every
/// commit flushed to disk before it is answered.
package final class MunicipalityFile: Sendable {
    package let name: MunicipalityName
    package let terms: TermTable
    package let journal: JournalSignal
    /// What the active subscriptions want.
    package let watches: WatchTable
    /// Which registrations of context sources there are.
    package let registrations: RevisionSignal
    /// Which rules of access there are.
    package let policies: RevisionSignal
    /// Which consents there are.
    package let consents: RevisionSignal
    /// Which uses of data about people are in the ledger already.
    package let uses: UseMemory
    /// Another at each opening: numbers and versions of entities are those of this file and of no other of its name, such as
    /// one that was put back from a backup.
    package let incarnation: UInt64
    private let pool: DatabasePool
    private let prompt: PromptReaders
    private let checkpointer: Checkpointer
    private let narrowed: SeenReaders
    /// The keys of what is personal in it.
    let vault: ResidentKeys
    /// Under which rules it is read; nil for all that the file holds.
    private let sight: Sight?
    /// What may be written; nil for everything.
    private let permit: WritePermit?
    /// Which snapshot it holds, by the identifier that this has for those who ask; nil for a municipality's own file.
    package let snapshotID: String?
    private let followed: FollowedCount
    /// When each of the municipality's snapshots was used last, as far as it is not written down.
    let snapshotUses: SnapshotUses
    private let queue: CommitQueue
    private let decoders: DecoderPool
    let sealing: SealingState
    private let chunks: OpenChunks
    private let orders: KeptOrders?
    let commits: CommitCount

    /// The file's name within the municipality's folder.
    package static let fileName = "municipality.sqlite"

    /// - Parameter beginning: what a file that is made for a snapshot holds first.
    /// - Throws: `StoreError.newerVersion` for a file that a newer program wrote.
    init(
        name: MunicipalityName, path: String, limits: StoreLimits, work: PendingWork, chunks cache: ChunkCache, vault: ResidentKeys,
        _ beginning: SnapshotBeginning? = nil
    ) throws {
        (self.name, incarnation, self.vault) = (name, UInt64.random(in: .min ... .max), vault)
        let configuration = Self.configuration(readerCountMax: limits.readerCountMax, vault)
        pool = try DatabasePool(path: path, configuration: configuration)
        guard try !pool.read(Schema.migrator().hasBeenSuperseded) else { throw StoreError.newerVersion(name) }
        try Schema.migrate(pool)
        if let beginning { try pool.write(beginning.write) }
        terms = try pool.read(TermTable.init)
        let (terms, decoders) = (terms, DecoderPool(terms: terms))
        (self.decoders, sight, permit) = (decoders, nil, nil)
        checkpointer = Checkpointer(path: path)
        prompt = PromptReaders(path: path, configuration: configuration, limits: limits)
        // What a snapshot follows from its municipality is in no journal of its own.
        narrowed = SeenReaders(
            path: path, configuration: configuration, terms: terms, decoders: decoders, vault: vault, isFollowed: name.snapshot == nil)
        let followed: Int64
        (journal, watches, sealing, snapshotID, followed) = try pool.read { db in
            let snapshot = ReadSnapshot(db: db, terms: terms, decoders: decoders, vault: vault)
            return (
                JournalSignal(last: try snapshot.lastChangeNumber()), WatchTable(try snapshot.watchIndex(), lagMax: limits.watchLagMax),
                SealingState(sealedUntil: try snapshot.lastSealedMoment(), thinnedUntil: try snapshot.lastThinnedMoment()),
                try snapshot.document(.setting, SnapshotBeginning.idSetting)?.body.stringValue, try snapshot.reclassifiedUntil()
            )
        }
        (self.followed, snapshotUses) = (FollowedCount(followed), SnapshotUses())
        (policies, consents, uses) = (RevisionSignal(), RevisionSignal(), UseMemory())
        (registrations, chunks, commits) = (RevisionSignal(), OpenChunks(cache: cache, file: incarnation), CommitCount())
        orders = name.snapshot == nil ? KeptOrders() : nil
        queue = CommitQueue(
            pool: pool, checkpointer: checkpointer, terms: terms, decoders: decoders, vault: vault, journal: journal, watches: watches, registrations: registrations, policies: policies, consents: consents,
            uses: uses, sealing: sealing, commits: commits
        ) { work.publish(name, wokenQueues: $0) }
        try reconcileKeys(pool)
        try fillAddressIndex(pool)
        pool.writeWithoutTransaction(checkpointer.watch)
    }

    /// Entities whose words one transaction adds.
    private static let addressPartCount = 500

    /// Adds the words of addresses of a version that had no index of them.
    private func fillAddressIndex(_ pool: DatabasePool) throws {
        guard try pool.read({ try ReadSnapshot(db: $0, terms: terms, decoders: decoders, vault: vault).hasUnreadAddresses() }) else { return }
        var count = Self.addressPartCount
        while count > 0 {
            count = try pool.write { db in
                try WriteTransaction(db: db, terms: terms, decoders: decoders, vault: vault, watches: watches, sealing: sealing, uses: uses)
                    .fillAddressIndex(limit: Self.addressPartCount)
            }
        }
    }

    /// Finishes what a crash left of the destruction of keys, and seals what lies plain in the file of a version that did not seal.
    private func reconcileKeys(_ pool: DatabasePool) throws {
        let isDone = try pool.writeWithoutTransaction { db in
            let opening = KeyReconciliation(db: db, vault: vault, isSnapshot: name.snapshot != nil) { [terms, decoders, vault, watches, sealing, uses] in
                WriteTransaction(db: db, terms: terms, decoders: decoders, vault: vault, watches: watches, sealing: sealing, uses: uses)
            }
            return try opening.run()
        }
        // What was plain is in the log too.
        if isDone { _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) } }
    }

    /// The same file, read under the rules of a sight.
    package func seen(by sight: Sight) -> MunicipalityFile { sight.ruling == nil ? self : MunicipalityFile(self, sight, permit) }

    /// The same file, written to as far as a permit goes.
    package func written(by permit: WritePermit?) -> MunicipalityFile { permit == nil ? self : MunicipalityFile(self, sight, permit) }

    private init(_ whole: MunicipalityFile, _ sight: Sight?, _ permit: WritePermit?) {
        (self.sight, self.permit) = (sight, permit)
        (name, terms, journal, watches, registrations) = (whole.name, whole.terms, whole.journal, whole.watches, whole.registrations)
        (pool, checkpointer, prompt, narrowed, queue, decoders, snapshotID) = (whole.pool, whole.checkpointer, whole.prompt, whole.narrowed, whole.queue, whole.decoders, whole.snapshotID)
        vault = whole.vault
        (sealing, chunks, commits, incarnation) = (whole.sealing, whole.chunks, whole.commits, whole.incarnation)
        (policies, consents, uses) = (whole.policies, whole.consents, whole.uses)
        (followed, snapshotUses, orders) = (whole.followed, whole.snapshotUses, whole.orders)
    }

    /// The last change of a classification in the municipality that a snapshot has followed.
    var reclassifiedUntil: Int64 {
        get { followed.value.withLock { $0 } }
        set { followed.value.withLock { $0 = max($0, newValue) } }
    }

    private static func configuration(readerCountMax: Int, _ vault: ResidentKeys) -> Configuration {
        var configuration = Configuration()
        configuration.maximumReaderCount = readerCountMax
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            // Each connection has its own, and keeps it; what is not in it the operating system has. What a larger batch changes goes into the log before it is committed.
            try db.execute(sql: "PRAGMA cache_size = \(db.configuration.readonly ? -4096 : -16384)")
            // A page that can't be read is an error here, where of a file in memory it would end the program; and each connection would have its pages again.
            try db.execute(sql: "PRAGMA mmap_size = 0")
            try db.execute(sql: "PRAGMA journal_size_limit = 67108864")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA trusted_schema = OFF")
            try db.execute(sql: "PRAGMA secure_delete = ON")
            Opener.add(to: db, vault)
        }
        return configuration
    }

    /// Runs `body` in a transaction of its own and returns after it is on disk. When `body` throws, nothing of it stays.
    package func write<Value: Sendable>(_ body: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value {
        guard let permit else { return try await queue.write(body) }
        return try await queue.write { transaction in
            transaction.permit = permit
            return try body(transaction)
        }
    }

    /// Runs `body` on a consistent view of what was committed when it began. Never waits for a writer.
    package func read<Value: Sendable>(_ body: @escaping @Sendable (ReadSnapshot) throws -> Value) async throws -> Value {
        if let sight { return try await narrowed.read(sight, chunks: chunks, orders: orders, body) }
        let (terms, decoders, vault, chunks, orders) = (terms, decoders, vault, chunks, orders)
        return try await pool.read { db in
            try body(ReadSnapshot(db: db, terms: terms, decoders: decoders, vault: vault, chunks: chunks, orders: orders))
        }
    }

    /// The same for what is expected to take a moment: `body` runs on the thread that asks, and where it takes longer it is broken off and runs again elsewhere. So it
    /// must do nothing but read.
    package func readPromptly<Value: Sendable>(_ body: @escaping @Sendable (ReadSnapshot) throws -> Value) async throws -> Value {
        if let value = try readNow(body) { return value }
        return try await read(body)
    }

    /// The same, or not at all.
    /// - Returns: nil when it was broken off, or could not begin at once.
    package func readNow<Value>(_ body: (ReadSnapshot) throws -> Value) throws -> Value? {
        guard sight == nil else { return nil }
        return try prompt.read { try body(ReadSnapshot(db: $0, terms: terms, decoders: decoders, vault: vault, chunks: chunks, orders: orders)) }
    }

    /// Writes a consistent copy of the file, whole and compact, while others read and write.
    package func copy(to path: String) async throws {
        try await pool.writeWithoutTransaction { db in try db.execute(sql: "VACUUM INTO ?", arguments: [path]) }
    }

    /// A file that was put back from a backup has no snapshots, for these were no part of it. Nobody is signed in to it, and what was sent to
    /// somebody to sign in with is void: who was let in then may be let in no more.
    func forgetWhatPassed() throws {
        try pool.write { db in
            try db.execute(sql: "DELETE FROM snapshot; DELETE FROM removed_snapshot")
            try db.execute(sql: "DELETE FROM session; DELETE FROM account_secret WHERE purpose = 'invitation'")
        }
    }

    func checkpointLog() async throws { try await pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) } }

    /// Moves the write-ahead log into the file and closes it, so that the one file at rest is whole.
    func close() throws {
        commits.begin()
        commits.close()
        journal.finish()
        narrowed.close()
        prompt.close()
        checkpointer.close()
        let moved = Result { try pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) } }
        try pool.close()
        try moved.get()
    }
}

/// What can be wrong with the data directory or a file in it.
package enum StoreError: Error, Hashable, Sendable {
    /// Another process has the data directory open.
    case locked(directory: String)
    /// The file was written by a newer version of this program.
    case newerVersion(MunicipalityName)
    case notFound(MunicipalityName)
    case alreadyExists(MunicipalityName)
    /// The file is not a municipality's file.
    case notAMunicipality(path: String)
    case cannotUse(path: String, reason: String)
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .locked(let directory): "another process is using the data directory \(directory); only one conurb at a time can"
        case .newerVersion(let name): "the file of municipality \(name) was written by a newer version of conurb; please upgrade this one"
        case .notFound(let name): "there is no municipality \(name) here"
        case .alreadyExists(let name): "municipality \(name) exists already"
        case .notAMunicipality(let path): "\(path) is not a municipality's file"
        case .cannotUse(let path, let reason): "\(path): \(reason)"
        }
    }
}

extension MunicipalityFile {
    /// The entity that a document holds, read outside of a snapshot.
    package func entity(_ stored: StoredEntity) throws -> Entity {
        let decoder = decoders.take()
        defer { decoders.giveBack(decoder) }
        return try decoder.entity(stored.document)
    }
}

/// How far a snapshot has followed, for all who hold its file.
private final class FollowedCount: Sendable {
    let value: Mutex<Int64>
    init(_ value: Int64) { self.value = Mutex(value) }
}
