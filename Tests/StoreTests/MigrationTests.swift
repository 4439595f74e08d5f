import CityModel
import Foundation
import GRDB
import OrderedCollections
import Query
import RandomEntities
import Series
@testable import Store
import Testing

@Suite struct MigrationTests {
    @Test func `a file of the first version opens with what it holds, and takes subscriptions`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0001-entities")
        try await queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO change (seq, operation, at_us, entity, iri, classification, types, attributes)
                    VALUES (7, 3, 0, 1, 'urn:x:1', 1, '', '');
                    INSERT INTO document (kind, id, body, modified_us) VALUES ('setting', 'a', x'226B65707422', 0);
                    """)
        }
        try queue.close()
        let record = SubscriptionRecord(
            id: "urn:s:1", body: [:], interest: Interest(wantsEveryEntity: true, operations: [.created]), endpoint: "http://a",
            classificationMax: .special, isActive: true, expiresAt: nil, since: 7, due: nil)
        try await folder.file().write { try $0.insert(record) }
        try await folder.file().write { try $0.insert(entity(1), provenance: .init(), at: noon) }
        let (setting, watched) = try await folder.file().read { snapshot in
            (try snapshot.document(.setting, "a")?.body, try snapshot.watchedChanges(limit: 9, byteCountMax: 1 << 20).map(\.seq))
        }
        #expect(setting == "kept")
        #expect(watched == [8])
    }

    @Test func `a file without registrations keeps its subscriptions and takes registrations`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0003-subscriptions")
        try await queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO subscription (id, revision, body, interest, endpoint, classification_max, active, since)
                    VALUES ('urn:s:1', 1, x'7B7D', x'7B7D', 'http://a.example', 0, 1, 0)
                    """)
        }
        try queue.close()
        let revision = try folder.file().registrations.revision
        try await folder.file().write { try $0.put(RegistrationRecord(id: "urn:r:1", body: ["a": 1], expiresAt: noon)) }
        let (isAboutSources, registrations) = try await folder.file().read { snapshot in
            (try snapshot.subscription("urn:s:1")?.isAboutSources, try snapshot.registrations().map(\.id))
        }
        #expect(isAboutSources == false)
        #expect(registrations == ["urn:r:1"])
        #expect(try folder.file().registrations.revision != revision)
        #expect(try await folder.file().read { try $0.expiredRegistrations(at: noon, limit: 9).count } == 1)
    }

    @Test func `a file with chunks and histories of what is gone keeps them, and can be thinned`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0011-passed-on-states")
        try await queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO term (id, iri) VALUES (1, 'https://example.org/Thing'), (2, 'https://example.org/level');
                    INSERT INTO past (id, iri, classification, created_us, modified_us, types) VALUES (1, 'urn:ngsi-ld:Thing:1', 0, 0, 0, '1');
                    INSERT INTO past_type (type, past) VALUES (1, 1);
                    INSERT INTO instance (entity, attribute, dataset, at_us, late_us, form, value)
                    VALUES (1, 2, '', 1000, 5, 8, 1), (1, 2, '', 2000, 5, 8, 2.5), (1, 2, '', 3000, 5, 8, 3);
                    """)
        }
        try queue.close()
        let file = try folder.file()
        #expect(try await file.read { try $0.historicEntity(IRI(known: "urn:ngsi-ld:Thing:1"), .open)?.number } == 1)
        // Which source wrote what was gone before is not known: its rule may be to keep it.
        let policy = RetentionPolicy(try RetentionTests.rule("P1D"), zone: .utc, at: noon)
        #expect(try await RetentionTests.thin(file, policy).count == 0)
        try await file.write { try $0.execute("DELETE FROM past_source", []) }
        #expect(try await RetentionTests.thin(file, policy).count == 2)
        #expect(try await file.verify().faults == [])
        #expect(try await file.read { try $0.keptSummaries(of: 1, $0.series(of: 1, .open)[0], in: nil, HistoryWindow(nil, now: noon, .open)).map(\.summary.measures.sum.value) } == [3.5])
    }

    @Test func `all files are brought to this version at once, and one that can't be holds up no other`() async throws {
        let folder = try TemporaryStore()
        for name in ["alder", "birch"] {
            try FileManager.default.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
            let queue = try DatabaseQueue(path: "\(folder.path)/\(name)/\(MunicipalityFile.fileName)")
            try Schema.migrator().migrate(queue, upTo: "0003-subscriptions")
            if name == "birch" { try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9999-from-later')") } }
            try queue.close()
        }
        var (begun, failed): ([String], [String]) = ([], [])
        func note(_ name: MunicipalityName, _ error: (any Error)?) { if error == nil { begun.append(name.text) } else { failed.append(name.text) } }
        try folder.store.migrateAll(note)
        #expect((begun, failed) == (["alder", "birch"], ["birch"]))
        try folder.store.close()
        try folder.store.migrateAll(note)
        #expect((begun, failed) == (["alder", "birch", "birch"], ["birch", "birch"]), "what is current isn't opened")
    }

    private static let placesOfThatTime = "DROP TABLE entity_place; CREATE VIRTUAL TABLE entity_place USING rtree (id, west, east, south, north, +attribute INTEGER);"

    @Test func `places are numbered anew, and each is what it was`() async throws {
        let folder = try TemporaryStore()
        var random = SplitMix(seed: 27)
        func place() -> [Attribute] {
            let (longitude, latitude) = (Double.random(in: -180...180, using: &random), Double.random(in: -90...90, using: &random))
            return [Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [.number(longitude), .number(latitude)]])]
        }
        var entities: [Entity] = []
        for number in 1...40 {
            var thing = entity(number)
            // Of the last one there are more than the index tells one by one.
            for attribute in 0..<(number == 40 ? 20 : number % 3) { thing.attributes[iri("place\(attribute)")] = place() }
            entities.append(thing)
        }
        try await folder.file().write { [entities] in for thing in entities { try $0.insert(thing, provenance: .init(), at: noon) } }
        // What a context source has in a snapshot has numbers that lie far beyond.
        let foreign = WriteTransaction.foreignNumberMin + 1
        try await folder.file().write { transaction in
            let location = try transaction.intern(iri("place0"))
            for number in [foreign, foreign + 1] {
                try transaction.execute(
                    "INSERT INTO entity_place (id, west, east, south, north) VALUES (?, 1, 1, 2, 2)", [PlaceNumber(entity: number, attribute: location, slot: 0).id])
            }
        }
        let before = try await folder.file().read { try places($0) }
        try folder.store.close()
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try await queue.write { db in
            try db.execute(sql: "CREATE TEMPORARY TABLE kept AS SELECT * FROM entity_place; \(Self.placesOfThatTime)")
            let rows = try GRDB.Row.fetchAll(db, sql: "SELECT id, west, east, south, north FROM kept")
            for row in rows {
                let place = PlaceNumber(id: row[0])
                try db.execute(
                    sql: "INSERT INTO entity_place (id, west, east, south, north, attribute) VALUES (?, ?, ?, ?, ?, ?)",
                    arguments: [place.entity * 16 + Int64(place.slot), row[1] as Double, row[2] as Double, row[3] as Double, row[4] as Double, place.attribute])
            }
            try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = '0027-numbers-of-places'")
        }
        try queue.close()
        let file = try folder.file()
        let after = try await file.read { try places($0) }
        #expect(after.keys.filter { $0.entity > foreign - 1 }.count == 2)
        let (told, attributes) = try await file.read { snapshot in
            let cursor = try snapshot.rows("SELECT id, \(PlaceNumber.entityOfRow), \(PlaceNumber.attributeOfRow) FROM entity_place")
            var (told, attributes) = ([Int64](), [Int64]())
            while let row = try cursor.next() {
                let number = PlaceNumber(id: try row.decode(Int64.self, atIndex: 0))
                #expect(try row.decode(Int64.self, atIndex: 1) == number.entity && row.decode(Int64.self, atIndex: 2) == number.attribute)
                told.append(number.entity)
                attributes.append(number.attribute)
            }
            return (told, attributes)
        }
        #expect(told.count == after.count && told.contains(foreign + 1) && told.contains(1) && attributes.count > 40)
        try await file.write { try $0.execute("DELETE FROM entity_place WHERE id < 0 OR \(PlaceNumber.entityOfRow) > 1000", []) }
        #expect(try await file.verify().faults == [])
        #expect(after == before && after.count > 40 && after.keys.contains { $0.attribute == IndexRows.anyAttribute })
    }

    private func places(_ snapshot: ReadSnapshot) throws -> [PlaceNumber: [Double]] {
        var places: [PlaceNumber: [Double]] = [:]
        let cursor = try snapshot.rows("SELECT id, west, east, south, north FROM entity_place")
        while let row = try cursor.next() {
            places[PlaceNumber(id: try row.decode(Int64.self, atIndex: 0))] = try (1...4).map { try row.decode(Double.self, atIndex: $0) }
        }
        return places
    }

    @Test func `places of what is sealed leave the index by place, and are found as before`() async throws {
        let folder = try TemporaryStore()
        var person = entity(1)
        person.attributes[.location] = [Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [2.2, 48.8]])]
        try await folder.file().write { [person] in try $0.insert(person, provenance: .init(classification: .personal), at: noon) }
        try folder.store.close()
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try await queue.write { db in
            try db.execute(
                sql: """
                    \(Self.placesOfThatTime)
                    INSERT INTO entity_place (id, west, east, south, north, attribute)
                        SELECT entity * 16, -180, 180, -90, 90, attribute FROM entity_value WHERE value = x'00';
                    DELETE FROM entity_value WHERE value = x'00';
                    DELETE FROM grdb_migrations WHERE identifier IN ('0023-sealed-places', '0027-numbers-of-places');
                    """)
            #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM entity_place") == 1)
        }
        try queue.close()
        let file = try folder.file()
        #expect(try await file.verify().faults == [])
        let near = try GeoQuery(georel: "near;maxDistance==100", geometry: "Point", coordinates: [2.2, 48.8], geoproperty: nil, expand: { _ in .location })
        let found = try await file.read { snapshot in
            #expect(try snapshot.row("SELECT count(*) FROM entity_place")?.decode(Int.self, atIndex: 0) == 0)
            return try snapshot.search(EntitySearch(filter: EntityFilter(geo: near), classificationMax: .special, limit: 9, now: noon)).entities.map(\.stored.id)
        }
        #expect(found == [entityID(1)])
    }

    @Test func `subscriptions are counted as they come and go`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0007-registrations")
        try await queue.write { db in
            for (number, isAboutSources) in [(1, 0), (2, 0), (3, 1)] {
                try db.execute(
                    sql: """
                        INSERT INTO subscription (id, revision, body, interest, endpoint, classification_max, active, since, about_sources)
                        VALUES (?, 1, x'7B7D', x'7B7D', 'http://a.example', 0, 1, 0, ?)
                        """, arguments: ["urn:s:\(number)", isAboutSources])
            }
        }
        try queue.close()
        let file = try folder.file()
        #expect(try await file.read { [try $0.subscriptionCount(), try $0.subscriptionCount(aboutSources: true)] } == [2, 1])
        await #expect(throws: CancellationError.self) {
            try await file.write { transaction in
                _ = try transaction.removeSubscription("urn:s:1")
                throw CancellationError()
            }
        }
        #expect(try await file.write { try $0.removeSubscription("urn:s:2") })
        #expect(try await file.read { [try $0.subscriptionCount(), try $0.subscriptionCount(aboutSources: true)] } == [1, 1])
        #expect(try await file.verify().faults == [])
    }

    @Test func `a file of the version before takes subscriptions that were passed on, and holds them when it is opened again`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0007-registrations")
        try await queue.write { db in
            try db.execute(sql: "INSERT INTO registration (id, body) VALUES ('urn:r:1', x'7B7D')")
        }
        try queue.close()
        var record = PassedOnRecord(id: "urn:s:2", token: "secret", subscription: "urn:s:1", registration: "urn:r:1", source: ["a": 1])
        (record.sent, record.due, record.remote) = (["b": 2], noon, "urn:x:theirs")
        (record.state, record.refused, record.endingSince) = (.unsure, ["c": 3], noon)
        try await folder.file().write { [record] in try $0.put(record) }
        try folder.store.close()
        let (all, named, unknown) = try await folder.file().read { snapshot in
            (try snapshot.passedOn(), try snapshot.passedOn(token: "secret"), try snapshot.passedOn(token: "guessed"))
        }
        #expect(all.map(\.id) == ["urn:s:2"] && unknown == nil)
        #expect(named?.sent == ["b": 2] && named?.due == noon && named?.remote == "urn:x:theirs")
        #expect(named?.state == .unsure && named?.refused == ["c": 3] && named?.endingSince == noon && named?.isEnding == true)
        #expect(try await folder.file().read { try $0.registrations().map(\.id) } == ["urn:r:1"])
        try await folder.file().write { try $0.removePassedOn("urn:s:2") }
        #expect(try await folder.file().read { try $0.passedOn().isEmpty })
    }

    @Test func `what was passed on before its state was kept counts as what may be at its source`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0010-subscription-counts")
        try await queue.write { db in
            for (id, sent, ending) in [("a", nil, 0), ("b", "x'7B7D'", 0), ("c", nil, 1)] as [(String, String?, Int)] {
                try db.execute(
                    sql: """
                        INSERT INTO passed_on (id, token, subscription, registration, source, remote, sent, ending)
                        VALUES ('\(id)', '\(id)', 'urn:s:1', 'urn:r:1', x'7B7D', '\(id)', \(sent ?? "NULL"), \(ending))
                        """)
            }
        }
        try queue.close()
        let all = try await folder.file().read { try $0.passedOn() }
        #expect(all.map(\.state) == [.perhaps, .unsure, .perhaps])
        #expect(all.map(\.isEnding) == [false, false, true])
    }
}
