import ArgumentParser
import AsyncHTTPClient
import CityModel
import Foundation
import NIOCore
import NIOHTTP1
import OrderedCollections

extension PolicyCommand {
    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "put", abstract: "Let files be the rules of access of a municipality, in the place of those it has.",
            discussion: "They hold from the next request on. The change is in the municipality's ledger.")
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption
        @Flag(help: "Put back the shipped rules.") var shipped = false
        @Argument(help: "The files of rules.", completion: .file(extensions: ["yaml", "yml"])) var files: [String] = []

        func validate() throws {
            guard files.isEmpty == shipped else { throw ValidationError("FILES: name the files of rules, or put back the shipped ones with --shipped") }
        }

        func run() async throws {
            let name = municipality.municipality
            try await reportingFailure {
                let bodies = try files.map { path -> JSON in
                    guard let bytes = FileManager.default.contents(atPath: path) else { throw CommandFailure(description: "\(path) can't be read") }
                    return ["name": .string(URL(filePath: path).lastPathComponent), "text": .string(String(decoding: bytes, as: UTF8.self))]
                }
                _ = try await ControlClient.with(data.directory) { client in
                    try await client.json(
                        .PUT, "/municipalities/\(name)/policies", contentType: "application/json",
                        body: .bytes(ByteBuffer(string: JSON.array(bodies).description)))
                }
                tell(shipped ? "the shipped rules hold in \(name)" : "\(files.count) files of rules hold in \(name)")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Print the rules of access of a municipality.")
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption

        func run() async throws {
            let name = municipality.municipality
            try await reportingFailure {
                let files = try await ControlClient.with(data.directory) { try await $0.json(.GET, "/municipalities/\(name)/policies") }
                for file in files.arrayValue ?? [] {
                    print("# \(file["name"]?.stringValue ?? "")")
                    print(file["text"]?.stringValue ?? "")
                }
            }
        }
    }
}
