import Broker
import CityModel
import LinkedData
import OrderedCollections
import Store
@testable import Subscriptions
import Testing

/// What a fault or a change in the middle of the work leaves behind.
@Suite(.timeLimit(.minutes(10))) struct FaultTests {
    private func subscribeToSources(_ city: City) async throws {
        let library = SubscriptionLibrary(broker: city.broker, contexts: city.contexts, countMax: 10, aboutSources: true)
        let document: JSONObject = [
            "type": "Subscription", "entities": [["type": "Lamp"]], "notification": ["endpoint": ["uri": "http://sources.example/"]],
        ]
        _ = try await library.create(document, .core, contextAddress: { $0 }, city.access(), at: city.clock.now)
    }

    @Test func `a subscription to registrations that can't be told holds up none that is told periodically`() async throws {
        let city = try City(tellOfSources: { _, _, _ in throw CityError.internalFault("it can't be read") })
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        try await city.subscribe(subscription("\"timeInterval\":60"))
        try await subscribeToSources(city)
        for count in 1...2 {
            city.clock.advance(seconds: 60)
            _ = try await city.receivers.wait(for: count)
        }
        #expect(city.passedOver.count > 0)
        try await city.close()
    }

    @Test func `what was put into the outbox before the file failed is delivered afterwards`() async throws {
        // Told at first, it is due again just after the one that is told periodically.
        let again = noon.adding(seconds: 60.5)
        let city = try City(tellOfSources: { record, file, now in
            guard now < again else { throw FileFault() }
            try await file.write { try $0.setDue(record.id, again) }
            return false
        })
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        try await subscribeToSources(city)
        let periodic = try await city.subscribe(subscription("\"timeInterval\":60"))
        let file = try city.store.file(.standard)
        while try await file.read({ try $0.nextDue() }) != noon.adding(seconds: 60) { await Task.yield() }
        city.clock.advance(seconds: 61)
        while city.receivers.received.isEmpty {
            city.clock.advance(seconds: 0.01)
            await Task.yield()
        }
        #expect(city.receivers.received[0].notification["subscriptionId"]?.stringValue == periodic.text)
        #expect(city.passedOver.count > 0)
        try await city.close()
    }

    @Test(arguments: [true, false]) func `nothing waits for the endpoint of a subscription that is deleted or paused`(isDeleted: Bool) async throws {
        let city = try City()
        let id = try await city.subscribe(subscription())
        city.receivers.fail("http://a.example/n", count: .max)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        while try await city.state(of: id).timesFailed < 1 { await Task.yield() }
        #expect(city.service.waitingEndpointCount == 1)
        if isDeleted { try await city.subscriptions.delete(id, city.access()) } else {
            try await city.subscriptions.update(id, with: ["isActive": false], .core, city.access(), at: city.clock.now)
        }
        // The clock stands still: the pause of the failed delivery is never over.
        while city.service.waitingEndpointCount > 0 { await Task.yield() }
        try await city.close()
    }

    /// Table 5.2.12-1.
    @Test func `what throttling held back is told when throttling is taken off, and nothing overtakes it`() async throws {
        let city = try City()
        let id = try await city.subscribe(subscription("\"throttling\":3600"))
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        _ = try await city.receivers.wait(for: 1)
        city.clock.advance(seconds: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2)
        let file = try city.store.file(.standard)
        while try await file.read({ try $0.heldDues().isEmpty }) { await Task.yield() }
        try await city.subscriptions.update(id, with: ["throttling": .null], .core, city.access(), at: city.clock.now)
        #expect(try await city.receivers.wait(for: 2)[1].value("level") == 2)
        city.clock.advance(seconds: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 3)
        #expect(try await city.receivers.wait(for: 3)[2].value("level") == 3)
        try await city.close()
    }

    @Test func `a page that becomes too many notifications is matched in parts`() async throws {
        let city = try City()
        let ids = [try await city.subscribe(subscription()), try await city.subscribe(subscription(uri: "http://b.example/"))]
        try await city.stop()
        for level in 1...4 {
            city.clock.advance(seconds: 1)
            try await city.set("urn:ngsi-ld:Lamp:1", level: .integer(Int64(level)))
        }
        let matcher = Matcher(
            store: city.store, contexts: city.contexts, cache: CompiledCache { _, _ in }, outbox: Outbox(limits: .init()), report: { _, _ in },
            groupCountMax: 3)
        let file = try city.store.file(.standard)
        var counts: [[Int]] = []
        while try await matcher.matchPage(of: .standard, at: city.clock.now).hasMore {
            counts.append(
                try await file.read { snapshot in
                    try ids.map { try snapshot.outboxSize(of: $0.text)?.count ?? 0 } + [try snapshot.watchedChanges(limit: 10, byteCountMax: .max).count]
                })
        }
        #expect(counts == [[2, 2, 2], [4, 4, 0]])
        try await city.close()
    }
}
