import CityModel
import OrderedCollections
import Sources
import Testing

struct HostileInputTests {
    /// Bytes without end, as far as anyone asks for them.
    struct Endless: ChunkSource {
        var first: [UInt8]
        var repeated: UInt8
        var byteCountMax: Int
        private(set) var byteCount = 0

        init(_ first: String, _ repeated: UInt8, byteCountMax: Int) {
            (self.first, self.repeated, self.byteCountMax) = (Array(first.utf8), repeated, byteCountMax)
        }

        mutating func next() -> [UInt8]? {
            guard byteCount < byteCountMax else { return nil }
            let chunk = byteCount == 0 ? first : [UInt8](repeating: repeated, count: 1 << 20)
            byteCount += chunk.count
            return chunk
        }
    }

    private static let limits: RecordLimits = {
        var limits = RecordLimits()
        limits.recordByteCountMax = 4 << 20
        limits.fieldCountMax = 100
        return limits
    }()

    @Test(arguments: [
        (format: "csv", first: "id,b\n1,\"", filler: UInt8(ascii: "x")),
        (format: "csv", first: "id,b\n1,", filler: UInt8(ascii: "x")),
        (format: "csv", first: "id,b\n1,", filler: UInt8(ascii: ",")),
        (format: "ndjson", first: "{\"id\":", filler: UInt8(ascii: " ")),
        (format: "json", first: "[{\"id\": \"", filler: UInt8(ascii: "x")),
        (format: "json", first: "[", filler: UInt8(ascii: "[")),
        (format: "geojson", first: "{\"features\": [", filler: UInt8(ascii: "{")),
    ])
    func `a record without end is refused at the limit and not at the end of a gigabyte`(
        format: String, first: String, filler: UInt8
    ) throws {
        let definition = try SourceDefinition(parsing: yaml(format: format))
        var reader = RecordReader(definition, chunks: Endless(first, filler, byteCountMax: 1 << 30), limits: Self.limits)
        var record = Record()
        #expect(throws: SourceError.self) { while try reader.next(into: &record) {} }
        #expect(reader.chunks.byteCount < 8 << 20)
    }

    @Test func `a file filled up with NUL gives one damaged record and takes no memory`() throws {
        let definition = try SourceDefinition(parsing: yaml())
        var reader = RecordReader(definition, chunks: Endless("id,b\n1,2\n3,", 0, byteCountMax: 64 << 20), limits: Self.limits)
        var record = Record()
        #expect(try reader.next(into: &record))
        #expect(record.fault == nil)
        #expect(try reader.next(into: &record))
        #expect(record.fault?.ruleID == FindingID.damaged)
        #expect(try !reader.next(into: &record))
    }

    @Test func `a row of NUL bytes where text was is reported and not imported`() throws {
        // As in the register of trees that the city once published: most of its rows were NUL bytes.
        let text = "SITE;IDARBRE\n248;248.10\n" + String(repeating: "\u{0}", count: 5000) + "\n"
        let run = try run(yaml(entity: "id: 'urn:x:{IDARBRE}', type: Tree", more: "csv: {separator: ;}"), text)
        #expect(run.report.acceptedCount == 1)
        #expect(run.rejections.map(\.ruleID) == [FindingID.damaged])
    }

    @Test func `deep nesting makes one bad record`() throws {
        let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        let run = try run(yaml(format: "ndjson"), "{\"id\": 1}\n{\"id\": 2, \"x\": \(deep)}\n{\"id\": 3}\n", chunkByteCount: 999)
        #expect(run.report.acceptedCount == 2)
        #expect(run.rejections.map(\.ruleID) == [FindingID.syntax])
    }

    @Test func `the text that means removal does not arrive as data`() throws {
        let run = try run(yaml(attributes: "{name: b}"), "id,b\n1,urn:ngsi-ld:null\n")
        #expect(run.entities.first?.entity.attributes.isEmpty == true)
    }

    @Test func `a text of the table cannot leave its place in an identifier`() throws {
        let run = try run(yaml(), "id\n\"a,b/c?q=1&d#e<f>é\"\n")
        #expect(run.entities.first?.entity.id.text == "urn:x:a%2Cb%2Fc%3Fq%3D1%26d%23e%3Cf%3E%C3%A9")
    }
}
