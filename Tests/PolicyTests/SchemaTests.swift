import CityModel
import Foundation
import OrderedCollections
import Policy
import Testing

/// The published JSON Schema and the parser must know the same keys and the same words.
struct SchemaTests {
    private static let schema: JSON = {
        let text = try? Places.text("docs/schemas/policy.schema.json")
        return text.flatMap { try? JSON(parsing: $0) } ?? .null
    }()

    @Test(arguments: PolicyKeys.all.keys.sorted())
    func `a part of a file has the keys that the schema gives it`(part: String) throws {
        let definition = try #require(Self.schema["$defs"]?[part])
        #expect(Set(try #require(definition["properties"]?.objectValue).keys) == Set(PolicyKeys.all[part] ?? []))
        #expect(definition["additionalProperties"] == false)
    }

    @Test func `choices in the schema are those of the parser`() throws {
        func words(_ name: String) -> [String]? { Self.schema["$defs"]?[name]?["enum"]?.arrayValue?.compactMap(\.stringValue) }
        #expect(words("roleName") == Role.allCases.map(\.rawValue))
        #expect(words("actionName") == AccessAction.allCases.map(\.rawValue))
        #expect(words("classificationName") == Classification.allCases.map(\.rawValue))
        #expect(words("effectName") == Rule.Effect.allCases.map(\.rawValue))
        #expect(words("decisionName") == Verdict.Decision.allCases.map(\.rawValue))
    }

    @Test func `the schema describes no part that the parser does not have`() {
        let names: Set = ["roleName", "actionName", "classificationName", "effectName", "decisionName", "text", "texts", "moment", "identifier"]
        #expect(Set(Self.schema["$defs"]?.objectValue?.keys.map { $0 } ?? []) == Set(PolicyKeys.all.keys).union(names))
    }
}
