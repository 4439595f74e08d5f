import CityModel
import GRDB
import OrderedCollections
@testable import Store
import Testing

@Suite struct WatchTests {
    private let level = iri("level"), name = iri("name")

    private func record(_ id: String, _ interest: Interest, isActive: Bool = true, expiresAt: Instant? = nil) -> SubscriptionRecord {
        SubscriptionRecord(
            id: id, body: [:], interest: interest, endpoint: "http://a", classificationMax: .special, isActive: isActive, expiresAt: expiresAt,
            since: 0, due: nil)
    }

    private func watched(_ folder: TemporaryStore) async throws -> [WatchedChange] {
        try await folder.file().read { try $0.watchedChanges(limit: 100, byteCountMax: 1 << 20).map { try $0.change.get() } }
    }

    private func insert(_ number: Int, _ attributes: Attributes, in folder: TemporaryStore) async throws {
        try await folder.file().write { try $0.insert(entity(number, attributes: attributes), provenance: .init(), at: noon) }
    }

    @Test func `a change that nobody watches keeps no document`() async throws {
        let folder = try TemporaryStore()
        let interest = Interest(types: [iri("Elsewhere")], operations: [.created])
        try await folder.file().write { [self] in try $0.insert(record("urn:s:1", interest)) }
        try await insert(1, [level: property(1)], in: folder)
        #expect(try await watched(folder).isEmpty)
    }

    @Test func `a watched change keeps the entity as it was then, and as it was before`() async throws {
        let folder = try TemporaryStore()
        let interest = Interest(wantsEveryEntity: true, attributes: [level], operations: [.created, .updated, .deleted])
        try await folder.file().write { [self] in try $0.insert(record("urn:s:1", interest)) }
        try await insert(1, [level: property(1)], in: folder)
        for value in [2, 3] as [JSON] {
            try await folder.file().write { [self] transaction in
                let stored = try #require(try transaction.storedEntity(entityID(1)))
                let old = try transaction.entity(stored)
                var new = old
                new.attributes[level] = property(value)
                try transaction.update(stored, from: old, to: new, provenance: .init(), at: noon)
            }
        }
        let values = try await watched(folder).map { [$0.previous?.attributes[level]?[0].value, $0.entity.attributes[level]?[0].value] }
        #expect(values == [[nil, 1], [1, 2], [2, 3]])
    }

    @Test func `what is watched is known again after a restart, and what was passed is gone`() async throws {
        let folder = try TemporaryStore()
        let interest = Interest(types: [iri("Lamp"), iri("Thing")], operations: [.created])
        try await folder.file().write { [self] in
            try $0.insert(record("urn:s:1", Interest(wantsEveryEntity: true, operations: [.created])))
            try $0.insert(record("urn:s:2", interest, isActive: false))
        }
        try folder.store.close()
        try await insert(1, [level: property(1)], in: folder)
        let changes = try await watched(folder)
        #expect(changes.count == 1)
        try await folder.file().write { try $0.removeWatchedChanges(upTo: changes[0].seq) }
        #expect(try await watched(folder).isEmpty)
    }

    @Test func `what can't be told is not changed when too much waits, and the rest goes on`() async throws {
        let folder = try TemporaryStore(limits: StoreLimits(watchLagMax: 3))
        let interest = Interest(types: [iri("Thing")], operations: [.created])
        try await folder.file().write { [self] in try $0.insert(record("urn:s:1", interest)) }
        for number in 1...3 { try await insert(number, [level: property(1)], in: folder) }
        let error = await #expect(throws: CityError.self) { try await insert(4, [level: property(1)], in: folder) }
        guard case .overloaded = error else { return #expect(Bool(false), "\(String(describing: error))") }
        try await folder.file().write { try $0.insert(entity(5, type: "Other"), provenance: .init(), at: noon) }
        #expect(try await folder.file().read { try $0.storedEntity(entityID(4)) == nil })
        let oldest = try await watched(folder)[0].seq
        try await folder.file().write { try $0.removeWatchedChanges(upTo: oldest + 1) }
        try await insert(4, [level: property(1)], in: folder)
        #expect(try await watched(folder).count == 2)
    }

    @Test func `a write that fails leaves no watcher behind`() async throws {
        struct Failure: Error {}
        let folder = try TemporaryStore()
        await #expect(throws: Failure.self) {
            try await folder.file().write { [self] transaction in
                try transaction.insert(record("urn:s:1", Interest(wantsEveryEntity: true, operations: [.created])))
                throw Failure()
            }
        }
        try await insert(1, [level: property(1)], in: folder)
        #expect(try await watched(folder).isEmpty)
    }

    @Test func `of many subscriptions only those are found that watch the entity, its type or the attribute`() {
        var index = WatchIndex()
        for number in 0..<10_000 {
            index.put(Interest(types: [iri("T\(number % 1000)")], attributes: [iri("a\(number)")], operations: [.updated]), of: "s\(number)")
        }
        index.put(Interest(ids: [entityID(7)], operations: [.updated]), of: "one")
        func found(_ number: Int, _ attribute: String, _ operation: Change.Operation) -> Set<String> {
            let changed = Entity(id: entityID(number), types: [iri("T5")])
            return index.watchers(of: changed, attributes: [iri(attribute)], operation: operation, at: noon)
        }
        #expect(found(7, "a1005", .updated) == ["s1005", "one"])
        #expect(found(8, "a1006", .updated) == [])
        #expect(found(7, "a1005", .deleted) == [])
        index.put(nil, of: "s1005")
        #expect(found(8, "a1005", .updated) == [])
    }

