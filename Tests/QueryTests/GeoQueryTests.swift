import CityModel
import OrderedCollections
import Query
import RandomEntities
import Testing

@Suite struct GeoQueryTests {
    /// A square of two degrees with a hole in its middle.
    static let holed = "[[[0,0],[4,0],[4,4],[0,4],[0,0]],[[1,1],[3,1],[3,3],[1,3],[1,1]]]"
    static let square = "[[[0,0],[4,0],[4,4],[0,4],[0,0]]]"

    func isMatch(_ georel: String, _ type: String, _ coordinates: String, _ target: Attribute) throws -> Bool {
        try GeoQuery(georel: georel, geometry: type, coordinates: .string(coordinates), geoproperty: "place", expand: expand)
            .matches(entity(["place": target]))
    }

    /// Clause 4.10.
    @Test(arguments: [
        ("within", "[2,2]", true), ("within", "[5,2]", false), ("within", "[0,2]", false), ("intersects", "[0,2]", true), ("intersects", "[5,2]", false),
        ("disjoint", "[5,2]", true), ("disjoint", "[0,2]", false), ("equals", "[2,2]", false), ("contains", "[2,2]", false), ("overlaps", "[2,2]", false),
    ])
    func `a point stands to a square`(georel: String, point: String, expected: Bool) throws {
        #expect(try isMatch(georel, "Polygon", Self.square, geoProperty("Point", JSON(parsing: point))) == expected)
    }

    /// Clause 4.10.
    @Test(arguments: [
        ("within", "[[[1,1],[2,1],[2,2],[1,2],[1,1]]]", true), ("within", "[[[3,3],[5,3],[5,5],[3,5],[3,3]]]", false),
        ("overlaps", "[[[3,3],[5,3],[5,5],[3,5],[3,3]]]", true), ("overlaps", "[[[1,1],[2,1],[2,2],[1,2],[1,1]]]", false),
        ("overlaps", "[[[4,0],[5,0],[5,4],[4,4],[4,0]]]", false), ("intersects", "[[[4,0],[5,0],[5,4],[4,4],[4,0]]]", true),
        ("contains", "[[[-1,-1],[5,-1],[5,5],[-1,5],[-1,-1]]]", true), ("contains", "[[[1,1],[2,1],[2,2],[1,2],[1,1]]]", false),
        ("equals", "[[[4,4],[0,4],[0,2],[0,0],[4,0],[4,4]]]", true), ("equals", "[[[0,0],[4,0],[4,3],[0,4],[0,0]]]", false),
        ("disjoint", "[[[6,6],[7,6],[7,7],[6,6]]]", true), ("disjoint", "[[[4,4],[7,6],[7,7],[4,4]]]", false),
    ])
    func `a polygon stands to a square`(georel: String, polygon: String, expected: Bool) throws {
        #expect(try isMatch(georel, "Polygon", Self.square, geoProperty("Polygon", JSON(parsing: polygon))) == expected)
    }

    @Test func `a hole is not inside`() throws {
        #expect(try !isMatch("within", "Polygon", Self.holed, geoProperty("Point", [2, 2])))
        #expect(try isMatch("within", "Polygon", Self.holed, geoProperty("Point", [0.5, 0.5])))
    }

    /// Clauses 4.7.1, 4.10.
    @Test func `lines and collections of many are understood`() throws {
        let line = geoProperty("LineString", [[-1, 2], [5, 2]])
        #expect(try isMatch("intersects", "Polygon", Self.square, line))
        #expect(try !isMatch("within", "Polygon", Self.square, line))
        #expect(try isMatch("within", "Polygon", Self.square, geoProperty("MultiPoint", [[1, 1], [2, 2]])))
        #expect(try !isMatch("within", "Polygon", Self.square, geoProperty("MultiPoint", [[1, 1], [9, 9]])))
        #expect(try isMatch("intersects", "MultiLineString", "[[[0,0],[1,1]],[[8,8],[9,9]]]", geoProperty("Point", [8.5, 8.5])))
        let islands = "[\(Self.square),[[[8,8],[9,8],[9,9],[8,9],[8,8]]]]"
        #expect(try isMatch("within", "MultiPolygon", islands, geoProperty("Point", [8.5, 8.5])))
        #expect(try !isMatch("within", "MultiPolygon", islands, geoProperty("Point", [6, 6])))
        #expect(try isMatch("equals", "Point", "[1.0,2]", geoProperty("Point", [1, 2, 30])))
    }

