import ArgumentParser
import CityModel
import CitySimulator
import Logging
import Server
import ServiceLifecycle
import Store
import UnixSignals

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Show a living metropolis that does not exist.",
        discussion: """
            The first start fills a week of history (./demo-data where nothing else is said); later starts go on from where the last one ended. Everything is marked \
            as simulated. Authentication is off, so it listens on a loopback address only.
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var demo: DemoOptions

    func run() async throws {
        let settings = try await Settings(options, isOpen: true, demo: demo, defaultsToOpen: true, folder: "demo-data")
        let logger = Logs.logger(settings.logFormat, level: settings.logLevel)
        let server = try ConurbServer(settings.server, logger: logger)
        do { try await DemoWriter.check(server.broker, server.gatekeeper, settings.plan, folder: settings.server.dataDirectory) } catch {
            try await server.close()
            throw error
        }
        let door = ControlClient(socketPath: settings.server.controlSocketPath)
        let city = DemoCity(server: server, door: door, plan: settings.plan, speed: settings.speed, address: "\(settings.server.scheme)://\(settings.server.host)")
        try await ServiceGroup(
            configuration: .init(
                services: [.init(service: server), .init(service: city), .init(service: MemoryKeeper.ofProcess)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        ).run()
    }
}

/// Lets a simulated metropolis write into the server: first what stands, then a week of history, then life.
private struct DemoCity: Service {
    let server: ConurbServer
    let door: ControlClient
    let plan: SimulationPlan
    let speed: Double
    let address: String

    private static let historySeconds = 7.0 * 86_400
    /// Between values of the last day, which the pages show in full, and of the days before.
    private static let (stepSeconds, wideStepSeconds) = (900, 1800)

    func run() async throws {
        // Asked to end while the past is being written, it ends; the next start fills anew.
        do { try await cancelWhenGracefulShutdown { try await simulate() } } catch is CancellationError {}
    }

    private func simulate() async throws {
        await server.untilReady()
        let metropolis = try Metropolis(plan)
        var writer = DemoWriter(broker: server.broker, gatekeeper: server.gatekeeper, door: door, metropolis: metropolis)
        let start = Instant.now
        var position = try await writer.open()
        if position.map({ $0 < start.adding(seconds: -Self.historySeconds) }) ?? true {
            position = try await fill(&writer, metropolis, until: start)
        } else if let known = position, known < start {
            try await writer.write(metropolis.observations(from: known, to: start, every: Self.stepSeconds))
            position = start
        }
        try await writer.finishRuns()
        tell("\n  The metropolis lives at \(address):\(server.port ?? 0)/\n")
        try await live(&writer, metropolis, from: position ?? start, clockStart: start)
    }

    private func fill(_ writer: inout DemoWriter, _ metropolis: Metropolis, until end: Instant) async throws -> Instant {
        let begin = end.adding(seconds: -Self.historySeconds)
        tell("Filling a week of history for \(metropolis.sensorCount) sensors in \(metropolis.municipalities.count) municipalities …")
        try await writer.writeStanding()
        try await writer.write(metropolis.state(at: begin))
        let dayBefore = end.adding(seconds: -86_400)
        let expectedCount = metropolis.sensorCount * (Int(Self.historySeconds - 86_400) / Self.wideStepSeconds + 86_400 / Self.stepSeconds)
        var writtenCount = 0
        for (from, to, step) in [(begin, dayBefore, Self.wideStepSeconds), (dayBefore, end, Self.stepSeconds)] {
            let before = writtenCount
            try await writer.write(metropolis.observations(from: from, to: to, every: step)) { count in
                writtenCount = before + count
                if StandardError.isTerminal { StandardError.write("\r\u{1B}[K  \(min(99, writtenCount * 100 / max(1, expectedCount))) %") }
            }
        }
        if StandardError.isTerminal { StandardError.write("\r\u{1B}[K") }
        try await writer.keep(position: end)
        return end
    }

    /// Once a second writes what has changed since.
    private func live(_ writer: inout DemoWriter, _ metropolis: Metropolis, from: Instant, clockStart: Instant) async throws {
        var position = from
        var kept = Instant.now
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(1))
                let passed = Double(Instant.now.microseconds - clockStart.microseconds) / 1_000_000
                let moment = from.adding(seconds: passed * speed)
                try await writer.send(metropolis.changes(after: position, upTo: moment))
                position = moment
            } catch where Task.isCancelled {
                break  // what was under way is written again after the next start
            }
            if Instant.now.seconds - kept.seconds >= 5 {
                try await writer.keep(position: position)
                kept = .now
            }
        }
        try await writer.keep(position: position)
    }
}
