import CityModel
import OrderedCollections
import Query
import Store
import Testing

/// The stored document: what goes in comes out.
@Suite struct DocumentTests {
    private static var whole: Entity {
        var entity = Entity(id: entityID(1), types: [iri("Lamp"), iri("Thing")], scopes: [Scope("/A/B")!, Scope("/C")!])
        var instance = Attribute(kind: .property, value: .object(["k": [1, 2.5, "x", true, .null], "12": "a member named like a number"]))
        (instance.observedAt, instance.unitCode, instance.datasetID) = (noon, "CEL", IRI("urn:d:1"))
        instance.valueType = iri("Temperature")
        instance.expiresAt = noon.adding(seconds: 3600)
        instance.subattributes = [iri("accuracy"): property(0.5), iri("by"): [Attribute(kind: .relationship, value: "urn:x:1")]]
        var link = Attribute(kind: .relationship, value: ["urn:x:1", "urn:x:2"])
        link.objectTypes = [iri("Lamp"), iri("Pole")]
        entity.attributes = [
            iri("several"): property("plain \"quoted\" \u{1} 12") + [instance], iri("link"): [link],
            .location: [Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [3.25, 43]])],
            iri("name"): [Attribute(kind: .languageProperty, value: ["fr": "rue", "en": ["street", "road"]])],
            iri("word"): [Attribute(kind: .vocabProperty, value: .string(iri("Open").text))],
            iri("words"): [Attribute(kind: .vocabProperty, value: [.string(iri("Open").text), .string(iri("New").text)])],
            iri("list"): [Attribute(kind: .listProperty, value: [1, [2], "x"])],
            iri("links"): [Attribute(kind: .listRelationship, value: ["urn:x:1", "urn:x:1"])],
            iri("raw"): [Attribute(kind: .jsonProperty, value: ["a": .null, "b": [[]]])],
        ]
        (entity.createdAt, entity.modifiedAt, entity.expiresAt) = (noon, noon.adding(seconds: 0.25), noon.adding(seconds: 7200))
        return entity
    }

    @Test func `an entity of every kind of attribute comes back as it was`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let whole = Self.whole
        try await file.write { try $0.insert(whole, provenance: .init(), at: noon) }
        let (read, types) = try await file.read { snapshot in
            let stored = try #require(try snapshot.storedEntity(whole.id))
            return (try snapshot.entity(stored), try snapshot.entityTypes(stored))
        }
        #expect(read == whole)
        #expect(types == whole.types)
        #expect(try await file.verify().faults == [])
    }

    @Test func `of a type that nobody has there is nothing, whoever asks`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        for classificationMax in Classification.allCases {
            let search = EntitySearch(
                filter: EntityFilter(types: .type(iri("Nothing"))), classificationMax: classificationMax, limit: 5, wantsCount: true, now: noon)
            #expect(try await file.read { try $0.search(search) }.count == 0)
        }
    }

    @Test func `equality is counted by the index where the index knows, and by reading where it does not`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let values: [JSON] = ["red", "red", ["blue", "red"], "green", true, 4, 4.0, "4", .object(["@type": "x", "@value": "red"])]
        try await file.write { transaction in
            for (number, value) in values.enumerated() {
                let classification: Classification = number == 0 ? .internalUse : .open
                try transaction.insert(entity(number, attributes: [iri("t"): property(value)]), provenance: .init(classification: classification), at: noon)
            }
        }
        // A boolean is not told by the index: with it every candidate is read, without it none.
        for removesBoolean in [false, true] {
            if removesBoolean {
                try await file.write { transaction in
                    guard let stored = try transaction.storedEntity(entityID(4)) else { return }
                    try transaction.delete(stored, transaction.entity(stored), at: noon)
                }
            }
            for (text, all, open) in [("t==\"red\"", 4, 3), ("t==4", 2, 2), ("t==\"4\"", 1, 1), ("t==\"red\",\"green\"", 5, 4), ("t==\"none\"", 0, 0)] {
                let query = try QueryExpression(parsing: text, expand: { iri($0) })
                for (classificationMax, expected) in [(Classification.special, all), (.open, open)] {
                    for types in [TypeSelection.type(iri("Thing")), nil] {
                        let filter = EntityFilter(types: types, query: query)
                        let page = try await file.read {
                            try $0.search(EntitySearch(filter: filter, classificationMax: classificationMax, limit: 2, wantsCount: true, now: noon))
                        }
                        #expect(page.count == expected, "\(text)")
                        #expect(page.entities.count == min(2, expected), "\(text)")
                        #expect(page.hasMore == (expected > 2), "\(text)")
                    }
                }
            }
        }
    }
}
