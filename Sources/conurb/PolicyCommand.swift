import ArgumentParser
import CityModel
import Declarations
import Foundation
import LinkedData
import Policy

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Check, test and explain rules of access.",
        discussion: """
            Files are those that docs/policies.md describes: rules, purposes and tables of tests, each told by its first keys. What \
            no file brings is the shipped one's.
            """,
        subcommands: [Check.self, Test.self, Explain.self, Decide.self, Put.self, Show.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "check", abstract: "Say what is wrong with files of rules, purposes and tests.")
        @Argument(help: "The files. Default: the shipped policy.", completion: .file(extensions: ["yaml", "yml"])) var files: [String] = []

        func run() async throws {
            try await reportingFailure {
                let documents = try PolicyDocuments(reading: files)
                let policies = try documents.policies()
                let tables = try documents.tables(policies.purposes)
                print(
                    "\(policies.rules.count) rules, \(policies.purposes.all.count) purposes, \(tables.reduce(0) { $0 + $1.table.cases.count }) tests: no faults")
            }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Hold rules against tables of decisions that are expected of them.",
            discussion: "The exit code is 2 when a test does not hold.")
        @Argument(help: "The files: rules and tests. Default: the shipped ones.", completion: .file(extensions: ["yaml", "yml"])) var files: [String] = []

        func run() async throws {
            var failureCount = 0
            try await reportingFailure {
                let documents = try PolicyDocuments(reading: files)
                let policies = try documents.policies()
                let tables = try documents.tables(policies.purposes)
                guard !tables.isEmpty else { throw CommandFailure(description: "none of the files has tests") }
                let now = Instant(date: .now)
                let outcomes = tables.flatMap { file, table in table.outcomes(of: policies, now: now).map { (file, $0.case, $0.faults) } }
                for (file, test, faults) in outcomes where !faults.isEmpty {
                    print("\(file), line \(test.line): \(test.name)")
                    for fault in faults { print("  \(fault)") }
                    failureCount += 1
                }
                print("\(outcomes.count) tests: \(outcomes.count - failureCount) hold, \(failureCount) do not")
            }
            if failureCount > 0 { throw exitCodeFindings }
        }
    }
}

/// The files of a policy, told apart by their keys; the shipped ones stand in for what is missing.
struct PolicyDocuments {
    private var rules: [Policies.File] = []
    private var purposes: Policies.File?
    private var tests: [Policies.File] = []

    /// - Throws: `CommandFailure` that names the file, the line and the key at fault.
    init(reading paths: [String]) throws {
        for path in paths {
            guard let data = FileManager.default.contents(atPath: path) else { throw CommandFailure(description: "\(path) can't be read") }
            let file = Policies.File(name: path, text: String(decoding: data, as: UTF8.self))
            switch try Self.kind(of: file) {
            case "rules": rules.append(file)
            case "tests": tests.append(file)
            default:
                guard purposes == nil else { throw CommandFailure(description: "\(path): the purposes are in another file already") }
                purposes = file
            }
        }
        if rules.isEmpty {
            rules = [ShippedPolicy.rules]
            if tests.isEmpty { tests = [ShippedPolicy.tests] }
        }
    }

    private static func kind(of file: Policies.File) throws -> String {
        let names = try reporting(file.name) { () throws(DeclarationError) in try YAMLValue.root(of: file.text).members().map(\.name) }
        let kinds = ["rules", "purposes", "tests"].filter(names.contains)
        guard kinds.count == 1 else { throw CommandFailure(description: "\(file.name): one of the keys rules, purposes and tests is needed") }
        return kinds[0]
    }

    func policies() throws -> Policies {
        let purposes = try purposes.map { file in try Self.reporting(file.name) { () throws(DeclarationError) in try Purposes(parsing: file.text) } }
        return try Self.reporting(nil) { () throws(DeclarationError) in
            let known = if let purposes { purposes } else { try ShippedPolicy.purposes() }
            return try Policies(files: rules, purposes: known, expand: Context.core.expand)
        }
    }

    func tables(_ purposes: Purposes) throws -> [(file: String, table: PolicyTable)] {
        try tests.map { file in
            try Self.reporting(file.name) { () throws(DeclarationError) in
                (file.name, try PolicyTable(parsing: file.text, purposes: purposes, expand: Context.core.expand))
            }
        }
    }

    /// - Parameter file: the name to put into an error that has none.
    static func reporting<Value>(_ file: String?, _ body: () throws(DeclarationError) -> Value) throws -> Value {
        do { return try body() } catch {
            throw CommandFailure(description: (file.map(error.inFile) ?? error).description)
        }
    }
}
