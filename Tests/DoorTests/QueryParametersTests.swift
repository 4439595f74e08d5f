internal import CityModel
internal import Door
internal import Testing

struct QueryParametersTests {
    @Test(arguments: [
        ("a=1", "1"), ("a=1&a=2", "2"), ("a=x%20y+z", "x y z"), ("a", ""), ("a=", ""), ("a=%C3%A9", "é"), ("a=b=c", "b=c"),
        ("%61=1", "1"), ("b=1", nil), ("", nil), ("&&", nil), ("a=100%", "100%"), ("a=%zz", "%zz"),
    ] as [(String, String?)])
    func `values are decoded, and of a repeated name the last counts`(query: String, value: String?) throws {
        #expect(try QueryParameters(query[...])["a"] == value)
    }

    @Test(arguments: ["a=%FF", "%C3=1", "a=%C3%28"])
    func `what is no UTF-8 is refused`(query: String) {
        #expect(throws: CityError.self) { try QueryParameters(query[...]) }
    }

    @Test func `100 parameters are read and no more`() throws {
        func query(_ count: Int) -> String { Array(repeating: "a=1", count: count).joined(separator: "&") }
        #expect(try QueryParameters(query(QueryParameters.countMax)[...]).pairs.count == 100)
        #expect(throws: CityError.self) { try QueryParameters(query(QueryParameters.countMax + 1)[...]) }
    }

    @Test func `an unknown parameter is named`() throws {
        let query = try QueryParameters("limit=1&nosuch=2")
        try query.check(known: ["limit", "nosuch"])
        #expect(throws: CityError.invalidRequest("nosuch: this operation has no such parameter")) { try query.check(known: ["limit"]) }
    }

    @Test func `numbers, truth values, times and lists are read or refused by name`() throws {
        let query = try QueryParameters("n=5&b=true&t=2026-01-31T12:00:00Z&l=x,%20y,,z&bad=maybe")
        #expect(try query.integer("n", in: 0...5) == 5)
        #expect(throws: CityError.self) { try query.integer("n", in: 0...4) }
        #expect(try query.integer("absent", in: 0...4) == nil)
        #expect(try query.bool("b") == true)
        #expect(throws: CityError.self) { try query.bool("bad") }
        #expect(try query.instant("t") == Instant("2026-01-31T12:00:00Z"))
        #expect(throws: CityError.self) { try query.instant("bad") }
        #expect(query.list("l") == ["x", "y", "z"])
    }

    @Test(arguments: ["urn:ngsi-ld:Bus:1", "a b", "é/ü?&=#%", "\u{10FFFF}", "", "A.*"])
    func `what is encoded is decoded again`(text: String) {
        let encoded = PercentEncoding.encode(text)
        #expect(encoded.utf8.allSatisfy { $0 < 0x80 })
        #expect(!encoded.contains { "&=#?/ ".contains($0) })
        #expect(PercentEncoding.decode(encoded[...]) == text)
    }
}
