import CityModel
import OrderedCollections
import Query
import Testing

@Suite struct ProjectionTests {
    func building() throws -> Entity {
        var building = entity(["name": property("Eiffel"), "level": property(4), "at": Attribute(kind: .relationship, value: "urn:c:1")])
        building.scopes = [try #require(Scope("/Paris"))]
        building.createdAt = try instant("2020-01-01T00:00:00Z")
        return building
    }

    /// What would be written, by short name.
    func members(_ projection: Projection) throws -> Set<String>? {
        guard let kept = projection.apply(to: try building()) else { return nil }
        var names = Set(kept.attributes.keys.map { String($0.text.split(separator: "/").last ?? "") })
        if projection.keepsID { names.insert("id") }
        if projection.keepsTypes { names.insert("type") }
        if !kept.scopes.isEmpty { names.insert("scope") }
        if kept.createdAt != nil { names.insert("createdAt") }
        return names
    }

    /// Clause 4.21.
    @Test(arguments: [
        ("name", ["name"]), ("id", ["id"]), ("id,name", ["id", "name"]), ("name|level", ["name", "level"]), ("type,scope,createdAt", ["type", "scope", "createdAt"]),
        ("at{name}", ["at"]), ("https://example.org/name", ["name"]), ("name,unknown", ["name"]), ("unknown", nil), ("modifiedAt", nil),
    ] as [(String, Set<String>?)])
    func `pick keeps what it lists`(pick: String, expected: Set<String>?) throws {
        #expect(try members(Projection(pick: pick, expand: expand)) == expected)
    }

    /// Clause 4.21.
    @Test(arguments: [
        ("name", ["id", "type", "scope", "createdAt", "level", "at"]), ("id", ["type", "scope", "createdAt", "name", "level", "at"]),
        ("type,name,scope", ["id", "createdAt", "level", "at"]), ("at{name}", ["id", "type", "scope", "createdAt", "name", "level", "at"]),
        ("id,type,scope,name,level,at", nil),
    ] as [(String, Set<String>?)])
    func `omit drops what it lists`(omit: String, expected: Set<String>?) throws {
        #expect(try members(Projection(omit: omit, expand: expand)) == expected)
    }

    /// Clause 4.21.
    @Test func `attrs keeps what is no attribute`() throws {
        let projection = try Projection(attrs: "name,unknown", expand: expand)
        #expect(try members(projection) == ["id", "type", "scope", "createdAt", "name"])
        #expect(projection.listedAttributes == [name("name"), name("unknown")])
        #expect(try members(Projection(attrs: "unknown", expand: expand)) == nil)
    }

    /// Clause 4.21.
    @Test func `pick and omit apply together`() throws {
        #expect(try members(Projection(pick: "id,name,at{a}", omit: "level,at{b}", expand: expand)) == ["id", "name", "at"])
        #expect(try members(.everything) == ["id", "type", "scope", "createdAt", "name", "level", "at"])
    }

    /// Clause 4.21.
    @Test func `braces speak of the linked entity`() throws {
        let pick = try Projection(pick: "id,at{id,name,in{id}}", expand: expand)
        #expect(pick.linkDepth == 2)
        let city = pick.linked(name("at"))
        #expect(city.keepsID && !city.keepsTypes && city.keeps(name("name")) && !city.keeps(name("level")))
        #expect(!city.linked(name("in")).keeps(name("name")))
        #expect(city.linked(name("other")).keeps(name("name")))

        let omit = try Projection(omit: "name,at{name}", expand: expand)
        #expect(omit.keeps(name("at")) && !omit.keeps(name("name")))
        #expect(!omit.linked(name("at")).keeps(name("name")) && omit.linked(name("at")).keepsID)
    }

    /// Clause 4.21.
    @Test(arguments: [
        "", "id;name", "id,locatedAt{name", "id,locatedAt{{name}", "id,,name", "id,locatedAt{,name}", "id,locatedAt{}", "name||level", ",name", "name,", "1a", "a}b", "a{b}c",
    ])
    func `what is no projection is refused and the error names pick`(pick: String) {
        #expect { try Projection(pick: pick, expand: expand) } throws: { error in
            guard case .badRequestData(let detail) = error as? CityError else { return false }
            return detail.hasPrefix("pick")
        }
    }

