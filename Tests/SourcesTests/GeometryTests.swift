import CityModel
import Foundation
import Sources
import Testing

struct GeometryTests {
    private func location(_ mapping: String, _ row: String, more: String = "") throws -> JSON? {
        let run = try run(yaml(attributes: "{a: {\(mapping)}}", more: more), "id;x;y\n1;\(row)\n", chunkByteCount: 50)
        if let finding = run.rejections.first { return .string("<\(finding.ruleID)>") }
        return run.entities.first?.entity.value("a")
    }

    private func point(_ longitude: Double, _ latitude: Double) -> JSON {
        ["type": "Point", "coordinates": [.number(longitude), .number(latitude)]]
    }

    @Test(arguments: [
        ("3.87;43.61", "[3.87, 43.61]"), ("180;-90", "[180, -90]"), ("180.0001;0", "<geometry>"), ("0;90.0001", "<geometry>"),
        ("3.87;", "<geometry>"),
        (";43", "<geometry>"), ("x;43", "<geometry>"), (";", "-"), ("0;0", "<unknown-position>"), ("0;0.0", "<unknown-position>"),
        ("0;0.1", "[0, 0.1]"),
    ])
    func `a point comes from two columns`(row: String, expected: String) throws {
        let found = try location("point: {x: x, y: y, unknown: [[0, 0]]}", row, more: "csv: {separator: ;}")
        switch expected {
        case "-": #expect(found == nil)
        case _ where expected.hasPrefix("<"): #expect(found == .string(expected))
        default:
            let numbers = try JSON(parsing: expected).arrayValue?.compactMap(\.doubleValue) ?? []
            #expect(found == point(numbers[0], numbers[1]))
        }
    }

    @Test(arguments: [
        ("POINT (3 43)", "{\"type\":\"Point\",\"coordinates\":[3,43]}"),
        ("point z(3 43 7)", "{\"type\":\"Point\",\"coordinates\":[3,43,7]}"),
        ("LINESTRING(0 0,1 1.5)", "{\"type\":\"LineString\",\"coordinates\":[[0,0],[1,1.5]]}"),
        ("POLYGON((0 0,1 0,1 1,0 0))", "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]]}"),
        ("MULTIPOINT(0 0,(1 1))", "{\"type\":\"MultiPoint\",\"coordinates\":[[0,0],[1,1]]}"),
        ("MULTIPOLYGON(((0 0,1 0,1 1,0 0)))", "{\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[1,0],[1,1],[0,0]]]]}"),
        ("POINT EMPTY", "\"<geometry>\""), ("POLYGON((0 0,1 0,1 1,0 1))", "\"<geometry>\""), ("POINT(3)", "\"<geometry>\""),
        ("POINT(3 43) x", "\"<geometry>\""), ("CIRCLE(3 43)", "\"<geometry>\""), ("LINESTRING(0 0)", "\"<geometry>\""),
    ])
    func `a geometry comes from well-known text`(text: String, expected: String) throws {
        #expect(try location("wkt: x", "\"\(text)\";", more: "csv: {separator: ;}") == JSON(parsing: expected))
    }

    @Test func `Lambert-93 becomes longitude and latitude`() throws {
        // The origin of Lambert-93 lies at 3° E, 46.5° N with x 700000, y 6600000 (EPSG registry).
        let found = try location("point: {x: x, y: y}", "700000;6600000", more: "csv: {separator: ;}\ncrs: EPSG:2154")
        #expect(found == point(3, 46.5))
    }

    @Test func `a geometry of another system is brought over whole`() throws {
        let run = try run(
            yaml(format: "ndjson", attributes: "{a: {geometry: g}}", more: "crs: EPSG:2154"),
            "{\"id\":1,\"g\":{\"type\":\"LineString\",\"coordinates\":[[700000,6600000],[700000,6600000,9]]}}\n", chunkByteCount: 99
        )
        #expect(run.entities.first?.entity.value("a") == ["type": "LineString", "coordinates": [[3.0, 46.5], [3.0, 46.5, 9]]])
    }

    @Test(arguments: [
        "[[[0,0],[10,0],[10,10],[0,10],[0,0]]]",
        // A horseshoe, whose centroid lies outside.
        "[[[0,0],[10,0],[10,10],[8,10],[8,2],[2,2],[2,10],[0,10],[0,0]]]",
        // A square with a hole in its middle.
        "[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[3,3],[7,3],[7,7],[3,7],[3,3]]]",
    ])
    func `a label stands inside its area`(coordinates: String) throws {
        let text = "{\"id\":1,\"g\":{\"type\":\"Polygon\",\"coordinates\":\(coordinates)}}\n"
        let run = try run(yaml(format: "ndjson", attributes: "{a: {labelPoint: g}}"), text, chunkByteCount: 99)
        let label = run.entities.first?.entity.value("a")?["coordinates"]?.arrayValue?.compactMap(\.doubleValue) ?? []
        try #require(label.count == 2)
        let rings = try JSON(parsing: coordinates).arrayValue ?? []
        let isIn = rings.map { ring in
            let corners = ring.arrayValue?.compactMap { $0.arrayValue?.compactMap(\.doubleValue) } ?? []
            return zip(corners, corners.dropFirst()).filter { first, second in
                (first[1] > label[1]) != (second[1] > label[1])
                    && label[0] < first[0] + (label[1] - first[1]) / (second[1] - first[1]) * (second[0] - first[0])
            }.count % 2 == 1
        }
        #expect(isIn.first == true)
        #expect(!isIn.dropFirst().contains(true))
    }

    @Test(.enabled(if: Places.hasData))
    func `lamps in Lambert-93 lie within the districts of the same city`() throws {
        let file = Places.data.appending(path: "street-assets-montpellier/eclairage-public-lambert93.csv.gz")
        let lamps = try run(Places.example("montpellier-streetlights"), FileChunks(path: file.path))
        var box = BoundingBox(west: .infinity, south: .infinity, east: -.infinity, north: -.infinity)
        let quartiers = try run(
            Places.example("montpellier-quartiers"),
            FileChunks(path: Places.data.appending(path: "geo-montpellier/montpellier-quartiers.geojson").path))
        for quartier in quartiers.entities {
            let boundary = try Geometry(#require(quartier.entity.value("boundary"))).boundingBox
            box.extend(longitude: boundary.west, latitude: boundary.south)
            box.extend(longitude: boundary.east, latitude: boundary.north)
        }
        let outsideCount = try lamps.entities.filter { lamp in
            !(try Geometry(#require(lamp.entity.value("location"))).boundingBox.intersects(box))
        }.count
        #expect(outsideCount < 156)
    }
}
