import ArgumentParser
import CMemory
import CityModel
import Logging
import Server
import ServiceLifecycle
import Store
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Serve the municipalities of a data directory.")

    @OptionGroup var options: ServerOptions
    @Flag(help: "Switch authentication off; on a loopback host only (open).") var open = false

    func run() async throws {
        let settings = try await Settings(options, isOpen: open)
        let logger = Logs.logger(settings.logFormat, level: settings.logLevel)
        let server = try ConurbServer(settings.server, logger: logger)
        let announcement = Announcement(server: server, address: "\(settings.server.scheme)://\(settings.server.host)", logger: logger)
        try await ServiceGroup(
            configuration: .init(
                services: [.init(service: server), .init(service: announcement), .init(service: MemoryKeeper.ofProcess)], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger)
        ).run()
    }
}

/// Says where the server is once it serves, then stays until the end.
struct Announcement: Service {
    let server: ConurbServer
    /// Without the port.
    let address: String
    let logger: Logger

    func run() async throws {
        await server.untilReady()
        if let port = server.port { logger.notice("serving", metadata: ["address": "\(address):\(port)/"]) }
        if let link = try await server.firstAdministratorLink(at: .now) {
            tell("\n  Nobody administers this installation yet. Set a password here, once and within a day:\n  \(link)\n")
        }
        try await gracefulShutdown()
    }
}

extension MemoryKeeper {
    static var ofProcess: Self { Self(residentByteCount: { Int(conurb_resident_bytes()) }, giveBack: { conurb_return_free_memory() }) }
}
