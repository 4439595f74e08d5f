import CityModel
import Declarations
import Foundation
import OrderedCollections
import Testing

import Sources

/// The published JSON Schema and the parser must know the same keys.
struct SchemaTests {
    private static let schema: JSON = {
        let text = try? Places.text(Places.root.appending(path: "docs/schemas/source.schema.json"))
        return text.flatMap { try? JSON(parsing: $0) } ?? .null
    }()

    @Test(arguments: DefinitionKeys.all.keys.sorted())
    func `a part of a definition has the keys that the schema gives it`(part: String) throws {
        let definition = try #require(Self.schema["$defs"]?[part])
        let keys = try #require(definition["properties"]?.objectValue).keys
        #expect(Set(keys) == Set(DefinitionKeys.all[part] ?? []))
        #expect(definition["additionalProperties"] == false)
    }

    @Test func `the schema describes no part that the parser does not have`() {
        let parts = Set(Self.schema["$defs"]?.objectValue?.keys.map { $0 } ?? [])
        #expect(parts == Set(DefinitionKeys.all.keys).union(["fieldName"]))
    }

    @Test func `choices in the schema are those of the parser`() {
        let source = Self.schema["$defs"]?["source"]?["properties"]
        #expect(source?["format"]?["enum"]?.arrayValue?.compactMap(\.stringValue) == SourceFormat.allCases.map(\.rawValue))
        #expect(source?["encoding"]?["enum"]?.arrayValue?.compactMap(\.stringValue) == TextEncoding.allCases.map(\.rawValue))
        #expect(
            source?["classification"]?["enum"]?.arrayValue?.compactMap(\.stringValue) == Classification.allCases.map(\.rawValue))
    }

    @Test(arguments: [
        ("licens", "licence"), ("formt", "format"), ("atributes", "attributes"), ("Crs", "crs"), ("ruels", "rules"),
        ("nullTexts", "nulls"),
    ])
    func `the nearest key is the one that takes the fewest changes`(key: String, nearest: String) {
        #expect(Spelling.nearest(to: key, in: DefinitionKeys.all["source"] ?? []) == nearest)
    }

    @Test(
        arguments: [("P1D", 86_400), ("PT1H30M", 5400), ("P2W", 1_209_600), ("P1DT1S", 86_401), ("PT", 0), ("P", 0)]
            as [(String, Int64)])
    func `durations are counted in seconds`(text: String, seconds: Int64) {
        #expect(RuleParser.seconds(ofDuration: text) == seconds)
    }

    @Test(arguments: ["", "1D", "P1", "P1M", "PT1D", "P1H", "P-1D", "P99999999999W", "PTT1S"])
    func `what is no fixed duration is none`(text: String) { #expect(RuleParser.seconds(ofDuration: text) == nil) }
}
