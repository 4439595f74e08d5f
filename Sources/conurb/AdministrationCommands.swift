import ArgumentParser
import AsyncHTTPClient
import CityModel
import Foundation
import NIOCore
import NIOHTTP1
import OrderedCollections

enum ExitCodes {
    static let failure = ExitCode(1)
}

struct MunicipalityOption: ParsableArguments {
    @Option(help: "The municipality's name.") var municipality: String

    func validate() throws {
        guard MunicipalityName(municipality) != nil else {
            throw ValidationError("--municipality: \(municipality) is not a name: 1 to 64 letters, digits, - and _")
        }
    }
}

struct NameArgument: ParsableArguments {
    @Argument(help: "The municipality's name: 1 to 64 letters, digits, - and _.") var name: String

    func validate() throws {
        guard MunicipalityName(name) != nil else { throw ValidationError("NAME: \(name) is not a name: 1 to 64 letters, digits, - and _") }
    }
}

struct MunicipalityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "municipality", abstract: "Create, list, show and remove municipalities.",
        subcommands: [Create.self, List.self, Show.self, Remove.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "create", abstract: "Create a municipality.")
        @OptionGroup var data: DataOption
        @OptionGroup var argument: NameArgument

        func run() async throws {
            let name = argument.name
            try await reportingFailure {
                _ = try await ControlClient.with(data.directory, creating: true) { try await $0.json(.PUT, "/municipalities/\(name)") }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the municipalities, one a line.")
        @OptionGroup var data: DataOption

        func run() async throws {
            try await reportingFailure {
                let names = try await ControlClient.with(data.directory) { try await $0.json(.GET, "/municipalities") }
                for name in names.arrayValue ?? [] { print(name.stringValue ?? "") }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show what a municipality holds, as JSON.")
        @OptionGroup var data: DataOption
        @OptionGroup var argument: NameArgument

        func run() async throws {
            let name = argument.name
            try await reportingFailure {
                print(try await ControlClient.with(data.directory) { try await $0.json(.GET, "/municipalities/\(name)") })
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove a municipality with everything in it, for good.")
        @OptionGroup var data: DataOption
        @OptionGroup var argument: NameArgument
        @Flag(help: "Do not ask.") var yes = false

        func run() async throws {
            let name = argument.name
            if !yes {
                StandardError.write("Remove municipality \(name) with everything in it? Type its name to confirm: ")
                guard readLine() == name else {
                    tell("conurb: nothing was removed")
                    throw ExitCodes.failure
                }
            }
            try await reportingFailure {
                _ = try await ControlClient.with(data.directory) { try await $0.json(.DELETE, "/municipalities/\(name)") }
            }
        }
    }
}

struct ContextCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "context", abstract: "Keep JSON-LD context documents for URLs, to be used without the network.",
        subcommands: [Add.self, List.self, Remove.self])

    private static func path(_ url: String) -> String {
        "/ngsi-ld/v1/jsonldContexts/" + (url.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? url)
    }

    struct Target: ParsableArguments {
        @OptionGroup var data: DataOption
        @Option(help: "The municipality whose requests use it.") var municipality = "default"
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "add", abstract: "Keep a document for a URL.")
        @OptionGroup var target: Target
        @Argument(help: "The context's URL.") var url: String
        @Argument(help: "A file with the JSON-LD document.", completion: .file()) var file: String

        func run() async throws {
            guard let document = FileManager.default.contents(atPath: file) else {
                tell("conurb: \(file) can't be read")
                throw ExitCodes.failure
            }
            let query = url.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? url
            let path = "/municipalities/\(target.municipality)/contexts?url=\(query)"
            try await reportingFailure {
                _ = try await ControlClient.with(target.data.directory, creating: true) { client in
                    try await client.json(.PUT, path, contentType: "application/ld+json", body: .bytes(ByteBuffer(bytes: document)))
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the kept contexts: kind, creation, URL.")
        @OptionGroup var target: Target

        func run() async throws {
            let municipality = target.municipality
            try await reportingFailure {
                let contexts = try await ControlClient.with(target.data.directory) { client in
                    try await client.json(.GET, "/ngsi-ld/v1/jsonldContexts?details=true", municipality: municipality)
                }
                for context in contexts.arrayValue ?? [] {
                    let columns = ["kind", "createdAt", "URL"].map { context[$0]?.stringValue ?? "" }
                    print(columns.joined(separator: "\t"))
                }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forget the document of a URL.")
        @OptionGroup var target: Target
        @Argument(help: "The context's URL.") var url: String

        func run() async throws {
            let (municipality, path) = (target.municipality, ContextCommand.path(url))
            try await reportingFailure {
                _ = try await ControlClient.with(target.data.directory) { try await $0.json(.DELETE, path, municipality: municipality) }
            }
        }
    }
}
