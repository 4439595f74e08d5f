import Broker
import CityModel
import Foundation
import LinkedData
import OrderedCollections
import Store
import Subscriptions
import Testing
import Trust

@Suite(.timeLimit(.minutes(10))) struct DeliveryTests {
    @Test func `a change to a subscribed entity is told (clause 5.8.6)`() async throws {
        let city = try City()
        let id = try await city.subscribe(subscription())
        try await city.set("urn:ngsi-ld:Lamp:1", level: 3)
        let told = try await city.receivers.wait(for: 1)[0]
        #expect(told.notification["type"] == "Notification")
        #expect(told.notification["subscriptionId"]?.stringValue == id.text)
        #expect(told.data[0]["id"] == "urn:ngsi-ld:Lamp:1")
        #expect(told.value("level") == 3)
        #expect(told.headers["Content-Type"] == "application/json")
        #expect(told.headers["Link"]?.contains("rel=\"http://www.w3.org/ns/json-ld#context\"") ?? false)
        try await city.close()
    }

    @Test func `what is changed in a snapshot is told to who subscribed to it, with its name, also after a restart (clauses 5.5.15, 6.3.22)`() async throws {
        let receivers = Receivers()
        let path = try await changedSnapshot(receivers)
        let city = try City(path: path, receivers: receivers)
        #expect(try await receivers.wait(for: 2)[1].value("level") == 3)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 4)
        let last = try await receivers.wait(for: 3)[2]
        #expect(last.uri == "http://a.example/city" && last.headers["NGSILD-Snapshot"] == nil)
        try await city.close()
    }

    /// - Returns: the data directory of a program that ended before it told of a snapshot's last change.
    private func changedSnapshot(_ receivers: Receivers) async throws -> String {
        let city = try City(receivers: receivers)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        let snapshot = try await city.snapshot("urn:x:snapshot").municipality
        try await city.subscribe(subscription(uri: "http://a.example/city"))
        try await city.subscribe(subscription(uri: "http://a.example/snapshot"), in: snapshot)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2, in: snapshot)
        let told = try await receivers.wait(for: 1)[0]
        #expect(told.uri == "http://a.example/snapshot" && told.value("level") == 2)
        #expect(told.headers["NGSILD-Snapshot"] == "urn:x:snapshot" && told.headers["NGSILD-Tenant"] == nil)
        try await city.stop()
        try await city.set("urn:ngsi-ld:Lamp:1", level: 3, in: snapshot)
        try await city.close(removing: false)
        return city.path
    }

    /// Clause 5.8.6.
    @Test func `entities of another type and repetitions of the same value are not told`() async throws {
        let city = try City()
        try await city.subscribe(subscription())
        try await city.set("urn:ngsi-ld:Bench:1", type: "Bench", level: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2)
        #expect(try await city.receivers.wait(for: 2).map { $0.value("level") } == [1, 2])
        try await city.close()
    }

    @Test func `every one of many quick changes is told, in their order`() async throws {
        let city = try City()
        try await city.subscribe(subscription())
        for level in 0..<100 { try await city.set("urn:ngsi-ld:Lamp:1", level: .integer(Int64(level))) }
        #expect(try await city.receivers.wait(for: 100).map { $0.value("level") } == (0..<100).map { .integer($0) })
        try await city.close()
    }

    @Test func `an endpoint that hangs or fails delays nobody else`() async throws {
        let city = try City()
        for uri in ["http://slow.example/", "http://dead.example/", "http://good.example/"] { try await city.subscribe(subscription(uri: uri)) }
        city.receivers.shut("http://slow.example/")
        city.receivers.fail("http://dead.example/", count: .max)
        for level in 0..<10 { try await city.set("urn:ngsi-ld:Lamp:1", level: .integer(Int64(level))) }
        let told = try await city.receivers.wait(for: 10)
        #expect(told.allSatisfy { $0.uri == "http://good.example/" })
        city.receivers.open("http://slow.example/")
        #expect(try await city.receivers.wait(for: 20).filter { $0.uri == "http://slow.example/" }.map { $0.value("level") } == (0..<10).map { .integer($0) })
        try await city.close()
    }

    @Test func `a failed delivery is tried again after a pause, and nothing overtakes it`() async throws {
        let city = try City()
        let id = try await city.subscribe(subscription())
        city.receivers.fail("http://a.example/n", count: 2)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2)
        for attempt in 1...2 {
            while city.receivers.attempts("http://a.example/n") < attempt { await Task.yield() }
            while try await city.state(of: id).timesFailed < attempt { await Task.yield() }
            #expect(city.receivers.received.isEmpty)
            city.clock.advance(seconds: 1000)
        }
        #expect(try await city.receivers.wait(for: 2).map { $0.value("level") } == [1, 2])
        while try await city.state(of: id).timesSent < 4 { await Task.yield() }
        let state = try await city.state(of: id)
        #expect(state.timesFailed == 2)
        #expect(state.lastSuccess != nil && state.lastFailure != nil)
        try await city.close()
    }

    /// Clauses 5.2.14.2, 5.8.6.
    @Test func `after so many attempts a notification is given up, and the subscription says so`() async throws {
        let city = try City(limits: NotificationLimits(attemptCountMax: 1))
        let id = try await city.subscribe(subscription())
        city.receivers.fail("http://a.example/n", count: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2)
        #expect(try await city.receivers.wait(for: 1)[0].value("level") == 2)
        #expect(try await city.state(of: id).timesFailed == 1)
        try await city.close()
    }

    @Test func `what waited when the program ended is delivered after the next start`() async throws {
        let (receivers, clock) = (Receivers(), TestClock())
        let path = try await oneFailedDelivery(receivers, clock)
        clock.advance(seconds: 1000)
        let city = try City(path: path, receivers: receivers, clock: clock)
        #expect(try await receivers.wait(for: 1)[0].value("level") == 1)
        try await city.close()
    }

    /// - Returns: the data directory of a program that ended after a delivery had failed.
    private func oneFailedDelivery(_ receivers: Receivers, _ clock: TestClock) async throws -> String {
        let city = try City(receivers: receivers, clock: clock)
        let id = try await city.subscribe(subscription())
        receivers.fail("http://a.example/n", count: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        while try await city.state(of: id).timesFailed < 1 { await Task.yield() }
        try await city.close(removing: false)
        return city.path
    }

    @Test func `municipalities whose files are closed are served too, also after a restart`() async throws {
        let (receivers, clock) = (Receivers(), TestClock())
        let names = (1...6).compactMap { MunicipalityName("m\($0)") }
        let path = try await periodicSubscriptions(in: names, receivers, clock)
        clock.advance(seconds: 60)
        let city = try City(path: path, receivers: receivers, clock: clock, openFileCountMax: 2)
        let told = try await receivers.wait(for: 12)
        #expect(Set(told.dropFirst(6).compactMap { $0.headers["NGSILD-Tenant"] }) == Set(names.map(\.text)))
        try await city.close()
    }

    /// - Returns: the data directory of a program that ended after each municipality had one change told.
    private func periodicSubscriptions(in names: [MunicipalityName], _ receivers: Receivers, _ clock: TestClock) async throws -> String {
        let city = try City(receivers: receivers, clock: clock, openFileCountMax: 2)
        for name in names {
            try await city.subscribe(subscription(), in: name)
            try await city.subscribe(subscription("\"timeInterval\":60", uri: "http://periodic.example/"), in: name)
            try await city.set("urn:ngsi-ld:Lamp:1", level: 1, in: name)
        }
        _ = try await receivers.wait(for: 6)
        try await city.close(removing: false)
        return city.path
    }

    @Test func `a full queue takes no more, and the subscription says so`() async throws {
        let city = try City(limits: NotificationLimits(queuedCountMax: 1))
        let id = try await city.subscribe(subscription())
        city.receivers.shut("http://a.example/n")
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        while city.receivers.attempts("http://a.example/n") == 0 { await Task.yield() }
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2)
        while try await city.state(of: id).timesFailed == 0 { await Task.yield() }
        city.receivers.open("http://a.example/n")
        #expect(try await city.receivers.wait(for: 1)[0].value("level") == 1)
        try await city.close()
    }

    @Test func `a subscription tells nothing more confidential than its creator could see`() async throws {
        let city = try City()
        let id = try await city.subscribe(subscription())
        try await city.store.file(.standard).write { transaction in
            var record = try #require(try transaction.subscription(id.text))
            record.classificationMax = .open
            try transaction.update(record)
        }
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1, classification: .personal)
        try await city.set("urn:ngsi-ld:Lamp:2", level: 2, classification: .open)
        #expect(try await city.receivers.wait(for: 1).map { $0.data[0]["id"] } == ["urn:ngsi-ld:Lamp:2"])
        try await city.close()
    }

    @Test func `what waits to be told of residents lies plain in no file, and is told of each for himself`() async throws {
        let city = try City()
        let uri = "http://a.example/n"
        try await city.subscribe(subscription(uri: uri))
        city.receivers.shut(uri)
        func observe(_ words: [String]) async throws {
            let observed = try words.enumerated().map { number, word in
                ObservedEntity(
                    id: try #require(IRI("urn:ngsi-ld:Lamp:\(number)")), types: [name("Lamp")],
                    attributes: [
                        name("level"): [Attribute(kind: .property, value: .string(word))],
                        .dataSubject: [Attribute(kind: .property, value: .string("resident:\(number)"))],
                    ])
            }
            _ = try await city.broker.record(observed, provenance: .init(classification: .personal), city.access(), at: city.clock.now)
        }
        try await observe(["Quetzalcoatl-0"])
        while city.receivers.attempts(uri) == 0 { await Task.yield() }
        try await observe(["Quetzalcoatl-1", "Quetzalcoatl-2", "Quetzalcoatl-3"])
        let file = try city.store.file(.standard)
        while try await file.read({ try $0.outbox(of: $0.outboxQueues().first?.subscription ?? "", limit: 10, byteCountMax: 1 << 20).count }) < 4 {
            await Task.yield()
        }
        for path in try #require(FileManager.default.enumerator(atPath: city.path)).compactMap({ $0 as? String }) {
            #expect(FileManager.default.contents(atPath: "\(city.path)/\(path)")?.range(of: Data("Quetzalcoatl".utf8)) == nil, "\(path)")
        }
        try await city.store.destroyKeys(of: "resident:1", in: .standard, at: city.clock.now)
        city.receivers.open(uri)
        let told = try await city.receivers.wait(for: 3)
        #expect(told.map { $0.data.map { $0["id"] } } == [["urn:ngsi-ld:Lamp:0"], ["urn:ngsi-ld:Lamp:0"], ["urn:ngsi-ld:Lamp:2"]])
        #expect(told.compactMap { $0.value("level") } == ["Quetzalcoatl-0", "Quetzalcoatl-1", "Quetzalcoatl-3"])
        try await city.close()
    }

    @Test func `a paused subscription is silent and a deleted one is gone (clauses 5.8.5, 5.8.6)`() async throws {
        let city = try City()
        let paused = try await city.subscribe(subscription("\"isActive\":false", uri: "http://paused.example/"))
        let deleted = try await city.subscribe(subscription(uri: "http://deleted.example/"))
        try await city.subscribe(subscription(uri: "http://good.example/"))
        try await city.subscriptions.delete(deleted, city.access())
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        #expect(try await city.receivers.wait(for: 1).map(\.uri) == ["http://good.example/"])
        try await city.subscriptions.update(paused, with: ["isActive": true], .core, city.access(), at: city.clock.now)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2)
        #expect(Set(try await city.receivers.wait(for: 3).dropFirst().map(\.uri)) == ["http://good.example/", "http://paused.example/"])
        await #expect(throws: CityError.self) { try await city.subscriptions.retrieve(deleted, city.access()) }
        try await city.close()
    }

    @Test func `an expired subscription is silent (clause 5.8.1.4)`() async throws {
        let city = try City()
        try await city.subscribe(subscription("\"expiresAt\":\"2026-06-01T12:00:10Z\"", uri: "http://short.example/"))
        try await city.subscribe(subscription(uri: "http://good.example/"))
        city.clock.advance(seconds: 10)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        #expect(try await city.receivers.wait(for: 1).map(\.uri) == ["http://good.example/"])
        try await city.close()
    }

    /// Clauses 5.2.12, 5.8.6.
    @Test func `with throttling the last of the changes within that time is told when it is over (clause 5.8.6, table 5.2.12-1)`() async throws {
        let city = try City()
        try await city.subscribe(subscription("\"throttling\":5"))
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        _ = try await city.receivers.wait(for: 1)
        city.clock.advance(seconds: 3)
        for level in 2...4 { try await city.set("urn:ngsi-ld:Lamp:1", level: .integer(Int64(level))) }
        try await city.set("urn:ngsi-ld:Lamp:2", level: 9)
        while try await city.store.file(.standard).read({ try !$0.watchedChanges(limit: 1, byteCountMax: 1).isEmpty }) { await Task.yield() }
        #expect(city.receivers.received.count == 1)
        city.clock.advance(seconds: 2)
        let told = try await city.receivers.wait(for: 2)[1]
        #expect(told.data.map { $0["level"]?["value"] } == [4, 9])
        city.clock.advance(seconds: 4)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 5)
        city.clock.advance(seconds: 1)
        #expect(try await city.receivers.wait(for: 3)[2].value("level") == 5)
        try await city.close()
    }

    @Test func `with a time interval what matches is told in that period, whether it changes or not (clause 5.8.6)`() async throws {
        let city = try City()
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        try await city.set("urn:ngsi-ld:Lamp:2", level: 9)
        try await city.subscribe(subscription("\"timeInterval\":60,\"q\":\"level<5\""))
        for count in 1...3 {
            city.clock.advance(seconds: 60)
            #expect(try await city.receivers.wait(for: count).last?.data.map { $0["id"] } == ["urn:ngsi-ld:Lamp:1"])
        }
        try await city.close()
    }

    @Test func `who is told in a period does not wait for the clock to be where it was, set back while the program runs or while it does not`() async throws {
        let (receivers, clock) = (Receivers(), TestClock())
        let path = try await clockSetBackWhileItRuns(receivers, clock)
        clock.advance(seconds: -3600)
        let city = try City(path: path, receivers: receivers, clock: clock)
        _ = try await receivers.wait(for: 3)
        try await city.close()
    }

    private func clockSetBackWhileItRuns(_ receivers: Receivers, _ clock: TestClock) async throws -> String {
        let city = try City(receivers: receivers, clock: clock)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        try await city.subscribe(subscription("\"timeInterval\":60"))
        clock.advance(seconds: 60)
        _ = try await receivers.wait(for: 1)
        clock.advance(seconds: -3600)
        _ = try await receivers.wait(for: 2)
        try await city.close(removing: false)
        return city.path
    }

    @Test func `what throttling holds back does not wait for the clock to be where it was`() async throws {
        let city = try City()
        let id = try await city.subscribe(subscription("\"throttling\":10"))
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        _ = try await city.receivers.wait(for: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2)
        city.clock.advance(seconds: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 3)
        while try await city.record(of: id).heldDue == nil { await Task.yield() }
        city.clock.advance(seconds: -3600)
        #expect(try await city.receivers.wait(for: 3)[2].value("level") == 3)
        try await city.close()
    }
}
