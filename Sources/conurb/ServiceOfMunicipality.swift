import ArgumentParser
import AsyncHTTPClient
import CityModel
import Foundation
import NIOCore
import NIOHTTP1
import Services

extension ServiceCommand {
    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "put", abstract: "Offer services in a municipality, or change them.",
            discussion: "New cases begin with what the files say; those that are open stay on the version that they began with.")
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption
        @Argument(help: "The files.", completion: .file(extensions: ["yaml", "yml"])) var files: [String]

        func run() async throws {
            let name = municipality.municipality
            try await reportingFailure {
                let services = try files.map { path in (code: try ServiceFile(path).service.id, text: try ServiceFile.text(path)) }
                try await ControlClient.with(data.directory) { client in
                    for service in services {
                        let answer = try await client.json(
                            .PUT, "/municipalities/\(name)/services/\(service.code)", contentType: "application/yaml",
                            body: .bytes(ByteBuffer(string: service.text)))
                        tell("\(service.code): version \(answer["version"]?.integerValue ?? 0) in \(name)")
                    }
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the services of a municipality.")
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption

        func run() async throws {
            let name = municipality.municipality
            try await reportingFailure {
                let services = try await ControlClient.with(data.directory) { try await $0.json(.GET, "/municipalities/\(name)/services") }
                for service in services.arrayValue ?? [] {
                    let state = service["offered"]?.boolValue ?? false ? "" : "  (withdrawn)"
                    print("\(service["code"]?.stringValue ?? "")  version \(service["version"]?.integerValue ?? 0)\(state)")
                }
            }
        }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "withdraw", abstract: "Offer a service no more; what is open is gone on with.")
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption
        @Argument(help: "The service's code.") var code: String

        func run() async throws {
            let name = municipality.municipality
            try await reportingFailure {
                guard let code = ServiceCode(code) else { throw CommandFailure(description: "\(code) is not a service's code") }
                _ = try await ControlClient.with(data.directory) { try await $0.json(.DELETE, "/municipalities/\(name)/services/\(code)") }
                tell("\(code) is not offered in \(name) any more")
            }
        }
    }
}
