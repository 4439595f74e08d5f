import CityModel
import OrderedCollections
import Query
import Testing

@Suite struct OrderingTests {
    func ids(_ orderBy: String, _ entities: [Entity], orderFrom: String? = nil, orderGeometry: String? = nil, collation: String? = nil) throws -> String {
        try Ordering(parsing: orderBy, orderFrom: orderFrom, orderGeometry: orderGeometry, collation: collation, expand: expand)
            .sorted(entities).map { String($0.id.text.dropFirst(6)) }.joined()
    }

    func entities(_ name: String, _ values: [JSON?]) -> [Entity] {
        zip("abcdefghijklmnop", values).map { id, value in entity(value.map { [name: property($0)] } ?? [:], id: "urn:x:\(id)") }
    }

    /// Clause 4.23.3.
    @Test(arguments: [("n", "bcad"), ("n;asc", "bcad"), ("n;desc", "acbd"), ("id;desc", "dcba"), ("n,id;desc", "bcad"), ("type,id", "abcd")])
    func `entities are ordered by value, then by identifier`(orderBy: String, expected: String) throws {
        #expect(try ids(orderBy, entities("n", [3, 1, 2.5, nil])) == expected)
    }

    /// Clause 4.23.3.
    @Test func `the next term decides between equals`() throws {
        let people = [("a", "X", 2), ("b", "X", 1), ("c", "A", 9)].map { id, name, age in
            entity(["name": property(.string(name)), "age": property(.integer(age))], id: "urn:x:\(id)")
        }
        #expect(try ids("name,age", people) == "cba")
        #expect(try ids("name;desc,age;desc", people) == "abc")
    }

    /// Clause 4.23.2.
    @Test func `kinds have an order, and nothing comes last both ways`() throws {
        let mixed = entities("v", [nil, .null, "2020-01-01T00:00:00Z", "2020-01-01", "10:00:00Z", true, [1], ["k": 1], "text", 5])
        #expect(try ids("v", mixed) == "jihgfedcba")
        #expect(try ids("v;desc", mixed) == "cdefghijba")
    }

    /// Clause 4.23.3.
    @Test func `members, subattributes and timestamps can be ordered by`() throws {
        var all = entities("address", [["city": "Rome"], ["city": "Bonn"], ["zip": 1]])
        #expect(try ids("address[city]", all) == "bac")
        for (index, seconds) in [30, 10, 20].enumerated() {
            all[index].createdAt = Instant(seconds: Int64(seconds))
            all[index].attributes[name("address")]?[0].observedAt = Instant(seconds: Int64(-seconds))
        }
        #expect(try ids("createdAt", all) == "bca")
        #expect(try ids("address.observedAt", all) == "acb")
        #expect(try ids("modifiedAt", all) == "abc")
    }

    /// Clause 4.23.3.
    @Test func `of several instances the default one counts`() throws {
        var all = entities("v", [1, 2])
        var other = property(9)
        other.datasetID = IRI(known: "urn:d:1")
        all[0].attributes[name("v")]?.insert(other, at: 0)
        #expect(try ids("v", all) == "ab")
    }

    /// Clause 4.23.3.
    @Test func `distance orders geo-properties, then the rest by value`() throws {
        var all = [[8.3, 40], [8.1, 40], [8.2, 40]].enumerated().map { index, position in
            entity(["place": geoProperty("Point", .array(position.map { .number($0) }))], id: "urn:x:\(["a", "b", "c"][index])")
        }
        all.append(entity(["place": property("a street")], id: "urn:x:d"))
        all.append(entity(id: "urn:x:e"))
        #expect(try ids("place;dist-asc", all, orderFrom: "[8,40]") == "bcade")
        #expect(try ids("place;dist-desc", all, orderFrom: "[8,40]") == "dacbe")
        #expect(try ids("place;dist-asc", all, orderFrom: "[[8.3,39],[8.3,41]]", orderGeometry: "LineString") == "acbde")
    }

    /// Clause 4.23.3.
    @Test(arguments: [
        (nil, ["b", "A", "á", "a", "Z", "1", " "], "gfdbcae"), ("und", ["côte", "coté", "cote", "Cote"], "cdba"), ("und-u-ks-level1", ["A", "á", "a"], "abc"),
        ("und-u-kn", ["x10", "x9", "x010"], "bac"), ("de", ["Ärzte", "Arzt", "Azur"], "bac"), ("de-u-co-phonebk", ["Ärzte", "Adler", "Afrika"], "bac"),
        ("fr", ["zéro", "œuvre", "ofrir"], "bca"), ("und-u-ks-identic", ["b", "A", "a"], "cba"),
    ] as [(String?, [String], String)])
    func `texts order as people expect`(collation: String?, texts: [String], expected: String) throws {
        let all = entities("name", texts.map { .string($0) })
        #expect(try ids("name", all, collation: collation) == expected)
    }

    @Test func `code points decide where asked for`() throws {
        let ordering = try Ordering(parsing: "name", defaultCollation: .codePoint, expand: expand)
        let sorted = ordering.sorted(entities("name", ["á", "b", "A"]))
        #expect(sorted.map(\.id.text) == ["urn:x:c", "urn:x:b", "urn:x:a"])
    }

    @Test func `comparing is total`() throws {
        let ordering = try Ordering(parsing: "v", expand: expand)
        let all = entities("v", [nil, .null, "x", 1, 1.0, true, [], [1], [:]])
        for left in all {
            for right in all {
                #expect(ordering.compare(left, right) == -ordering.compare(right, left))
                #expect((ordering.compare(left, right) == 0) == (left.id == right.id))
            }
        }
    }

    /// Clauses 4.23.3, 5.2.43.
    @Test(arguments: [
        ("", nil, nil, nil, "orderBy"), ("name;up", nil, nil, nil, "orderBy"), ("name,", nil, nil, nil, "orderBy"), ("name;asc;desc", nil, nil, nil, "orderBy"),
        ("a{b}", nil, nil, nil, "orderBy"), ("place;dist-asc", nil, nil, nil, "orderFrom"), ("place;dist-asc", "[8]", nil, nil, "orderFrom"),
        ("place;dist-asc", "[8,40]", "Circle", nil, "orderGeometry"), ("name", nil, nil, "!!nope", "collation"), ("name", nil, nil, "und-u", "collation"),
        ("name", nil, nil, "und-u-ks-level9", "collation"), ("name", nil, nil, "", "collation"),
    ] as [(String, String?, String?, String?, String)])
    func `what is no order is refused by name`(orderBy: String, from: String?, geometry: String?, collation: String?, parameter: String) {
        #expect { try Ordering(parsing: orderBy, orderFrom: from, orderGeometry: geometry, collation: collation, expand: expand) } throws: { error in
            guard case .badRequestData(let detail) = error as? CityError else { return false }
            return detail.hasPrefix(parameter)
        }
    }
}
