internal import CityModel
internal import Foundation
internal import HTTPTypes
internal import Broker
internal import Hummingbird
internal import OrderedCollections
internal import Policy
internal import Testing
internal import Trust
@testable internal import Site
internal import Store

/// What is internal is not there for readers without a credential: not as a value, a count, a name, an area or an event.
@Suite struct VisibilityTests {
    private func installation(isOpen: Bool) async throws -> Installation {
        let installation = try Installation(isOpen: isOpen)
        try await installation.write([Sample.station("1", name: "Open air", 10)])
        try await installation.write([Sample.station("2", name: "Secret air", 20, at: (3.9, 48.9))], .internalUse)
        try await installation.write([Sample.entity("SecretThing", "3", name: "Secret thing", at: (3.21, 48.61), ["level": 4])], .internalUse)
        try await installation.write([Sample.area("District", "4", name: "Secret district", around: (3.2, 48.6))], .partner)
        let file = try installation.store.file(try installation.name("valmere"))
        try await file.write { transaction in
            try transaction.put(.source, "public", ["title": "Public source", "classification": "open"], at: Installation.now)
            try transaction.put(.source, "hidden", ["title": "Secret source", "classification": "internal"], at: Installation.now)
            try transaction.put(.source, "silent", ["title": "Secret by default"], at: Installation.now)
        }
        return installation
    }

    static let answers = [
        "/live/layers", "/live/map?bbox=-180,-90,180,90&zoom=8", "/live/search?q=", "/live/search?q=secret", "/live/search?q=air&bbox=0,0,90,90",
        "/live/outlines", "/table", "/table.csv", "/table.geojson", "/", "/table?q=air", "/live/map?at=2026-11-21T11:00:00Z", "/about",
    ]

    @Test(arguments: answers)
    func `an anonymous reader finds nothing internal`(target: String) async throws {
        let text = try await installation(isOpen: false).text(target).lowercased()
        let searched = target.contains("q=secret") ? "secret " : "secret"
        #expect(!text.contains(searched), "\(text)")
    }

    @Test(arguments: ["application/json", "text/html"])
    func `the sources page names public sources only`(accept: String) async throws {
        let text = try await installation(isOpen: false).text("/sources", [.accept: accept])
        #expect(text.contains("Public source"))
        #expect(!text.contains("Secret"))
        #expect(try await installation(isOpen: true).text("/sources", [.accept: accept]).contains("Secret source"))
    }

    @Test func `counts and the area are those of what may be seen`() async throws {
        let installation = try await installation(isOpen: false)
        let layers = try await installation.json("/live/layers")["layers"]?.arrayValue ?? []
        #expect(layers.map { $0["key"] } == ["AirQualityObserved"])
        #expect(layers.first?["count"] == 1)
        #expect(try await installation.json("/live/map")["total"] == 1)
        #expect(try await installation.json("/live/search?q=air")["total"] == 1)
        let box = try await installation.door.city.catalogue(for: .everybody, at: Installation.now).box
        #expect(box.east < 3.5)
    }

    @Test func `an internal entity cannot be opened, nor its history`() async throws {
        let installation = try await installation(isOpen: false)
        let id = "urn:ngsi-ld:AirQualityObserved:2"
        await #expect(throws: CityError.self) { try await installation.get("/live/entity?municipality=valmere&id=\(id)") }
        await #expect(throws: CityError.self) { try await installation.get("/live/history?municipality=valmere&id=\(id)&attribute=pm25") }
    }

    @Test func `an open installation shows all`() async throws {
        let installation = try await installation(isOpen: true)
        let layers = try await installation.json("/live/layers")["layers"]?.arrayValue ?? []
        #expect(layers.map { $0["key"] } == ["AirQualityObserved", "SecretThing"])
        #expect(try await installation.json("/live/map")["total"] == 3)
        #expect(try await installation.text("/live/outlines").contains("Secret district"))
    }

