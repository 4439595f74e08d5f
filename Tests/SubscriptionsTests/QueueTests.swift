import Broker
import CityModel
import GRDB
import LinkedData
import OrderedCollections
import Store
import Subscriptions
import Synchronization
import Testing
import Trust

@Suite(.timeLimit(.minutes(10))) struct QueueTests {
    @Test func `what waits for an endpoint that was changed goes to the new one at once, with what that asks for`() async throws {
        let city = try City()
        let old = #""receiverInfo":[{"key":"X-Key","value":"old"}]"#
        let id = try await city.subscribe(subscription(endpoint: old))
        city.receivers.fail("http://a.example/n", count: .max)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        while try await city.state(of: id).timesFailed < 1 { await Task.yield() }
        let endpoint: JSON = ["uri": "http://b.example/n", "receiverInfo": [["key": "X-Key", "value": "new"]]]
        try await city.subscriptions.update(id, with: ["notification": ["endpoint": endpoint]], .core, city.access(), at: city.clock.now)
        // The clock stands still: whoever waited for the pause of the old endpoint would wait for ever.
        let told = try await city.receivers.wait(for: 1)[0]
        #expect(told.uri == "http://b.example/n")
        #expect(told.headers["X-Key"] == "new")
        try await city.close()
    }

    @Test func `an endpoint that refuses one subscription holds up no other at the same address`() async throws {
        let city = try City()
        let refused = try await city.subscribe(subscription(endpoint: #""receiverInfo":[{"key":"X-Key","value":"wrong"}]"#))
        try await city.subscribe(subscription(endpoint: #""receiverInfo":[{"key":"X-Key","value":"right"}]"#))
        city.receivers.refuse("http://a.example/n", key: "wrong")
        for level in 1...3 { try await city.set("urn:ngsi-ld:Lamp:1", level: .integer(Int64(level))) }
        #expect(try await city.receivers.wait(for: 3).map { $0.value("level") } == [1, 2, 3])
        // Each refusal is final for its notification: nothing waits for a second attempt.
        while try await city.state(of: refused).timesFailed < 3 { await Task.yield() }
        #expect(city.receivers.attempts("http://a.example/n") == 6)
        try await city.close()
    }

    @Test func `a subscription whose deliveries fail holds up no other at the same address`() async throws {
        let city = try City()
        let first = try await city.subscribe(subscription(#""q":"level==1""#))
        try await city.subscribe(subscription(#""q":"level==2""#))
        city.receivers.fail("http://a.example/n", count: 1)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        while try await city.state(of: first).timesFailed < 1 { await Task.yield() }
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2)
        #expect(try await city.receivers.wait(for: 1)[0].value("level") == 2)
        try await city.close()
    }

    @Test func `a queue takes only so many bytes, but always one notification`() async throws {
        let city = try City(limits: NotificationLimits(queuedByteCountMax: 1))
        let id = try await city.subscribe(subscription())
        city.receivers.shut("http://a.example/n")
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        while city.receivers.attempts("http://a.example/n") == 0 { await Task.yield() }
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2)
        while try await city.state(of: id).timesFailed == 0 { await Task.yield() }
        city.receivers.open("http://a.example/n")
        #expect(try await city.receivers.wait(for: 1).map { $0.value("level") } == [1])
        try await city.close()
    }

    @Test func `a program that ends does not wait for a receiver that hangs, and tells it after the next start`() async throws {
        let (receivers, clock) = (Receivers(), TestClock())
        let path = try await endsWhileSending(receivers, clock)
        receivers.open("http://a.example/n")
        let city = try City(path: path, receivers: receivers, clock: clock)
        #expect(try await receivers.wait(for: 2).map { $0.value("level") } == [1, 2])
        try await city.close()
    }

    /// - Returns: the data directory of a program that ended while a delivery was on its way.
    private func endsWhileSending(_ receivers: Receivers, _ clock: TestClock) async throws -> String {
        let city = try City(receivers: receivers, clock: clock, limits: NotificationLimits(endingDuration: .milliseconds(10)))
        try await city.subscribe(subscription())
        receivers.shut("http://a.example/n")
        for level in 1...2 { try await city.set("urn:ngsi-ld:Lamp:1", level: .integer(Int64(level))) }
        while receivers.attempts("http://a.example/n") == 0 { await Task.yield() }
        try await city.close(removing: false)
        return city.path
    }

    @Test func `a change that can't be read is passed over, and said so`() async throws {
        let (receivers, clock) = (Receivers(), TestClock())
        let path = try await unmatchedChanges(receivers, clock)
        try await DatabaseQueue(path: "\(path)/default/municipality.sqlite").write { db in
            try db.execute(sql: "UPDATE watched SET document = x'FF' WHERE seq = 2")
        }
        let city = try City(path: path, receivers: receivers, clock: clock)
        // All changed at one moment of the test's clock and are told of together.
        #expect(try await receivers.wait(for: 1)[0].data.map { $0["level"]?["value"] } == [1, 3])
        #expect(city.passedOver.count == 1)
        try await city.close()
    }

    /// - Returns: the data directory of a program that ended before it matched three changes.
    private func unmatchedChanges(_ receivers: Receivers, _ clock: TestClock) async throws -> String {
        let city = try City(receivers: receivers, clock: clock)
        try await city.subscribe(subscription())
        try await city.stop()
        for level in 1...3 { try await city.set("urn:ngsi-ld:Lamp:\(level)", level: .integer(Int64(level))) }
        try await city.close(removing: false)
        return city.path
    }
}

@Suite(.timeLimit(.minutes(10))) struct CompilingTests {
    private static let contextURL = "http://contexts.example/lamps.jsonld"
    private static let context = DownloadedContext(document: ["@context": ["level": "https://lamps.example/level"]])

    /// A city with a subscription whose context is forgotten, so that the next change has it fetched anew.
    private func cityWithoutContext(_ download: @escaping ContextLibrary.Download) async throws -> (city: City, id: IRI) {
        let isFirst = Mutex(true)
        let city = try City(download: { url in
            if isFirst.withLock({ first in defer { first = false }; return first }) { return Self.context }
            return try await download(url)
        })
        let id = try await city.subscribe(subscription("\"jsonldContext\":\"\(Self.contextURL)\""))
        try await city.contexts.delete(Self.contextURL, city.access())
        return (city, id)
    }

    @Test func `a subscription that is changed while it is made ready is told all the same`() async throws {
        let work = Mutex<(@Sendable () async throws -> Void)?>(nil)
        let (city, id) = try await cityWithoutContext { _ in
            try await work.withLock({ $0 })?()
            return Self.context
        }
        work.withLock { work in
            work = { try await city.subscriptions.update(id, with: ["description": "moved"], .core, city.access(), at: city.clock.now) }
        }
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        #expect(try await city.receivers.wait(for: 1).count == 1)
        try await city.close()
    }

    @Test func `a context that could not be had is asked for again`() async throws {
        let isThere = Mutex(false)
        let (city, _) = try await cityWithoutContext { url in
            guard isThere.withLock({ $0 }) else { throw CityError.contextNotAvailable(url) }
            return Self.context
        }
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        #expect(try await city.receivers.wait(for: 1)[0].headers["Link"]?.contains(Self.contextURL) == false)
        isThere.withLock { $0 = true }
        city.clock.advance(seconds: 1000)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 2)
        #expect(try await city.receivers.wait(for: 2)[1].headers["Link"]?.contains(Self.contextURL) == true)
        try await city.close()
    }
}
