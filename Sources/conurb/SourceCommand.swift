import ArgumentParser
import CityModel
import Foundation
import Services
import Sources

struct SourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Check sources, and try them out.",
        discussion: "A source is a file that says how data comes in (docs/sources.md). `conurb import` brings it in.", subcommands: [Check.self, Preview.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Say what is wrong with files of sources.", discussion: "Of each file that is at fault the first fault is told.")
        @Argument(help: "The files.", completion: .file(extensions: ["yaml", "yml"])) var files: [String]
        @Option(name: .customLong("service"), help: "A service's file, for sources whose rows become its cases; may be given several times.", completion: .file(extensions: ["yaml", "yml"]))
        var services: [String] = []

        func run() async throws {
            try await reportingFailure {
                let known = try services.map { try ServiceFile($0).service }
                var faultCount = 0
                for path in files {
                    do {
                        let definition = try SourceFile(path).definition
                        // Without any service the file is looked at by itself.
                        if !known.isEmpty { _ = try SourceFile.reporting(path) { () throws(SourceError) in try SourceTrial(definition, services: known) } }
                    } catch let error as CommandFailure {
                        tell(error.description)
                        faultCount += 1
                    }
                }
                guard faultCount == 0 else { throw CommandFailure(description: "\(faultCount) of \(files.count) files are at fault") }
                print("\(files.count) source\(files.count == 1 ? "" : "s"): no faults")
            }
        }
    }

    struct Preview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "preview", abstract: "Say what a source would make of a file, and store nothing.",
            discussion: "The first records are shown with all that they become. The exit code is 2 when records would be rejected.")
        @Argument(help: "The source's file.", completion: .file(extensions: ["yaml", "yml"])) var source: String
        @Argument(help: "The data.", completion: .file()) var file: String
        @Option(name: .customLong("service"), help: "The file of the service whose cases rows become.", completion: .file(extensions: ["yaml", "yml"])) var services: [String] = []
        @Option(help: "How many records are shown.") var show = 3

        func run() async throws {
            var rejectedCount = 0
            try await reportingFailure {
                let known = try services.map { try ServiceFile($0).service }
                let definition = try SourceFile(source).definition
                let trial = try SourceFile.reporting(source) { () throws(SourceError) in try SourceTrial(definition, services: known) }
                let (lines, report) = try SourceFile.reporting(file) { () throws(SourceError) in try trial.run(try FileChunks(path: file), shownCount: show, now: Instant(date: .now)) }
                print((lines + [report.description]).joined(separator: "\n"))
                rejectedCount = report.rejectedCount
            }
            if rejectedCount > 0 { throw exitCodeFindings }
        }
    }
}

/// A source's file.
private struct SourceFile {
    let definition: SourceDefinition

    /// - Throws: `CommandFailure` that names the file, the line and the key at fault.
    init(_ path: String) throws {
        let text = try ServiceFile.text(path)
        definition = try Self.reporting(path) { () throws(SourceError) in try SourceDefinition(parsing: text) }
    }

    static func reporting<Result>(_ path: String, _ body: () throws(SourceError) -> Result) throws -> Result {
        do throws(SourceError) { return try body() } catch { throw CommandFailure(description: "\(path), \(error)") }
    }
}
