import CityModel
import Foundation
import OrderedCollections
import Testing

import Sources

struct ExamplesTests {
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: Places.examples.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }()

    @Test func `there are examples`() { #expect(Self.names.count >= 20) }

    @Test(arguments: names)
    func `an example is a definition whose id is the name of its file`(_ name: String) throws {
        let definition = try Places.example(name)
        #expect(definition.id == name)
        #expect(definition.licence != nil)
        #expect(definition.attribution != nil)
        #expect(definition.steward != nil)
    }

    /// What the guide shows to newcomers must work as it stands there.
    @Test func `the first source of the guide reads its file`() throws {
        let guide = try Places.text(Places.root.appending(path: "docs/sources.md"))
        let definition = try SourceDefinition(parsing: block("yaml", of: guide))
        let run = try run(definition, MemoryChunks(Array(block("csv", of: guide).utf8)))
        #expect(run.report.rejectedCount == 0, "\(run.report)")
        #expect(run.entities.map(\.entity.id.text) == (1...2).map { "urn:ngsi-ld:OffStreetParking:montpellier:\($0)" })
        #expect(run.entities.first?.entity.value("totalSpotNumber") == 474)
        #expect(run.entities.first?.entity.value("category") == ["underground"])
        #expect(run.entities.first?.entity.value("location")?["coordinates"] == [3.8732007528, 43.6110026707])
    }

    /// The first fenced block of a language.
    private func block(_ language: String, of text: String) throws -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex(of: "```\(language)"))
        return lines[(start + 1)...].prefix { $0 != "```" }.joined(separator: "\n")
    }

    @Test func `every key is explained in the guide`() throws {
        let guide = try Places.text(Places.root.appending(path: "docs/sources.md"))
        for key in Set(DefinitionKeys.all.values.joined()) {
            let isExplained = ["`\(key)`", "`\(key):", "\(key):", "`json.\(key)`", "{\(key),", ", \(key)", "\(key)}"].contains {
                guide.contains($0)
            }
            #expect(isExplained, "\(key)")
        }
    }
}