    /// Clause 4.21.
    @Test func `parameters that contradict each other are refused`() {
        #expect(throws: CityError.badRequestData("omit: https://example.org/name is also in pick")) { try Projection(pick: "name", omit: "name", expand: expand) }
        #expect(throws: CityError.badRequestData("omit: id is also in pick")) { try Projection(pick: "id", omit: "id", expand: expand) }
        #expect(throws: CityError.badRequestData("attrs: cannot come with pick or omit")) { try Projection(attrs: "a", pick: "a", expand: expand) }
        #expect(throws: CityError.badRequestData("attrs: cannot come with pick or omit")) { try Projection(attrs: "a", omit: "b", expand: expand) }
        #expect(throws: CityError.badRequestData("attrs, character 3: id is not an attribute's name")) { try Projection(attrs: "id,type", expand: expand) }
    }

    @Test func `braces may nest 32 deep and no deeper`() throws {
        func nested(_ depth: Int) -> String { String(repeating: "a{", count: depth) + "b" + String(repeating: "}", count: depth) }
        #expect(try Projection(pick: nested(32), expand: expand).linkDepth == 32)
        #expect(throws: CityError.tooComplexQuery("pick: nested more than 32 deep")) { try Projection(pick: nested(33), expand: expand) }
    }

    /// Clause 4.5.5.
    @Test func `datasets select instances`() throws {
        var station = entity(["no2": property(1), "o3": property(2)])
        var second = property(3)
        second.datasetID = IRI(known: "urn:d:1")
        station.attributes[name("no2")]?.append(second)
        let named = try DatasetSelection(parsing: "urn:d:1").apply(to: station)
        #expect(named.attributes == [name("no2"): [second]])
        #expect(try DatasetSelection(parsing: "@none").apply(to: station).attributes.values.map(\.count) == [1, 1])
        #expect(try DatasetSelection(parsing: "@none,urn:d:1").apply(to: station) == station)
        #expect(throws: CityError.badRequestData("datasetId: x is not a URI or @none")) { try DatasetSelection(parsing: "x") }
    }
}

@Suite struct EntityFilterTests {
    /// Clause 5.7.2.4.
    @Test func `every part must pass`() throws {
        var bus = entity(["speed": property(50)], id: "urn:bus:1", types: ["Bus"])
        bus.attributes[.location] = [geoProperty("Point", [1, 1])]
        bus.scopes = [try #require(Scope("/A"))]
        var filter = EntityFilter(
            ids: [bus.id], idPattern: try IDPattern("^urn:bus:"), types: try TypeSelection(parsing: "Bus", expand: expand),
            attributes: [name("colour"), name("speed")], query: try QueryExpression(parsing: "speed>10", expand: expand), scopes: try ScopeQuery(parsing: "/A"),
            geo: try GeoQuery(georel: "near;maxDistance==10", geometry: "Point", coordinates: [1, 1], expand: expand))
        #expect(filter.matches(bus))
        #expect(EntityFilter().matches(bus))
        let spoilers: [(inout EntityFilter) throws -> Void] = [
            { $0.ids = [] }, { $0.idPattern = try IDPattern("car") }, { $0.types = .type(name("Car")) }, { $0.attributes = [name("colour")] },
            { $0.query = try QueryExpression(parsing: "speed>50", expand: expand) }, { $0.scopes = try ScopeQuery(parsing: "/B") },
            { $0.geo = try GeoQuery(georel: "disjoint", geometry: "Point", coordinates: [1, 1], expand: expand) },
        ]
        for spoil in spoilers {
            let whole = filter
            try spoil(&filter)
            #expect(!filter.matches(bus))
            filter = whole
        }
    }

    /// Clause 5.7.2.4.
    @Test func `identifiers alone are too wide`() throws {
        #expect(!EntityFilter(ids: [IRI(known: "urn:x:1")], idPattern: try IDPattern(".*")).isNarrowEnough)
        #expect(!EntityFilter(types: .any).isNarrowEnough)
        #expect(!EntityFilter(attributes: []).isNarrowEnough)
        #expect(!EntityFilter(query: try QueryExpression(parsing: "createdAt", expand: expand)).isNarrowEnough)
        #expect(EntityFilter(types: .type(name("A"))).isNarrowEnough)
        #expect(EntityFilter(attributes: [name("a")]).isNarrowEnough)
        #expect(EntityFilter(query: try QueryExpression(parsing: "a", expand: expand)).isNarrowEnough)
    }

    @Test func `identifiers are URIs between commas`() throws {
        #expect(try EntityFilter.ids(parsing: "urn:a:1,urn:b:2") == [IRI(known: "urn:a:1"), IRI(known: "urn:b:2")])
        #expect(throws: CityError.badRequestData("id: nothing is not a URI")) { try EntityFilter.ids(parsing: "urn:a:1,nothing") }
    }
}
