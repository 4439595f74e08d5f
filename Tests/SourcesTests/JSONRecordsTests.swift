import CityModel
import OrderedCollections
import Sources
import Testing

struct JSONRecordsTests {
    private func ids(_ format: String, _ text: String, json: String = "", chunkByteCount: Int = 1) throws -> [String] {
        let definition = try SourceDefinition(parsing: yaml(format: format, more: json))
        var reader = RecordReader(definition, chunks: MemoryChunks(Array(text.utf8), chunkByteCount: chunkByteCount))
        var record = Record()
        var ids: [String] = []
        while try reader.next(into: &record) {
            ids.append(record.fault.map { "<\($0.ruleID)>" } ?? "\(record.line):\(record.json["id"]?.description ?? "-")")
        }
        return ids
    }

    @Test(arguments: [
        (format: "json", text: "[{\"id\":1},\n {\"id\":2}]", json: "", ids: ["1:1", "2:2"]),
        (format: "json", text: "[]", json: "", ids: []),
        (format: "json", text: "[}:{\"id\":1}]", json: "", ids: ["<syntax>", "<syntax>"]),
        (format: "json", text: "{\"id\": {\"a\": [1, \"}]\"]}}\n", json: "", ids: ["1:{\"a\":[1,\"}]\"]}"]),
        (
            format: "json", text: "[{\"id\":\"a\\\"]}\"},3,\"x\",null,{\"id\":2}]", json: "",
            ids: ["1:\"a\\\"]}\"", "<syntax>", "<syntax>", "<syntax>", "1:2"]
        ),
        (format: "json", text: "[{\"id\":1},{\"id\":},{\"id\":3}]", json: "", ids: ["1:1", "<syntax>", "1:3"]),
        (
            format: "json", text: "{\"x\":[{\"id\":9}],\"a\":{\"b\":[{\"id\":8}],\"c\":\n[{\"id\":1}]},\"d\":[2]}",
            json: "json: {records: a.c}", ids: ["2:1"]
        ),
        (format: "json", text: "{\"a\":{\"features\":[{\"id\":9}]},\"c\":[{\"id\":1}]}", json: "json: {records: c}", ids: ["1:1"]),
        (
            format: "geojson", text: "{\"type\":\"FeatureCollection\",\"name\":\"features\",\"features\":[{\"id\":1}],\"x\":\"]\"}",
            json: "", ids: ["1:1"]
        ),
        (
            format: "ndjson", text: "{\"id\":1}\r\n\n{\"id\":2}\n[3]\n{\"id\":\n{\"id\":4}", json: "",
            ids: ["1:1", "3:2", "<syntax>", "<syntax>", "6:4"]
        ),
    ])
    func `records are found one by one`(format: String, text: String, json: String, ids expected: [String]) throws {
        for chunkByteCount in [1, 2, 3, 1000] {
            #expect(try ids(format, text, json: json, chunkByteCount: chunkByteCount) == expected)
        }
    }

    @Test(arguments: [
        (format: "json", text: "[{\"id\":1}", json: ""), (format: "json", text: "[{\"id\":1},{\"id\"", json: ""),
        (format: "json", text: "", json: ""), (format: "json", text: "id,b\n", json: ""), (format: "json", text: "[] x", json: ""),
        (format: "json", text: "{\"id\":1} {\"id\":2}", json: ""), (format: "geojson", text: "{\"type\":\"Feature\"}", json: ""),
        (format: "geojson", text: "[]", json: ""), (format: "json", text: "{\"a\":3}", json: "json: {records: a}"),
        (format: "json", text: "{\"a\":{\"b\":[]}}", json: "json: {records: a}"),
        (format: "json", text: "{\"a\":[]}", json: "json: {records: a.b}"),
    ])
    func `a text that is cut off or of another shape is an error`(format: String, text: String, json: String) {
        for chunkByteCount in [1, 1000] {
            #expect(throws: SourceError.self) { try ids(format, text, json: json, chunkByteCount: chunkByteCount) }
        }
    }

    @Test func `NGSI-LD entities pass through and rules see them`() throws {
        let definition = """
            id: test
            title: Test
            classification: open
            format: ngsi-ld
            rules: [{id: named, field: name.value, required: true}]
            """
        let run = try run(
            definition, "[{\"id\":\"urn:a\",\"type\":\"T\",\"name\":{\"value\":1}},{\"id\":\"urn:b\",\"type\":\"T\"}]")
        #expect(run.documents.map { $0["id"] } == ["urn:a"])
        #expect(run.rejections.map(\.ruleID) == ["named"])
    }

    @Test func `values are reached by path, also by one with dots in names`() throws {
        let attributes = "{a: 'x.y[1].z', b: '[\"p.q\"].r', c: 'x.y', d: x.missing.z, e: 'x.y[7]'}"
        let run = try run(
            yaml(format: "json", attributes: attributes), "[{\"id\":\"1\",\"x\":{\"y\":[0,{\"z\":true}]},\"p.q\":{\"r\":\"s\"}}]")
        let entity = try #require(run.entities.first?.entity)
        #expect(entity.value("a") == true)
        #expect(entity.value("b") == "s")
        #expect(entity.value("c") == [0, ["z": true]])
        #expect(entity.attributes.count == 3)
    }

    @Test(arguments: UInt64(0)..<300)
    func `bytes at random are read or refused, in pieces of any size alike`(seed: UInt64) {
        var random = Lehmer(seed: seed)
        let alphabet = Array("[]{}\"\\:,  1n\n".utf8)
        let noise = (0..<Int.random(in: 0...40, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
        let start = ["[", "{\"features\":[", "{\"id\":1}", ""].randomElement(using: &random) ?? ""
        let format = ["json", "geojson", "ndjson"].randomElement(using: &random) ?? "json"
        let text = start + String(decoding: noise, as: UTF8.self)
        let whole = Result { try ids(format, text, chunkByteCount: 1000) }
        for chunkByteCount in [1, 2, 3, 7] {
            let pieces = Result { try ids(format, text, chunkByteCount: chunkByteCount) }
            #expect((try? pieces.get()) == (try? whole.get()), "seed \(seed)")
        }
    }
}
