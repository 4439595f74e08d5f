import Foundation
import Declarations
import Foundation
import Services
import Testing

/// What docs/services.md shows must work as it stands there.
struct GuideTests {
    private static func guide() throws -> String { try Places.text("docs/services.md") }

    private static func example() throws -> String {
        let guide = try guide()
        let begin = try #require(guide.range(of: "```yaml\n")).upperBound
        let end = try #require(guide[begin...].range(of: "\n```")).lowerBound
        return String(guide[begin..<end]) + "\n"
    }

    private static func fault(_ text: String) -> String? {
        do throws(DeclarationError) {
            _ = try ServiceDefinition(parsing: text)
            return nil
        } catch {
            return error.inFile("playground.yaml").description
        }
    }

    @Test func `the first service of the guide is one`() throws {
        let service = try ServiceDefinition(parsing: Self.example())
        #expect(service.title.languages == ["en", "fr"])
        #expect(service.department(for: ServiceAnswers(), district: "Mosson") == "Parks, north")
    }

    @Test func `the faults that the guide shows are those that the program tells`() throws {
        let example = try Self.example()
        let misspelt = try #require(Self.fault(example.replacing("is: other}", with: "is: othr}")))
        let untranslated = try #require(Self.fault(example.replacing("  fr: Signalez-nous ce qui est cassé ou dangereux sur une aire de jeux.\n", with: "")))
        for fault in [misspelt, untranslated] { #expect(try Self.guide().contains("\n\(fault)\n"), "\(fault)") }
    }

    @Test(arguments: ServiceKeys.all.keys.sorted())
    func `the guide tells of every key`(part: String) throws {
        let guide = try Self.guide()
        let missing = (ServiceKeys.all[part] ?? []).filter { key in
            !guide.contains("`\(key)`") && !guide.contains("`\(key): ") && !guide.contains("{\(key): ")
        }
        // `monday` to `sunday` stand for the days between.
        #expect(Set(missing).isSubset(of: ["tuesday", "wednesday", "thursday", "friday", "saturday"]), "\(missing)")
    }

    @Test func `the guide names every choice and every slot`() throws {
        let guide = try Self.guide()
        let words = TextPattern.allCases.map(\.rawValue) + ServiceField.DateRange.allCases.map(\.rawValue) + ServiceStep.Phase.allCases.map(\.rawValue)
            + ServicePublication.Moment.allCases.map(\.rawValue) + NoticeOccasion.plain.map(\.text) + ServiceKeys.FieldType.allCases.map(\.rawValue)
        for word in words { #expect(guide.contains("`\(word)`"), "\(word)") }
        for slot in NoticeText.slots { #expect(guide.contains("`{\(slot)}`"), "\(slot)") }
    }
}
