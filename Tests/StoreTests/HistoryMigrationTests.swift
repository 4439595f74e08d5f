import CityModel
import Foundation
import GRDB
import OrderedCollections
@testable import Store
import Testing

/// Migration `0002-history` with rows of every earlier version in it.
@Suite struct HistoryMigrationTests {
    /// A file as version 0001 made it: a sensor with a number, a text, a relationship and a place, and their past.
    private func writeFirstVersion(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator().migrate(queue, upTo: "0001-entities")
        try queue.write { db in
            for (number, name) in ["Thing", "level", "name", "owner", "place"].enumerated() {
                try db.execute(sql: "INSERT INTO term (id, iri) VALUES (?, ?)", arguments: [number + 1, iri(name).text])
            }
            let mark = { (number: UInt8) in [1, number] as [UInt8] }
            var document = Array(#"{"id":"urn:ngsi-ld:Thing:1","type":"#.utf8) + mark(1)
            document += Array(",".utf8) + mark(2) + Array(#":{"type":"Property","value":3}"#.utf8)
            document += Array(",".utf8) + mark(3) + Array(#":{"type":"Property","value":"Lamp"}"#.utf8)
            document += Array(",".utf8) + mark(4) + Array(#":[{"type":"Relationship","object":"urn:x:1"}]"#.utf8)
            document += Array(",".utf8) + mark(5) + Array(#":{"type":"GeoProperty","value":{"type":"Point","coordinates":[1,2]}}}"#.utf8)
            try db.execute(
                sql: "INSERT INTO entity (id, iri, version, classification, document) VALUES (1, 'urn:ngsi-ld:Thing:1', 1, 0, ?)",
                arguments: [Data(document)])
            let rows: [(Int, Int64, any DatabaseValueConvertible, String?)] = [
                (2, 0, 1, "CEL"), (2, 60, 2.5, "CEL"), (3, 0, "Lamp", nil), (4, 0, "urn:x:1", nil),
                (5, 0, Data(#"{"type":"Point","coordinates":[1,2]}"#.utf8), nil),
            ]
            for (attribute, seconds, value, unit) in rows {
                try db.execute(
                    sql: "INSERT INTO instance (entity, attribute, dataset, at_us, value, unit) VALUES (1, ?, '', ?, ?, ?)",
                    arguments: [attribute, noon.microseconds + seconds * 1_000_000, value, unit])
            }
        }
        try queue.close()
    }

    @Test func `rows of the first version become observations of their attribute's kind`() async throws {
        let folder = try TemporaryStore()
        let directory = "\(folder.path)/alder"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try writeFirstVersion("\(directory)/\(MunicipalityFile.fileName)")
        let instances = try await folder.file().read { snapshot in
            var instances: [IRI: [Attribute]] = [:]
            for series in try snapshot.series(of: 1, .open) {
                try snapshot.visitRecords(of: 1, series, HistoryWindow(nil, now: noon, .open)) { record in
                    instances[series.attribute, default: []].append(record.attribute)
                    return true
                }
            }
            return instances
        }
        #expect(instances[iri("level")]?.map(\.value) == [1, 2.5])
        #expect(instances[iri("level")]?.map(\.observedAt) == [noon, noon.adding(seconds: 60)])
        #expect(instances[iri("level")]?.map(\.unitCode) == ["CEL", "CEL"])
        #expect(instances[iri("level")]?.first?.createdAt == noon)
        #expect(instances.mapValues { $0.map(\.kind) } == [
            iri("level"): [.property, .property], iri("name"): [.property], iri("owner"): [.relationship], iri("place"): [.geoProperty],
        ])
        #expect(instances[iri("place")]?.first?.value == ["type": "Point", "coordinates": [1, 2]])
    }

    @Test func `what was history before is asked for by time like any other`() async throws {
        let folder = try TemporaryStore()
        let directory = "\(folder.path)/alder"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try writeFirstVersion("\(directory)/\(MunicipalityFile.fileName)")
        let points = try await folder.file().read { snapshot in
            try snapshot.livePoints(of: 1, attribute: iri("level"), in: noon..<noon.adding(seconds: 600), countMax: 10, .open, at: noon)
        }
        #expect(points == [LivePoint(at: noon, value: 1), LivePoint(at: noon.adding(seconds: 60), value: 2.5)])
    }
}