    @Test func `a polygon that crosses itself still gets answers`() throws {
        let bow = "[[[0,0],[4,4],[4,0],[0,4],[0,0]]]"
        #expect(try isMatch("intersects", "Polygon", bow, geoProperty("Point", [1, 2])))
        #expect(try !isMatch("intersects", "Polygon", bow, geoProperty("Point", [2, 1])))
        #expect(try isMatch("intersects", "Polygon", Self.square, geoProperty("Polygon", JSON(parsing: bow))))
        #expect(try isMatch("within", "Polygon", "[[[-1,-1],[5,-1],[5,5],[-1,5],[-1,-1]]]", geoProperty("Polygon", JSON(parsing: bow))))
    }

    /// Clause 4.10.
    @Test(arguments: [
        // One degree of latitude is 111 195 m on the sphere.
        ("Point", "[8,40]", "[8,41]", 111_195.08), ("Point", "[0,0]", "[1,0]", 111_195.08), ("Point", "[0,60]", "[1,60]", 55_596.9),
        ("Point", "[179.5,0]", "[-179.5,0]", 111_195.08), ("LineString", "[[0,60],[10,60]]", "[10,60.009]", 1_000.75),
        ("LineString", "[[0,0],[0,10]]", "[1,5]", 110_771.9), ("Polygon", "[[[0,0],[4,0],[4,4],[0,4],[0,0]]]", "[2,2]", 0),
        ("Polygon", "[[[0,0],[4,0],[4,4],[0,4],[0,0]]]", "[5,0]", 111_195.08), ("MultiPoint", "[[50,50],[0,1]]", "[0,0]", 111_195.08),
    ])
    func `distance is to the nearest position`(type: String, coordinates: String, point: String, metres: Double) throws {
        let reference = try PreparedGeometry(Geometry(typeName: type, coordinates: JSON(parsing: coordinates)))
        let target = try Geometry(typeName: "Point", coordinates: JSON(parsing: point))
        #expect(abs(reference.distance(to: target) - metres) < max(1, metres * 0.0005))
        #expect(abs(try PreparedGeometry(target).distance(to: reference.geometry) - metres) < max(1, metres * 0.0005))
    }

    /// Clause 4.10.
    @Test(arguments: [
        ("near;maxDistance==1112", "[8,40.01]", true), ("near;maxDistance==1111", "[8,40.01]", false), ("near;minDistance==1111", "[8,40.01]", true),
        ("near;minDistance==1112", "[8,40.01]", false), ("near;maxDistance==0.5", "[8,40]", true), ("near;minDistance==1e3", "[8,40]", false),
    ])
    func `near has a border`(georel: String, point: String, expected: Bool) throws {
        #expect(try isMatch(georel, "Point", "[8,40]", geoProperty("Point", JSON(parsing: point))) == expected)
    }

    @Test func `near chooses the nearest place in metres at high latitudes`() throws {
        let line = geoProperty("LineString", [[1, 85], [0, 85.6]])
        #expect(try isMatch("near;maxDistance==20000", "Point", "[0,85]", line))
        #expect(try !isMatch("near;maxDistance==5000", "Point", "[0,85]", line))
    }

    @Test(arguments: UInt64(0)..<100)
    func `the box of a near query holds every match, and blocks change no distance`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func position() -> JSON { [.number(Double.random(in: -180...180, using: &random)), .number(Double.random(in: -90...90, using: &random))] }
        let metres = Double.random(in: 1...3_000_000, using: &random)
        let center = position()
        let reference = try PreparedGeometry(Geometry(typeName: "Point", coordinates: center))
        let box = try #require(GeoQuery(relation: .nearMax(metres), reference: reference).boundingBox)
        var nearest = Double.infinity
        var points: [JSON] = []
        for _ in 0..<200 {
            let target = try Geometry(typeName: "Point", coordinates: position())
            points.append(target.coordinates)
            nearest = min(nearest, reference.distance(to: target))
            if reference.isWithinDistance(metres, of: target) { #expect(box.intersects(target.boundingBox)) }
        }
        #expect(try reference.distance(to: Geometry(typeName: "MultiPoint", coordinates: .array(points))) == nearest)
    }

