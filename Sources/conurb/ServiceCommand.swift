import ArgumentParser
import CityModel
import Declarations
import Foundation
import Policy
import Services

struct ServiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service", abstract: "Check, preview and offer digital services.",
        discussion: "A service is a file that says what is asked, who handles it and how long that may take (docs/services.md).",
        subcommands: [Example.self, Check.self, Preview.self, Put.self, List.self, Withdraw.self])

    struct Example: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "example", abstract: "Print a service that comes with the program, to begin one of your own with.", discussion: "Without a name it lists them.")
        @Argument(help: "The example, such as pothole.") var name: String?

        func run() async throws {
            try await reportingFailure {
                let names = ShippedFiles.names(in: "services").map { String($0.prefix { $0 != "." }) }
                guard let name else { return print(names.joined(separator: "\n")) }
                guard let text = ShippedFiles.text("services/\(name).yaml") else {
                    throw CommandFailure(description: "\(name) is no example; there are \(names.joined(separator: ", "))")
                }
                print(text, terminator: "")
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Say what is wrong with files of services.", discussion: "Of each file that is at fault the first fault is told.")
        @Argument(help: "The files.", completion: .file(extensions: ["yaml", "yml"])) var files: [String]
        @Option(help: "A file of purposes that consent may be asked for. Default: the shipped one.", completion: .file(extensions: ["yaml", "yml"])) var purposes: String?

        func run() async throws {
            try await reportingFailure {
                let known = try knownPurposes()
                var names: [ServiceCode: String] = [:]
                var faultCount = 0
                for path in files {
                    do {
                        let service = try ServiceFile(path).service
                        try Self.checkPurposes(of: service, path, known)
                        if let other = names.updateValue(path, forKey: service.id) { throw CommandFailure(description: "\(path): \(other) is called \(service.id) too") }
                    } catch let error as CommandFailure {
                        tell(error.description)
                        faultCount += 1
                    }
                }
                guard faultCount == 0 else { throw CommandFailure(description: "\(faultCount) of \(files.count) files are at fault") }
                print("\(files.count) service\(files.count == 1 ? "" : "s"): no faults")
            }
        }

        private func knownPurposes() throws -> Purposes {
            guard let purposes else { return try PolicyDocuments.reporting(nil) { () throws(DeclarationError) in try ShippedPolicy.purposes() } }
            let text = try ServiceFile.text(purposes)
            return try PolicyDocuments.reporting(purposes) { () throws(DeclarationError) in try Purposes(parsing: text) }
        }

        private static func checkPurposes(of service: ServiceDefinition, _ path: String, _ known: Purposes) throws {
            for field in service.fields {
                guard case .consent(let purpose) = field.kind, !known.contains(purpose) else { continue }
                let nearest = Spelling.nearest(to: purpose, in: known.ids).map { "; the nearest is \($0)" } ?? ""
                throw CommandFailure(description: "\(path): field \(field.id): \(purpose) is not in the list of purposes\(nearest)")
            }
        }
    }

    struct Preview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "preview", abstract: "Print what a service comes to: its form, its steps, and by when a case would have to be done.")
        @Argument(help: "The file.", completion: .file(extensions: ["yaml", "yml"])) var file: String
        @Option(help: "The language of the texts, such as fr. Default: the first of the file.") var language: String?
        @Option(help: "When the example begins, such as 2026-12-24T15:00:00Z. Default: now.") var at: String?

        func run() async throws {
            try await reportingFailure {
                let service = try ServiceFile(file).service
                let languages = service.title.languages
                let language = language ?? service.title.first
                guard languages.contains(language) else { throw CommandFailure(description: "--language: \(file) is in \(languages.joined(separator: ", "))") }
                guard let moment = at.map(Instant.init) ?? Instant(date: .now) else { throw CommandFailure(description: "--at: a moment such as 2026-12-24T15:00:00Z is needed") }
                print(ServicePreview(service: service, language: language, moment: moment).text)
            }
        }
    }
}

/// A service's file.
struct ServiceFile {
    let service: ServiceDefinition

    /// - Throws: `CommandFailure` that names the file, the line and the key at fault.
    init(_ path: String) throws {
        let text = try Self.text(path)
        service = try PolicyDocuments.reporting(path) { () throws(DeclarationError) in try ServiceDefinition(parsing: text) }
    }

    static func text(_ path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else { throw CommandFailure(description: "\(path) can't be read") }
        return String(decoding: data, as: UTF8.self)
    }
}
