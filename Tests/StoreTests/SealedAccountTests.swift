import CityModel
import Foundation
import GRDB
@testable import Store
import Testing

/// What accounts are called and sign in with: in no file as it is, and gone with the key of whom it is.
@Suite struct SealedAccountTests {
    private static let (login, name) = ("marie.dupont@montpellier.example", "Marie Dupont-Lagrange")

    private func account(_ id: String = "a1", login: String = Self.login, name: String = Self.name) -> AccountRecord {
        AccountRecord(id: id, login: login, name: name, roles: ["resident"], createdAt: noon)
    }

    private func traces(in folder: String) throws -> [String] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return paths.filter { path in
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(path)") else { return false }
            return data.range(of: Data(Self.login.utf8)) != nil || data.range(of: Data(Self.name.utf8)) != nil
        }
    }

    @Test func `who has an account lies plain in no file, and is found by the login alone`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            try transaction.put(account())
            try transaction.put(account("a2", login: "ana@example.org", name: "Ana"))
        }
        #expect(try await file.read { try $0.account(login: Self.login) } == account())
        #expect(try await file.read { try $0.account("a1")?.name } == Self.name)
        #expect(try await file.read { try $0.account(login: "nobody") } == nil)
        #expect(try await file.read { try $0.accounts().map(\.login) } == ["ana@example.org", Self.login], "in the order of logins, not of digests")
        await #expect(throws: (any Error).self, "nobody else has the login") { try await file.write { try $0.put(account("a3")) } }
        try await file.copy(to: folder.path + "/backup")
        #expect(try traces(in: folder.path) == [])
        try folder.store.close()
        #expect(try traces(in: folder.path) == [])
    }

    @Test func `with the key goes the account, from a backup too`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            try transaction.put(account())
            try transaction.put(account("a2", login: "ana@example.org", name: "Ana"))
        }
        let backup = folder.path + "/backup"
        try await file.copy(to: backup)
        try await folder.store.destroyKeys(of: "account:a1", in: TemporaryStore.name, at: noon)
        #expect(try await file.read { try $0.accounts().map(\.name) } == ["Ana"])
        try folder.store.remove(TemporaryStore.name)
        _ = try await folder.store.restore(TemporaryStore.name, from: backup)
        #expect(try await folder.file().read { try $0.accounts().map(\.name) } == ["Ana"])
        #expect(try await folder.file().read { try $0.account(login: Self.login) } == nil)
    }

    @Test func `accounts of a file from before are sealed when it is opened`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let path = "\(folder.path)/alder/\(MunicipalityFile.fileName)"
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator().migrate(queue, upTo: "0016-consents")
        try await queue.write { db in
            try db.execute(
                sql: "INSERT INTO account (id, login, name, roles, disabled, code_step, created_us) VALUES ('a1', ?, ?, 'resident', 0, 0, ?)",
                arguments: [Self.login, Self.name, noon.microseconds])
        }
        try queue.close()
        #expect(try traces(in: folder.path) == ["alder/\(MunicipalityFile.fileName)"], "the search finds what it looks for")
        #expect(try await folder.file().read { try $0.account(login: Self.login) } == account())
        #expect(try traces(in: folder.path) == [])
    }
}
