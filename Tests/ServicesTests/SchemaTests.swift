import CityModel
import OrderedCollections
import Services
import Testing

/// The published JSON Schema and the parser must know the same keys and the same words.
struct SchemaTests {
    private static let schema: JSON = {
        let text = try? Places.text("docs/schemas/service.schema.json")
        return text.flatMap { try? JSON(parsing: $0) } ?? .null
    }()

    @Test(arguments: ServiceKeys.all.keys.sorted())
    func `a part of a file has the keys that the schema gives it`(part: String) throws {
        let definition = try #require(Self.schema["$defs"]?[part])
        #expect(Set(try #require(definition["properties"]?.objectValue).keys) == Set(ServiceKeys.all[part] ?? []))
        #expect(definition["additionalProperties"] == false)
    }

    @Test func `choices in the schema are those of the parser`() throws {
        func words(_ name: String) -> [String]? { Self.schema["$defs"]?[name]?["enum"]?.arrayValue?.compactMap(\.stringValue) }
        #expect(words("patternName") == TextPattern.allCases.map(\.rawValue))
        #expect(words("dateRangeName") == ServiceField.DateRange.allCases.map(\.rawValue))
        #expect(words("phaseName") == ServiceStep.Phase.allCases.map(\.rawValue))
        #expect(words("momentName") == ServicePublication.Moment.allCases.map(\.rawValue))
        let types = Self.schema["$defs"]?["field"]?["oneOf"]?.arrayValue?.compactMap { $0["$ref"]?.stringValue }
        #expect(types == ServiceKeys.FieldType.allCases.map { "#/$defs/\($0.rawValue)Field" })
        for type in ServiceKeys.FieldType.allCases {
            #expect(Self.schema["$defs"]?[type.rawValue + "Field"]?["properties"]?["type"]?["const"] == .string(type.rawValue))
        }
    }

    @Test func `the schema describes no part that the parser does not have`() {
        let names: Set = [
            "field", "patternName", "dateRangeName", "phaseName", "momentName", "text", "localizedText", "identifier", "workingSpan", "keptSpan", "dayHours", "hoursText", "notices",
            "name", "requirement",
        ]
        #expect(Set(Self.schema["$defs"]?.objectValue?.keys.map { $0 } ?? []) == Set(ServiceKeys.all.keys).union(names))
    }
}
