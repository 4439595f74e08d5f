import ArgumentParser
import Broker
import CityModel
import CitySimulator
import Logging
import Server
import ServiceLifecycle
import UnixSignals
import Store
import Trust

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Show a living metropolis that does not exist.",
        discussion: """
            The first start fills a week of history; later starts go on from where the last one ended. Everything is marked \
            as simulated. Authentication is off, so it listens on a loopback address only.
            """)

    @OptionGroup var options: ServerOptions
    @Option(help: "How many times faster than the clock the city lives.") var speed = 1.0
    @Option(help: "The metropolis: equal seeds give equal cities.") var seed: UInt64 = 1
    @Option(help: "How many municipalities, 8 to 60.") var municipalities = 8
    @Option(help: "How many sensors, up to 100000.") var sensors = 1500

    func validate() throws {
        guard (0.1...3600).contains(speed) else { throw ValidationError("--speed: \(speed) is not between 0.1 and 3600") }
        guard (8...60).contains(municipalities) else { throw ValidationError("--municipalities: \(municipalities) is not between 8 and 60") }
        guard (10...100_000).contains(sensors) else { throw ValidationError("--sensors: \(sensors) is not between 10 and 100000") }
    }

    func run() async throws {
        let settings = try await Settings(options, isOpen: true, defaultsToOpen: true)
        let logger = Logs.logger(settings.logFormat, level: settings.logLevel)
        let server = try ConurbServer(settings.server, logger: logger)
        let plan = SimulationPlan(seed: seed, municipalityCount: municipalities, sensorCount: sensors)
        let city = DemoCity(server: server, plan: plan, speed: speed, address: "http://\(settings.server.host)", logger: logger)
        try await ServiceGroup(
            configuration: .init(
                services: [.init(service: server), .init(service: city)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        ).run()
    }
}

/// Lets a simulated metropolis write into the server: first what stands, then a week of history, then life.
private struct DemoCity: Service {
    let server: ConurbServer
    let plan: SimulationPlan
    let speed: Double
    let address: String
    let logger: Logger

    private static let source = "simulator"
    private static let historySeconds = 7.0 * 86_400
    private static let historyStepSeconds = 900

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            await server.untilReady()
            let metropolis = try Metropolis(plan)
            var writer = DemoWriter(broker: server.broker, gatekeeper: server.gatekeeper, metropolis: metropolis)
            let start = Instant.now
            var position = try await writer.open(source: Self.source, plan: plan)
            if position.map({ $0 < start.adding(seconds: -Self.historySeconds) }) ?? true {
                position = try await fill(&writer, metropolis, until: start)
            } else if let known = position, known < start {
                try await writer.write(metropolis.observations(from: known, to: start, every: Self.historyStepSeconds))
                position = start
            }
            tell("\n  The metropolis lives at \(address):\(server.port ?? 0)/\n")
            try await live(&writer, metropolis, from: position ?? start, clockStart: start)
        }
    }

    private func fill(_ writer: inout DemoWriter, _ metropolis: Metropolis, until end: Instant) async throws -> Instant {
        let begin = end.adding(seconds: -Self.historySeconds)
        tell("Filling a week of history for \(metropolis.sensorCount) sensors in \(metropolis.municipalities.count) municipalities …")
        try await writer.writeStanding()
        try await writer.write(metropolis.state(at: begin))
        try await writer.write(metropolis.observations(from: begin, to: end, every: Self.historyStepSeconds)) { share in
            if StandardError.isTerminal { StandardError.write("\r\u{1B}[K  \(Int(share * 100)) %") }
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
            do { try await Task.sleep(for: .seconds(1)) } catch { break }
            let passed = Double(Instant.now.microseconds - clockStart.microseconds) / 1_000_000
            let moment = from.adding(seconds: passed * speed)
            try await writer.write(metropolis.changes(after: position, upTo: moment))
            position = moment
            if Instant.now.seconds - kept.seconds >= 5 {
                try await writer.keep(position: position)
                kept = .now
            }
        }
        try await writer.keep(position: position)
    }
}

/// Writes observations of the simulator into their municipalities, many at a time, by the same operation that imports use.
private struct DemoWriter {
    private let broker: Broker
    private let gatekeeper: Gatekeeper
    private let metropolis: Metropolis
    private var accesses: [MunicipalityName: WriteAccess] = [:]
    private var runs: [MunicipalityName: Int64] = [:]

