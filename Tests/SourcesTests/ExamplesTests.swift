import Foundation
import Sources
import Testing

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
}
