import CityModel
import Foundation
import GRDB
@testable import Store
import Testing

/// What members of staff call their views of the desk: in no file as it is, and gone with whose they are.
@Suite struct DeskViewTests {
    private static let marker = "Cases of Quillfeather"
    private let views: JSON = ["views": [["id": 1, "name": .string(Self.marker), "narrowing": "view=mine"]]]

    private func account(_ id: String) -> AccountRecord { AccountRecord(id: id, login: "\(id)@example.org", name: id, roles: ["owner-department"], createdAt: noon) }

    private func traces(in folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).filter { path in
            FileManager.default.contents(atPath: "\(folder)/\(path)")?.range(of: Data(Self.marker.utf8)) != nil
        }
    }

    @Test func `views are somebody's own, plain in no file, and gone with the account`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            for id in ["a1", "a2"] { try transaction.put(account(id)) }
            try transaction.putDeskViews(views, of: "a1")
        }
        #expect(try await file.read { try [$0.deskViews(of: "a1"), $0.deskViews(of: "a2")] } == [views, nil])
        try await file.write { try $0.put(account("a1")) }
        #expect(try await file.read { try $0.deskViews(of: "a1") } == views, "an account that changes keeps them")
        #expect(try traces(in: folder.path) == [])
        await #expect(throws: (any Error).self, "of nobody") { try await file.write { try $0.putDeskViews(views, of: "a3") } }
        _ = try await file.write { try $0.removeAccount("a1") }
        #expect(try await file.read { try $0.row("SELECT count(*) FROM desk_views", [])?.decode(Int.self, atIndex: 0) } == 0)
        #expect(try await file.verify().faults == [])
    }

    @Test func `with the key of whom they are they are gone, from a backup too`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            try transaction.put(account("a1"))
            try transaction.putDeskViews(views, of: "a1")
        }
        let backup = folder.path + "/backup"
        try await file.copy(to: backup)
        try await folder.store.destroyKeys(of: "account:a1", in: TemporaryStore.name, at: noon)
        #expect(try await file.read { try $0.deskViews(of: "a1") } == nil)
        try folder.store.remove(TemporaryStore.name)
        _ = try await folder.store.restore(TemporaryStore.name, from: backup)
        #expect(try await folder.file().read { try $0.deskViews(of: "a1") } == nil)
    }

    @Test func `a file of the version before keeps its accounts and takes views`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0021-cases")
        try await queue.write { db in
            try db.execute(
                sql: "INSERT INTO account (id, login, name, roles, disabled, code_step, created_us) VALUES ('a1', 'ana', 'Ana', 'owner-department', 0, 0, 0)")
        }
        try queue.close()
        let file = try folder.file()
        #expect(try await file.read { try $0.deskViews(of: "a1") } == nil)
        try await file.write { try $0.putDeskViews(views, of: "a1") }
        #expect(try await file.read { try $0.deskViews(of: "a1") } == views)
        try await file.write { try $0.putDeskViews(nil, of: "a1") }
        #expect(try await file.read { try $0.deskViews(of: "a1") } == nil)
    }
}
