import ArgumentParser
import AsyncHTTPClient
import CityModel
import Foundation
import NIOCore
import NIOHTTP1
import OrderedCollections

extension LedgerCommand {
    struct Witness: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "witness", abstract: "Have a ledger's checkpoints co-signed by others, and co-sign those of others.",
            subcommands: [Add.self, Accept.self, List.self, Remove.self, Dismiss.self])

        struct Add: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "add", abstract: "Have checkpoints co-signed by a witness.",
                discussion: "A municipality on this installation (conurb:NAME) needs no key here, and accepts the ledger by this command too.")
            @OptionGroup var data: DataOption
            @OptionGroup var ledger: LedgerOption
            @Argument(help: "The witness's address: http://..., https://... or conurb:NAME.") var address: String
            @Argument(help: "The witness's key.") var key: String?

            func run() async throws {
                let (path, address, given) = (ledger.path, address, key)
                try await reportingFailure {
                    try await ControlClient.with(data.directory) { client in
                        guard given == nil else { return try await client.add(given, at: address, to: path) }
                        guard address.hasPrefix("conurb:"), let neighbour = MunicipalityName(String(address.dropFirst(7))) else {
                            throw CommandFailure(description: "KEY: a witness outside of this installation is known by its key")
                        }
                        let other = "/ledger/\(neighbour)"
                        let own = try await client.json(.GET, path + "/keys")["ledger"]?.stringValue
                        try await client.post(["key": .string(own ?? "")], other + "/accepted-logs")
                        try await client.add(try await client.json(.GET, other + "/keys")["witness"]?.stringValue, at: address, to: path)
                    }
                }
            }
        }

        struct Accept: AsyncParsableCommand {
            static let configuration = CommandConfiguration(commandName: "accept", abstract: "Co-sign the checkpoints of another log.")
            @OptionGroup var data: DataOption
            @OptionGroup var ledger: LedgerOption
            @Argument(help: "The other log's key.") var key: String

            func run() async throws {
                let (path, key) = (ledger.path + "/accepted-logs", key)
                try await reportingFailure { try await ControlClient.with(data.directory) { try await $0.post(["key": .string(key)], path) } }
            }
        }

        struct List: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "list", abstract: "List witnesses and co-signed logs: kind, size co-signed last, name, address, fault.")
            @OptionGroup var data: DataOption
            @OptionGroup var ledger: LedgerOption

            func run() async throws {
                let path = ledger.path + "/witnesses"
                try await reportingFailure {
                    let found = try await ControlClient.with(data.directory) { try await $0.json(.GET, path) }
                    for (kind, member) in [("witness", "witnesses"), ("accepted", "acceptedLogs")] {
                        for one in found[member]?.arrayValue ?? [] {
                            let words = ["name", "address", "fault"].map { one[$0]?.stringValue ?? "" }
                            print(([kind, String(one["size"]?.integerValue ?? 0)] + words).joined(separator: "\t"))
                        }
                    }
                }
            }
        }

        struct Remove: AsyncParsableCommand {
            static let configuration = CommandConfiguration(commandName: "remove", abstract: "Ask a witness no more.")
            @OptionGroup var data: DataOption
            @OptionGroup var ledger: LedgerOption
            @Argument(help: "The name of the witness's key.") var name: String

            func run() async throws { try await Witness.remove(name, ledger.path + "/witnesses", data) }
        }

        struct Dismiss: AsyncParsableCommand {
            static let configuration = CommandConfiguration(commandName: "dismiss", abstract: "Co-sign a log no more.")
            @OptionGroup var data: DataOption
            @OptionGroup var ledger: LedgerOption
            @Argument(help: "The log's origin.") var name: String

            func run() async throws { try await Witness.remove(name, ledger.path + "/accepted-logs", data) }
        }

        fileprivate static func remove(_ name: String, _ path: String, _ data: DataOption) async throws {
            let query = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? name
            try await reportingFailure { _ = try await ControlClient.with(data.directory) { try await $0.json(.DELETE, "\(path)?name=\(query)") } }
        }
    }
}

extension ControlClient {
    fileprivate func post(_ body: JSON, _ path: String) async throws {
        _ = try await json(.POST, path, contentType: "application/json", body: .bytes(ByteBuffer(string: body.description)))
    }

    fileprivate func add(_ key: String?, at address: String, to path: String) async throws {
        try await post(["key": .string(key ?? ""), "address": .string(address)], path + "/witnesses")
    }
}
