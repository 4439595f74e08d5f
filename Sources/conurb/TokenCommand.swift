import ArgumentParser
import AsyncHTTPClient
import CityModel
import Foundation
import NIOCore
import NIOHTTP1
import OrderedCollections
import Store
import Trust

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Create, list and revoke bearer tokens of a municipality, and keys of its devices.",
        subcommands: [Create.self, List.self, Revoke.self])

    enum Right: String, ExpressibleByArgument, CaseIterable { case read, write, administer }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Create a token, or the key of a device.", discussion: "It is printed on standard output, this once; only its digest is kept.")
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption
        @Option(help: "What the token allows. With --device: write.") var right: Right?
        @Option(help: "What the token is for.") var name: String
        @Flag(help: "The key of a device: it writes the types that --type names and feeds the sources that --source names, and sees nothing.") var device = false
        @Option(name: .customLong("type"), help: "Hold it to entities of this type; may be given several times.") var types: [String] = []
        @Option(name: .customLong("source"), help: "Hold it to what this source fed; may be given several times.") var sources: [String] = []
        @Option(name: .customLong("purpose"), help: "Hold it to this purpose, such as dpv:ServiceProvision; may be given several times.") var purposes: [String] = []
        @Option(help: "With --device: how the identifiers of its entities begin.") var idPrefix: String?
        @Option(help: "When it ends: days such as 90d, or a date such as 2027-12-31. Default: 365d") var expires: String?
        @Flag(help: "It has no end.") var noExpiry = false

        func validate() throws {
            guard device || right != nil else { throw ValidationError("--right: read, write or administer; or --device") }
            guard !device || right == nil || right == .write else { throw ValidationError("--device: the key of a device has the right to write") }
            guard expires == nil || !noExpiry else { throw ValidationError("--expires and --no-expiry: one of them") }
            _ = try end()
        }

        /// Nil where the default holds.
        private func end() throws -> JSON? {
            if noExpiry { return .null }
            guard let expires else { return nil }
            if expires.hasSuffix("d"), let count = Int(expires.dropLast()), (1...TokenOrder.dayCountMax).contains(count) {
                return .string(TokenOrder.end(after: count, at: .now).description)
            }
            if let end = Instant(expires) ?? Instant(expires + "T00:00:00Z") { return .string(end.description) }
            throw ValidationError("--expires: \(expires) is neither days such as 90d (at most \(TokenOrder.dayCountMax)d) nor a date such as 2027-12-31")
        }

        private func order() throws -> JSON {
            var members: JSONObject = ["name": .string(name), "right": .string((right ?? .write).rawValue)]
            if device { members["role"] = "device" }
            for (member, texts) in [("types", types), ("sources", sources), ("purposes", purposes)] where !texts.isEmpty {
                members[member] = .array(texts.map(JSON.string))
            }
            if let idPrefix { members["entityIdPrefix"] = .string(idPrefix) }
            if let end = try end() { members["expiresAt"] = end }
            return .object(members)
        }

        func run() async throws {
            let (municipality, body, may) = (municipality.municipality, try order(), device ? "report as a device" : (right ?? .write).rawValue)
            try await reportingFailure {
                let created = try await ControlClient.with(data.directory, creating: true) { client in
                    try await client.json(
                        .POST, "/municipalities/\(municipality)/tokens", contentType: "application/json",
                        body: .bytes(ByteBuffer(string: body.description)))
                }
                let end = created["expiresAt"]?.stringValue.map { "until \($0)" } ?? "without an end"
                tell("token \(created["id"]?.stringValue ?? "") may \(may) in \(municipality) \(end); it is shown this once:")
                print(created["token"]?.stringValue ?? "")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List tokens: identifier, right, creation, end, last use, who made it, name, what it is held to.")
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption

        func run() async throws {
            let municipality = municipality.municipality
            try await reportingFailure {
                let tokens = try await ControlClient.with(data.directory) { try await $0.json(.GET, "/municipalities/\(municipality)/tokens") }
                for token in tokens.arrayValue ?? [] {
                    let right = token["role"]?.stringValue ?? token["right"]?.stringValue ?? ""
                    let columns = ["createdAt", "expiresAt", "lastUsedOn", "madeBy", "name"].map { token[$0]?.stringValue ?? "-" }
                    print(([token["id"]?.stringValue ?? "", right] + columns + [bounds(of: token)]).joined(separator: "\t"))
                }
            }
        }

        private func bounds(of token: JSON) -> String {
            var parts = ["types", "sources", "purposes"].compactMap { member in
                token[member]?.arrayValue.map { "\(member)=" + $0.compactMap(\.stringValue).joined(separator: ",") }
            }
            if let prefix = token["entityIdPrefix"]?.stringValue { parts.append("entityIdPrefix=\(prefix)") }
            return parts.isEmpty ? "-" : parts.joined(separator: " ")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Revoke a token, at once.")
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption
        @Argument(help: "The token's identifier.") var id: String

        func run() async throws {
            let path = "/municipalities/\(municipality.municipality)/tokens/\(id)"
            try await reportingFailure { _ = try await ControlClient.with(data.directory) { try await $0.json(.DELETE, path) } }
        }
    }
}
