import CityModel
import Crypto
import Foundation
import GRDB
import OrderedCollections
import Query
import Series
@testable import Store
import Testing

/// Nothing personal is readable without the key of whom it is about, in no file and in no copy.
@Suite struct KeyDestructionTests {
    /// What occurs nowhere else.
    private static let text = "Quetzalcoatl-7719", number = 48_151_623.4375
    private static let level = iri("level"), name = iri("name")

    private static func moment(_ minute: Int) -> Instant { noon.adding(seconds: 60 * Double(minute)) }

    private static func resident(_ number: Int, _ subject: String? = nil, text: String = text, value: Double = number) -> Entity {
        var made = entity(number, type: "Person")
        made.attributes[name] = property(.string(text))
        made.attributes[level] = [Attribute(kind: .property, value: .number(value), observedAt: noon, unitCode: "CEL")]
        made.attributes[.location] = [Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [2.3515625, 48.8515625]])]
        if let subject { made.attributes[.dataSubject] = property(.string(subject)) }
        return made
    }

    /// In which files of a folder, at any depth, a text or a number lies plain.
    private static func traces(in folder: String, of text: String = text, _ number: Double = number) throws -> [String] {
        let wanted = [
            Data(text.utf8), Data("\(number)".utf8), withUnsafeBytes(of: number.bitPattern.bigEndian) { Data($0) },
            withUnsafeBytes(of: number.bitPattern.littleEndian) { Data($0) },
        ]
        let files = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }
        return files.filter { file in
            guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(file)") else { return false }
            return wanted.contains { bytes.range(of: $0) != nil }
        }
    }

    private static func update(_ number: Int, _ transaction: WriteTransaction, _ provenance: Provenance = .init(), at now: Instant, _ body: (inout Entity) -> Void) throws {
        let stored = try #require(try transaction.storedEntity(entityID(number)))
        let old = try transaction.entity(stored)
        var new = old
        body(&new)
        try transaction.update(stored, from: old, to: new, provenance: provenance, at: now)
    }

    private static func watchEverything(_ file: MunicipalityFile) async throws {
        try await file.write { transaction in
            try transaction.insert(
                SubscriptionRecord(
                    id: "urn:s:1", body: [:], interest: Interest(wantsEveryEntity: true, operations: [.created, .updated, .deleted]), endpoint: "http://a",
                    classificationMax: .special, isActive: true, expiresAt: nil, since: 0, due: nil))
        }
    }

    /// A file in which something of two residents was written in every way that there is, and a snapshot of it.
    private func city() async throws -> (TemporaryStore, MunicipalityFile) {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await Self.watchEverything(file)
        for (number, subject, text) in [(1, "resident:1", Self.text), (2, "resident:2", "somebody else")] {
            let value = number == 1 ? Self.number : 7
            try await file.write { transaction in
                try transaction.insert(Self.resident(number, subject, text: text, value: value), provenance: Provenance(classification: .personal), at: noon)
                try Self.update(number, transaction, at: Self.moment(1)) { $0.attributes[Self.level]?[0].value = .number(value + 1) }
                try Self.update(number, transaction, at: Self.moment(2)) { $0.attributes[Self.level]?[0].value = .number(value) }
                let stored = try #require(try transaction.storedEntity(entityID(number)))
                for minute in 1...400 {
                    let old = Attribute(kind: .property, value: .number(value), observedAt: Self.moment(-minute), unitCode: "CEL")
                    try transaction.appendHistory(old, name: Self.level, of: stored.number, .personal, at: noon)
                    let told = Attribute(kind: .property, value: .string(text), observedAt: Self.moment(-minute))
                    try transaction.appendHistory(told, name: Self.name, of: stored.number, .personal, at: noon)
                }
                let known = try #require(try transaction.historicEntity(stored, .special))
                var corrected = Attribute(kind: .property, value: .string(text + "!"), observedAt: Self.moment(-50))
                corrected.subattributes = [Self.name: property(.string(text))]
                try transaction.add(corrected, Self.name, to: known, at: Self.moment(3))
            }
            // One that is gone, and one that came back.
            try await file.write { transaction in
                for other in [number + 10, number + 20] {
                    try transaction.insert(Self.resident(other, subject, text: text, value: value), provenance: Provenance(classification: .special), at: noon)
                    let stored = try #require(try transaction.storedEntity(entityID(other)))
                    try transaction.delete(stored, transaction.entity(stored), at: Self.moment(4))
                }
                try transaction.insert(Self.resident(number + 20, subject, text: text, value: value), provenance: Provenance(classification: .personal), at: Self.moment(5))
            }
        }
        _ = try await file.seal(SealingPolicy(before: Self.moment(-100), rowCountMin: 50))
        let watched = try await file.read { try $0.watchedChanges(limit: 100, byteCountMax: 1 << 24).map { try $0.change.get() } }
        try await file.write { transaction in
            for change in watched.prefix(12) {
                _ = try transaction.hold(change, for: "urn:s:1", until: Self.moment(9), countMax: 100)
                let body = Array("\(change.entity)".utf8)
                try transaction.append(NewMessage(subscription: "urn:s:1", headers: [], body: body, keys: change.keys), at: noon)
            }
        }
        _ = try await frozenFile(folder, file) { (transaction: WriteTransaction, found: ([EntityToFreeze], [HistoryToFreeze])) in
            for one in found.0 { try transaction.freeze(one) }
            for one in found.1 { try transaction.freeze(one) }
        } reading: { snapshot in
            let entities = try [1, 2].map { number -> EntityToFreeze in
                let stored = try #require(try snapshot.storedEntity(entityID(number)))
                var shown = try snapshot.entity(stored)
                // Who asked for the snapshot does not see whom it is about.
                shown.attributes[.dataSubject] = nil
                return EntityToFreeze(shown, classification: stored.classification, number: stored.number, key: stored.key)
            }
            let search = HistorySearch(
                filter: EntityFilter(types: .any), temporal: TemporalQuery(.after(Self.moment(-60))), classificationMax: .special, offset: 0, limit: 100, now: noon)
            let window = HistoryWindow(search.temporal, now: noon, .special)
            let histories = try snapshot.searchHistory(search).matches.map { match in
                try snapshot.withRecords(
                    HistoryToFreeze(snapshot.recordedHistory(match, window, lastN: nil, countMax: 10_000, byteCountMax: 1 << 24) { _ in true }))
            }
            return (entities, histories)
        }
        try await file.copy(to: folder.path + "/backup")
        return (folder, file)
    }

    @Test func `what was written of residents lies plain in no file`() async throws {
        let (folder, file) = try await city()
        #expect(try Self.traces(in: folder.path) == [])
        #expect(try await file.verify().faults == [])
        for name in folder.store.snapshots(of: TemporaryStore.name) { #expect(try await folder.store.file(name).verify().faults == []) }
        try folder.store.close()
        #expect(try Self.traces(in: folder.path) == [])
        // The search finds what it looks for.
        try await folder.file().write { try $0.insert(Self.resident(99), provenance: Provenance(classification: .internalUse), at: noon) }
        #expect(try Self.traces(in: folder.path) != [])
    }

    @Test func `with the key of a resident goes everything of hers, from backups too, and nothing of others`() async throws {
        let (folder, file) = try await city()
        let copied = try #require(FileManager.default.contents(atPath: folder.path + "/backup"))
        try await folder.store.destroyKeys(of: "resident:1", in: TemporaryStore.name, at: Self.moment(10))
        func check(_ file: MunicipalityFile, _ words: Comment) async throws {
            #expect(try await file.verify().faults == [], words)
            try await file.read { snapshot in
                #expect(try snapshot.storedEntity(entityID(1)) == nil && snapshot.storedEntity(entityID(21)) == nil, words)
                #expect(try snapshot.historicEntity(entityID(11), .special) == nil, words)
                let other = try snapshot.storedEntity(entityID(2)).map(snapshot.entity)
                #expect(other?.attributes[Self.name]?.first?.value == "somebody else", words)
                let search = EntitySearch(filter: EntityFilter(types: .any), classificationMax: .special, limit: 100, wantsCount: true, now: noon)
                let page = try snapshot.search(search)
                #expect(page.entities.count == page.count, words)
                let number = try snapshot.number(of: entityID(2)) ?? 0
                let series = try snapshot.series(of: number, attributes: [Self.level], .special)
                #expect(try series.count == 1 && snapshot.hasRecord(of: number, series[0], HistoryWindow(nil, now: noon, .special)), words)
            }
        }
        try await check(file, "the file")
        for name in folder.store.snapshots(of: TemporaryStore.name) { try await check(folder.store.file(name), "a snapshot") }
        let waiting = try await file.read { snapshot in
            (
                try snapshot.watchedChanges(limit: 100, byteCountMax: 1 << 24).map { try $0.change.get().entity.id },
                try snapshot.heldChanges(of: "urn:s:1", limit: 100, byteCountMax: 1 << 24).map(\.entity),
                try snapshot.outbox(of: "urn:s:1", limit: 100, byteCountMax: 1 << 24).map { String(decoding: $0.body, as: UTF8.self) }
            )
        }
        #expect(!waiting.0.isEmpty && waiting.0.allSatisfy { $0 == entityID(2) || $0 == entityID(12) || $0 == entityID(22) })
        #expect(!waiting.1.isEmpty && !waiting.1.contains(entityID(1).text) && !waiting.2.isEmpty && waiting.2.allSatisfy { $0.contains("somebody else") })

        // The backup from before, where the folder of keys is the one of now.
        try folder.store.remove(TemporaryStore.name)
        let backup = folder.path + "/backup"
        try copied.write(to: URL(filePath: backup))
        let loss = try await folder.store.restore(TemporaryStore.name, from: backup)
        #expect(loss.purgedCount == 3 && loss.missingCount == 0)
        try await check(folder.file(), "the backup")
        #expect(try Self.traces(in: folder.path) == [])
        // She may come back, as somebody new.
        try await folder.file().write { try $0.insert(Self.resident(1, "resident:1"), provenance: Provenance(classification: .personal), at: noon) }
        #expect(try await folder.file().read { try $0.storedEntity(entityID(1)) } != nil)
    }

    @Test func `a crash between saying that a key is destroyed and destroying it is made good when the file is opened`() async throws {
        let (folder, file) = try await city()
        let removed = try await file.write { try $0.condemnKeys(of: "resident:1", at: Self.moment(10)) }
        #expect(removed == 3)
        // What is written of her before the key is destroyed is not lost with it.
        try await file.write { try $0.insert(Self.resident(1, "resident:1", text: "new"), provenance: Provenance(classification: .personal), at: Self.moment(11)) }
        try folder.store.close()
        let again = try folder.file()
        let condemned = try await again.read { try $0.condemnedKeys() }
        #expect(try condemned.count == 1 && again.vault.status(condemned[0]) == .destroyed)
        let name = try await again.read { snapshot in try snapshot.storedEntity(entityID(1)).map(snapshot.entity)?.attributes[Self.name]?.first?.value }
        #expect(name == "new")
        try folder.store.remove(TemporaryStore.name)
        #expect(try await folder.store.restore(TemporaryStore.name, from: folder.path + "/backup").purgedCount == 3)
    }

    @Test func `a key that was destroyed does not come back with an older copy of the folder of keys`() async throws {
        let (folder, file) = try await city()
        let keys = folder.path + "/_keys/alder.residents"
        let older = try #require(FileManager.default.contents(atPath: keys))
        try await file.destroyKeys(of: "resident:1", at: Self.moment(10))
        try folder.store.close()
        try older.write(to: URL(filePath: keys))
        let again = try folder.file()
        let ids = try await again.read { try $0.condemnedKeys() }
        #expect(try ids.count == 1 && again.vault.status(ids[0]) == .destroyed)
        #expect(try await again.read { try $0.storedEntity(entityID(2)) } != nil)
        try folder.store.remove(TemporaryStore.name)
        #expect(try await folder.store.restore(TemporaryStore.name, from: folder.path + "/backup").purgedCount == 3)
    }

    @Test func `a transaction that comes to nothing condemns no key`() async throws {
        let (folder, file) = try await city()
        defer { withExtendedLifetime(folder) {} }
        await #expect(throws: CityError.self) {
            try await file.write { transaction in
                try transaction.condemnKeys(of: "resident:1", at: noon)
                throw CityError.conflict("no")
            }
        }
        try await file.destroyCondemnedKeys()
        #expect(try await file.read { try $0.storedEntity(entityID(1)) } != nil)
        let before = try await file.read { try $0.storedEntity(entityID(1))?.key }
        try await file.write { try Self.update(1, $0, at: Self.moment(12)) { $0.attributes[Self.level] = nil } }
        #expect(try await file.read { try $0.storedEntity(entityID(1))?.key } == before)
    }

    // MARK: Another class, another person

    @Test func `what becomes personal is sealed with its past, and no trace of it stays`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            try transaction.insert(Self.resident(1, "resident:1"), provenance: Provenance(classification: .internalUse), at: noon)
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            for minute in 1...3000 {
                let old = Attribute(kind: .property, value: .number(Self.number), observedAt: Self.moment(-minute))
                try transaction.appendHistory(old, name: Self.level, of: stored.number, .internalUse, at: noon)
            }
        }
        _ = try await file.seal(SealingPolicy(before: Self.moment(-1000), rowCountMin: 100))
        #expect(try await file.read { try $0.sealedCount() } > 0)
        #expect(try Self.traces(in: folder.path) != [])
        let before = try await history(file)
        try await file.write { try Self.update(1, $0, Provenance(classification: .personal), at: Self.moment(1)) { _ in } }
        try await file.emptyLog()
        #expect(try Self.traces(in: folder.path) == [])
        #expect(try await history(file) == before)
        #expect(try await file.verify().faults == [])

        // Back again: what was recorded meanwhile stays what it was, and what comes now is plain.
        try await file.write { transaction in
            try Self.update(1, transaction, at: Self.moment(2)) { $0.attributes[Self.name] = property("secret word") }
            try Self.update(1, transaction, Provenance(classification: .internalUse), at: Self.moment(3)) { $0.attributes[Self.name] = property("public word") }
        }
        #expect(try Self.traces(in: folder.path, of: "secret word", -1e-99) == [] && Self.traces(in: folder.path, of: "public word", -1e-99) != [])
        #expect(try await file.verify().faults == [])
        try await file.destroyKeys(of: "resident:1", at: Self.moment(4))
        #expect(try await file.read { try $0.storedEntity(entityID(1))?.key } == nil)
        #expect(try await file.verify().faults == [])
        #expect(try await history(file).isEmpty)
    }

    private func history(_ file: MunicipalityFile) async throws -> [HistoryInstance] {
        try await file.read { snapshot in
            try snapshot.history(
                of: snapshot.number(of: entityID(1)) ?? 0, attribute: Self.level, in: Self.moment(-10_000)..<Self.moment(10_000), limit: 10_000, .special,
                at: Self.moment(0))
        }
    }

    @Test func `what is about somebody else from now on is sealed with that one's key`() async throws {
        let (folder, file) = try await city()
        defer { withExtendedLifetime(folder) {} }
        let before = try await history(file)
        try await file.write { try Self.update(1, $0, at: Self.moment(5)) { $0.attributes[.dataSubject] = property("resident:3") } }
        #expect(try await history(file) == before)
        try await file.destroyKeys(of: "resident:1", at: Self.moment(6))
        #expect(try await history(file) == before)
        #expect(try await file.verify().faults == [])
        try await file.destroyKeys(of: "resident:3", at: Self.moment(7))
        #expect(try await file.read { try $0.storedEntity(entityID(1)) } == nil)
        #expect(try await file.verify().faults == [])
    }

    @Test func `more than may be sealed at once is refused, and nothing changes`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { try $0.insert(Self.resident(1), provenance: Provenance(classification: .internalUse), at: noon) }
        await #expect(throws: CityError.self) {
            try await file.write { transaction in
                let key = try transaction.vault.key(of: "a")
                try transaction.reseal(transaction.number(of: entityID(1)) ?? 0, with: key, countMax: 2)
            }
        }
        #expect(try await file.verify().faults == [])
    }

    // MARK: Keys that are not there

    @Test func `without the file of keys a municipality opens, says so, and goes on with new keys`() async throws {
        let (folder, file) = try await city()
        let keys = folder.path + "/_keys/alder.residents", aside = folder.path + "/aside"
        #expect(try FileManager.default.attributesOfItem(atPath: keys)[.posixPermissions] as? Int == 0o600)
        _ = file
        try folder.store.close()
        try FileManager.default.moveItem(atPath: keys, toPath: aside)
        let blind = try folder.file()
        #expect(try await blind.verify().faults.contains { $0.hasPrefix("keys: those of 4 entities are missing") })
        #expect(try await blind.sealedLoss().missingCount == 6)
        try await blind.read { snapshot in
            #expect(try snapshot.storedEntity(entityID(1)) == nil && snapshot.historicEntity(entityID(11), .special) == nil)
            let search = EntitySearch(
                filter: EntityFilter(query: try QueryExpression(parsing: "level>4", expand: { iri($0) })), classificationMax: .special, limit: 100, wantsCount: true, now: noon)
            #expect(try snapshot.search(search).count == 0)
            #expect(try snapshot.livePlaces(in: BoundingBox(west: 0, south: 0, east: 90, north: 90), .special, at: noon, countMax: 10).isEmpty)
            #expect(try snapshot.searchHistory(HistorySearch(filter: EntityFilter(types: .any), temporal: TemporalQuery(.before(Self.moment(9))), classificationMax: .special, offset: 0, limit: 9, now: noon)).matches.isEmpty)
        }
        await #expect(throws: CityError.self) {
            try await blind.write { try $0.insert(Self.resident(1), provenance: Provenance(classification: .personal), at: noon) }
        }
        try await blind.write { try $0.insert(Self.resident(50, "resident:1"), provenance: Provenance(classification: .personal), at: noon) }
        #expect(try await blind.read { try $0.storedEntity(entityID(50)) } != nil)
        try folder.store.close()
        try FileManager.default.removeItem(atPath: keys)
        try FileManager.default.moveItem(atPath: aside, toPath: keys)
        #expect(try await folder.file().read { try $0.storedEntity(entityID(1)) } != nil)
    }

    // MARK: Files from before

    @Test func `a file from before is sealed when it is opened`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let path = "\(folder.path)/alder/\(MunicipalityFile.fileName)"
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator().migrate(queue, upTo: "0016-consents")
        let names = [iri("Person"), Self.name, Self.level, .location, .dataSubject]
        let made = Self.resident(1, "resident:1")
        let document = StoredDocument(made) { name in Int64((names.firstIndex(of: name) ?? 98) + 1) }
        let rows = try IndexRows(made, isSealed: false) { name in Int64((names.firstIndex(of: name) ?? 98) + 1) }
        try await queue.write { db in
            for (number, name) in names.enumerated() { try db.execute(sql: "INSERT INTO term (id, iri) VALUES (?, ?)", arguments: [number + 1, name.text]) }
            try db.execute(sql: "INSERT INTO change (seq, operation, at_us, entity, iri, classification, types, attributes) VALUES (1, 1, 0, 1, ?, 3, '1', '')", arguments: [made.id.text])
            try db.execute(
                sql: "INSERT INTO entity (id, iri, version, classification, document) VALUES (1, ?, 1, ?, ?)",
                arguments: [made.id.text, Classification.personal.rank, Data(document.bytes)])
            try db.execute(sql: "INSERT INTO entity_type VALUES (1, 1)")
            for value in rows.values { try db.execute(sql: "INSERT INTO entity_value VALUES (?, 1, ?, 1)", arguments: [value.attribute, value.value.databaseValue]) }
            for (slot, place) in rows.places.enumerated() {
                try db.execute(
                    sql: "INSERT INTO entity_place (id, west, east, south, north, attribute) VALUES (?, ?, ?, ?, ?, ?)",
                    arguments: [16 + slot, place.box.west, place.box.east, place.box.south, place.box.north, place.attribute])
            }
            // One that is past, with its history; and one that is personal no more.
            try db.execute(sql: "INSERT INTO past (id, iri, classification, created_us, modified_us, types) VALUES (2, 'urn:x:2', 4, 0, 0, '1'); INSERT INTO past_type VALUES (1, 2)")
            for (entity, count) in [(1, 600), (2, 3)] {
                for moment in 0..<count {
                    try db.execute(
                        sql: "INSERT INTO instance (entity, attribute, dataset, at_us, late_us, form, value) VALUES (?, 2, '', ?, 0, ?, ?)",
                        arguments: [entity, moment, 3 * InstanceForm.classificationUnit + 8, Self.text])
                }
            }
            try db.execute(sql: "INSERT INTO subscription (id, revision, body, interest, endpoint, classification_max, active, since) VALUES ('urn:s:1', 1, x'7B7D', x'7B7D', 'http://a', 4, 0, 0)")
            try db.execute(sql: "INSERT INTO watched (seq, operation, at_us, classification, document) VALUES (1, 1, 0, 3, ?)", arguments: [Data(document.bytes)])
        }
        try queue.close()
        #expect(try Self.traces(in: folder.path) != [])
        let file = try folder.file()
        #expect(try Self.traces(in: folder.path) == [])
        #expect(try await file.verify().faults == [])
        let found = try await file.read { snapshot in
            (
                try snapshot.storedEntity(made.id).map(snapshot.entity), try snapshot.watchedChanges(limit: 9, byteCountMax: 1 << 20).map { try $0.change.get().entity },
                try snapshot.value(of: 2, attribute: Self.name, at: noon, .special, now: noon)?.value
            )
        }
        #expect(found.0 == made && found.1 == [made] && found.2 == .string(Self.text))
        try await file.destroyKeys(of: "resident:1", at: noon)
        try await file.destroyKeys(of: "urn:x:2", at: noon)
        #expect(try await file.read { try ($0.entityCount(), $0.instanceCount()) } == (0, 0))
        #expect(try await file.verify().faults == [])
    }
}

