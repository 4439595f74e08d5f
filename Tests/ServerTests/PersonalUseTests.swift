import Broker
import CityModel
import Foundation
import Ledger
import NIOHTTP1
import OrderedCollections
import Policy
@testable import Server
import Store
import Testing
import Trust

/// Each use of data about people is in the ledger, whichever door it went through.
@Suite(.timeLimit(.minutes(5))) struct PersonalUseTests {
    private static let subject = "account:ada"
    private static let report = "urn:ngsi-ld:Report:1"

    private final class City: Sendable {
        let server: RunningServer
        let reader: String
        let administrator: String
        let administering: AdministerAccess

        init() async throws {
            server = try await RunningServer(isOpen: false)
            (reader, administrator) = (try await server.token(.read, in: "alder"), try await server.token(.administer, in: "alder"))
            administering = try await server.server.gatekeeper.administering(MunicipalityName("alder")!, .program)
            func named(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }
            let place: JSON = ["type": "Point", "coordinates": [2.5, 48.5]]
            for (id, type, classification) in [(PersonalUseTests.report, "Report", Classification.personal), ("urn:ngsi-ld:Lamp:1", "Lamp", .internalUse), ("urn:ngsi-ld:Bench:1", "Bench", .open)] {
                var attributes: Attributes = [
                    named("level"): [Attribute(kind: .property, value: 4, observedAt: Instant.now.adding(seconds: -60))],
                    named("name"): [Attribute(kind: .property, value: .string("A \(type)"))], .location: [Attribute(kind: .geoProperty, value: place)],
                ]
                if classification == .personal { attributes[.dataSubject] = [Attribute(kind: .property, value: .string(PersonalUseTests.subject))] }
                let entity = Entity(id: IRI(known: id), types: [named(type)], attributes: attributes)
                try await server.server.broker.create(entity, administering.writing, at: .now, provenance: .init(classification: classification))
            }
        }

        func entries() async throws -> [JSON] {
            let rows = try await server.server.accountability.entries(from: 0, limit: 1000, administering)
            return try rows.compactMap { try $0.text.map { try JSON(parsing: $0.entry) } }.filter { $0["act"] == "personal-data-used" }
        }

        /// What one request leaves in the ledger.
        func uses(_ target: String, _ method: HTTPMethod = .GET, _ body: String? = nil, token: String?, purpose: String) async throws -> (answer: Answer, uses: [JSON]) {
            let answer = try await server.ask(method, target, body, tenant: "alder", token: token, headers: [("Conurb-Purpose", purpose)])
            return (answer, try await entries().filter { $0["purpose"]?.stringValue == purpose })
        }
    }

    private struct Door: Sendable, CustomTestStringConvertible {
        let target: String
        var method = HTTPMethod.GET
        var body: String?
        var action = "read"
        var needsAdministrator = false
        var testDescription: String { target }

        /// The same door, asked for another type.
        func about(_ type: String) -> Door {
            var other = self
            other.body = body?.replacingOccurrences(of: "Report", with: type)
            return Door(
                target: target.replacingOccurrences(of: "Report", with: type), method: method, body: other.body, action: action, needsAdministrator: needsAdministrator)
        }
    }

    private static let doors: [Door] = [
        Door(target: "entities/urn:ngsi-ld:Report:1"), Door(target: "entities?type=Report"), Door(target: "entities?type=Report&options=keyValues&pick=level"),
        Door(target: "entityOperations/query", method: .POST, body: #"{"type":"Query","entities":[{"type":"Report"}]}"#),
        Door(target: "temporal/entities/urn:ngsi-ld:Report:1", action: "history"),
        Door(target: "temporal/entities?type=Report&timerel=after&timeAt=2020-01-01T00:00:00Z&timeproperty=modifiedAt", action: "history"),
        Door(target: "/history?type=Report&attr=level&fn=avg&from=-P1D&municipality=alder", action: "aggregate"),
        Door(target: "/live/map?municipality=alder&types=Report&zoom=15"), Door(target: "/live/search?municipality=alder&types=Report&q=A"),
        Door(target: "/live/entity?municipality=alder&id=urn:ngsi-ld:Report:1"),
        Door(target: "/live/history?municipality=alder&id=urn:ngsi-ld:Report:1&attribute=level"), Door(target: "/table?municipality=alder&type=Report"),
        Door(target: "/table.csv?municipality=alder&type=Report", action: "export"), Door(target: "/table.geojson?municipality=alder&type=Report", action: "export"),
        Door(target: "/municipalities/alder/entities.ndjson?Report", needsAdministrator: true),
    ]

    @Test func `every door that shows data about a person leaves an act, and none for other data`() async throws {
        let city = try await City()
        for (number, door) in Self.doors.enumerated() {
            let token = door.needsAdministrator ? city.administrator : city.reader
            let (answer, uses) = try await city.uses(door.target, door.method, door.body, token: token, purpose: "dpv:Use\(number)")
            try #require(answer.status == 200, "\(door.target): \(answer.status) \(answer.text)")
            // What administers says no purpose of its own.
            let all = door.needsAdministrator ? try await city.entries().filter { $0["purpose"] == "not-stated" } : uses
            #expect(all.count == 1, "\(door.target): \(all)")
            let use = try #require(all.first, "\(door.target)")
            #expect(use["about"]?.stringValue == Self.subject && use["details"]?["entities"] == [.string(Self.report)], "\(door.target): \(use)")
            #expect(use["details"]?["action"]?.stringValue == door.action && use["by"]?.stringValue?.hasPrefix("token:") == true, "\(door.target): \(use)")
            guard !door.needsAdministrator else { continue }
            for type in ["Lamp", "Bench"] {
                let other = door.about(type)
                let (answer, uses) = try await city.uses(other.target, other.method, other.body, token: token, purpose: "dpv:\(type)\(number)")
                #expect(answer.status == 200 && uses == [], "\(other.target)")
            }
        }
        try await city.server.close()
    }

    @Test func `what is not shown leaves nothing, and the same is recorded once an hour`() async throws {
        let city = try await City()
        for (number, door) in Self.doors.enumerated() where !door.needsAdministrator {
            let (_, uses) = try await city.uses(door.target, door.method, door.body, token: nil, purpose: "dpv:Hidden\(number)")
            #expect(uses == [], "\(door.target)")
        }
        let (counted, uses) = try await city.uses("entities?type=Report&limit=0&count=true", token: city.reader, purpose: "dpv:Counted")
        #expect(counted.headers.first(name: "NGSILD-Results-Count") == "1" && uses == [], "how many there are is told of nobody")
        for _ in 0..<5 { _ = try await city.uses("entities?type=Report", token: city.reader, purpose: "dpv:Again") }
        _ = try await city.uses("entities/\(Self.report)", token: city.reader, purpose: "dpv:Again")
        let again = try await city.entries().filter { $0["purpose"] == "dpv:Again" }
        #expect(again.count == 1)
        #expect(again.first?["details"]?["from"]?.stringValue?.hasSuffix(":00:00Z") == true)
        _ = try await city.uses("entities/\(Self.report)", token: city.administrator, purpose: "dpv:Again")
        #expect(try await city.entries().filter { $0["purpose"] == "dpv:Again" }.count == 2, "somebody else is somebody else")
        try await city.server.close()
    }

    @Test func `figures of several name nobody`() async throws {
        let city = try await City()
        func named(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }
        let other = Entity(
            id: IRI(known: "urn:ngsi-ld:Report:2"), types: [named("Report")],
            attributes: [named("level"): [Attribute(kind: .property, value: 6, observedAt: Instant.now.adding(seconds: -60))]])
        try await city.server.server.broker.create(other, city.administering.writing, at: .now, provenance: .init(classification: .personal))
        let (answer, uses) = try await city.uses(
            "/history?type=Report&attr=level&fn=avg&from=-P1D&group=all&municipality=alder", token: city.reader, purpose: "dpv:Figures")
        #expect(answer.status == 200 && uses.count == 1, "\(answer.text) \(uses)")
        #expect(uses.first?["about"] == nil && uses.first?["details"]?["entities"] == nil && uses.first?["details"]?["figures"] == true)
        try await city.server.close()
    }

    @Test func `what somebody sees of themselves is no use, and what others see they can look up and prove`() async throws {
        let city = try await City()
        let (gatekeeper, broker) = (city.server.server.gatekeeper, city.server.server.broker)
        let signedIn = try await city.server.signedIn("ada", roles: ["resident"], city.administering)
        let mine = Entity(
            id: IRI(known: "urn:ngsi-ld:Report:9"), types: [IRI(known: IRI.defaultContextNamespace + "Report")],
            attributes: [.dataSubject: [Attribute(kind: .property, value: .string(signedIn.subject))]])
        try await broker.create(mine, city.administering.writing, at: .now, provenance: .init(classification: .personal))
        let held = try await broker.held(
            about: signedIn.subject, limit: 10, gatekeeper.reading(signedIn), correcting: gatekeeper.correcting(signedIn), at: .now)
        #expect(held.map(\.id.text) == ["urn:ngsi-ld:Report:9"], "and nothing about others")
        #expect(try await gatekeeper.uses(signedIn, limit: 10) == [])
        _ = try await city.uses("entities/urn:ngsi-ld:Report:9", token: city.reader, purpose: "dpv:ServiceProvision")
        let use = try #require(try await gatekeeper.uses(signedIn, limit: 10).first)
        #expect(use.by == .token("test") && use.entry?["purpose"] == "dpv:ServiceProvision")
        let proof = try #require(try await city.server.server.accountability.proof(ofUse: use.position, of: signedIn, at: Instant.now.adding(seconds: 2)))
        #expect(String(decoding: proof.extra ?? [], as: UTF8.self).contains("urn:ngsi-ld:Report:9"))
        await #expect(throws: CityError.self, "a use of somebody else's") {
            try await city.server.server.accountability.proof(ofUse: 0, of: signedIn, at: .now)
        }
        try await city.server.close()
    }
}

extension RunningServer {
    static let password = "ostrich ladder nineteen"

    /// Somebody with an account who has just signed in.
    func signedIn(_ login: String, roles: [String], _ access: AdministerAccess) async throws -> SignedIn {
        let accounts = server.accounts
        _ = try await accounts.create(access, login: login, name: "Name of \(login)", roles: roles, at: .now)
        let invitation = try await accounts.invite(access, login, at: .now)
        let outcome = try await accounts.accept(invitation, login: "", name: "", password: Self.password, from: Visitor(address: "203.0.113.7"), at: .now)
        guard case .signedIn(let session, _) = outcome, let signedIn = try await accounts.signedIn(session, at: .now) else {
            throw CityError.forbidden("\(outcome)")
        }
        return signedIn
    }
}
