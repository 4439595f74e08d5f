import Broker
import CityModel
import LinkedData
import OrderedCollections
import Policy
import Query
import Store
import Subscriptions
import Testing
import Trust

/// Consent that is withdrawn counts at once: for queries, counts, exports, subscriptions, and for what waits to be sent.
@Suite(.timeLimit(.minutes(5))) struct ConsentTests {
    private let rules = """
        rules:
          - {id: writes, effect: permit, who: {roles: token-writer}, actions: write, what: everything}
          - {id: sees-benches, effect: permit, who: {roles: token-writer}, actions: [read, subscribe], what: {types: Bench}}
          - id: asks
            description: The library sends what fits you.
            effect: permit
            who: {roles: token-writer}
            actions: [read, history, aggregate, subscribe, export]
            what: {types: Reader}
            purposes: ['dpv:ServicePersonalisation']
            consent: required
        """
    private let terms = RequestTerms(purpose: "dpv:ServicePersonalisation")
    private static let me = "urn:x:reader"

    private struct Scene {
        let city: City
        let gatekeeper: Gatekeeper
        let token: Credential
        let signedIn: SignedIn

        func reading(_ terms: RequestTerms, to action: AccessAction = .read) async throws -> ReadAccess {
            try await gatekeeper.reading(.standard, token, terms, to: action)
        }

        func set(_ id: String, _ type: String, _ level: Int64, about subject: String? = nil) async throws {
            var attributes: Attributes = [name("level"): [Attribute(kind: .property, value: .integer(level))]]
            if let subject { attributes[.dataSubject] = [Attribute(kind: .property, value: .string(subject))] }
            let observed = ObservedEntity(id: IRI(known: id), types: [name(type)], attributes: attributes)
            _ = try await city.broker.record([observed], provenance: .init(classification: .personal), city.access(), at: city.clock.now)
        }
    }

    private func scene() async throws -> Scene {
        let city = try City()
        _ = try city.store.file(.standard, creating: true)
        let access = try await city.gatekeeper.administering(.standard, .program)
        try await city.gatekeeper.setPolicies(access, [.init(name: "rules.yaml", text: rules)], now: city.clock.now)
        let token = try await city.gatekeeper.createToken(access, name: "library", right: .write, now: city.clock.now).text
        var settings = AccountSettings()
        settings.cost = PasswordCost(roundsExponent: 4)
        let accounts = Accounts(store: city.store, settings: settings)
        let gatekeeper = Gatekeeper(store: city.store, isOpen: false, accounts: accounts)
        _ = try await accounts.create(access, login: "ada", name: "Ada", roles: ["resident"], at: city.clock.now)
        let invitation = try await accounts.invite(access, "ada", at: city.clock.now)
        let outcome = try await accounts.accept(
            invitation, login: "", name: "", password: "ostrich ladder nineteen", from: Visitor(address: "203.0.113.7"), at: city.clock.now)
        guard case .signedIn(let session, _) = outcome else { throw CityError.forbidden("\(outcome)") }
        let signedIn = try #require(try await accounts.signedIn(session, at: city.clock.now))
        return Scene(city: city, gatekeeper: gatekeeper, token: .bearer(token), signedIn: signedIn)
    }

    private func subscribe(_ scene: Scene) async throws {
        let document = """
            {"type":"Subscription","id":"urn:x:library","entities":[{"type":"Reader"},{"type":"Bench"}],"notification":{"endpoint":{"uri":"http://a.example/n"}}}
            """
        let members = try #require(try JSON(parsing: Array(document.utf8)).objectValue)
        _ = try await scene.city.subscriptions.create(
            members, .core, contextAddress: { "http://localhost/contexts/\($0)" }, scene.gatekeeper.writing(.standard, scene.token, terms), at: scene.city.clock.now)
    }

    private func acts(_ city: City) async throws -> [JSON] {
        try await city.store.file(.standard).read { snapshot in
            try snapshot.ledgerRows(from: 0, limit: 1000).compactMap { try $0.text.map { try JSON(parsing: $0.entry) } }
        }
    }

    @Test func `only purposes for which rules ask consent are offered, and only they can be consented to`() async throws {
        let scene = try await scene()
        let asked = try await scene.gatekeeper.askedConsents(scene.signedIn)
        #expect(asked.map(\.purpose.id) == ["dpv:ServicePersonalisation"] && asked.first?.reasons == ["The library sends what fits you."])
        await #expect(throws: CityError.self) {
            try await scene.gatekeeper.giveConsent(scene.signedIn, to: "dpv:Marketing", language: "en", at: scene.city.clock.now)
        }
        try await scene.city.close()
    }

    @Test func `consent is a record of its own each time, and each act is in the ledger without a name`() async throws {
        let scene = try await scene()
        let (gatekeeper, signedIn, city) = (scene.gatekeeper, scene.signedIn, scene.city)
        for _ in 0..<2 {
            try await gatekeeper.giveConsent(signedIn, to: "dpv:ServicePersonalisation", language: "fr", at: city.clock.now)
            try await gatekeeper.giveConsent(signedIn, to: "dpv:ServicePersonalisation", language: "fr", at: city.clock.now)
            city.clock.advance(seconds: 1)
            try await gatekeeper.withdrawConsent(signedIn, to: "dpv:ServicePersonalisation", at: city.clock.now)
            city.clock.advance(seconds: 1)
        }
        let consents = try await gatekeeper.consents(signedIn)
        #expect(consents.count == 2 && consents.allSatisfy { $0.withdrawnAt != nil })
        let record = try #require(consents.first?.record)
        #expect(record["event"]?.arrayValue?.map { $0["event_state"] } == ["consent-given", "consent-withdrawn"])
        #expect(record["pii_processing"]?["purposes"]?.arrayValue?.first?["purpose"] == "https://w3id.org/dpv#ServicePersonalisation")
        #expect(record["pii_processing"]?["privacy_notice"]?["language"] == "fr" && record["pii_principal_id"]?.stringValue == signedIn.subject)
        let acts = try await acts(city).filter { $0["act"]?.stringValue?.hasPrefix("consent-") == true }
        #expect(acts.map { $0["act"] } == ["consent-given", "consent-withdrawn", "consent-given", "consent-withdrawn"])
        #expect(acts.allSatisfy { !$0.description.contains(signedIn.account.id) && $0["by"]?.stringValue?.hasPrefix("person:") == true })
        try await city.close()
    }

    @Test func `what rests on consent is shown while it holds, and to nobody from its withdrawal on`() async throws {
        let scene = try await scene()
        let (gatekeeper, signedIn, city) = (scene.gatekeeper, scene.signedIn, scene.city)
        try await scene.set(Self.me, "Reader", 1, about: signedIn.subject)
        let query = EntityQuery(filter: EntityFilter(types: .type(name("Reader"))), limit: 10, wantsCount: true)
        func seen(_ terms: RequestTerms) async throws -> [Int] {
            let (reading, exporting) = (try await scene.reading(terms), try await scene.reading(terms, to: .export))
            let page = try await city.broker.query(query, reading, at: city.clock.now)
            let exported = try await city.broker.entities(after: 0, limit: 10, exporting, at: city.clock.now).entities.count
            return [page.entities.count, page.count ?? -1, exported]
        }
        #expect(try await seen(terms) == [0, 0, 0])
        let before = try await city.broker.incarnation(scene.reading(terms))
        try await gatekeeper.giveConsent(signedIn, to: "dpv:ServicePersonalisation", language: "en", at: city.clock.now)
        #expect(try await seen(terms) == [1, 1, 1])
        #expect(try await seen(.none) == [0, 0, 0], "not for another purpose")
        #expect(try await city.broker.incarnation(scene.reading(terms)) != before, "what pages keep in memory is worth nothing any more")
        try await gatekeeper.withdrawConsent(signedIn, to: "dpv:ServicePersonalisation", at: city.clock.now)
        #expect(try await seen(terms) == [0, 0, 0])
        try await city.close()
    }

    @Test func `who subscribed is told while consent holds, and what waits is taken back`() async throws {
        let scene = try await scene()
        let (gatekeeper, signedIn, city) = (scene.gatekeeper, scene.signedIn, scene.city)
        try await subscribe(scene)
        try await gatekeeper.giveConsent(signedIn, to: "dpv:ServicePersonalisation", language: "en", at: city.clock.now)
        try await scene.set(Self.me, "Reader", 1, about: signedIn.subject)
        #expect(try await city.receivers.wait(for: 1).first?.value("level") == 1)
        let told = try await acts(city).filter { $0["act"] == "personal-data-used" }
        #expect(told.contains { $0["about"]?.stringValue == signedIn.subject && $0["details"]?["action"] == "subscribe" }, "\(told)")
        // The endpoint fails now, so that notifications wait.
        city.receivers.fail("http://a.example/n", count: 1)
        try await scene.set(Self.me, "Reader", 2, about: signedIn.subject)
        func waiting() async throws -> Int {
            try await city.store.file(.standard).read { try $0.outbox(of: "urn:x:library", limit: 10, byteCountMax: 1 << 20).filter { $0.attemptCount > 0 }.count }
        }
        while try await waiting() == 0 { await Task.yield() }
        try await gatekeeper.withdrawConsent(signedIn, to: "dpv:ServicePersonalisation", at: city.clock.now)
        #expect(try await city.store.file(.standard).read { try $0.outboxSize(of: "urn:x:library")?.count } == 0)
        try await scene.set(Self.me, "Reader", 3, about: signedIn.subject)
        // What comes after it arrives: so it was passed over, and not late.
        try await scene.set("urn:x:bench", "Bench", 4)
        city.clock.advance(seconds: 3600)
        let received = try await city.receivers.wait(for: 2)
        #expect(received.map { $0.value("level") } == [1, 4])
        try await city.close()
    }
}