    @Test(arguments: ["/live/layers", "/live/map?bbox=-180,-90,180,90&zoom=8", "/live/search?q=secret", "/live/outlines", "/table", "/table.csv", "/sources"])
    func `a token shows all of its own municipality, and what is open elsewhere`(target: String) async throws {
        let installation = try await installation(isOpen: false)
        try await installation.write([Sample.entity("ForeignThing", "5", name: "Foreign secret", at: (3.2, 48.6), ["level": 1])], in: "elsewhere", .internalUse)
        let (home, away) = (try await installation.token(in: "valmere"), try await installation.token(in: "elsewhere"))
        #expect(try await installation.text(target, as: home).lowercased().contains("secret"))
        #expect(try await !installation.text(target, as: home).contains("Foreign"))
        #expect(try await !installation.text(target, as: away).contains("Secret "))
        let searched = target.contains("q=secret") ? "secret " : "secret"
        #expect(try await !installation.text(target).lowercased().contains(searched), "what was kept for one audience does not reach another")
    }

    @Test(arguments: answers + ["/sources", "/live/events"])
    func `a wrong token is refused`(target: String) async throws {
        let installation = try await installation(isOpen: false)
        let other = String(repeating: "0", count: 64)
        for text in ["nonsense", "conurb_valmere_\(other)", "conurb_nowhere_\(other)"] {
            let error = await #expect(throws: CityError.self) { try await installation.get(target, as: .bearer(text)) }
            guard case .unauthenticated? = error else { Issue.record("\(String(describing: error))"); continue }
        }
    }

    @Test func `a token that is revoked ends its stream of events`() async throws {
        let installation = try await installation(isOpen: false)
        let credential = try await installation.token(in: "valmere")
        let city = installation.door.city
        let catalogue = try await city.catalogue(for: city.audience(credential), at: Installation.now)
        var reader = EventReader(
            streams: installation.door.streams, catalogue: catalogue, credential: credential, followed: catalogue.municipalities.map(\.access), keys: nil,
            after: nil)
        try await installation.write([Sample.station("6", name: "Secret news", 20)], .internalUse)
        #expect(try await reader.news(at: Installation.now)?.contains("Secret news") ?? false)
        try await reader.renew(at: Installation.now)
        let access = try await installation.gatekeeper.administering(installation.name("valmere"), .program)
        for token in try await installation.gatekeeper.tokens(access) { _ = try await installation.gatekeeper.revokeToken(access, id: token.id, now: .now) }
        try await installation.write([Sample.station("6", name: "More secret news", 21)], .internalUse)
        await #expect(throws: CityError.self) { try await reader.news(at: Installation.now) }
        await #expect(throws: CityError.self) { try await reader.renew(at: Installation.now) }
    }

    @Test func `what rules take back is taken out of a stream that is open`() async throws {
        let installation = try await installation(isOpen: false)
        let credential = try await installation.token(in: "valmere")
        let administering = try await installation.gatekeeper.administering(installation.name("valmere"), .program)
        func permit(_ upTo: String) async throws {
            let rules = "rules: [{id: readers, effect: permit, who: anyone, actions: all, what: {classifications: {upTo: \(upTo)}}}]"
            try await installation.gatekeeper.setPolicies(administering, [.init(name: "rules", text: rules)], now: .now)
        }
        try await permit("internal")
        let city = installation.door.city
        let catalogue = try await city.catalogue(for: city.audience(credential), at: Installation.now)
        var reader = EventReader(
            streams: installation.door.streams, catalogue: catalogue, credential: credential, followed: catalogue.municipalities.map(\.access), keys: nil,
            after: nil)
        try await installation.write([Sample.station("6", name: "Secret news", 20)], .internalUse)
        #expect(try await reader.news(at: Installation.now)?.contains("Secret news") ?? false)
        try await permit("open")
        try await installation.write([Sample.station("6", name: "Secret later", 21)], .internalUse)
        #expect(try await reader.news(at: Installation.now)?.contains("event: gap") ?? false, "what the page shows is to be asked for anew")
        try await installation.write([Sample.station("6", name: "Secret at last", 22)], .internalUse)
        try await installation.write([Sample.station("7", name: "Open news", 5)])
        let news = try #require(try await reader.news(at: Installation.now))
        #expect(news.contains("Open news") && !news.contains("Secret"), "\(news)")
    }

