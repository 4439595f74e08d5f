import CityModel
import LinkedData
import OrderedCollections
import RandomEntities
import Testing

private func written(_ entity: Entity, _ format: RepresentationFormat, context: Context = .core, system: Bool = false) throws -> JSON {
    var writer = JSONWriter()
    EntityWriter(names: ContextNames(context: context, includesSystemMembers: system), format: format).write(entity, to: &writer)
    return try JSON(parsing: writer.bytes)
}

struct RoundTripTests {
    /// Clauses 4.5.1, 4.5.2.2, 4.5.3.2, 4.5.18.2, 4.5.20.2, 4.5.21.2, 4.5.22.2, 4.5.24.2.
    @Test(arguments: UInt64(0)..<300)
    func `an entity survives being written normalized and read again`(seed: UInt64) throws {
        var random = RandomEntity(seed: seed)
        let entity = random.next()
        let json = try written(entity, .normalized, system: true)
        #expect(try EntityReader(context: Context.core, purpose: .stored).fragment(json).entity() == entity)
    }

    /// Clauses 4.5.2.3, 4.5.3.3, 4.5.18.3, 4.5.20.3, 4.5.21.3, 4.5.22.3, 4.5.24.3.
    @Test(arguments: UInt64(0)..<300)
    func `what is written concise says the same to a client's reader`(seed: UInt64) throws {
        var random = RandomEntity(seed: seed)
        let entity = random.next()
        let json = try written(entity, .concise)
        let read = try EntityReader(context: Context.core, purpose: .stored).fragment(json).entity()
        #expect(read.types == entity.types)
        #expect(Array(read.attributes.keys) == Array(entity.attributes.keys))
        for (name, instances) in entity.attributes {
            let others = try #require(read.attributes[name])
            #expect(others.map(\.kind) == instances.map(\.kind))
            #expect(others.map(\.value) == instances.map(\.value))
            #expect(others.map(\.observedAt) == instances.map(\.observedAt))
        }
    }

    /// Clauses 4.8, 6.3.11.
    @Test func `without sysAttrs no time of the system is written`() throws {
        var random = RandomEntity(seed: 4)
        for _ in 0..<50 {
            let text = try written(random.next(), .normalized).description
            for member in ["createdAt", "modifiedAt", "expiresAt"] { #expect(!text.contains("\"\(member)\"")) }
        }
    }

    /// Clause 5.5.7.
    @Test func `names are written as the terms of a context`() async throws {
        let context = try await context(#"{"Bus": "https://example.org/Bus", "line": "https://example.org/line", "red": "https://example.org/red"}"#)
        let entity = Entity(
            id: IRI(known: "urn:x:1"), types: [IRI(known: "https://example.org/Bus")],
            attributes: [IRI(known: "https://example.org/line"): [Attribute(kind: .vocabProperty, value: .string("https://example.org/red"))]])
        #expect(
            try written(entity, .normalized, context: context)
                == JSON(parsing: #"{"id": "urn:x:1", "type": "Bus", "line": {"type": "VocabProperty", "vocab": "red"}}"#))
    }

    /// Clause 4.5.4.
    @Test(arguments: [
        (AttributeKind.property, JSON(5), "5"), (.relationship, "urn:x:2", #""urn:x:2""#), (.listProperty, [1, 2], "[1,2]"),
        (.languageProperty, ["fr": "rue"], #"{"languageMap":{"fr":"rue"}}"#), (.jsonProperty, ["a": 1], #"{"json":{"a":1}}"#),
    ] as [(AttributeKind, JSON, String)])
    func `simplified, an attribute is its value`(kind: AttributeKind, value: JSON, expected: String) throws {
        let name = IRI(known: IRI.defaultContextNamespace + "a")
        let entity = Entity(id: IRI(known: "urn:x:1"), types: [name], attributes: [name: [Attribute(kind: kind, value: value)]])
        #expect(try written(entity, .simplified)["a"] == JSON(parsing: expected))
    }

    @Test func `a proof seals the identifier and the type with texts`() throws {
        let text = #"""
            {"id": "urn:x:1", "type": "T", "ngsildproof":
              {"type": "Property", "value": {"type": "DataIntegrityProof"}, "entityIdSealed": "urn:x:1", "entityTypeSealed": "T"}}
            """#
        let json = try JSON(parsing: text)
        let entity = try EntityReader(context: Context.core, purpose: .content).fragment(json).entity()
        #expect(try written(entity, .normalized) == json)
        let stored = try written(entity, .normalized, system: true)
        #expect(try EntityReader(context: Context.core, purpose: .stored).fragment(stored).entity() == entity)
    }

    /// Clause 4.5.23.2.
    @Test func `linked entities are written in place, each as its view shows it`() throws {
        @Sendable func name(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }
        func entity(_ id: String, linkingTo target: String) -> Entity {
            Entity(
                id: IRI(known: id), types: [name("T")],
                attributes: [name("in"): [Attribute(kind: .relationship, value: .string(target))], name("n"): [Attribute(kind: .property, value: 1)]])
        }
        @Sendable func view() -> LinkedEntities.View {
            .init(members: .id, select: { whole in
                var entity = whole
                entity.attributes[name("n")] = nil
                return entity
            }, behind: { _ in view() })
        }
        // The second leads back to the first: depth ends it.
        let (first, second) = (entity("urn:x:1", linkingTo: "urn:x:2"), entity("urn:x:2", linkingTo: "urn:x:1"))
        let linked = LinkedEntities(entities: ["urn:x:1": first, "urn:x:2": second], depth: 2, view: view())
        var writer = JSONWriter()
        EntityWriter(names: ContextNames(context: .core, includesSystemMembers: false), format: .simplified)
            .write(first, linked: linked, to: &writer)
        #expect(
            try JSON(parsing: writer.bytes)
                == JSON(parsing: #"{"id": "urn:x:1", "type": "T", "in": {"id": "urn:x:2", "in": {"id": "urn:x:1", "in": "urn:x:2"}}, "n": 1}"#))
    }
}
