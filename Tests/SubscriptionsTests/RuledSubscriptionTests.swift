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
    private let lampsAlone = """
        rules:
          - {id: writes, effect: permit, who: {roles: token-writer}, actions: [read, write], what: everything}
          - {id: told, effect: permit, who: {roles: token-writer}, actions: subscribe, what: {types: Lamp}, narrow: {attributes: {only: level}}}
        """

    private func told(_ rules: String, _ city: City) async throws {
        let access = try await city.gatekeeper.administering(.standard, .program)
        _ = try city.store.file(.standard, creating: true)
        try await city.gatekeeper.setPolicies(access, [.init(name: "rules.yaml", text: rules)], now: city.clock.now)
    }

    private let benchesAlone = """
        rules:
          - {id: writes, effect: permit, who: {roles: token-writer}, actions: [read, write], what: everything}
          - {id: told, effect: permit, who: {roles: token-writer}, actions: subscribe, what: {types: Bench}}
        """

    /// Somebody with a token subscribes to all lamps and benches.
    /// - Parameter more: members of the subscription.
    private func subscribe(_ city: City, _ more: String = "") async throws {
        let access = try await city.gatekeeper.administering(.standard, .program)
        let token = try await city.gatekeeper.createToken(access, name: "test", right: .write, now: city.clock.now).text
        let asker = Gatekeeper(store: city.store, isOpen: false)
        let document = """
            {"type":"Subscription","id":"urn:x:ruled","entities":[{"type":"Lamp"},{"type":"Bench"}],\(more)"notification":{"endpoint":{"uri":"http://a.example/n"}}}
            """
        let members = try #require(try JSON(parsing: Array(document.utf8)).objectValue)
        _ = try await city.subscriptions.create(
            members, .core, contextAddress: { "http://localhost/contexts/\($0)" }, asker.writing(.standard, .bearer(token)), at: city.clock.now)
    }

    private func set(_ city: City, _ id: String, _ type: String, _ attributes: Attributes) async throws {
        let observed = ObservedEntity(id: try #require(IRI(id)), types: [name(type)], attributes: attributes)
        _ = try await city.broker.record([observed], provenance: .init(classification: .partner), city.access(), at: city.clock.now)
    }

    /// Waits until all changes were held against the subscriptions.
    private func untilMatched(_ city: City) async throws {
        while try await city.store.file(.standard).read({ try !$0.watchedChanges(limit: 1, byteCountMax: 1).isEmpty }) { await Task.yield() }
    }

    private func property(_ value: JSON) -> [Attribute] { [Attribute(kind: .property, value: value)] }

    @Test func `who subscribed is told what rules show of it, and what is hidden has not changed`() async throws {
        let city = try City()
        try await told(lampsAlone, city)
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
        try await told(lampsAlone, city)
        try await subscribe(city)
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(1)])
        #expect(try await city.receivers.wait(for: 1).count == 1)
        try await told("rules: [{id: writes, effect: permit, who: {roles: token-writer}, actions: write, what: everything}]", city)
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(2)])
        try await untilMatched(city)
        try await told(lampsAlone, city)
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(3)])
        #expect(try await city.receivers.wait(for: 2).map { $0.value("level") } == [1, 3])
        try await city.close()
    }

    @Test func `what throttling held back is told as rules show it when it is told`() async throws {
        let city = try City()
        try await told(lampsAlone, city)
        try await subscribe(city, #""throttling":5,"#)
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(1)])
        _ = try await city.receivers.wait(for: 1)
        // What changes at the very moment of a notification is not held back.
        city.clock.advance(seconds: 1)
        try await set(city, "urn:x:bench", "Bench", [name("level"): property(1)])
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(2), name("secret"): property("a")])
        try await untilMatched(city)
        #expect(city.receivers.received.count == 1, "it is held back")
        city.clock.advance(seconds: 4)
        let told = try await city.receivers.wait(for: 2)[1].data
        #expect(told.map { $0["id"] } == ["urn:x:lamp"] && told.first?["level"]?["value"] == 2 && told.first?["secret"] == nil, "\(told)")
        city.clock.advance(seconds: 1)
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(3)])
        try await untilMatched(city)
        try await self.told(benchesAlone, city)
        try await set(city, "urn:x:bench", "Bench", [name("level"): property(4)])
        try await untilMatched(city)
        city.clock.advance(seconds: 4)
        let later = try await city.receivers.wait(for: 3)[2].data
        #expect(later.map { $0["id"] } == ["urn:x:bench"], "what waited was taken back")
        try await city.close()
    }

    @Test func `periodic notifications have what rules show at the moment`() async throws {
        let city = try City()
        try await told(lampsAlone, city)
        try await set(city, "urn:x:bench", "Bench", [name("level"): property(1)])
        try await set(city, "urn:x:lamp", "Lamp", [name("level"): property(2), name("secret"): property("a")])
        try await subscribe(city, #""timeInterval":60,"#)
        city.clock.advance(seconds: 60)
        let told = try await city.receivers.wait(for: 1)[0].data
        #expect(told.map { $0["id"] } == ["urn:x:lamp"] && told.first?["level"]?["value"] == 2 && told.first?["secret"] == nil, "\(told)")
        try await self.told(benchesAlone, city)
        city.clock.advance(seconds: 60)
        #expect(try await city.receivers.wait(for: 2)[1].data.map { $0["id"] } == ["urn:x:bench"])
        try await city.close()
    }
}
