package import CityModel
internal import GRDB
internal import Series

/// A consistent view of one municipality's file, for the length of one read. Not to be kept.
package class ReadSnapshot {
    let db: Database
    package let terms: TermTable
    private let decoders: DecoderPool
    /// The keys of what is personal.
    let vault: ResidentKeys
    private var borrowed: DocumentDecoder?
    /// What rules show, where the file is read under rules.
    let seen: SeenEntities?
    /// Chunks of the file that are open; nil for who may see what is not committed.
    let chunks: OpenChunks?
    /// Orders of the file that are kept; nil where its journal does not tell all that changes, and for who may see what is not committed.
    let orders: KeptOrders?
    /// Room for the numbers of the block that is looked at.
    lazy var blockBuffer = BlockBuffer()
    /// Whether there is any chunk, once it was asked.
    var knowsChunks: Bool?
    /// Whether anything was thinned, once it was asked.
    var knowsThinned: Bool?
    /// The summaries that were opened last.
    var openedSummaries: (id: Int64, summaries: [PeriodSummary])?
    /// What it showed of data about people.
    package var shown = ShownPersonal()
    /// The last chunk that was opened.
    var openedChunk: (id: Int64, chunk: Chunk)?

    init(db: Database, terms: TermTable, decoders: DecoderPool, vault: ResidentKeys, chunks: OpenChunks? = nil, orders: KeptOrders? = nil, seen: SeenEntities? = nil) {
        (self.seen, self.vault) = (seen, vault)
        self.db = db
        self.terms = terms
        self.decoders = decoders
        (self.chunks, self.orders) = (chunks, orders)
    }

    /// Judges what is read for somebody by the rules of a sight.
    func judge(for sight: Sight) throws -> SeenEntities {
        let judge = SeenEntities(db, terms: terms, decoders: decoders, vault: vault)
        try judge.begin(sight)
        return judge
    }

    /// The most confidential class of records that may be seen of an entity, of those up to one.
    func bound(_ classificationMax: Classification, of entity: Int64) throws -> Classification {
        try seen.map { min(classificationMax, try $0.bound(of: entity)) } ?? classificationMax
    }

    /// Whether it is read under rules.
    package var isRuled: Bool { seen != nil }

    /// The smallest number of entities that a figure with this one's attribute must be of; nil for one that may be seen itself.
    package func entityCountMin(of attribute: IRI, of entity: Int64) throws -> Int? { try seen?.entityCountMin(of: attribute, of: entity) }

    deinit { if let borrowed { decoders.giveBack(borrowed) } }

    /// Most reads copy documents and need none.
    var decoder: DocumentDecoder {
        if let borrowed { return borrowed }
        let decoder = decoders.take()
        borrowed = decoder
        return decoder
    }

    /// Compiles `sql` once per connection and runs it. Values are bound, never put into the text.
    func execute(_ sql: String, _ arguments: StatementArguments = []) throws {
        let cursor = try RowCursor(db, sql, arguments)
        while try cursor.next() != nil {}
    }

    /// The same with values that are put into no list on their way: for what runs with every change.
    func run<each Value: Bindable>(_ sql: String, _ values: repeat each Value) throws { try db.run(sql, repeat each values) }

    func rows(_ sql: String, _ arguments: StatementArguments = []) throws -> RowCursor { try RowCursor(db, sql, arguments) }

    /// The first row alone.
    func row(_ sql: String, _ arguments: StatementArguments = []) throws -> Row? { try RowCursor(db, sql, arguments).next() }
}

/// A write in progress. What it did is undone when the closure it was given to throws.
package final class WriteTransaction: ReadSnapshot {
    /// The number of the newest change this transaction made.
    var lastChange: Int64?
    /// The number that the last new entity got, while nothing else got numbers: all that are there are at most as great.
    var lastFreshNumber: Int64?
    /// Names added to the term table.
    var newTerms: [IRI] = []
    /// What subscriptions want now that this transaction put or removed.
    var watchChanges: [(subscription: String, interest: Interest?)] = []
    /// Whether it left something to do for whoever delivers notifications.
    var hasWork = false
    /// Subscriptions whose notifications need not wait any longer.
    var wokenQueues: Set<String> = []
    /// Whether registrations of context sources are others than before.
    var changesRegistrations = false
    /// Whether rules of access are others than before.
    var changesPolicies = false
    /// Keys that are to be destroyed because of it.
    var condemned: Set<KeyID> = []
    /// With what the entity that was written to last is sealed.
    var guarded: (entity: Int64, guard: EntityGuard)?
    /// Whether consents of people are others than before.
    var changesConsents = false
    let watches: WatchTable
    /// Which uses of data about people are in the ledger already.
    package let uses: UseMemory
    /// Entities that were not open before and are now.
    package private(set) var released: [IRI] = []
    /// What is to be done once it is on disk, and not before.
    private(set) var afterCommit: [@Sendable () -> Void] = []
    /// What whoever writes may change; nil for everything.
    var permit: WritePermit?
    /// What is being packed, and how far series are.
    let sealing: SealingState
    /// That of whoever writes: what he does himself he is not told.
    package var watch: HistoryWatch?

    init(db: Database, terms: TermTable, decoders: DecoderPool, vault: ResidentKeys, watches: WatchTable, sealing: SealingState, uses: UseMemory) {
        (self.watches, self.sealing, self.uses) = (watches, sealing, uses)
        super.init(db: db, terms: terms, decoders: decoders, vault: vault)
    }

    func noteRelease(of id: IRI) { released.append(id) }

    package func onCommit(_ body: @escaping @Sendable () -> Void) { afterCommit.append(body) }

    func intern(_ name: IRI) throws -> Int64 {
        let (number, isNew) = try terms.intern(name, in: db)
        if isNew { newTerms.append(name) }
        return number
    }
}

/// A row that is not what this program writes: the file was damaged or edited.
struct CorruptRow: Error { let table: String, reason: String }

extension WriteTransaction {
    /// Runs `body` inside a savepoint: when it throws, what it did is undone and the transaction goes on.
    package func attempt<Value>(_ body: () throws -> Value) throws -> Value {
        let (changeBefore, termCountBefore, condemnedBefore) = (lastChange, newTerms.count, condemned)
        let (afterBefore, releasedBefore) = (afterCommit, released)
        var result: Result<Value, any Error>?
        try db.attempt {
            let attempted = Result(catching: body)
            result = attempted
            if case .success = attempted { return true }
            return false
        }
        if case .failure? = result {
            (lastChange, afterCommit, released) = (changeBefore, afterBefore, releasedBefore)
            // What was undone gave numbers that are given again.
            (openedChunk, openedSummaries, guarded) = (nil, nil, nil)
            vault.absolve(condemned.subtracting(condemnedBefore))
            condemned = condemnedBefore
            terms.forget(Array(newTerms[termCountBefore...]))
            newTerms.removeSubrange(termCountBefore...)
        }
        guard let result else { throw CityError.internalFault("a savepoint ended without a result") }
        return try result.get()
    }
}
