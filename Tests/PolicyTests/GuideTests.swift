import CityModel
import Foundation
import Policy
import Testing

/// What docs/policies.md shows must work as it stands there.
struct GuideTests {
    private func blocks(_ language: String) throws -> [String] {
        var blocks: [String] = []
        var current: [Substring]?
        for line in try Places.text("docs/policies.md").split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```\(language)" {
                current = []
            } else if line == "```", let lines = current {
                blocks.append(lines.joined(separator: "\n"))
                current = nil
            } else {
                current?.append(line)
            }
        }
        return blocks
    }

    @Test func `the first rule of the guide holds the tests beside it`() throws {
        let blocks = try blocks("yaml")
        #expect(blocks.count == 2)
        let policies = try Policies(files: [.init(name: "planning.yaml", text: blocks[0])], purposes: ShippedPolicy.purposes(), expand: expand)
        let table = try PolicyTable(parsing: blocks[1], purposes: policies.purposes, expand: expand)
        #expect(table.cases.count == 2)
        for (test, faults) in table.outcomes(of: policies, now: now) { #expect(faults.isEmpty, "\(test.name): \(faults)") }
    }

    @Test func `the fault that the guide shows is the one that the program tells`() throws {
        let blocks = try blocks("yaml")
        do {
            _ = try Policies(
                files: [.init(name: "planning.yaml", text: blocks[0].replacing("[read, ", with: "[reed, "))], purposes: ShippedPolicy.purposes(),
                expand: expand)
            Issue.record("no error")
        } catch {
            #expect(try Places.text("docs/policies.md").contains("\n\(error)\n"), "\(error)")
        }
    }

    @Test func `the explanation that the guide shows is the one that the program gives`() throws {
        let policies = try Policies(
            files: [.init(name: "planning.yaml", text: try #require(blocks("yaml").first))], purposes: ShippedPolicy.purposes(), expand: expand)
        var resource = Question.Resource()
        resource.types = [attribute("ServiceRequest")]
        resource.classification = .personal
        let office = try #require(policies.explanation(.read, resource, now: now).parties.first { $0.name == "planning-office" })
        let permitted = office.answers.filter { $0.verdict.decision == .permit }
        #expect(permitted.map { $0.purposes } == [["dpv:ImprovePublicServices"]])
        #expect(permitted.first?.verdict.access(to: attribute("email")) == .hidden)
        #expect(office.answers.count == 2)
    }

    @Test func `every key and every word is explained in the guide`() throws {
        let guide = try Places.text("docs/policies.md")
        let words = Set(PolicyKeys.all.values.joined()).subtracting(["roundTo"]).union(Role.allCases.map(\.rawValue))
            .union(AccessAction.allCases.map(\.rawValue)).union(Classification.allCases.map(\.rawValue))
        for word in words.sorted() {
            let isExplained = ["`\(word)`", "`\(word):", "{\(word):", "\(word): "].contains { guide.contains($0) }
            #expect(isExplained, "\(word)")
        }
    }

    @Test func `the examples hold their tests`() throws {
        let folder = Places.root.appending(path: "examples/policies")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let files = try names.map { Policies.File(name: $0, text: try Places.text("examples/policies/\($0)")) }
        let policies = try Policies(files: files.filter { !$0.name.hasSuffix(".tests.yaml") }, purposes: ShippedPolicy.purposes(), expand: expand)
        #expect(policies.rules.count >= 5)
        for file in files where file.name.hasSuffix(".tests.yaml") {
            let table = try PolicyTable(parsing: file.text, purposes: policies.purposes, expand: expand)
            for (test, faults) in table.outcomes(of: policies, now: now) { #expect(faults.isEmpty, "\(test.name): \(faults)") }
        }
    }

    @Test func `the examples can stand beside the default policy`() throws {
        let texts = try ["car-parks.yaml", "mobility-study.yaml"].map { Policies.File(name: $0, text: try Places.text("examples/policies/\($0)")) }
        _ = try Policies(files: [ShippedPolicy.rules] + texts, purposes: ShippedPolicy.purposes(), expand: expand)
    }
}
