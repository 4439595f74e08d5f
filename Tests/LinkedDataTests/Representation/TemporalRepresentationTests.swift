import CityModel
import LinkedData
import OrderedCollections
import Testing

/// Temporal representations, read (clauses 4.5.6 to 4.5.8) and written (clauses 4.5.9 and 4.5.19).
@Suite struct TemporalRepresentationTests {
    private let noon = Instant("2026-06-01T12:00:00Z")!

    private func fragment(_ text: String) throws -> TemporalFragment {
        try EntityReader(context: Context.core, purpose: .temporal).temporalFragment(JSON(parsing: text))
    }

    private func written(
        _ attributes: OrderedDictionary<IRI, [TemporalInstance]>, _ format: RepresentationFormat, sysAttrs: Bool = false, shownTime: String? = nil
    ) throws -> JSON {
        let entity = TemporalEntity(
            id: IRI(known: "urn:x:1"), types: [name("T")], createdAt: noon, modifiedAt: noon, deletedAt: nil, content: .instances(attributes))
        var writer = JSONWriter()
        TemporalWriter(names: ContextNames(context: .core, includesSystemMembers: sysAttrs), format: format, shownTime: shownTime)
            .write(entity, to: &writer)
        return try JSON(parsing: writer.bytes)
    }

    private func name(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }

    private func instance(_ kind: AttributeKind, _ value: JSON, datasetID: String? = nil, deletedAt: Instant? = nil) -> TemporalInstance {
        var attribute = Attribute(kind: kind, value: value, datasetID: datasetID.map(IRI.init(known:)))
        if deletedAt == nil { (attribute.observedAt, attribute.createdAt, attribute.modifiedAt) = (noon, noon, noon) }
        return TemporalInstance(attribute: attribute, deletedAt: deletedAt, time: noon, instanceID: "urn:x:i")
    }

    /// Clauses 4.5.6, 4.5.7, 4.5.8.
    @Test func `an attribute is one instance or many, also of one dataset`() throws {
        let fragment = try fragment("""
            {"id": "urn:x:1", "type": "T", "a": [{"value": 1, "observedAt": "2026-06-01T12:00:00Z"}, {"value": 2, "observedAt": "2026-06-01T12:01:00Z"}],
             "b": {"type": "Relationship", "object": "urn:x:2"}, "c": {"type": "Property", "value": "urn:ngsi-ld:null"}}
            """)
        #expect(fragment.attributes[name("a")]?.map(\.value) == [1, 2])
        #expect(fragment.attributes[name("b")]?.map(\.kind) == [.relationship])
        #expect(fragment.attributes[name("c")]?.first?.isNull ?? false)
        #expect(fragment.instanceCount == 4)
    }