@Suite struct ResidentKeysTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "conurb-\(UUID().uuidString)").path
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func keys(_ secret: UInt8 = 1) -> ResidentKeys {
            ResidentKeys(TemporaryStore.name, ResidentKeySource(directory: path) { _ in [UInt8](repeating: secret, count: 32) })
        }
    }

    @Test func `a key is the same after a restart, and another municipality's secret does not open it`() throws {
        let folder = Folder()
        let keys = folder.keys()
        let key = try keys.key(of: "resident:1")
        let sealed = try SealedBytes.seal(Array("word".utf8), with: key)
        try keys.flush()
        try keys.close()
        let again = folder.keys()
        #expect(try again.key(of: "resident:1").id == key.id && again.key(of: "resident:2").id != key.id)
        #expect(try again.open(sealed) == Array("word".utf8))
        #expect(try folder.keys(2).open(sealed) == nil)
        #expect(try folder.keys(2).status(key.id) == .missing)
    }

    @Test func `what was not flushed was never there`() throws {
        let folder = Folder()
        let key = try folder.keys().key(of: "resident:1")
        #expect(try folder.keys().secret(key.id) == nil)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/alder.residents"))
    }

    @Test func `neither a key nor a name lies in the file, and nothing of a key that was destroyed`() throws {
        let folder = Folder()
        let keys = folder.keys()
        let kept = try keys.key(of: "resident:1"), gone = try keys.key(of: "resident:2")
        try keys.flush()
        let path = folder.path + "/alder.residents"
        let queue = try DatabaseQueue(path: path)
        let wrapped = try #require(try queue.read { try Data.fetchOne($0, sql: "SELECT wrapped FROM key WHERE id = ?", arguments: [Data(gone.id.bytes)]) })
        try queue.close()
        func holds(_ bytes: some Collection<UInt8>) throws -> Bool { try #require(FileManager.default.contents(atPath: path)).range(of: Data(bytes)) != nil }
        #expect(try holds(wrapped) && holds(gone.id.bytes) && !holds("resident:2".utf8) && !holds(gone.secret.withUnsafeBytes { Array($0) }))
        #expect(try keys.condemn("resident:2").all == [gone.id])
        try keys.destroy([gone.id])
        #expect(try !holds(wrapped))
        #expect(try keys.status(gone.id) == .destroyed && keys.status(kept.id) == .there && keys.secret(gone.id) == nil)
        #expect(try keys.key(of: "resident:2").id != gone.id)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["alder.residents"])
    }

    @Test func `many at once get one key for each resident`() async throws {
        let folder = Folder()
        let keys = folder.keys()
        let ids = try await withThrowingTaskGroup(of: (String, KeyID).self) { group in
            for number in 0..<200 {
                group.addTask {
                    let key = try keys.key(of: "resident:\(number % 20)")
                    try keys.flush()
                    return ("resident:\(number % 20)", key.id)
                }
            }
            return try await group.reduce(into: [String: Set<KeyID>]()) { $0[$1.0, default: []].insert($1.1) }
        }
        #expect(ids.count == 20 && ids.values.allSatisfy { $0.count == 1 })
        try keys.close()
        #expect(try ids.allSatisfy { try folder.keys().key(of: $0.key).id == $0.value.first })
    }

    @Test func `what was sealed with several keys is gone with any of them, and what was changed does not open`() throws {
        let folder = Folder()
        let keys = folder.keys()
        let (one, other) = (try keys.key(of: "1"), try keys.key(of: "2"))
        let sealed = try SealedBytes.seal(SealedBytes.seal(Array("word".utf8), with: one), with: other)
        #expect(try keys.open(sealed) == Array("word".utf8) && keys.keys(of: sealed) == [other.id, one.id])
        #expect(try keys.open(Array("plain".utf8)) == Array("plain".utf8))
        var changed = sealed
        changed[40] ^= 1
        #expect(throws: (any Error).self) { try keys.open(changed) }
        try keys.destroy([one.id])
        #expect(try keys.open(sealed) == nil)
    }

    @Test(arguments: [.null, 0.databaseValue, (-5).databaseValue, 2.5.databaseValue, "".databaseValue, "é".databaseValue, Data([0, 1]).databaseValue] as [DatabaseValue])
    func `a sealed record is what it was`(value: DatabaseValue) throws {
        for (unit, rest) in [(nil, nil), ("CEL", nil), (nil, []), ("", [1, 2])] as [(String?, [UInt8]?)] {
            let record = try SealedRecord(value: value, unit: unit, rest: rest).bytes.withUnsafeBytes { try SealedRecord(parsing: $0) }
            #expect(record.value == value && record.unit == unit && record.rest == rest)
        }
        for bytes in [[], [3, 200], [3, 9, 0, 0, 0, 1], [1, 1, 0, 0, 0, 1], [0, 0, 0, 0, 0, 9, 0, 0, 0, 0]] as [[UInt8]] {
            #expect(throws: CorruptRow.self) { try bytes.withUnsafeBytes { try SealedRecord(parsing: $0) } }
        }
    }
}
