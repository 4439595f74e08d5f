import CityModel
import LinkedData
import OrderedCollections
import Query
import RandomEntities
@testable import Store
import Testing

/// What is decided on a document's bytes is what is decided on its entity.
@Suite struct PlainFilterTests {
    private static let texts = ["red", "a\u{0}b", "2026-01-01T00:00:00Z", "4", "\"", "\\", "tail\\\\", "x\\\"y", "caf\u{e9}", "{\"type\":\"Property\",\"value\":5"]

    private static func value(_ random: inout SplitMix) -> JSON {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: .integer(Int64.random(in: -9...9, using: &random))
        case 1: .integer([Int64.min, .max, 9_007_199_254_740_993, 999_999_999_999_999].randomElement(using: &random) ?? 0)
        case 2: .number(Double(Int.random(in: -90...90, using: &random)) / 10)
        case 3: .number(Double.random(in: -1...1, using: &random))
        case 4: .number([-0.0, .leastNonzeroMagnitude, 1.7e308, 0.1 + 0.2, 1e15, 123456.789e3].randomElement(using: &random) ?? 0)
        case 5: .bool(.random(using: &random))
        case 6: .array([.integer(Int64.random(in: 0...9, using: &random))])
        case 7: .object(["@type": "Integer", "@value": .string("5")])
        default: .string(texts.randomElement(using: &random) ?? "")
        }
    }

    private static func entity(_ number: Int, _ random: inout SplitMix) -> Entity {
        var thing = Entity(id: entityID(number), types: Array([iri("Lamp"), iri("Tree")].shuffled(using: &random).prefix(.random(in: 1...2, using: &random))))
        if Bool.random(using: &random) { thing.scopes = [Scope("/A/B")].compactMap { $0 } }
        for name in ["n", "t", "m"] where Int.random(in: 0..<4, using: &random) > 0 {
            let kind: AttributeKind = Int.random(in: 0..<8, using: &random) == 0 ? .listProperty : .property
            var attribute = Attribute(kind: kind, value: kind == .property ? value(&random) : [5, "red"])
            if Bool.random(using: &random) { (attribute.unitCode, attribute.createdAt) = ("CEL", noon) }
            if Bool.random(using: &random) { attribute.subattributes[iri("n")] = [Attribute(kind: .property, value: value(&random))] }
            thing.attributes[iri(name)] = [attribute]
            if Int.random(in: 0..<8, using: &random) == 0 {
                thing.attributes[iri(name)]?.append(Attribute(kind: .property, value: value(&random), datasetID: IRI("urn:d:1")))
            }
        }
        if Bool.random(using: &random) {
            let (longitude, latitude) = (Double.random(in: 0...10, using: &random), Double(Int.random(in: 40...50, using: &random)))
            thing.attributes[.location] = [Attribute(kind: .geoProperty, value: [
                ["type": "Point", "coordinates": [.number(longitude), .number(latitude)]],
                ["type": "Point", "coordinates": [.integer(5), .number(latitude), 30]],
                ["coordinates": [.number(longitude), .number(latitude)], "type": "Point"],
                ["type": "LineString", "coordinates": [[.number(longitude), .number(latitude)], [5, 45]]],
            ].randomElement(using: &random) ?? .null)]
        }
        (thing.createdAt, thing.modifiedAt) = (noon, noon)
        return thing
    }

    private static func filter(_ random: inout SplitMix) throws -> (text: String, filter: EntityFilter) {
        var filter = EntityFilter()
        let type = ["Lamp", "Tree", "Lamp,Tree", "Lamp;Tree", "*", "Nothing"].randomElement(using: &random) ?? ""
        if Bool.random(using: &random) { filter.types = try TypeSelection(parsing: type, expand: { iri($0) }) }
        let terms = ["n>2", "n<=-0.5", "n==5", "n!=5", "n", "n==-1..3.5", "t~=a.b", "t==\"red\",\"4\"", "t>\"b\"", "m==true", "n==0.30000000000000004", "n>9007199254740992", "x>1", "n.n>1", "n!=-1..1"]
        let query = terms.shuffled(using: &random).prefix(.random(in: 0...2, using: &random)).joined(separator: Bool.random(using: &random) ? ";" : "|")
        if !query.isEmpty { filter.query = try QueryExpression(parsing: query, expand: { iri($0) }) }
        if Bool.random(using: &random) {
            let relation = ["within", "near;maxDistance==200000", "intersects", "disjoint", "near;minDistance==200000"].randomElement(using: &random) ?? ""
            let isNear = relation.hasPrefix("near")
            filter.geo = try GeoQuery(
                georel: relation, geometry: isNear ? "Point" : "Polygon", coordinates: isNear ? [5, 45] : [[[2, 41], [8, 41], [8, 48], [2, 48], [2, 41]]],
                geoproperty: nil, expand: { _ in .location })
        }
        return ("\(type) \(query)", filter)
    }

    @Test(arguments: UInt64(0)..<10)
    func `it says what the entity says, or nothing`(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let folder = try TemporaryStore()
        let entities = (0..<150).map { Self.entity($0, &random) }
        try await folder.file().write { transaction in
            for thing in entities { try transaction.insert(thing, provenance: .init(), at: noon) }
        }
        let filters = try (0..<80).map { _ in try Self.filter(&random) }
        let (metCount, refusedCount) = try await folder.file().read { snapshot in
            var (met, refused) = (0, 0)
            let stored = try snapshot.entities(after: 0, limit: 1000).map { (entity: try snapshot.entity($0), document: $0.document) }
            for (text, filter) in filters {
                guard let plain = PlainFilter(filter, terms: snapshot.terms) else { continue }
                for (entity, document) in stored {
                    guard let said = plain.holds(for: document) else { continue }
                    #expect(said == filter.matches(entity), "\(text) of \(entity)")
                    if said { met += 1 } else { refused += 1 }
                }
            }
            return (met, refused)
        }
        #expect(metCount > 500 && refusedCount > 1000, "most is decided")
    }

    /// The usual: one type, one number, one point.
    @Test func `of an ordinary document it is sure`() async throws {
        let folder = try TemporaryStore()
        let lamp = Entity(id: entityID(1), types: [iri("Lamp")], attributes: [
            iri("name"): property("Lamp at the \"Old Bridge\""), iri("level"): property(12.5),
            .location: [Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [2.25, 48.5]])],
        ])
        try await folder.file().write { try $0.insert(lamp, provenance: .init(), at: noon) }
        let square = try GeoQuery(
            georel: "within", geometry: "Polygon", coordinates: [[[2, 48], [3, 48], [3, 49], [2, 49], [2, 48]]], geoproperty: nil, expand: { _ in .location })
        try await folder.file().read { snapshot in
            let document = try #require(try snapshot.storedEntity(entityID(1))).document
            for (query, expected) in [("level>12", true), ("level>12.5", false), ("level==10..20;level<12", false), ("missing>1", nil)] as [(String, Bool?)] {
                let filter = EntityFilter(types: .type(iri("Lamp")), query: try QueryExpression(parsing: query, expand: { iri($0) }), geo: square)
                #expect(PlainFilter(filter, terms: snapshot.terms)?.holds(for: document) == expected, "\(query)")
            }
        }
    }

    /// A document that was cut off or changed leads nowhere outside of it.
    @Test func `of a damaged document it says something or nothing`() async throws {
        var random = SplitMix(seed: 5)
        let folder = try TemporaryStore()
        let entities = (0..<100).map { Self.entity($0, &random) }
        try await folder.file().write { transaction in for thing in entities { try transaction.insert(thing, provenance: .init(), at: noon) } }
        let filter = EntityFilter(types: .type(iri("Lamp")), query: try QueryExpression(parsing: "n>2;t==\"red\"", expand: { iri($0) }))
        let saidCount = try await folder.file().read { snapshot in
            let plain = try #require(PlainFilter(filter, terms: snapshot.terms))
            var saidCount = 0
            for stored in try snapshot.entities(after: 0, limit: 1000) {
                let whole = stored.document.bytes
                for index in whole.indices {
                    var changed = whole
                    changed[index] = changed[index] &+ 0x39
                    for bytes in [Array(whole[..<index]), changed] where plain.holds(for: StoredDocument(bytes: bytes)) != nil { saidCount += 1 }
                }
            }
            return saidCount
        }
        #expect(saidCount > 1000)
    }
}
