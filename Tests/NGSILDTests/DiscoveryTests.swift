internal import CityModel
internal import HTTPTypes
internal import Testing

/// What types and attributes there are.
struct DiscoveryTests {
    private static let defaults = "https://uri.etsi.org/ngsi-ld/default-context/"

    private func city() async throws -> Installation {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": ["A", "B"], "n": 1}"#)
        try await city.create(#"{"id": "urn:x:2", "type": "A", "n": {"object": "urn:x:1"}, "m": 2}"#)
        return city
    }

    /// Clauses 4.5.10, 4.5.11, 5.2.24, 5.2.25, 6.25.3.1.
    @Test func `types are listed by name, or with their attributes`() async throws {
        let city = try await city()
        let list = try await city.ask(.get, "types").json
        #expect(list["type"] == "EntityTypeList")
        #expect(list["typeList"] == ["A", "B"])
        #expect(try await city.ask(.get, "types?details=true").json == [
            ["id": .string(Self.defaults + "A"), "type": "EntityType", "typeName": "A", "attributeNames": ["m", "n"]],
            ["id": .string(Self.defaults + "B"), "type": "EntityType", "typeName": "B", "attributeNames": ["n"]],
        ])
    }

    /// Clauses 4.5.12, 5.2.26, 6.26.3.1.
    @Test func `a type is described with its entities and the kinds of its attributes`() async throws {
        let city = try await city()
        let type = try await city.ask(.get, "types/A").json
        #expect(type["type"] == "EntityTypeInfo")
        #expect(type["typeName"] == "A")
        #expect(type["entityCount"] == 2)
        let kinds = type["attributeDetails"]?.arrayValue?.map { [$0["attributeName"], $0["attributeTypes"]] }
        #expect(kinds == [["m", ["Property"]], ["n", ["Property", "Relationship"]]])
        #expect(try await city.ask(.get, "types/C").problem == "ResourceNotFound")
    }

    /// Clauses 4.5.13, 4.5.14, 5.2.27, 5.2.28, 6.27.3.1.
    @Test func `attributes are listed by name, or with the types that have them`() async throws {
        let city = try await city()
        let list = try await city.ask(.get, "attributes").json
        #expect(list["type"] == "AttributeList")
        #expect(list["attributeList"] == ["m", "n"])
        #expect(try await city.ask(.get, "attributes?details=true").json == [
            ["id": .string(Self.defaults + "m"), "type": "Attribute", "attributeName": "m", "typeNames": ["A"]],
            ["id": .string(Self.defaults + "n"), "type": "Attribute", "attributeName": "n", "typeNames": ["A", "B"]],
        ])
    }
}
