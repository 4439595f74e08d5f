import CityModel
import OrderedCollections
import Query
@testable import Store
import RandomEntities
import Testing

@Suite struct WatchIndexTests {
    @Test(arguments: UInt64(0)..<30)
    func `spans are found by every number within them and by no other, also after some were removed`(seed: UInt64) {
        var chance = SplitMix(seed: seed)
        let numbers: [Double] = [-.infinity, -1e300, -7.5, -1, -0.0, 0, 1e-300, 0.1, 1, 2, 3, 3.5, 100, 1e300, .infinity]
        var index = SpanIndex()
        var spans: [Int: ClosedRange<Double>] = [:]
        for number in 0..<200 {
            let ends = [numbers.randomElement(using: &chance)!, numbers.randomElement(using: &chance)!].sorted()
            spans[number] = ends[0]...ends[1]
            index.insert(number, ends[0]...ends[1])
            if number % 3 == 0, let (old, span) = spans.randomElement(using: &chance) {
                spans[old] = nil
                index.remove(old, span)
            }
        }
        for value in numbers.filter(\.isFinite) + [0.05, 2.5, -3, 1e200] {
            var found: [Int] = []
            index.find(value) { found.append($0) }
            #expect(found.sorted() == spans.filter { $0.value.contains(value) }.map(\.key).sorted(), "\(value)")
        }
    }

    @Test(arguments: UInt64(0)..<30)
    func `boxes are found by every box that meets them and by no other, also after some were removed`(seed: UInt64) {
        var chance = SplitMix(seed: seed)
        func box() -> BoundingBox {
            let side = [0, 0.001, 0.1, 5, 90].randomElement(using: &chance)!
            let (west, south) = (Double.random(in: -180...179, using: &chance), Double.random(in: -90...89, using: &chance))
            return BoundingBox(west: west, south: south, east: min(180, west + side), north: min(90, south + side))
        }
        var index = BoxIndex()
        var boxes: [Int: BoundingBox] = [:]
        for number in 0..<200 {
            boxes[number] = box()
            index.insert(number, boxes[number]!)
            if number % 3 == 0, let (old, box) = boxes.randomElement(using: &chance) {
                boxes[old] = nil
                index.remove(old, box)
            }
        }
        for _ in 0..<50 {
            let probe = box()
            var found: Set<Int> = []
            index.find(probe) { found.insert($0) }
            #expect(found == Set(boxes.filter { $0.value.intersects(probe) }.keys))
        }
    }

    @Test(arguments: UInt64(0)..<200)
    func `whatever a query matches, the index finds its subscription`(seed: UInt64) throws {
        var chance = SplitMix(seed: seed)
        var index = WatchIndex()
        var filters: [String: EntityFilter] = [:]
        for number in 0..<40 {
            let query = try QueryExpression(parsing: Self.query(&chance), expand: { iri($0) })
            let geo = try number % 4 == 0 ? Self.geo(&chance) : nil
            filters["s\(number)"] = EntityFilter(query: query, geo: geo)
            index.put(
                Interest(types: [iri("Thing")], operations: [.updated], keys: Interest.Key.keys(query: query, geo: geo)), of: "s\(number)")
        }
        for number in 0..<20 {
            let changed = try Self.entity(number, &chance)
            let found = index.watchers(of: changed, attributes: changed.attributes.keys, operation: .updated, at: noon)
            let matching = filters.filter { $0.value.matches(changed) }.map(\.key)
            #expect(found.isSuperset(of: matching), "\(Set(matching).subtracting(found).map { filters[$0]!.query!.description })")
        }
    }

    private static func query(_ chance: inout SplitMix) -> String {
        func term() -> String {
            let name = ["a", "b"].randomElement(using: &chance)!
            let number = Int.random(in: 0...9, using: &chance)
            return [
                "\(name)==\(number)", "\(name)>\(number)", "\(name)<=\(number)", "\(name)==\(number)..\(number + 2)", "\(name)==\"t\(number)\"",
                "\(name)==\(number),\(number + 1)", "\(name)!=\(number)", name, "\(name).sub==\(number)", "\(name)==true",
            ].randomElement(using: &chance)!
        }
        return [term(), "\(term());\(term())", "\(term())|\(term())", "\(term());(\(term())|\(term()))"].randomElement(using: &chance)!
    }

