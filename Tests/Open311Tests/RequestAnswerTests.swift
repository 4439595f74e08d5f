import Cases
import CityModel
@testable import Open311
import OrderedCollections
import Query
import Services
import Testing

struct RequestAnswerTests {
    private func entity(_ members: [String: JSON]) -> Entity {
        var entity = Entity(id: IRI("urn:ngsi-ld:Open311ServiceRequest:boston:101000293432")!, types: [CaseType.request.iri])
        for (name, value) in members {
            // A term of the core context; all others are of the default one.
            let namespace = name == "status" ? IRI.ngsildNamespace : IRI.defaultContextNamespace
            entity.attributes[IRI(namespace + name)!] = [Attribute(kind: .property, value: value)]
        }
        return entity
    }

    private func answer(_ members: [String: JSON]) throws -> JSON {
        RequestAnswer(entity: entity(members), zone: CivilZone("America/New_York")!, language: try Example.language()).json
    }

    @Test func `every member of the standard is there, null where nothing is known`() throws {
        let names = [
            "service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible", "service_notice", "requested_datetime",
            "updated_datetime", "expected_datetime", "address", "address_id", "zipcode", "lat", "long", "media_url",
        ]
        let json = try answer([:])
        #expect(json.objectValue.map { Array($0.keys) } == names)
        #expect(json.objectValue?.values.filter { $0 != .null } == ["open"])
    }

    @Test func `values of sources are texts, numbers and typed values`() throws {
        let json = try answer([
            "service_request_id": 101_000_293_432, "zipcode": "02108", "requested_datetime": ["@type": "DateTime", "@value": "2011-07-04T16:30:00.5Z"], "status": "Closed",
        ])
        #expect(json["service_request_id"] == "101000293432")
        #expect(json["zipcode"] == "02108")
        #expect(json["status"] == "closed")
        #expect(json["requested_datetime"] == "2011-07-04T12:30:00-04:00")
        #expect(json["updated_datetime"] == "2011-07-04T12:30:00-04:00", "it has not changed since")
    }

    @Test func `a request that is closed changed last when it was closed`() throws {
        let times: [String: JSON] = ["requested_datetime": "2026-01-01T00:00:00Z", "updated_datetime": "2026-01-03T00:00:00Z", "closed_datetime": "2026-01-02T00:00:00Z"]
        #expect(try answer(times.merging(["status": "closed"]) { $1 })["updated_datetime"] == "2026-01-01T19:00:00-05:00")
        #expect(try answer(times.merging(["status": "inProgress"]) { $1 })["updated_datetime"] == "2026-01-02T19:00:00-05:00")
    }

    @Test func `what a service asks is described by the data types of the standard`() throws {
        let attributes = try Example.definition().defined(Example.language())["attributes"]?.arrayValue ?? []
        #expect(attributes.map { $0["code"] } == ["fault", "since", "why"])
        #expect(attributes.map { $0["datatype"] } == ["singlevaluelist", "datetime", "string"])
        // What is asked after some answers alone can't be demanded beforehand.
        #expect(attributes.map { $0["required"] } == [true, false, false])
        #expect(attributes.map { $0["order"] } == [1, 2, 3])
    }
}
