import Broker
import CityModel
import LinkedData
import OrderedCollections
import Policy
import Store
import Subscriptions
import Testing
import Trust

/// What subscriptions tell under rules of access.
@Suite(.timeLimit(.minutes(10))) struct RuledSubscriptionTests {
    private let everythingButLamps = """
        rules:
          - {id: writes, effect: permit, who: {roles: token-writer}, actions: [read, write], what: everything}
          - {id: told, effect: permit, who: {roles: token-writer}, actions: subscribe, what: {types: Lamp}, narrow: {attributes: {only: level}}}
        """

    private func told(_ rules: String, _ city: City) async throws {
        let access = try await city.gatekeeper.administering(.standard, .program)
        _ = try city.store.file(.standard, creating: true)
        try await city.gatekeeper.setPolicies(access, [.init(name: "rules.yaml", text: rules)], now: city.clock.now)
    }

    /// Somebody with a token subscribes to everything that has a level.
    private func subscribe(_ city: City) async throws {
        let access = try await city.gatekeeper.administering(.standard, .program)
        let token = try await city.gatekeeper.createToken(access, name: "test", right: .write, now: city.clock.now).text
        let asker = Gatekeeper(store: city.store, isOpen: false)
        let document = """
            {"type":"Subscription","id":"urn:x:ruled","entities":[{"type":"Lamp"},{"type":"Bench"}],"notification":{"endpoint":{"uri":"http://a.example/n"}}}
            """
        let members = try #require(try JSON(parsing: Array(document.utf8)).objectValue)
        _ = try await city.subscriptions.create(
            members, .core, contextAddress: { "http://localhost/contexts/\($0)" }, asker.writing(.standard, .bearer(token)), at: city.clock.now)
    }

    private func set(_ city: City, _ id: String, _ type: String, _ attributes: Attributes) async throws {
        let observed = ObservedEntity(id: try #require(IRI(id)), types: [name(type)], attributes: attributes)
        _ = try await city.broker.record([observed], provenance: .init(classification: .partner), city.access(), at: city.clock.now)
    }

    private func property(_ value: JSON) -> [Attribute] { [Attribute(kind: .property, value: value)] }

    @Test func `who subscribed is told what rules show of it, and what is hidden has not changed`() async throws {
        let city = try City()
        try await told(everythingButLamps, city)
        try await subscribe(city)
        try await set(city, "urn:x:bench", "Bench", [name("level"): property(1)])
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(1), name("secret"): property("a")])
        try await set(city, "urn:x:lamp", "Lamp", [name("secret"): property("b")])
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(2)])
        let received = try await city.receivers.wait(for: 2)
        #expect(received.flatMap(\.data).map { $0["id"] } == ["urn:x:lamp", "urn:x:lamp"])
        #expect(received.map { $0.value("level") } == [1, 2])
        #expect(received.flatMap(\.data).allSatisfy { $0["secret"] == nil })
        try await city.close()
    }

    @Test func `what rules withdraw is told no more, from that moment on`() async throws {
        let city = try City()
        try await told(everythingButLamps, city)
        try await subscribe(city)
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(1)])
        #expect(try await city.receivers.wait(for: 1).count == 1)
        try await told("rules: [{id: writes, effect: permit, who: {roles: token-writer}, actions: write, what: everything}]", city)
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(2)])
        try await told(everythingButLamps, city)
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(3)])
        let received = try await city.receivers.wait(for: 2)
        #expect(received.map { $0.value("level") }.contains(3))
        try await city.close()
    }
}
