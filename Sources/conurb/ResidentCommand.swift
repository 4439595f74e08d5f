import ArgumentParser
import CityModel
import Foundation
import NIOHTTP1

struct ResidentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resident", abstract: "Fulfil the rights of people whose data a municipality holds.", subcommands: [Erase.self])

    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "erase", abstract: "Erase all that is held about a person: entities with their history, what waits to be told, consents, the account.",
            discussion: "It can't be undone. What others took away before, and backups, are not reached.")
        @OptionGroup var data: DataOption
        @OptionGroup var municipality: MunicipalityOption
        @Argument(help: "What their data says in dataSubject, such as account:3kQ, or the login of their account.") var subject: String

        func run() async throws {
            let path = "/municipalities/\(municipality.municipality)/residents/" + (subject.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? subject)
            let directory = data.directory
            try await reportingFailure {
                let counts = try await ControlClient.with(directory) { try await $0.json(.DELETE, path) }
                func count(_ name: String) -> Int64 { counts[name]?.integerValue ?? 0 }
                print("erased: \(count("entities")) entities, \(count("uses")) uses in the ledger, \(count("consents")) consents")
            }
        }
    }
}
