import CityModel
import Foundation
import LinkedData
import Policy
import Store
import Testing

@testable import Trust

@Suite struct TokenTests {
    private final class City {
        let path = FileManager.default.temporaryDirectory.appending(path: "conurb-\(UUID().uuidString)").path
        let store: Store
        let accounts: Accounts
        static let alder = MunicipalityName("alder")!
        static let noon = Instant("2026-06-01T12:00:00Z")!

        init() throws {
            store = try Store(directory: path)
            var settings = AccountSettings()
            settings.cost = lightCost
            accounts = Accounts(store: store, settings: settings)
            _ = try store.file(Self.alder, creating: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// Who decides at a moment.
        func gatekeeper(at moment: Instant = noon) -> Gatekeeper { Gatekeeper(store: store, isOpen: false, accounts: accounts, now: { moment }) }

        var access: AdministerAccess { get async throws { try await gatekeeper().administering(Self.alder, .program) } }

        func token(_ right: Right, expiresAt: Instant? = nil, _ change: (inout TokenScope) -> Void = { _ in }) async throws -> Credential {
            var scope = TokenScope(right: right)
            change(&scope)
            let order = TokenOrder(name: "test", scope: scope, expiresAt: expiresAt)
            return .bearer(try await gatekeeper().createToken(access, order, now: Self.noon).text)
        }

        func member(_ roles: [String]) async throws -> SignedIn {
            let access = try await access
            _ = try await accounts.create(access, login: "marie", name: "Marie", roles: roles, at: Self.noon)
            let invitation = try await accounts.invite(access, "marie", at: Self.noon)
            let outcome = try await accounts.accept(
                invitation, login: "", name: "", password: "ostrich ladder nineteen", from: Visitor(address: "203.0.113.7"), at: Self.noon)
            guard case .signedIn(let session, _) = outcome else { throw CityError.forbidden("\(outcome)") }
            return try #require(try await accounts.signedIn(session, at: Self.noon))
        }
    }

    private static func type(_ name: String) throws -> IRI { try #require(Context.core.expand(name)) }

    private func refusal(_ body: () async throws -> Void) async -> CityError? {
        do { try await body(); return nil } catch { return error as? CityError }
    }

    @Test func `a token ends when it says, to the moment`() async throws {
        let city = try City()
        let end = City.noon.adding(seconds: 86_400)
        let credential = try await city.token(.read, expiresAt: end)
        _ = try await city.gatekeeper(at: end.adding(seconds: -1)).reading(City.alder, credential)
        guard case .unauthenticated? = await refusal({ _ = try await city.gatekeeper(at: end).reading(City.alder, credential) }) else {
            throw CityError.forbidden("an expired token is taken")
        }
    }

    @Test func `tokens from before are read, and have no end`() async throws {
        let city = try City()
        let text = Token.randomText(municipality: City.alder)
        try await city.store.file(City.alder).write { transaction in
            let old: JSON = ["id": "abc", "name": "old", "right": "write", "createdAt": "2026-01-01T00:00:00Z"]
            try transaction.put(.token, Token.digest(of: text), old, at: City.noon)
        }
        let late = city.gatekeeper(at: City.noon.adding(seconds: 400_000_000))
        _ = try await late.writing(City.alder, .bearer(text))
        let listed = try await late.tokens(city.access)
        #expect(listed.map(\.id) == ["abc"] && listed[0].expiresAt == nil && listed[0].owner == nil)
        #expect(try await late.revokeToken(city.access, id: "abc", now: City.noon))
    }

    @Test func `a token that is held to types and sources reaches nothing else`() async throws {
        let city = try City()
        let lamp = try Self.type("Lamp")
        let credential = try await city.token(.write) { ($0.types, $0.sources) = ([lamp], ["lamps"]) }
        let access = try await city.gatekeeper().writing(City.alder, credential)
        let ruling = try #require(access.reading.sight.ruling)
        func isSeen(_ types: Set<IRI>, _ source: String?) -> Bool {
            access.reading.sight.shows(ruling.verdict(on: ResourceFacts(types: types, classification: .personal, source: source))) != nil
        }
        let other = try Self.type("Person")
        #expect(isSeen([lamp], "lamps") && isSeen([other, lamp], "lamps"))
        #expect(!isSeen([other], "lamps") && !isSeen([lamp], "others") && !isSeen([lamp], nil) && !isSeen([], "lamps"))
        #expect(access.permit != nil)
        let claimant = try #require(access.reading.claimant)
        #expect(Claimant(claimant.json) == claimant, "what it is held to stays with what it leaves behind")
    }

    @Test func `the key of a device writes, and sees nothing`() async throws {
        let city = try City()
        let lamp = try Self.type("Lamp")
        let credential = try await city.token(.write) { scope in
            (scope.isDevice, scope.types, scope.sources, scope.identifierPrefix) = (true, [lamp], ["lamps"], "urn:ngsi-ld:Lamp:7")
        }
        let gatekeeper = city.gatekeeper()
        let access = try await gatekeeper.writing(City.alder, credential)
        guard case .forbidden? = await refusal({ _ = try await gatekeeper.reading(City.alder, credential) }) else { throw CityError.forbidden("it reads") }
        guard case .forbidden? = await refusal({ _ = try await gatekeeper.administering(City.alder, credential) }) else { throw CityError.forbidden("it administers") }
        #expect(access.reading.sight.ruling?.isNothing == true)
        #expect(throws: CityError.self) { try access.checkIsMore() }
        try access.checkFeeding("lamps")
        #expect(throws: CityError.self) { try access.checkFeeding("others") }
        let permit = try #require(access.permit)
        #expect(permit.identifierPrefix == "urn:ngsi-ld:Lamp:7" && permit.erasing.ruling?.isNothing == true)
        func mayWrite(_ types: Set<IRI>, _ classification: Classification) throws -> Bool {
            permit.writing.shows(try #require(permit.writing.ruling).verdict(on: ResourceFacts(types: types, classification: classification, source: "lamps"))) != nil
        }
        #expect(try mayWrite([lamp], .internalUse))
        #expect(try !mayWrite([lamp], .personal), "the rules about devices hold too")
        #expect(try !mayWrite([try Self.type("Person")], .open))
    }

    @Test func `a token that is held to purposes is good for them alone`() async throws {
        let city = try City()
        let one = try await city.token(.read) { $0.purposes = ["dpv:ServiceProvision"] }
        let two = try await city.token(.read) { $0.purposes = ["dpv:ServiceProvision", "dpv:EnforceSecurity"] }
        let gatekeeper = city.gatekeeper()
        func purpose(_ credential: Credential, _ stated: String?) async throws -> String? {
            try await gatekeeper.reading(City.alder, credential, RequestTerms(purpose: stated)).claimant?.terms.purpose
        }
        #expect(try await purpose(one, nil) == "dpv:ServiceProvision", "there is nothing else that it could be for")
        #expect(try await purpose(two, "dpv:EnforceSecurity") == "dpv:EnforceSecurity")
        for (credential, stated) in [(one, "dpv:EnforceSecurity"), (two, nil), (two, "dpv:Marketing"), (one, "nonsense")] {
            guard case .forbidden? = await refusal({ _ = try await purpose(credential, stated) }) else { throw CityError.forbidden("\(stated ?? "-")") }
        }
    }

    @Test func `one's own token acts as its owner does, narrowed, and only as long as that one may`() async throws {
        let city = try City()
        let signedIn = try await city.member(["steward"])
        let gatekeeper = city.gatekeeper()
        func own(_ right: Right, days: Int = 90) async throws -> (text: String, token: Token) {
            let order = TokenOrder(name: "mine", scope: TokenScope(right: right), expiresAt: TokenOrder.end(after: days, at: City.noon))
            return try await gatekeeper.createOwnToken(signedIn, order, now: City.noon)
        }
        guard case .forbidden? = await refusal({ _ = try await own(.administer) }) else { throw CityError.forbidden("more than the account") }
        guard case .badRequestData? = await refusal({ _ = try await own(.read, days: 366) }) else { throw CityError.forbidden("for too long") }
        let (reader, writer) = try await (own(.read), own(.write, days: 365))
        let access = try await gatekeeper.writing(City.alder, .bearer(writer.text))
        #expect(access.reading.claimant?.requester.account == "account:\(signedIn.account.id)" && access.reading.claimant?.requester.roles == [.steward])
        #expect(access.reading.principal == .token(writer.token.id))
        await #expect(throws: CityError.self) { try await gatekeeper.writing(City.alder, .bearer(reader.text)) }
        #expect(try await gatekeeper.ownTokens(signedIn).count == 2)
        // With other roles it is worth less; without an account that counts, nothing.
        _ = try await city.accounts.change(city.access, "marie", roles: ["resident"], at: City.noon)
        await #expect(throws: CityError.self) { try await gatekeeper.writing(City.alder, .bearer(writer.text)) }
        _ = try await gatekeeper.reading(City.alder, .bearer(writer.text))
        for endsAt in [nil, City.noon] as [Instant?] {
            _ = try await city.accounts.change(city.access, "marie", endsAt: .some(endsAt), isDisabled: endsAt == nil, at: City.noon)
            guard case .unauthenticated? = await refusal({ _ = try await gatekeeper.reading(City.alder, .bearer(reader.text)) }) else {
                throw CityError.forbidden("an account that is not to be used lets its token in")
            }
        }
        _ = try await city.accounts.change(city.access, "marie", endsAt: .some(nil), isDisabled: false, at: City.noon)
        #expect(try await gatekeeper.revokeOwnToken(signedIn, id: reader.token.id, now: City.noon))
        await #expect(throws: CityError.self) { try await gatekeeper.reading(City.alder, .bearer(reader.text)) }
        try await city.accounts.remove(city.access, "marie", at: City.noon)
        #expect(try await gatekeeper.tokens(city.access).isEmpty)
    }

    @Test func `nobody revokes what is not his own`() async throws {
        let city = try City()
        let signedIn = try await city.member(["steward"])
        _ = try await city.token(.read)
        let gatekeeper = city.gatekeeper()
        let id = try #require(try await gatekeeper.tokens(city.access).first?.id)
        #expect(try await !gatekeeper.revokeOwnToken(signedIn, id: id, now: City.noon))
        #expect(try await gatekeeper.ownTokens(signedIn).isEmpty)
    }

    @Test func `the day of the last use is written once a day, and beside the request`() async throws {
        let city = try City()
        let credential = try await city.token(.read)
        let gatekeeper = city.gatekeeper()
        func lastUse() async throws -> String? { try await gatekeeper.tokens(city.access).first?.lastUsedOn }
        _ = try await gatekeeper.reading(City.alder, credential)
        #expect(try await lastUse() == nil)
        try await gatekeeper.writeTokenUses(at: City.noon)
        #expect(try await lastUse() == "2026-06-01")
        _ = try await gatekeeper.reading(City.alder, credential)
        #expect(gatekeeper.uses.take().isEmpty, "that day is known already")
        let morning = city.gatekeeper(at: City.noon.adding(seconds: 86_400))
        _ = try await morning.reading(City.alder, credential)
        let id = try #require(try await gatekeeper.tokens(city.access).first?.id)
        #expect(try await gatekeeper.revokeToken(city.access, id: id, now: City.noon))
        try await morning.writeTokenUses(at: City.noon)
        #expect(try await gatekeeper.tokens(city.access).isEmpty, "what was revoked does not come back")
    }

    @Test func `what a token is held to is checked when it is made, and stands in the ledger`() async throws {
        let city = try City()
        let faults: [(TokenScope) -> TokenScope] = [
            { var scope = $0; scope.purposes = ["dpv:NoSuchPurpose"]; return scope }, { var scope = $0; scope.types = []; return scope },
            { var scope = $0; scope.sources = [""]; return scope }, { var scope = $0; scope.identifierPrefix = "urn:"; return scope },
            { var scope = $0; scope.isDevice = true; return scope },
            { var scope = $0; (scope.isDevice, scope.right, scope.sources) = (true, .read, ["lamps"]); return scope },
        ]
        for fault in faults {
            guard case .badRequestData? = await refusal({ _ = try await city.token(.write) { $0 = fault($0) } }) else { throw CityError.forbidden("\(fault(TokenScope(right: .write)))") }
        }
        for end in [City.noon, City.noon.adding(seconds: -1), TokenOrder.end(after: 3651, at: City.noon)] {
            guard case .badRequestData? = await refusal({ _ = try await city.token(.read, expiresAt: end) }) else { throw CityError.forbidden("\(end)") }
        }
        let end = TokenOrder.end(after: 90, at: City.noon)
        _ = try await city.token(.write, expiresAt: end) { ($0.isDevice, $0.sources) = (true, ["lamps"]) }
        let accountability = Accountability(store: city.store, ring: KeyRing(directory: city.store.keysDirectory))
        let entries = try await accountability.entries(from: 0, limit: 10, city.access).map { try JSON(parsing: #require($0.text).entry) }
        #expect(entries.map { $0["act"] } == ["token-created"])
        let details = try #require(entries[0]["details"])
        #expect(details["role"] == "device" && details["sources"] == ["lamps"] && details["expiresAt"] == .string(end.description) && details["right"] == "write")
    }
}
