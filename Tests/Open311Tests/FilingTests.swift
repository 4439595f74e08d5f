import Broker
import Cases
import CityModel
import Door
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
@testable import Open311
import OrderedCollections
import Query
import Services
import Store
import Testing
import Trust

/// Filing through the routes, in a municipality of a temporary folder. What makes photos safe is another room's; here stands what it is asked.
struct FilingTests {
    private struct NotAPhoto: Error, CustomStringConvertible {
        var description: String { "this is no photo" }
    }

    private final class Desk {
        let folder = FileManager.default.temporaryDirectory.appending(path: "conurb-open311-\(UUID().uuidString)")
        let store: Store
        let broker: Broker
        let gatekeeper: Gatekeeper
        let table: RouteTable

        init(_ change: (inout Open311Configuration) -> Void = { _ in }) async throws {
            store = try Store(directory: folder.path)
            broker = Broker(store: store, configuration: BrokerConfiguration(createsMunicipalities: true))
            gatekeeper = Gatekeeper(store: store, isOpen: false)
            var configuration = Open311Configuration(name: "Alder", municipalities: { [store] in try store.municipalities() })
            change(&configuration)
            let door = Open311Door(
                broker: broker, gatekeeper: gatekeeper, desk: CaseDesk(broker: broker, catalogue: ServiceCatalogue(broker: broker)), configuration: configuration)
            table = RouteTable(door.routes)
            let access = try await gatekeeper.administering(.standard, .program)
            _ = try await broker.putService("street-light", text: Example.lamp, access, at: Example.now)
        }

        deinit {
            try? store.close()
            try? FileManager.default.removeItem(at: folder)
        }

        func ask(_ method: HTTPRequest.Method, _ target: String, _ body: String = "", type: String = PostedFields.formType, by credential: Credential = .none) async throws -> (status: Int, json: JSON) {
            let path = target.prefix { $0 != "?" }
            guard case .route(let route, let parameters) = table.match(method, path) else { throw CityError.resourceNotFound(target) }
            let request = DoorRequest(
                method: method, path: String(path), headers: [.contentType: type], authority: "city.example", query: try QueryParameters(target.dropFirst(path.count + 1)),
                pathParameters: parameters, credential: credential, now: Example.now, content: .collected(ByteBuffer(string: body)), logger: Logger(label: "test"))
            let response = try await route.handler(request)
            let sink = Sink()
            try await response.body.write(sink)
            return (response.status.code, response.status == .noContent ? .null : try JSON(parsing: Array(sink.buffer.readableBytesView)))
        }
    }

    private final class Sink: ResponseBodyWriter {
        var buffer = ByteBuffer()
        func write(_ buffer: ByteBuffer) { self.buffer.writeImmutableBuffer(buffer) }
        func finish(_ trailingHeaders: HTTPFields?) {}
    }

    private static let form = "service_code=street-light&lat=43.6&long=3.8&attribute[fault]=out"