    private static func geo(_ chance: inout SplitMix) throws -> GeoQuery {
        let (x, y) = (Double.random(in: 0...1, using: &chance), Double.random(in: 0...1, using: &chance))
        let relation = ["near;maxDistance==30000", "near;minDistance==30000", "intersects", "disjoint"].randomElement(using: &chance)!
        return try GeoQuery(georel: relation, geometry: "Point", coordinates: [.number(x), .number(y)], expand: { iri($0) })
    }

    private static func entity(_ number: Int, _ chance: inout SplitMix) throws -> Entity {
        func value() -> JSON {
            let number = Int64.random(in: 0...9, using: &chance)
            return [
                .integer(number), .number(Double(number) + 0.5), .string("t\(number)"), .array([.integer(number), .string("t\(number)")]),
                .bool(true), ["@value": .string("t\(number)")],
            ].randomElement(using: &chance)!
        }
        var attributes: Attributes = [:]
        for name in ["a", "b"] {
            let count = Int.random(in: 0...2, using: &chance)
            let instances = (0..<count).map { Attribute(kind: .property, value: value(), datasetID: $0 == 0 ? nil : iri("d\($0)")) }
            if !instances.isEmpty { attributes[iri(name)] = instances }
        }
        let (x, y) = (Double.random(in: 0...1, using: &chance), Double.random(in: 0...1, using: &chance))
        attributes[.location] = [Attribute(kind: .geoProperty, value: try Geometry(longitude: x, latitude: y).json)]
        return Entity(id: entityID(number), types: [iri("Thing")], attributes: attributes)
    }

    @Test func `of many subscriptions on one attribute only those are found whose value, span or place the change can meet`() throws {
        var index = WatchIndex()
        func put(_ id: String, _ query: String?, _ geo: GeoQuery? = nil) throws {
            let expression = try query.map { try QueryExpression(parsing: $0, expand: { iri($0) }) }
            index.put(
                Interest(types: [iri("Thing")], attributes: [iri("a")], operations: [.updated], keys: Interest.Key.keys(query: expression, geo: geo)),
                of: id)
        }
        for number in 0..<1000 {
            try put("equal\(number)", "a==\(number)")
            try put("above\(number)", "a>\(number)")
            try put("text\(number)", "a==\"t\(number)\"")
            let place = try GeoQuery(
                georel: "near;maxDistance==10", geometry: "Point", coordinates: [.number(Double(number) / 100), 1], expand: { iri($0) })
            try put("place\(number)", nil, place)
        }
        func found(_ attributes: Attributes) -> Set<String> {
            index.watchers(of: Entity(id: entityID(1), types: [iri("Thing")], attributes: attributes), attributes: [iri("a")], operation: .updated, at: noon)
        }
        #expect(found([iri("a"): property(2)]) == ["equal2", "above0", "above1", "above2"])
        #expect(found([iri("a"): property("t7")]) == ["text7"])
        let there = try Geometry(longitude: 3, latitude: 1).json
        #expect(found([iri("a"): property(false), .location: [Attribute(kind: .geoProperty, value: there)]]).count == 3001)
        #expect(found([iri("a"): property(-1), .location: [Attribute(kind: .geoProperty, value: there)]]) == ["place300"])
    }

    @Test func `what an interest says is the same after it was kept`() throws {
        let query = try QueryExpression(parsing: "a==1|b>2|c==\"x\"|d==1..2", expand: { iri($0) })
        let geo = try GeoQuery(georel: "near;maxDistance==10", geometry: "Point", coordinates: [1, 2], expand: { iri($0) })
        for keys in [Interest.Key.keys(query: query, geo: nil), Interest.Key.keys(query: nil, geo: geo), nil] {
            let interest = Interest(ids: [entityID(1)], types: [iri("T")], attributes: [iri("a")], operations: [.created, .deleted], keys: keys)
            #expect(Interest(try JSON(parsing: Array(interest.json.description.utf8))) == interest)
        }
    }
}