    /// Clauses 4.5.6, 4.18.
    @Test(arguments: [
        (#""/A""#, [["/A"]]), (#"["/A", "B/C"]"#, [["/A", "/B/C"]]), (#"{"type": "Property", "value": "/A"}"#, [["/A"]]),
        (#"[{"type": "Property", "value": ["/A", "/B"]}, {"type": "Property", "value": "urn:ngsi-ld:null"}]"#, [["/A", "/B"], []]),
    ] as [(String, [[String]])])
    func `scopes come as they are or as instances of a property`(scope: String, expected: [[String]]) throws {
        let fragment = try fragment(#"{"id": "urn:x:1", "type": "T", "scope": \#(scope)}"#)
        #expect(fragment.scopes.map { $0.scopes.map(\.text) } == expected)
    }

    /// Clause 4.5.6.
    @Test(arguments: [
        #""scope": [{"type": "Property"}]"#, #""scope": {"type": "Relationship", "value": "/A"}"#, #""scope": {"value": "/A", "accuracy": 1}"#,
        #""scope": 5"#, #""a": [{"value": 1, "observedAt": "2026-06-01T12:00:00+02:00"}]"#, #""a": null"#, #""expiresAt": "urn:ngsi-ld:null""#,
    ])
    func `what no temporal representation says is refused`(member: String) {
        #expect(throws: CityError.self) { try fragment(#"{"id": "urn:x:1", "type": "T", \#(member)}"#) }
    }

    /// Clause 4.5.9.
    @Test(arguments: [
        (AttributeKind.property, 5, "values", 5), (.geoProperty, ["type": "Point", "coordinates": [1, 2]], "values", ["type": "Point", "coordinates": [1, 2]]),
        (.relationship, "urn:x:2", "objects", "urn:x:2"), (.languageProperty, ["en": "yes"], "languageMaps", ["languageMap": ["en": "yes"]]),
        (.listProperty, [1, 2], "valueLists", [1, 2]), (.listRelationship, ["urn:x:2"], "objectLists", ["urn:x:2"]),
        (.jsonProperty, ["a": 1], "jsons", ["json": ["a": 1]]),
        (.vocabProperty, .string(IRI.defaultContextNamespace + "male"), "vocabs", ["vocab": "male"]),
    ] as [(AttributeKind, JSON, String, JSON)])
    func `each kind has pairs of its own`(kind: AttributeKind, value: JSON, member: String, expected: JSON) throws {
        let json = try written([name("a"): [instance(kind, value)]], .simplified)
        #expect(json["a"] == .object(["type": .string(kind.rawValue), member: [[expected, "2026-06-01T12:00:00Z"]]]))
    }

    /// Clauses 4.5.5, 4.5.9.
    @Test func `datasets stand apart`() throws {
        let json = try written([name("a"): [instance(.property, 1), instance(.property, 2, datasetID: "urn:x:d")]], .simplified)
        #expect(json["a"] == [
            ["type": "Property", "values": [[1, "2026-06-01T12:00:00Z"]]],
            ["type": "Property", "datasetId": "urn:x:d", "values": [[2, "2026-06-01T12:00:00Z"]]],
        ])
    }

    /// Clauses 4.5.7, 4.5.8, 4.8.
    @Test func `the trace of a deletion has its time and the null of its kind`() throws {
        let traces = [instance(.languageProperty, .string(Attribute.nullText), deletedAt: noon)]
        let json = try written([name("a"): traces], .normalized, sysAttrs: true)
        #expect(json["a"] == [[
            "type": "LanguageProperty", "languageMap": ["@none": "urn:ngsi-ld:null"], "instanceId": "urn:x:i", "deletedAt": "2026-06-01T12:00:00Z",
        ]])
    }

    /// Clauses 6.3.11, 4.8.
    @Test func `system members are shown when asked for, and the one that the query is about`() throws {
        let attributes = OrderedDictionary(uniqueKeysWithValues: [(name("a"), [instance(.property, 1)])])
        #expect(try written(attributes, .normalized)["a"]?.arrayValue?.first?["createdAt"] == nil)
        #expect(try written(attributes, .normalized)["createdAt"] == nil)
        let whole = try written(attributes, .normalized, sysAttrs: true, shownTime: "createdAt")
        #expect(whole["a"]?.arrayValue?.first?["createdAt"] != nil)
        #expect(whole["createdAt"] != nil)
        let shown = try written(attributes, .concise, shownTime: "modifiedAt")["a"]?.arrayValue?.first
        #expect(shown == ["value": 1, "observedAt": "2026-06-01T12:00:00Z", "instanceId": "urn:x:i", "modifiedAt": "2026-06-01T12:00:00Z"])
    }

    /// Clauses 4.5.9, 4.11.
    @Test func `pairs are of what was observed, unless the query is about another time`() throws {
        var unobserved = instance(.property, 2)
        unobserved = TemporalInstance(
            attribute: Attribute(kind: .property, value: 2), deletedAt: nil, time: noon, instanceID: unobserved.instanceID)
        let trace = instance(.property, .string(Attribute.nullText), deletedAt: noon)
        let attributes: OrderedDictionary = [name("a"): [instance(.property, 1), unobserved, trace], name("b"): [unobserved]]
        let observed = try written(attributes, .simplified)
        #expect(observed["a"]?["values"] == [[1, "2026-06-01T12:00:00Z"]])
        #expect(observed["b"] == nil)
        #expect(try written(attributes, .simplified, shownTime: "modifiedAt")["a"]?["values"]?.arrayValue?.count == 3)
        #expect(try written(attributes, .normalized)["b"]?.arrayValue?.count == 1)
    }

    @Test func `an attribute of which nothing is left is empty`() throws {
        #expect(try written([name("a"): []], .normalized)["a"] == [])
        #expect(try written([name("a"): []], .simplified)["a"] == ["type": "Property", "values": []])
    }
}
