import CityModel
import Foundation
import Store
import Testing
import Trust

@Suite struct GatekeeperTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "conurb-\(UUID().uuidString)").path
        let store: Store
        let gatekeeper: Gatekeeper
        static let alder = MunicipalityName("alder")!
        static let birch = MunicipalityName("birch")!

        init(isOpen: Bool = false) throws {
            store = try Store(directory: path)
            gatekeeper = Gatekeeper(store: store, isOpen: isOpen)
            for name in [Self.alder, Self.birch] { _ = try store.file(name, creating: true) }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func token(_ right: Right) async throws -> (text: String, token: Token) {
            let access = try await gatekeeper.administering(Self.alder, .program)
            return try await gatekeeper.createToken(access, name: "test", right: right, now: .now)
        }
    }

    @Test(arguments: Right.allCases)
    func `a token gives its right and those below it`(right: Right) async throws {
        let folder = try Folder()
        let credential = Credential.bearer(try await folder.token(right).text)
        #expect(try await folder.gatekeeper.reading(Folder.alder, credential).classificationMax == .special)
        func isAllowed(_ body: () async throws -> Void) async -> Bool { do { try await body(); return true } catch { return false } }
        #expect(await isAllowed { _ = try await folder.gatekeeper.writing(Folder.alder, credential) } == (right >= .write))
        #expect(await isAllowed { _ = try await folder.gatekeeper.administering(Folder.alder, credential) } == (right >= .administer))
    }

    @Test func `a token is of no use in another municipality`() async throws {
        let folder = try Folder()
        let credential = Credential.bearer(try await folder.token(.administer).text)
        await #expect(throws: CityError.self) { try await folder.gatekeeper.reading(Folder.birch, credential) }
        #expect(throws: CityError.self) { try folder.gatekeeper.installation(credential) }
    }

    @Test func `a revoked token is refused at once`() async throws {
        let folder = try Folder()
        let (text, token) = try await folder.token(.write)
        _ = try await folder.gatekeeper.writing(Folder.alder, .bearer(text))
        let access = try await folder.gatekeeper.administering(Folder.alder, .program)
        #expect(try await folder.gatekeeper.revokeToken(access, id: token.id, now: .now))
        #expect(try await !folder.gatekeeper.revokeToken(access, id: token.id, now: .now))
        await #expect(throws: CityError.self) { try await folder.gatekeeper.writing(Folder.alder, .bearer(text)) }
    }

    @Test func `without a credential one reads what is open and writes nothing`() async throws {
        let folder = try Folder()
        #expect(try await folder.gatekeeper.reading(Folder.alder, .none).classificationMax == .open)
        await #expect(throws: CityError.self) { try await folder.gatekeeper.writing(Folder.alder, .none) }
        #expect(throws: CityError.self) { try folder.gatekeeper.installation(.none) }
    }

    @Test func `an open installation asks nobody`() async throws {
        let folder = try Folder(isOpen: true)
        #expect(try await folder.gatekeeper.administering(Folder.alder, .none).writing.reading.principal == .openInstallation)
    }

    @Test func `the text of a token is not in the file`() async throws {
        let folder = try Folder()
        let text = try await folder.token(.read).text
        try folder.store.close()
        let data = try Data(contentsOf: URL(filePath: "\(folder.path)/alder/\(MunicipalityFile.fileName)"))
        let secret = Data(text.split(separator: "_").last!.utf8)
        #expect(data.range(of: secret) == nil)
    }

    @Test func `two tokens differ`() async throws {
        let folder = try Folder()
        let texts = try await [folder.token(.read).text, folder.token(.read).text]
        #expect(texts[0] != texts[1])
        #expect(texts[0].count >= 64)
    }
}