    @Test func `a stream sends nothing that was read before rules took it back`() async throws {
        let installation = try await installation(isOpen: false)
        let administering = try await installation.gatekeeper.administering(installation.name("valmere"), .program)
        let catalogue = try await installation.door.city.catalogue(for: .everybody, at: Installation.now)
        var reader = EventReader(
            streams: installation.door.streams, catalogue: catalogue, followed: catalogue.municipalities.map(\.access), keys: nil, after: nil)
        try await installation.write((0...EventReader.changeCountMax).map { Sample.station("n\($0)", name: "Station \($0)", 1) })
        #expect(try await reader.news(at: Installation.now)?.contains("Station 1") ?? false)
        let rules = "rules: [{id: none, effect: forbid, who: anyone, actions: all, what: {types: AirQualityObserved}}]"
        try await installation.gatekeeper.setPolicies(administering, [.init(name: "rules", text: rules)], now: .now)
        #expect(try await reader.news(at: Installation.now)?.contains("event: gap") ?? false, "one change waited to be sent")
        #expect(try await reader.news(at: Installation.now) == nil)
    }

    @Test(arguments: ["/table.csv", "/table.geojson"])
    func `a download has what rules let be taken away, and no more`(target: String) async throws {
        let installation = try await installation(isOpen: false)
        let credential = try await installation.token(in: "valmere")
        let administering = try await installation.gatekeeper.administering(installation.name("valmere"), .program)
        let rules = """
            rules:
              - {id: seen, effect: permit, who: {roles: token-reader}, actions: [read, aggregate], what: everything}
              - {id: taken, effect: permit, who: {roles: token-reader}, actions: export, what: {classifications: open}}
            """
        try await installation.gatekeeper.setPolicies(administering, [.init(name: "rules", text: rules)], now: .now)
        #expect(try await installation.text("/table", as: credential).contains("Secret air"))
        let taken = try await installation.text(target, as: credential)
        #expect(taken.contains("Open air") && !taken.contains("Secret"), "\(taken)")
    }

    @Test func `a catalogue that is kept goes at once when rules show something else`() async throws {
        let installation = try Installation(catalogueSeconds: 3600)
        try await installation.write([Sample.station("1", name: "Open air", 10)])
        try await installation.write([Sample.entity("SecretThing", "3", name: "Secret thing", at: (3.21, 48.61), ["level": 4])], .internalUse)
        let administering = try await installation.gatekeeper.administering(installation.name("valmere"), .program)
        func permit(_ upTo: String) async throws {
            let rules = "rules: [{id: readers, effect: permit, who: anyone, actions: all, what: {classifications: {upTo: \(upTo)}}}]"
            try await installation.gatekeeper.setPolicies(administering, [.init(name: "rules", text: rules)], now: .now)
        }
        func layers() async throws -> [String] {
            try await installation.json("/live/layers")["layers"]?.arrayValue?.compactMap { $0["key"]?.stringValue }.sorted() ?? []
        }
        try await permit("internal")
        #expect(try await layers() == ["AirQualityObserved", "SecretThing"])
        try await installation.write([Sample.entity("NewThing", "4", name: "New thing", at: (3.22, 48.62), ["level": 4])])
        #expect(try await layers() == ["AirQualityObserved", "SecretThing"], "it is kept")
        try await permit("open")
        #expect(try await layers() == ["AirQualityObserved", "NewThing"])
        #expect(try await !installation.text("/live/search?q=thing").contains("Secret"))
        try await permit("internal")
        #expect(try await layers() == ["AirQualityObserved", "NewThing", "SecretThing"])
    }

    @Test func `what was kept of a municipality goes with its file`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "Secret air", 10)])
        #expect(try await installation.text("/live/map").contains("Secret air"))
        try installation.store.remove(installation.name("valmere"))
        try await installation.write([Sample.station("1", name: "Open air", 10)])
        let map = try await installation.text("/live/map")
        #expect(map.contains("Open air") && !map.contains("Secret air"))
    }

    @Test func `events tell of open entities only`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "Open air", 10)])
        let catalogue = try await installation.door.city.catalogue(for: .everybody, at: Installation.now)
        var reader = EventReader(
            streams: installation.door.streams, catalogue: catalogue, followed: catalogue.municipalities.map(\.access), keys: nil, after: nil)
        try await installation.write([Sample.station("2", name: "Secret air", 20)], .internalUse)
        #expect(try await reader.news(at: Installation.now) == nil)
        try await installation.write([Sample.station("3", name: "Fresh air", 5)])
        let news = try #require(try await reader.news(at: Installation.now))
        #expect(news.contains("Fresh air"))
        #expect(!news.contains("Secret"))
    }
}
