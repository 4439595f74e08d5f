import ArgumentParser
import CMemory
import Foundation
import Server

/// The command line. Exit codes: 0 done; 1 it failed and standard error says why; 2 done, but something in the data was
/// rejected or found faulty; 64 the command line or the configuration is wrong.
@main
struct Conurb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conurb", abstract: "The shared data platform of a metropolitan area.",
        discussion: "Municipalities, departments, partners and residents bring the city's live data into one governed place.",
        version: Version.current,
        subcommands: [
            ServeCommand.self, DemoCommand.self, ImportCommand.self, ExportCommand.self, MunicipalityCommand.self, ContextCommand.self,
            AccountCommand.self, ResidentCommand.self, TokenCommand.self, PolicyCommand.self, ServiceCommand.self, SourceCommand.self, LedgerCommand.self, MailCommand.self, BackupCommand.self, RestoreCommand.self, VerifyCommand.self, BenchCommand.self,
            VersionCommand.self,
        ])

    /// A municipality's files are for the program's own user, whatever the shell's mask says.
    static func main() async {
        umask(0o077)
        conurb_prepare_memory()
        await main(nil)
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")
    func run() { print("conurb \(Version.current)") }
}

/// Done, but something in the data was rejected or found faulty.
let exitCodeFindings = ExitCode(2)

/// Writes a line for people to standard error, so that standard output stays data.
func tell(_ line: String) { StandardError.write(line + "\n") }