    private static func turn(_ first: JSON, _ second: JSON, _ third: JSON) -> Double {
        let places = [first, second, third].compactMap { $0.arrayValue?.compactMap(\.doubleValue) }
        return (places[1][0] - places[0][0]) * (places[2][1] - places[0][1]) - (places[1][1] - places[0][1]) * (places[2][0] - places[0][0])
    }

    /// One with a fifth corner on a side is asked of GEOS.
    @Test(arguments: UInt64(0)..<5)
    func `a polygon that is its box says what the same with a fifth corner says`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let ways = [[[0, 0], [4, 0], [4, 3], [0, 3], [0, 0]], [[4, 3], [4, 0], [0, 0], [0, 3], [4, 3]]] as [JSON]
        let box = try PreparedGeometry(Geometry(typeName: "Polygon", coordinates: [ways[Int(seed % 2)]]))
        let fifth = try PreparedGeometry(Geometry(typeName: "Polygon", coordinates: [[[0, 0], [2, 0], [4, 0], [4, 3], [0, 3], [0, 0]]]))
        let crossed = try PreparedGeometry(Geometry(typeName: "Polygon", coordinates: [[[0, 0], [4, 3], [4, 0], [0, 3], [0, 0]]]))
        var containedCount = 0
        func position() -> JSON { [.number(Double(Int.random(in: -1...9, using: &random)) / 2), .number(Double(Int.random(in: -1...7, using: &random)) / 2)] }
        for _ in 0..<300 {
            let (first, second, third) = (position(), position(), position())
            // Of lines without length and areas without area every library says something else.
            guard Self.turn(first, second, third) != 0 else { continue }
            let targets = try [
                Geometry(typeName: "Point", coordinates: first), Geometry(typeName: "LineString", coordinates: [first, second]),
                Geometry(typeName: "MultiPoint", coordinates: [first, second]), Geometry(typeName: "Polygon", coordinates: [[first, second, third, first]]),
            ]
            for target in targets {
                #expect(box.contains(target) == fifth.contains(target) && box.covers(target) == fifth.covers(target))
                #expect(box.intersects(target) == fifth.intersects(target) && box.isEqual(to: target) == fifth.isEqual(to: target))
                #expect(box.isWithin(target) == fifth.isWithin(target) && box.overlaps(target) == fifth.overlaps(target))
                if box.contains(target) { containedCount += 1 }
            }
        }
        #expect(containedCount > 300)
        let above = try Geometry(longitude: 2, latitude: 2.5)
        #expect(!crossed.contains(above) && box.contains(above), "one that crosses itself is no box")
    }

    @Test func `only relations that can be bounded have a box`() throws {
        func box(_ georel: String) throws -> BoundingBox? {
            try GeoQuery(georel: georel, geometry: "Polygon", coordinates: .string(Self.square), expand: expand).boundingBox
        }
        for georel in ["within", "contains", "intersects", "overlaps", "equals"] {
            #expect(try box(georel) == BoundingBox(west: 0, south: 0, east: 4, north: 4))
        }
        #expect(try box("disjoint") == nil)
        #expect(try box("near;minDistance==5") == nil)
        let near = try #require(try box("near;maxDistance==111195"))
        #expect(abs(near.south + 1) < 0.001 && abs(near.north - 5) < 0.001 && near.west < -1 && near.east > 5)
    }

    /// Clause 4.10.
    @Test func `any instance of the property may match, and without it none does`() throws {
        let query = try GeoQuery(georel: "within", geometry: "Polygon", coordinates: .string(Self.square), expand: expand)
        #expect(query.property == .location)
        var car = Entity(id: IRI(known: "urn:x:1"), types: [name("Car")])
        #expect(!query.matches(car))
        var inside = geoProperty("Point", [1, 1])
        inside.datasetID = IRI(known: "urn:d:1")
        car.attributes[.location] = [geoProperty("Point", [9, 9]), inside]
        #expect(query.matches(car))
        car.attributes[.location] = [property(["type": "Point", "coordinates": [1, 1]])]
        #expect(!query.matches(car))
        let disjoint = try GeoQuery(georel: "disjoint", geometry: "Polygon", coordinates: .string(Self.square), geoproperty: "area", expand: expand)
        #expect(!disjoint.matches(car))
    }

    /// Clauses 4.10, 5.2.13.
    @Test(arguments: [
        ("touches", "Point", "[8,40]", "georel"), ("near", "Point", "[8,40]", "georel"), ("near;maxDistance==0", "Point", "[8,40]", "georel"),
        ("near;maxDistance==-100", "Point", "[8,40]", "georel"), ("near;maxDistance==5;minDistance==1", "Point", "[8,40]", "georel"),
        ("near;maxDistance==inf", "Point", "[8,40]", "georel"), ("near;maxDistance==1e400", "Point", "[8,40]", "georel"), ("near;maxDistance=5", "Point", "[8,40]", "georel"),
        ("near;avgDistance==5", "Point", "[8,40]", "georel"), ("", "Point", "[8,40]", "georel"), ("within", "GeometryCollection", "[8,40]", "geometry"),
        ("within", "point", "[8,40]", "geometry"), ("within", "Point", "8,40", "coordinates"), ("within", "Point", "[8]", "coordinates"),
        ("within", "Point", "[181,0]", "coordinates"), ("within", "Polygon", "[[[0,0],[1,0],[1,1],[0,1]]]", "coordinates"), ("within", "Polygon", "[8,40]", "coordinates"),
        ("within", "LineString", "[[0,0]]", "coordinates"),
    ])
    func `what is no geo-query is refused by name`(georel: String, geometry: String, coordinates: String, parameter: String) {
        #expect { try GeoQuery(georel: georel, geometry: geometry, coordinates: .string(coordinates), expand: expand) } throws: { error in
            guard case .badRequestData(let detail) = error as? CityError else { return false }
            return detail.hasPrefix(parameter + ":")
        }
    }

    /// Clauses 4.10, 5.2.13.
    @Test(arguments: [(nil, "Point", "[0,0]", "georel"), ("within", nil, "[0,0]", "geometry"), ("within", "Point", nil, "coordinates")] as [(String?, String?, String?, String)])
    func `the parameters come together`(georel: String?, geometry: String?, coordinates: String?, parameter: String) throws {
        #expect(throws: CityError.badRequestData("\(parameter): is missing")) {
            try GeoQuery.parsing(georel: georel, geometry: geometry, coordinates: coordinates, expand: expand)
        }
        #expect(try GeoQuery.parsing(georel: nil, geometry: nil, coordinates: nil, expand: expand) == nil)
    }

    @Test func `a reference has a limit of positions`() throws {
        var limits = QueryLimits()
        limits.positionCountMax = 3
        _ = try GeoQuery(georel: "within", geometry: "MultiPoint", coordinates: [[0, 0], [1, 1], [2, 2]], expand: expand, limits: limits)
        #expect(throws: CityError.tooComplexQuery("coordinates: 4 positions; at most 3")) {
            try GeoQuery(georel: "within", geometry: "MultiPoint", coordinates: [[0, 0], [1, 1], [2, 2], [3, 3]], expand: expand, limits: limits)
        }
    }

    @Test func `a prepared geometry answers many threads`() async throws {
        let district = try PreparedGeometry(Geometry(typeName: "Polygon", coordinates: JSON(parsing: Self.square)))
        let insideCount = await withTaskGroup(of: Int.self) { group in
            for row in 0..<8 {
                group.addTask { (0..<100).count { district.covers(longitude: Double($0) * 0.1, latitude: Double(row)) } }
            }
            return await group.reduce(0, +)
        }
        // Longitudes 0.0 to 4.0 on latitudes 0 to 4, borders included.
        #expect(insideCount == 41 * 5)
    }
}