    private static let groupCountMax = 2000

    init(broker: Broker, gatekeeper: Gatekeeper, metropolis: Metropolis) {
        (self.broker, self.gatekeeper, self.metropolis) = (broker, gatekeeper, metropolis)
    }

    /// Makes the municipalities and declares the source in each.
    /// - Returns: up to which moment an earlier process wrote; nil when none did, or another metropolis.
    mutating func open(source: String, plan: SimulationPlan) async throws -> Instant? {
        var position: Instant?
        for municipality in metropolis.municipalities {
            let name = municipality.identifier
            let access = try await gatekeeper.administering(name, .program)
            accesses[name] = access.writing
            try await broker.putSource(source, Self.definition, access, at: .now)
            runs[name] = try await broker.beginImport(of: source, version: "seed \(plan.seed)", access.writing, at: .now)
            guard let known = try await broker.setting(Self.positionKey(plan), access.writing.reading)?["until"]?.stringValue.flatMap({ Instant($0) })
            else { return try await openRest(source: source, plan: plan) }
            position = min(position ?? known, known)
        }
        return position
    }

    /// One municipality is new: all are filled from the beginning.
    private mutating func openRest(source: String, plan: SimulationPlan) async throws -> Instant? {
        for municipality in metropolis.municipalities where runs[municipality.identifier] == nil {
            let name = municipality.identifier
            let access = try await gatekeeper.administering(name, .program)
            accesses[name] = access.writing
            try await broker.putSource(source, Self.definition, access, at: .now)
            runs[name] = try await broker.beginImport(of: source, version: "seed \(plan.seed)", access.writing, at: .now)
        }
        return nil
    }

    private static func positionKey(_ plan: SimulationPlan) -> String {
        "simulator-\(plan.seed)-\(plan.municipalityCount)-\(plan.sensorCount)"
    }

    private static let definition: JSON = [
        "title": "City simulator", "description": "A metropolis that does not exist. Nothing here was measured.",
        "classification": "open", "steward": "Conurb", "attribution": "Simulated by Conurb",
        "licence": ["name": "CC0 1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"],
    ]

    func keep(position: Instant) async throws {
        let value: JSON = ["until": .string(position.description)]
        for access in accesses.values {
            try await broker.putSetting(Self.positionKey(metropolis.plan), value, access, at: .now)
        }
    }

    func writeStanding() async throws {
        let standing = metropolis.staticEntities()
        for name in accesses.keys {
            let observations = standing.filter { $0.municipality == name }.map { ObservedEntity($0.entity) }
            try await write(observations, to: name)
        }
    }

    /// - Parameter progress: told the share of the time that is written, now and then.
    func write(_ observations: some Sequence<Observation>, progress: ((Double) -> Void)? = nil) async throws {
        var groups: [MunicipalityName: [ObservedEntity]] = [:]
        var count = 0
        for observation in observations {
            groups[observation.municipality, default: []].append(ObservedEntity(observation.entity))
            count += 1
            if count % 50_000 == 0 { progress?(share(of: observation.observedAt)) }
            if groups[observation.municipality]?.count == Self.groupCountMax, let group = groups.removeValue(forKey: observation.municipality) {
                try await write(group, to: observation.municipality)
            }
        }
        for (name, group) in groups { try await write(group, to: name) }
    }

    private func share(of moment: Instant) -> Double {
        max(0, min(1, 1 - Double(Instant.now.seconds - moment.seconds) / (7 * 86_400)))
    }

    private func write(_ observations: [ObservedEntity], to name: MunicipalityName) async throws {
        guard let access = accesses[name] else { return }
        for start in stride(from: 0, to: observations.count, by: Self.groupCountMax) {
            let part = Array(observations[start..<min(start + Self.groupCountMax, observations.count)])
            _ = try await broker.record(part, provenance: Provenance(classification: .open, run: runs[name]), access, at: .now)
        }
    }
}

extension ObservedEntity {
    fileprivate init(_ entity: Entity) {
        self.init(id: entity.id, types: entity.types, scopes: entity.scopes, attributes: entity.attributes)
    }
}
