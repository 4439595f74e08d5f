import ArgumentParser
import AsyncHTTPClient
import CityModel
import Foundation
import NIOCore
import NIOHTTP1
import OrderedCollections

/// The municipality whose ledger is meant; the installation has one too.
struct LedgerOption: ParsableArguments {
    @Option(help: "The municipality's name, or _installation.") var municipality: String

    func validate() throws {
        guard municipality == MunicipalityName.installation.text || MunicipalityName(municipality) != nil else {
            throw ValidationError("--municipality: \(municipality) is not a name: 1 to 64 letters, digits, - and _")
        }
    }

    var path: String { "/ledger/\(municipality)" }
}

struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "The record of accountable acts: verify it, read it, say who witnesses it.",
        subcommands: [Verify.self, Fetch.self, Key.self, Log.self, Proof.self, Witness.self, Renew.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Verify a ledger from files alone.",
            discussion: """
                PATH is a municipality's file (or a backup of it), or a folder with what `fetch` found below the ledger's address. Every hash is made anew from the leaves and held against what was signed. Without a key that you trust, anybody may \
                have signed. Exit code 2: something is wrong.
                """)
        @Option(help: "A key that is trusted: the ledger's or a witness's (more than one may be given).") var key: [String] = []
        @Option(help: "A checkpoint that was kept earlier: the ledger must still hold its tree.", completion: .file()) var older: [String] = []
        @Option(help: "A proof file.", completion: .file()) var proof: [String] = []
        @Argument(help: "A municipality's file, or a folder.", completion: .file()) var path: String?

        func validate() throws {
            guard path != nil || !proof.isEmpty else { throw ValidationError("PATH or --proof: there is nothing to verify") }
        }

        func run() async throws {
            var faults: [String] = []
            try await reportingFailure {
                var verifier = try LedgerVerifier(keys: key)
                for path in older { try verifier.add(checkpoint: path) }
                for path in proof { try verifier.add(proof: path) }
                if let path { try verifier.read(path) }
                for line in verifier.lines { print(line) }
                faults = verifier.faults
            }
            print(faults.isEmpty ? "clean" : "\(faults.count) faults")
            for fault in faults { print("  \(fault)") }
            if !faults.isEmpty { throw exitCodeFindings }
        }
    }

    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "key", abstract: "Print the key that others verify this ledger with.")
        @OptionGroup var data: DataOption
        @OptionGroup var ledger: LedgerOption
        @Flag(help: "The key of the municipality as a witness of others.") var witness = false

        func run() async throws {
            let (path, member) = (ledger.path + "/keys", witness ? "witness" : "ledger")
            try await reportingFailure {
                let keys = try await ControlClient.with(data.directory) { try await $0.json(.GET, path) }
                print(keys[member]?.stringValue ?? "")
            }
        }
    }

    struct Log: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "log", abstract: "Print what was recorded, one JSON object a line.")
        @OptionGroup var data: DataOption
        @OptionGroup var ledger: LedgerOption
        @Option(help: "Only acts after this position.") var after = -1

        func run() async throws {
            let (path, first) = (ledger.path + "/entries?limit=1000&after=", after)
            try await reportingFailure {
                try await ControlClient.with(data.directory) { client in
                    var after = Int64(first)
                    while true {
                        let page = try await client.json(.GET, path + String(after)).arrayValue ?? []
                        for entry in page { print(entry) }
                        guard let last = page.last?["position"]?.integerValue else { return }
                        after = last
                    }
                }
            }
        }
    }

    struct Proof: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "proof", abstract: "Print the proof file of an act.")
        @OptionGroup var data: DataOption
        @OptionGroup var ledger: LedgerOption
        @Argument(help: "The act's position.") var position: Int

        func run() async throws {
            let path = ledger.path + "/proof/\(position)"
            try await reportingFailure {
                let text = try await ControlClient.with(data.directory) { client in
                    try await client.send(.GET, path) { String(buffer: try await $0.body.collect(upTo: 1 << 20)) }
                }
                print(text, terminator: "")
            }
        }
    }

    struct Renew: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "renew", abstract: "Let a ledger go on under another key.",
            discussion: "For a ledger that can't be signed any more because an older copy of its file was put back. Whoever trusts its key has to be told the new one.")
        @OptionGroup var data: DataOption
        @OptionGroup var ledger: LedgerOption

        func run() async throws {
            let path = ledger.path + "/renewal"
            try await reportingFailure { _ = try await ControlClient.with(data.directory) { try await $0.json(.POST, path) } }
        }
    }
}