    @Test(arguments: [
        ("SELECT id FROM outbox WHERE subscription = 'a' ORDER BY id LIMIT 16", "outbox_queue"),
        ("SELECT subscription, min(id) FROM outbox GROUP BY subscription", "outbox_queue"),
        ("SELECT id FROM subscription WHERE held_due_us <= 5 ORDER BY held_due_us LIMIT 9", "subscription_held"),
        ("SELECT id FROM subscription WHERE due_us <= 5 AND active = 1 ORDER BY due_us LIMIT 9", "subscription_due"),
        ("SELECT seq FROM watched ORDER BY seq LIMIT 200", "SCAN watched"),
    ])
    func `queues are read by their indexes, without sorting`(sql: String, index: String) throws {
        let queue = try DatabaseQueue()
        try Schema.migrator().migrate(queue)
        let plan = try queue.read { db in try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String }.joined(separator: "; ") }
        #expect(plan.contains(index), "\(plan)")
        #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
    }

    @Test func `messages wait in the order of their queue and go with their subscription`() async throws {
        let folder = try TemporaryStore()
        let interest = Interest(wantsEveryEntity: true, operations: [.created])
        try await folder.file().write { [self] transaction in
            try transaction.insert(record("urn:s:1", interest))
            try transaction.insert(record("urn:s:2", interest))
            for number in 0..<3 {
                for subscription in ["urn:s:1", "urn:s:2"] {
                    try transaction.append(
                        NewMessage(subscription: subscription, headers: [("N", "\(number)")], body: [UInt8(number)]), at: noon)
                }
            }
        }
        try folder.store.close()
        let waiting = try await folder.file().read { try $0.outbox(of: "urn:s:1", limit: 10, byteCountMax: 100) }
        #expect(waiting.map(\.body) == [[0], [1], [2]])
        #expect(waiting.map { $0.headers[0].value } == ["0", "1", "2"])
        #expect(try await folder.file().write { try $0.removeSubscription("urn:s:1") })
        let queues = try await folder.file().read { try $0.outboxQueues() }
        #expect(queues == [OutboxQueue(subscription: "urn:s:2", endpoint: "http://a", due: noon)])
        #expect(try await folder.file().read { try $0.outboxQueue(of: "urn:s:1") } == nil)
    }

    @Test func `a queue is read up to so many bytes, and its size stands with the subscription`() async throws {
        let folder = try TemporaryStore()
        try await folder.file().write { [self] transaction in
            try transaction.insert(record("urn:s:1", Interest(wantsEveryEntity: true, operations: [.created])))
            for _ in 0..<5 { try transaction.append(NewMessage(subscription: "urn:s:1", headers: [], body: [UInt8](repeating: 1, count: 100)), at: noon) }
        }
        let some = try await folder.file().read { try $0.outbox(of: "urn:s:1", limit: 10, byteCountMax: 250) }
        #expect(some.count == 3)
        try await folder.file().write { try $0.removeMessage(some[0].id) }
        let size = try await folder.file().read { try $0.outboxSize(of: "urn:s:1") }
        #expect(size?.count == 4 && size?.byteCount == 400)
        try await folder.file().write { try $0.removeOutbox(of: "urn:s:1") }
        #expect(try await folder.file().read { try $0.outboxSize(of: "urn:s:1")?.byteCount } == 0)
    }

    @Test func `a damaged change holds up no other`() async throws {
        let folder = try TemporaryStore()
        try await folder.file().write { [self] in try $0.insert(record("urn:s:1", Interest(wantsEveryEntity: true, operations: [.created]))) }
        for number in 1...3 { try await insert(number, [level: property(1)], in: folder) }
        try folder.store.close()
        try await DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)").write { db in
            try db.execute(sql: "UPDATE watched SET document = x'FF' WHERE seq = 2")
        }
        let rows = try await folder.file().read { try $0.watchedChanges(limit: 9, byteCountMax: 1 << 20) }
        #expect(rows.map(\.seq) == [1, 2, 3])
        #expect(throws: (any Error).self) { try rows[1].change.get() }
        #expect(try [rows[0], rows[2]].map { try $0.change.get().entity.id } == [entityID(1), entityID(3)])
    }

    @Test func `a damaged subscription holds up no other, finds all changes and can be removed`() async throws {
        let folder = try TemporaryStore()
        let interest = Interest(types: [iri("Elsewhere")], operations: [.created])
        try await folder.file().write { [self] in for number in 1...3 { try $0.insert(record("urn:s:\(number)", interest)) } }
        try folder.store.close()
        try await DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)").write { db in
            try db.execute(sql: "UPDATE subscription SET body = x'FF', interest = x'7B' WHERE id = 'urn:s:2'")
        }
        let found = try await folder.file().read { try $0.subscriptions(offset: 0, limit: 9) }
        #expect(found.map(\.id) == ["urn:s:1", "urn:s:2", "urn:s:3"])
        #expect(found.map(\.body) == [[:], .null, [:]])
        try await insert(1, [level: property(1)], in: folder)
        #expect(try await watched(folder).count == 1, "what it wants is for the matcher to say")
        #expect(try await folder.file().write { try $0.removeSubscription("urn:s:2") })
        try await insert(2, [level: property(1)], in: folder)
        #expect(try await watched(folder).count == 1)
    }

    @Test func `an expired subscription leaves the index, also of a file that is opened later`() async throws {
        let folder = try TemporaryStore()
        let interest = Interest(wantsEveryEntity: true, operations: [.created])
        try await folder.file().write { [self] in try $0.insert(record("urn:s:1", interest, expiresAt: noon)) }
        try await insert(1, [level: property(1)], in: folder)
        try folder.store.close()
        try await insert(2, [level: property(1)], in: folder)
        #expect(try await watched(folder).isEmpty)
        #expect(try await folder.file().read { try $0.subscription("urn:s:1")?.expiresAt } == noon)
    }
}
