import CityModel
import Foundation
import GRDB
import OrderedCollections
@testable import Store
import Testing

/// Finding what stands at an address, or is a street, by the words that people use.
@Suite struct AddressTests {
    private static func addressed(_ number: Int, _ address: JSON) -> Entity { entity(number, type: "Shop", attributes: [iri("address"): property(address)]) }
    private static func street(_ number: Int, _ name: String) -> Entity { entity(number, type: "RoadSegment", attributes: [iri("name"): property(.string(name))]) }

    private static let all: [(Entity, Classification)] = [
        (addressed(1, ["streetAddress": "12 bis, rue de l’Évêché", "addressLocality": "Valmère"]), .open), (addressed(2, ["streetAddress": "Rue de l'Évêché", "streetNr": 14]), .open),
        (addressed(3, "Calle de la Cruz 7"), .open), (street(4, "Rue de l’Évêché"), .open), (street(5, "RUE DU 8 MAI 1945"), .open),
        (addressed(6, ["streetAddress": "12 rue Interne"]), .internalUse), (addressed(7, ["streetAddress": "12 rue Secrète"]), .personal),
        (entity(8, type: "Shop", attributes: [iri("name"): property("Rue des Lilas")]), .open), (addressed(9, ["postalCode": "34000", "noise": [1, ["deep": 2]]]), .open),
    ]

    private func file(_ folder: TemporaryStore) async throws -> MunicipalityFile {
        let file = try folder.file()
        try await file.write { transaction in
            for (entity, classification) in Self.all { try transaction.insert(entity, provenance: .init(classification: classification), at: noon) }
        }
        return file
    }

    private func found(_ text: String, _ file: MunicipalityFile, _ classificationMax: Classification = .open, limit: Int = 9) async throws -> [IRI] {
        try await file.read { try $0.addressed(AddressWords.split(text), classificationMax, at: noon, limit: limit).map(\.entity.id).sorted() }
    }

    @Test(arguments: [
        ("rue de l'eveche", [1, 2, 4]), ("12 BIS rue de l’évêché", [1]), ("Évêché 14", [2]), ("rue de l'Évêché, Valmère", [1]), ("cruz", [3]), ("8 mai 1945", [5]),
        ("rue des lilas", []), ("rue secrete", []), ("rue interne", []), ("boulevard", []), ("", []), ("34000", []),
    ])
    func `an address is found by its words, whatever their case and accents`(text: String, numbers: [Int]) async throws {
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        let file = try await file(folder)
        #expect(try await found(text, file) == numbers.map(entityID))
    }

    @Test func `what may not be seen is not found, and what is sealed by nobody`() async throws {
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        let file = try await file(folder)
        #expect(try await found("rue interne", file, .internalUse) == [entityID(6)])
        #expect(try await found("rue secrete", file, .special) == [])
        #expect(try await file.read { try $0.row("SELECT 1 FROM entity_address WHERE word = 'secrete'", []) == nil })
        #expect(try await found("rue", file, limit: 2).count == 2)
    }

    @Test func `words follow their entity`() async throws {
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        let file = try await file(folder)
        try await file.write { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            try transaction.update(stored, from: transaction.entity(stored), to: Self.addressed(1, "Quai Neuf 3"), provenance: .init(), at: noon)
            let gone = try #require(try transaction.storedEntity(entityID(2)))
            try transaction.delete(gone, transaction.entity(gone), at: noon)
            let sealed = try #require(try transaction.storedEntity(entityID(3)))
            try transaction.update(sealed, from: transaction.entity(sealed), to: transaction.entity(sealed), provenance: .init(classification: .personal), at: noon)
        }
        #expect(try await found("eveche", file) == [entityID(4)])
        #expect(try await found("quai neuf", file) == [entityID(1)])
        #expect(try await found("cruz", file, .special) == [])
        #expect(try await file.verify().faults == [])
    }

    @Test func `a text has so many words at most`() {
        #expect(AddressWords.split(String(repeating: "a ", count: 400)).count == 32)
        #expect(AddressWords.split(String(repeating: "a", count: 60)).count == 1)
        #expect(AddressWords.split(String(repeating: "a", count: 61)).isEmpty)
        #expect(AddressWords.split("  ...  ") == [])
        #expect(AddressWords.split("شارع ٨ مايو") == ["شارع", "٨", "مايو"])
    }

    @Test func `a file of the version before gets its words when it is opened`() async throws {
        let folder = try TemporaryStore()
        let before = try await file(folder)
        let path = "\(folder.path)/alder/\(MunicipalityFile.fileName)"
        let words = try await before.read { try $0.row("SELECT count(*) FROM entity_address", [])?.decode(Int.self, atIndex: 0) }
        try folder.store.close()
        // As the version before left it.
        let queue = try DatabaseQueue(path: path)
        try await queue.write { db in
            try db.execute(sql: "DROP TABLE entity_address; DROP TABLE unread_address; DELETE FROM grdb_migrations WHERE identifier = '0025-addresses'; PRAGMA user_version = 0")
        }
        try queue.close()
        let file = try folder.file()
        #expect(try await file.read { try $0.row("SELECT count(*) FROM entity_address", [])?.decode(Int.self, atIndex: 0) } == words)
        #expect(try await found("rue de l'eveche", file) == [1, 2, 4].map(entityID))
        #expect(try await file.verify().faults == [])
    }
}
