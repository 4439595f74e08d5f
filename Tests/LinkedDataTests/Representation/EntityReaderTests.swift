import CityModel
import LinkedData
import OrderedCollections
import Testing

/// Reads the attribute `a` of an entity that has no other.
private func read(_ json: String, _ purpose: EntityReader.Purpose = .content) throws -> [Attribute] {
    let entity = try JSON(parsing: #"{"id": "urn:x:1", "type": "T", "a": \#(json)}"#)
    let fragment = try EntityReader(context: Context.core, purpose: purpose).fragment(entity)
    return try #require(fragment.attributes[name("a")])
}

private func name(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }

/// The error that reading a whole entity ends with; nil when it does not.
private func fault(_ json: String, _ purpose: EntityReader.Purpose = .content) throws -> CityError? {
    do {
        _ = try EntityReader(context: Context.core, purpose: purpose).fragment(JSON(parsing: json))
        return nil
    } catch let error as CityError { return error }
}

struct EntityReaderTests {
    /// Clauses 4.5.2, 4.5.3, 4.5.4, 4.5.18, 4.5.20, 4.5.21, 4.5.22, 4.5.24, 5.2.5, 5.2.6, 5.2.32, 5.2.35, 5.2.36, 5.2.37, 5.2.38.
    @Test(arguments: [
        (#"{"type": "Property", "value": 5}"#, AttributeKind.property, JSON(5)),
        (#"{"value": 5}"#, .property, 5),
        ("5", .property, 5),
        (#""text""#, .property, "text"),
        (#"[1, 2]"#, .property, [1, 2]),
        (#"{"free": true}"#, .property, ["free": true]),
        (#"{"type": "Relationship", "object": "urn:x:2"}"#, .relationship, "urn:x:2"),
        (#"{"object": ["urn:x:2", "urn:x:3"]}"#, .relationship, ["urn:x:2", "urn:x:3"]),
        (#"{"languageMap": {"fr": "rue", "en": ["street", "road"]}}"#, .languageProperty, ["fr": "rue", "en": ["street", "road"]]),
        (#"{"vocab": "open"}"#, .vocabProperty, .string(IRI.defaultContextNamespace + "open")),
        (#"{"valueList": [1, "x"]}"#, .listProperty, [1, "x"]),
        (#"{"objectList": [{"object": "urn:x:2"}]}"#, .listRelationship, ["urn:x:2"]),
        (#"{"json": {"id": 3, "type": "raw"}}"#, .jsonProperty, ["id": 3, "type": "raw"]),
    ] as [(String, AttributeKind, JSON)])
    func `every kind is read in normalized, concise or simplified form`(json: String, kind: AttributeKind, value: JSON) throws {
        let instances = try read(json)
        #expect(instances.map(\.kind) == [kind])
        #expect(instances.map(\.value) == [value])
    }

    /// Clauses 4.7.1, 4.7.2, 4.7.3, 5.2.7.
    @Test(arguments: [
        #"{"type": "GeoProperty", "value": {"type": "Point", "coordinates": [3, 43]}}"#,
        #"{"value": {"type": "Point", "coordinates": [3, 43]}}"#,
        #"{"type": "Point", "coordinates": [3, 43]}"#,
        #"{"type": "GeoProperty", "value": "{\"type\": \"Point\", \"coordinates\": [3, 43]}"}"#,
    ])
    func `a geometry is read as it is, concise, bare and out of a text`(json: String) throws {
        let instance = try #require(try read(json).first)
        #expect(instance.kind == .geoProperty)
        #expect(instance.value == ["type": "Point", "coordinates": [3, 43]])
    }

    /// Clauses 4.5.5, 4.5.1.
    @Test func `instances are told apart by datasetId, and qualifiers are kept`() throws {
        let instances = try read(
            """
            [{"value": 1, "unitCode": "CEL", "observedAt": "2026-01-31T12:00:00.5Z", "sub": {"value": 2}},
             {"value": 3, "datasetId": "urn:d:1", "expiresAt": "2100-01-01T00:00:00Z"}]
            """)
        #expect(instances.map(\.datasetID) == [nil, IRI(known: "urn:d:1")])
        #expect(instances[0].unitCode == "CEL")
        #expect(instances[0].observedAt == Instant("2026-01-31T12:00:00.5Z"))
        #expect(instances[0].subattributes[name("sub")]?.first?.value == 2)
        #expect(instances[1].expiresAt == Instant("2100-01-01T00:00:00Z"))
    }

    @Test(arguments: ["value", "object", "vocab", "json", "languageMap"])
    func `an attribute may be called like the member that holds a value`(term: String) throws {
        #expect(try fault(#"{"id": "urn:x:1", "type": "T", "\#(term)": {"type": "Property", "value": 1}}"#) == nil)
    }

    /// Clauses 4.2.2, 4.5.1, 5.2.4, 5.5.4.
    @Test(arguments: [
        (#"{"id": "no URI"}"#, "id"), (#"{"id": "urn:ngsi-ld:null"}"#, "id"), (#"{"id": 5}"#, "id"),
        (#"{"type": []}"#, "type"), (#"{"type": "9T"}"#, "type"), (#"{"type": 5}"#, "type"), (#"{"type": "urn:ngsi-ld:null"}"#, "type"),
        (#"{"scope": "/a//b"}"#, "scope"), (#"{"scope": "urn:ngsi-ld:null"}"#, "scope"), (#"{"scope": ["/a", "9b"]}"#, "scope"),
        (#"{"expiresAt": "2026-13-45T00:00:00Z"}"#, "expiresAt"), (#"{"datasetId": "urn:x:1"}"#, "datasetId"),
        (#"{"@graph": 1}"#, "@graph"), (#"{"my name": 1}"#, "my name"), (#"{"": 1}"#, ""), (#"{"1st": 1}"#, "1st"),
        (#"{"location": 7}"#, "location"), (#"{"location": {"type": "GeoProperty", "value": "here"}}"#, "location.value"),
        (#"{"location": {"type": "Point", "coordinates": [1]}}"#, "location"),
        (#"{"ngsildproof": "no object"}"#, "ngsildproof"), (#"{"a": {"value": 1, "entityIdSealed": "urn:x:1"}}"#, "a.entityIdSealed"),
        (#"{"a": null}"#, "a"), (#"{"a": "urn:ngsi-ld:null"}"#, "a"), (#"{"a": {"value": {"b": [{"c": null}]}}}"#, "a.value.b.c"),
        (#"{"a": {"value": {"b": {"c": "urn:ngsi-ld:null"}}}}"#, "a.value.b.c"),
        (#"{"a": {"type": "Nothing", "value": 1}}"#, "a.type"), (#"{"a": {"type": "Property"}}"#, "a.value"),
        (#"{"a": {"value": 1, "object": "urn:x:2"}}"#, "a.object"), (#"{"a": {"value": 1, "previousValue": 0}}"#, "a.previousValue"),
        (#"{"a": {"value": 1, "observedAt": "2026-01-31T12:00:00+02:00"}}"#, "a.observedAt"),
        (#"{"a": {"value": 1, "observedAt": {"type": "Property", "value": "2026-01-31T12:00:00Z"}}}"#, "a.observedAt"),
        (#"{"a": {"value": 1, "datasetId": "urn:ngsi-ld:null"}}"#, "a.datasetId"),
        (#"{"a": [{"value": 1}, {"value": 2}]}"#, "a[1].datasetId"), (#"{"a": {"value": 1, "@context": {}}}"#, "a.@context"),
        (#"{"a": {"object": "no URI"}}"#, "a.object"), (#"{"a": {"object": []}}"#, "a.object"),
        (#"{"a": {"object": "urn:x:2", "unitCode": "MTR"}}"#, "a.unitCode"),
        (#"{"a": {"languageMap": {}}}"#, "a.languageMap"), (#"{"a": {"languageMap": {"en": 5}}}"#, "a.languageMap.en"),
        (#"{"a": {"languageMap": {"": "x"}}}"#, "a.languageMap."),
        (#"{"a": {"languageMap": {"en": "x"}, "valueType": "xsd:string"}}"#, "a.valueType"),
        (#"{"a": {"json": 5}}"#, "a.json"), (#"{"a": {"valueList": 5}}"#, "a.valueList"),
    ])
    func `what is no entity is refused, and the detail names the member`(members: String, member: String) throws {
        let json = #"{"id": "urn:x:1", "type": "T", \#(members.dropFirst())"#
        guard case .badRequestData(let detail) = try fault(json) else {
            Issue.record("accepted or refused for another reason")
            return
        }
        #expect(detail.hasPrefix("\(member):"))
    }

    /// Clauses 4.5.2, 5.5.4.
    @Test(arguments: [(EntityReader.Purpose.content, false), (.update, true), (.merge, true)])
    func `an NGSI-LD Null stands only where something is changed`(purpose: EntityReader.Purpose, isAllowed: Bool) throws {
        for value in [#""urn:ngsi-ld:null""#, #"{"object": "urn:ngsi-ld:null"}"#, #"{"languageMap": {"@none": "urn:ngsi-ld:null"}}"#] {
            #expect(try (fault(#"{"a": \#(value)}"#, purpose) == nil) == isAllowed)
            if isAllowed { #expect(try read(value, purpose).allSatisfy(\.isNull)) }
        }
        #expect(try (fault(#"{"a": {"value": {"b": "urn:ngsi-ld:null"}}}"#, purpose) == nil) == (purpose == .merge))
    }

    @Test func `at most 1000 instances are read`() throws {
        func instances(_ count: Int) -> String {
            "[" + (0..<count).map { #"{"value": 1, "datasetId": "urn:d:\#($0)"}"# }.joined(separator: ",") + "]"
        }
        #expect(try read(instances(EntityReader.instanceCountMax)).count == EntityReader.instanceCountMax)
        #expect(throws: CityError.self) { try read(instances(EntityReader.instanceCountMax + 1)) }
    }

    /// Clause 5.2.2.
    @Test func `a bare value is remembered as one, and creation times of clients are not`() throws {
        let json = try JSON(parsing: #"{"a": 5, "b": {"value": 5, "createdAt": "2001-01-01T00:00:00Z"}, "createdAt": "2001-01-01T00:00:00Z"}"#)
        let fragment = try EntityReader(context: Context.core, purpose: .merge).fragment(json)
        #expect(fragment.bareAttributes == [name("a")])
        #expect(fragment.createdAt == nil)
        #expect(fragment.attributes[name("b")]?.first?.createdAt == nil)
    }
}
