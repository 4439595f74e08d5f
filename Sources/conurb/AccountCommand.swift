import ArgumentParser
import AsyncHTTPClient
import CityModel
import Foundation
import NIOCore
import NIOHTTP1
import OrderedCollections
import Trust

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Create, list, change and remove the accounts of a municipality.",
        subcommands: [Add.self, List.self, Invite.self, Roles.self, Disable.self, Enable.self, ResetSecondFactor.self, Remove.self])

    /// A municipality and one of its accounts.
    struct Target: ParsableArguments {
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption
        @Argument(help: "The account's e-mail address or user name.") var login: String

        var path: String { AccountCommand.path(municipality.municipality, login) }
    }

    private static func path(_ municipality: String, _ login: String) -> String {
        "/municipalities/\(municipality)/accounts/" + (login.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? login)
    }

    private static func change(_ target: Target, _ body: JSON) async throws {
        let (path, data) = (target.path, target.data.directory)
        try await reportingFailure {
            _ = try await ControlClient.with(data) { client in
                try await client.json(.PATCH, path, contentType: "application/json", body: .bytes(ByteBuffer(string: body.description)))
            }
        }
    }

    /// Prints the link alone on standard output.
    private static func invite(_ path: String, _ client: ControlClient) async throws -> JSON { try await client.json(.POST, path + "/invitation") }

    private static func show(_ invitation: JSON) {
        tell("the link sets the password, once and within a day; it is shown this once:")
        print((invitation["link"] ?? .null).stringValue ?? invitation["path"]?.stringValue ?? "")
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Create an account and print the link with which its owner sets a password.",
            discussion: "Roles: \(AccountRoles.known.joined(separator: ", ")).")
        @OptionGroup var target: Target
        @Option(help: "What the person or the department is called.") var name: String?
        @Option(name: .customLong("role"), help: "A role; may be given several times.") var roles: [String]
        @Option(help: "When the account ends, such as 2027-12-31T23:00:00Z. A supplier's has to.") var until: String?

        func run() async throws {
            var members: JSONObject = ["login": .string(target.login), "roles": .array(roles.map(JSON.string))]
            if let name { members["name"] = .string(name) }
            if let until { members["endsAt"] = .string(until) }
            let (body, path, municipality) = (JSON.object(members), target.path, target.municipality.municipality)
            try await reportingFailure {
                AccountCommand.show(
                    try await ControlClient.with(target.data.directory, creating: true) { client in
                        _ = try await client.json(
                            .POST, "/municipalities/\(municipality)/accounts", contentType: "application/json",
                            body: .bytes(ByteBuffer(string: body.description)))
                        return try await AccountCommand.invite(path, client)
                    })
            }
        }
    }

    struct Invite: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "invite", abstract: "Print another link with which an account's password can be set.",
            discussion: "Earlier links are void. The second factor is switched off: the link is also for those who have lost it.")
        @OptionGroup var target: Target

        func run() async throws {
            let path = target.path
            try await reportingFailure { AccountCommand.show(try await ControlClient.with(target.data.directory) { try await AccountCommand.invite(path, $0) }) }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List accounts: login, state, roles, last sign-in, name.")
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption

        func run() async throws {
            let municipality = municipality.municipality
            try await reportingFailure {
                let accounts = try await ControlClient.with(data.directory) { try await $0.json(.GET, "/municipalities/\(municipality)/accounts") }
                for account in accounts.arrayValue ?? [] {
                    let isActive = account["active"]?.boolValue ?? false
                    let state = !isActive ? "disabled" : account["hasPassword"]?.boolValue ?? false ? "active" : "invited"
                    let roles = (account["roles"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ",")
                    print([account["login"]?.stringValue ?? "", state, roles, account["signedInAt"]?.stringValue ?? "-", account["name"]?.stringValue ?? ""].joined(separator: "\t"))
                }
            }
        }
    }

    struct Roles: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "roles", abstract: "Give an account other roles; it is signed out everywhere.")
        @OptionGroup var target: Target
        @Option(name: .customLong("role"), help: "A role; may be given several times.") var roles: [String]
        func run() async throws { try await AccountCommand.change(target, ["roles": .array(roles.map(JSON.string))]) }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "disable", abstract: "Let nobody sign in to an account, and sign it out everywhere, at once.")
        @OptionGroup var target: Target
        func run() async throws { try await AccountCommand.change(target, ["disabled": true]) }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "enable", abstract: "Let a disabled account be used again.")
        @OptionGroup var target: Target
        func run() async throws { try await AccountCommand.change(target, ["disabled": false]) }
    }

    struct ResetSecondFactor: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-second-factor", abstract: "Take off the second factor of somebody who has lost it.",
            discussion: "The password still counts. Whoever needs a second factor sets up another at the next sign-in.")
        @OptionGroup var target: Target

        func run() async throws {
            let path = target.path + "/second-factor"
            try await reportingFailure { _ = try await ControlClient.with(target.data.directory) { try await $0.json(.DELETE, path) } }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove an account for good.")
        @OptionGroup var target: Target

        func run() async throws {
            let path = target.path
            try await reportingFailure { _ = try await ControlClient.with(target.data.directory) { try await $0.json(.DELETE, path) } }
        }
    }
}
