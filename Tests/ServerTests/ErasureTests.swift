import Broker
import CityModel
import Foundation
import LinkedData
import NIOHTTP1
import OrderedCollections
import Policy
import Query
@testable import Server
import Store
import Testing
import Trust

/// After somebody's data was erased, nothing of it is found in any file of the data folder.
@Suite(.timeLimit(.minutes(5))) struct ErasureTests {
    private static let (text, number) = ("Quillfeather-Montgomery", 987_654_321.25)
    private static let (gone, held, watched, reported) = ("Zwischenmeister-Gone", "Umbrella-Held", "Xylophone-Told", "Kaleidoscope-Reported")
    private static func named(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }

    private final class City: Sendable {
        let server: RunningServer
        let access: AdministerAccess
        let me: SignedIn
        let name = MunicipalityName("alder")!
        /// Of what is held. What is not personal lies in the files as it is.
        let classification: Classification

        init(_ classification: Classification = .personal) async throws {
            self.classification = classification
            server = try await RunningServer(isOpen: false)
            _ = try await server.token(.read, in: "alder")
            access = try await server.server.gatekeeper.administering(name, .program)
            me = try await server.signedIn("ada", roles: ["resident"], access)
        }

        var broker: Broker { server.server.broker }

        func entity(_ id: String, _ attributes: Attributes) -> Entity {
            var attributes = attributes
            attributes[.dataSubject] = [Attribute(kind: .property, value: .string(me.subject))]
            return Entity(id: IRI(known: id), types: [ErasureTests.named("Report")], attributes: attributes)
        }

        func create(_ entity: Entity) async throws {
            try await broker.create(entity, access.writing, at: .now, provenance: .init(classification: classification))
        }

        /// The files in which any of these stands, as a text or as a number of eight bytes in either order.
        func files(with words: [String], _ number: Double? = nil) throws -> [String] {
            var needles = words.map { Data($0.utf8) }
            if let number { for bits in [number.bitPattern.bigEndian, number.bitPattern.littleEndian] { needles.append(withUnsafeBytes(of: bits) { Data($0) }) } }
            let files = FileManager.default.enumerator(atPath: server.path)?.compactMap { $0 as? String } ?? []
            return files.filter { file in
                let url = URL(filePath: server.path + "/" + file)
                // A log that is gone since it was listed holds nothing.
                guard (try? url.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true, let data = try? Data(contentsOf: url) else { return false }
                return needles.contains { data.range(of: $0) != nil }
            }
        }
    }

    private func property(_ value: JSON, observedAt: Instant? = nil) -> [Attribute] { [Attribute(kind: .property, value: value, observedAt: observedAt)] }

    /// An entity with a past of which part is sealed, one that is gone, one in a snapshot, one that waits to be told, a report that names a value, a
    /// consent and uses.
    private func fill(_ city: City) async throws {
        let (broker, now) = (city.broker, Instant.now)
        // So that what waits is not sent.
        let subscription = """
            {"type":"Subscription","id":"urn:ngsi-ld:Subscription:1","entities":[{"type":"Report"}],
            "notification":{"endpoint":{"uri":"http://127.0.0.1:9/nobody"}}}
            """
        let token = try await city.server.server.gatekeeper.createToken(city.access, name: "asker", right: .write, now: now).text
        try await city.server.create("subscriptions", subscription, tenant: "alder", token: token)
        try await city.create(city.entity("urn:ngsi-ld:Report:told", [Self.named("note"): property(.string(Self.watched))]))
        try await city.create(city.entity("urn:ngsi-ld:Report:gone", [Self.named("note"): property(.string(Self.gone))]))
        try await broker.delete(IRI(known: "urn:ngsi-ld:Report:gone"), city.access.writing, at: .now)
        try await city.create(
            city.entity("urn:ngsi-ld:Report:kept", [Self.named("note"): property(.string(Self.text)), Self.named("level"): property(.number(Self.number))]))
        for step in 0..<300 {
            let observed = ObservedEntity(
                id: IRI(known: "urn:ngsi-ld:Report:kept"), types: [Self.named("Report")],
                attributes: [
                    Self.named("level"): property(.number(Self.number), observedAt: now.adding(seconds: Double(-400_000 + step))),
                    Self.named("word"): property(.string("\(Self.text) \(step % 3)"), observedAt: now.adding(seconds: Double(-400_000 + step))),
                ])
            _ = try await broker.record([observed], provenance: .init(classification: city.classification), city.access.writing, at: now)
        }
        var sealing = HistorySealing(broker: broker, ageSeconds: 3600, rowCountMin: 10)
        while try await sealing.step(at: now) != nil {}
        let record = SnapshotRecord(
            id: "urn:ngsi-ld:Snapshot:1", body: [:], classificationMax: .special, priority: 5, createdAt: now, expiresAt: now.adding(seconds: 6000))
        // Not through the broker, which has the server prepare it too: of two who do so one finds nothing left to do.
        _ = try await city.server.server.store.file(city.name).write { try $0.insert(record) }
        var stored = try #require(try await broker.unfinishedSnapshots(city.access.writing).first)
        let query = SnapshotQuery(filter: EntityFilter(types: .type(Self.named("Report"))), view: EntityView(projection: .everything, context: .core))
        stored.status = try await broker.freeze(stored, [.success(query)], [], city.access.writing.reading, at: now).status
        try await broker.finishSnapshot(stored, city.access.writing)
        let run = try await broker.beginImport(of: "people", version: "1", city.access.writing, at: now)
        let report: JSON = ["rules": [["id": "type", "first": [["line": 3, "field": "name", "reason": .string("\(Self.text) is no number")]]]]]
        try await broker.finishImport(run, report: report, city.access.writing, at: now)
        _ = try await city.server.ask(.GET, "entities?type=Report", tenant: "alder", token: token, headers: [("Conurb-Purpose", "dpv:ServiceProvision")])
    }

    @Test(.timeLimit(.minutes(5)), arguments: [Classification.personal, .internalUse])
    func `nothing of a person is left in any file`(classification: Classification) async throws {
        let city = try await City(classification)
        try await fill(city)
        let words = [Self.text, Self.gone, Self.watched]
        for word in words where classification == .internalUse { #expect(try !city.files(with: [word]).isEmpty, "\(word): the test looks for what is there") }
        #expect(try city.files(with: [Self.text]).contains { $0.contains("snapshots") } == (classification == .internalUse))
        #expect(try city.files(with: ["Name of ada"]) == [], "what an account is called is sealed")
        let access = try await city.server.server.gatekeeper.erasing(city.me, password: RunningServer.password, at: .now)
        let counts = try await city.broker.erase(access, at: .now)
        #expect(counts["entities"] == 3 && ((counts["uses"]?.integerValue ?? 0) >= 1 || classification == .internalUse), "\(counts)")
        #expect(try city.files(with: words + ["urn:ngsi-ld:Report:kept", "urn:ngsi-ld:Report:gone"], Self.number) == [])
        #expect(try await city.broker.verify(city.access).faults == [])
        let rows = try await city.server.server.accountability.entries(from: 0, limit: 1000, city.access)
        #expect(rows.contains { $0.text == nil } || classification == .internalUse, "a use stays as a leaf that says nothing")
        let last = try #require(try rows.last?.text.map { try JSON(parsing: $0.entry) })
        #expect(last["act"] == "personal-data-erased" && last["about"]?.stringValue?.hasPrefix("person:") == true && last["by"] == last["about"], "\(last)")
        #expect(try await city.server.server.accounts.list(city.access).isEmpty, "the account is gone")
        try await city.server.close()
    }

    @Test func `a wrong password erases nothing`() async throws {
        let city = try await City()
        try await city.create(city.entity("urn:ngsi-ld:Report:1", [Self.named("note"): property(.string(Self.text))]))
        await #expect(throws: AccountFormError.wrongPassword) {
            try await city.server.server.gatekeeper.erasing(city.me, password: "not the password", at: .now)
        }
        #expect(try await city.broker.retrieve(IRI(known: "urn:ngsi-ld:Report:1"), selecting: nil, city.access.writing.reading, at: .now).stored.id.text == "urn:ngsi-ld:Report:1")
        try await city.server.close()
    }

    @Test func `what was broken off is gone on with`() async throws {
        let city = try await City()
        for number in 0..<120 { try await city.create(city.entity("urn:ngsi-ld:Report:\(number)", [Self.named("note"): property(.string(Self.text))])) }
        let access = try await city.server.server.gatekeeper.erasing(city.me, password: RunningServer.password, at: .now)
        // As far as a crash after the first part would have left it.
        let file = try city.server.server.store.file(city.name)
        try await file.write { try $0.beginErasure(access, at: .now) }
        let subject = city.me.subject
        #expect(try await file.write { try $0.eraseEntities(about: subject, limit: 50, at: .now) }.count == 50)
        await city.broker.sweep(at: .now) { Issue.record($1, "\($0)") }
        #expect(try city.files(with: [Self.text, "Name of ada"]) == [])
        let rows = try await city.server.server.accountability.entries(from: 0, limit: 1000, city.access)
        let entries = try rows.compactMap { try $0.text.map { try JSON(parsing: $0.entry) } }.filter { $0["act"] == "personal-data-erased" }
        #expect(entries.map { $0["details"]?["entities"] } == [120])
        try await city.server.close()
    }

    @Test func `a data protection officer erases for a stated purpose, others do not`() async throws {
        let city = try await City()
        try await city.create(city.entity("urn:ngsi-ld:Report:1", [Self.named("note"): property(.string(Self.text))]))
        let target = "/municipalities/alder/residents/ada"
        #expect(try await city.server.ask(.DELETE, target).status == 401)
        let reader = try await city.server.token(.read, in: "alder")
        #expect(try await city.server.ask(.DELETE, target, token: reader).status == 403)
        let gatekeeper = city.server.server.gatekeeper
        let officer = try await city.server.signedIn("officer", roles: ["data-protection-officer"], city.access)
        #expect(try await gatekeeper.reading(officer, to: .erase).sight.ruling?.isNothing == true, "without a purpose nothing")
        let writer = try await city.server.token(.write, in: "alder")
        #expect(try await city.server.ask(.DELETE, "/municipalities/alder/residents/nobody", token: writer).status == 404)
        let answer = try await city.server.ask(.DELETE, target, token: writer)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try answer.json["entities"] == 1)
        #expect(try city.files(with: [Self.text]) == [])
        try await city.server.close()
    }
}