    private static func parts(_ photos: [String], called name: String = "media") -> String {
        let fields = form.split(separator: "&").map { pair in
            let sides = pair.split(separator: "=")
            return "--b\r\nContent-Disposition: form-data; name=\"\(sides[0])\"\r\n\r\n\(sides[1])\r\n"
        }
        let files = photos.map { "--b\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"x.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\($0)\r\n" }
        return fields.joined() + files.joined() + "--b--\r\n"
    }

    private static let multipart = "multipart/form-data; boundary=b"

    private func photographing() async throws -> Desk {
        try await Desk { configuration in
            configuration.preparePhoto = { bytes in
                guard bytes.first == UInt8(ascii: "P") else { throw NotAPhoto() }
                return (jpeg: bytes + [1], thumbnail: [2])
            }
        }
    }

    @Test func `a photo is filed as it was prepared, and shown once it is public`() async throws {
        let desk = try await photographing()
        let filed = try await desk.ask(.post, "/open311/v2/requests.json", Self.parts(["Photo"]), type: Self.multipart)
        #expect(filed.status == 201)
        let id = try #require(filed.json.arrayValue?.first?["service_request_id"]?.stringValue)
        let reference = try #require(CaseReference(id))
        let staff = try await desk.gatekeeper.writing(.standard, .program)
        let cases = CaseDesk(broker: desk.broker, catalogue: ServiceCatalogue(broker: desk.broker))
        let attachment = try #require(try await cases.shown(reference, staff.reading, at: Example.now).attachments.first)
        #expect((attachment.mediaType, attachment.field, attachment.isPublic) == ("image/jpeg", "photos", false))
        let stored = try await desk.broker.attachment(attachment.id, small: false, partOf: CaseType.dossier.id, staff.reading, at: Example.now)
        #expect(stored?.bytes == Array("Photo".utf8) + [1])
        #expect(try await desk.ask(.get, "/open311/v2/requests/\(id).json").json.arrayValue?.first?["media_url"] == .null)
        try await cases.publish(reference, description: nil, photos: [attachment.id], staff, at: Example.now)
        let shown = try await desk.ask(.get, "/open311/v2/requests/\(id).json").json.arrayValue?.first?["media_url"]
        #expect(shown == .string("http://city.example/attachments/\(attachment.id)?municipality=default"))
    }

    @Test(arguments: [(["Photo", "Photo"], "media"), (["no photo"], "media: this is no photo")])
    func `photos that are none or too many are refused, and nothing is filed`(photos: [String], words: String) async throws {
        let desk = try await photographing()
        let refused = try await desk.ask(.post, "/open311/v2/requests.json", Self.parts(photos), type: Self.multipart)
        #expect(refused.status == 400)
        #expect(refused.json.arrayValue?.first?["description"]?.stringValue?.hasPrefix(words) == true)
        #expect(try await desk.ask(.get, "/open311/v2/requests.json").json == [])
    }

    @Test func `how Open311 is spoken is an act of who administers, once for each change`() async throws {
        let desk = try await Desk()
        for body in [#"{"requiresKey": true, "contact": "call 311"}"#, #"{"requiresKey": true, "contact": "call 311"}"#, "{}"] {
            let answer = try await desk.ask(.put, "/municipalities/default/open311", body, type: "application/json", by: .program)
            #expect(answer.status == 204)
        }
        let acts = try await desk.store.file(.standard).read { snapshot in
            try (0..<20).compactMap { try snapshot.ledgerRow(Int64($0))?.text.flatMap { try? JSON(parsing: $0.entry) } }
        }
        let told = acts.filter { $0["act"] == "open311-changed" }
        #expect(told.map { $0["details"] } == [["requiresKey": true], ["requiresKey": false]])
        #expect(told.allSatisfy { $0["by"] != nil && !$0.description.contains("311\"") }, "who administers, and not what is said to people")
    }

    @Test(arguments: [("attribute[photos]", 201), ("attribute[plan]", 201), ("media[]", 201), ("attribute[fault]", 400), ("attribute[none]", 400), ("picture", 400)])
    func `a file answers the question that it is called by, and no other is taken`(name: String, status: Int) async throws {
        let desk = try await photographing()
        let access = try await desk.gatekeeper.administering(.standard, .program)
        let plan = "  - {id: plan, label: {en: Plan, fr: Plan}, type: file, mediaTypes: [application/pdf], maxCount: 1}\ndepartments"
        _ = try await desk.broker.putService("street-light", text: Example.lamp.replacing("departments", with: plan, maxReplacements: 1), access, at: Example.now)
        let answer = try await desk.ask(.post, "/open311/v2/requests.json", Self.parts([name == "attribute[plan]" ? "%PDF-1.7 x" : "Photo"], called: name), type: Self.multipart)
        #expect(answer.status == status, "\(answer.json)")
        guard status == 201, let id = answer.json.arrayValue?.first?["service_request_id"]?.stringValue, let reference = CaseReference(id) else {
            #expect(answer.json.arrayValue?.first?["description"]?.stringValue?.hasPrefix(name) == true)
            return
        }
        let cases = CaseDesk(broker: desk.broker, catalogue: ServiceCatalogue(broker: desk.broker))
        let attachments = try await cases.shown(reference, desk.gatekeeper.writing(.standard, .program).reading, at: Example.now).attachments
        #expect(attachments.map(\.field) == [name == "attribute[plan]" ? "plan" : "photos"])
        #expect(attachments.map(\.mediaType) == [name == "attribute[plan]" ? "application/pdf" : "image/jpeg"])
        let wrong = try await desk.ask(.post, "/open311/v2/requests.json", Self.parts(["<svg>"], called: "attribute[plan]"), type: Self.multipart)
        #expect(wrong.json.arrayValue?.first?["description"] == "attribute[plan]: a file of one of these types is needed: application/pdf")
        let text = try await desk.ask(.post, "/open311/v2/requests.json", Self.form + "&attribute[plan]=http%3A%2F%2Fx.example%2Fa.pdf")
        #expect(text.json.arrayValue?.first?["description"]?.stringValue?.hasPrefix("attribute[plan]: a file in multipart") == true)
        let asked = try await desk.ask(.get, "/open311/v2/services/street-light.json").json["attributes"]?.arrayValue ?? []
        #expect(asked.filter { $0["variable"] == false }.map { $0["code"] } == ["plan"])
    }

    @Test func `what is said of a report before it is filed is filed, and may refuse it`() async throws {
        let desk = try await Desk { configuration in
            configuration.complete = { report, _, _, _ in
                guard report.contact.name == nil else { throw CityError.overloaded("come again") }
                var report = report
                report.district = "North"
                return report
            }
        }
        let filed = try await desk.ask(.post, "/open311/v2/requests.json", Self.form)
        let id = try #require(filed.json.arrayValue?.first?["service_request_id"]?.stringValue)
        let shown = try await desk.ask(.get, "/open311/v2/requests/\(id).json?extensions=true").json.arrayValue?.first
        #expect(shown?["extended_attributes"]?["district"] == "North")
        #expect(try await desk.ask(.post, "/open311/v2/requests.json", Self.form + "&first_name=Ada").status == 503)
    }

    @Test func `a span may hold more than can be put in order at once`() async throws {
        let desk = try await Desk()
        let access = try await desk.gatekeeper.writing(.standard, .program)
        let entities = (0..<20_500).map { number -> ObservedEntity in
            var entity = Entity(id: IRI("urn:ngsi-ld:Open311ServiceRequest:x:\(number)")!, types: [CaseType.request.iri])
            let moment = Example.now.adding(seconds: Double(-number * 300))
            entity.attributes[CaseTerm.reference] = [Attribute(kind: .property, value: .string("x\(number)"))]
            entity.attributes[CaseTerm.requestedAt] = [Attribute(kind: .property, value: .string(moment.description))]
            return ObservedEntity(id: entity.id, types: entity.types, scopes: [], attributes: entity.attributes)
        }
        _ = try await desk.broker.record(entities, provenance: Provenance(classification: .open), access, at: Example.now)
        for (page, first) in [(1, 0), (2, 1000), (21, 20_000)] {
            let listed = try await desk.ask(.get, "/open311/v2/requests.json?page=\(page)").json.arrayValue ?? []
            #expect(listed.first?["service_request_id"] == .string("x\(first)"))
            #expect(listed.count == min(1000, 20_500 - first))
        }
    }
}
