import ArgumentParser
import AsyncHTTPClient
import Broker
import CityModel
import CitySimulator
import Declarations
import LinkedData
import NIOHTTP1
import Store
import Trust

/// Brings the simulator's observations into their municipalities. What lives comes in by the HTTP interface, as from anybody
/// else's sensors: values by NGSI-LD, incidents and reports through the declared source. The week before is written by the
/// operation that imports use, many observations at a time.
struct DemoWriter {
    private let broker: Broker
    private let gatekeeper: Gatekeeper
    private let door: ControlClient
    private let metropolis: Metropolis
    private var accesses: [MunicipalityName: WriteAccess] = [:]
    private var runs: [MunicipalityName: Int64] = [:]
    private var writtenCounts: [MunicipalityName: Int] = [:]

    /// Observations of one write. History comes a sensor at a time, so that a sensor's document is written once for all of them.
    private static let groupCountMax = 5000
    /// Entities of one request.
    private static let requestCountMax = 500

    init(broker: Broker, gatekeeper: Gatekeeper, door: ControlClient, metropolis: Metropolis) {
        (self.broker, self.gatekeeper, self.door, self.metropolis) = (broker, gatekeeper, door, metropolis)
    }

    private static let source = "simulator"
    private static let definition = """
        id: simulator
        title: City simulator
        description: A metropolis that does not exist. Nothing here was measured.
        steward: Conurb
        attribution: Simulated by Conurb
        licence: {name: CC0 1.0, url: "https://creativecommons.org/publicdomain/zero/1.0/"}
        classification: open
        format: ngsi-ld
        """

    /// Says in each municipality which metropolis it belongs to and up to when that has lived.
    private static let setting = "simulator"

    /// - Throws: `ValidationError` when the folder holds another metropolis, or real municipalities: a fictional city is not
    ///   put among them.
    static func check(_ broker: Broker, _ gatekeeper: Gatekeeper, _ plan: SimulationPlan, folder: String) async throws {
        let names = try broker.municipalities()
        for name in names {
            guard let known = try await broker.setting(setting, gatekeeper.reading(name, .program)) else { continue }
            guard known["plan"] == json(plan) else {
                throw ValidationError("--data: \(folder) holds the metropolis of \(known["plan"] ?? .null); ask for that one, or for another folder")
            }
            return
        }
        guard names.isEmpty else { throw ValidationError("--data: \(folder) holds municipalities that are not simulated; take another folder") }
    }

    private static func json(_ plan: SimulationPlan) -> JSON {
        [
            "seed": .string(String(plan.seed)), "municipalities": .integer(Int64(plan.municipalityCount)),
            "sensors": .integer(Int64(plan.sensorCount)),
        ]
    }

    /// Makes the municipalities and declares the source in each.
    /// - Returns: up to which moment an earlier process wrote; nil when it did not write into all of them.
    mutating func open() async throws -> Instant? {
        var positions: [Instant?] = []
        for municipality in metropolis.municipalities {
            let name = municipality.identifier
            let access = try await gatekeeper.writing(name, .program)
            accesses[name] = access
            let known = try await setting(access.reading)
            if known == nil { try await broker.putSetting(Self.setting, ["plan": Self.json(metropolis.plan)], access, at: .now) }
            _ = try await door.json(
                .PUT, "/sources/" + Self.source, municipality: name.text, contentType: "application/yaml",
                body: .bytes(Array(Self.definition.utf8)))
            if known == nil { try await offerServices(in: name) }
            runs[name] = try await broker.beginImport(of: Self.source, version: "seed \(metropolis.plan.seed)", access, at: .now)
            positions.append(known?["until"]?.stringValue.flatMap { Instant($0) })
        }
        return positions.contains(nil) ? nil : positions.compactMap { $0 }.min()
    }

    /// Residents can report what the examples of services ask for.
    private func offerServices(in name: MunicipalityName) async throws {
        for file in ShippedFiles.names(in: "services") {
            let text = ShippedFiles.text("services/" + file) ?? ""
            _ = try await door.json(
                .PUT, "/municipalities/\(name)/services/\(file.prefix { $0 != "." })", contentType: "application/yaml", body: .bytes(Array(text.utf8)))
        }
    }

    private func setting(_ access: ReadAccess) async throws -> JSON? {
        do { return try await broker.setting(Self.setting, access) } catch CityError.nonexistentTenant { return nil }
    }

    /// Ends the runs of this start: what was written in them is complete.
    func finishRuns() async throws {
        for (name, run) in runs {
            guard let access = accesses[name] else { continue }
            let count = JSON.integer(Int64(writtenCounts[name] ?? 0))
            let report: JSON = ["records": count, "accepted": count, "unchanged": 0, "rejected": 0, "flagged": 0, "rules": []]
            try await broker.finishImport(run, report: report, access, at: .now)
        }
    }

    func keep(position: Instant) async throws {
        let value: JSON = ["plan": Self.json(metropolis.plan), "until": .string(position.description)]
        for access in accesses.values { try await broker.putSetting(Self.setting, value, access, at: .now) }
    }
}

// MARK: - The past

extension DemoWriter {
    mutating func writeStanding() async throws {
        let standing = Dictionary(grouping: metropolis.staticEntities(), by: \.municipality)
        for (name, entities) in standing { try await write(entities.map { ObservedEntity($0.entity) }, to: name) }
    }

    /// - Parameter progress: told how many are written, now and then.
    mutating func write(_ observations: some Sequence<Observation>, progress: ((Int) -> Void)? = nil) async throws {
        var groups: [MunicipalityName: [ObservedEntity]] = [:]
        var count = 0
        for observation in observations {
            groups[observation.municipality, default: []].append(ObservedEntity(observation.entity))
            count += 1
            if count % 20_000 == 0 { progress?(count) }
            if groups[observation.municipality]?.count == Self.groupCountMax, let group = groups.removeValue(forKey: observation.municipality) {
                try await write(group, to: observation.municipality)
            }
        }
        for (name, group) in groups { try await write(group, to: name) }
    }

    private mutating func write(_ observations: [ObservedEntity], to name: MunicipalityName) async throws {
        guard let access = accesses[name] else { return }
        try Task.checkCancellation()
        for start in stride(from: 0, to: observations.count, by: Self.groupCountMax) {
            let part = Array(observations[start..<min(start + Self.groupCountMax, observations.count)])
            _ = try await broker.record(part, provenance: Provenance(classification: .open, run: runs[name]), access, at: .now)
            writtenCounts[name, default: 0] += part.count
        }
    }
}

// MARK: - Life

extension DemoWriter {
    func send(_ observations: [Observation]) async throws {
        for (name, group) in Dictionary(grouping: observations, by: \.municipality) {
            let readings = group.filter { !$0.isWhole }, happenings = group.filter(\.isWhole)
            for start in stride(from: 0, to: readings.count, by: Self.requestCountMax) {
                let part = readings[start..<min(start + Self.requestCountMax, readings.count)]
                try await post("/ngsi-ld/v1/entityOperations/upsert?options=update", part, to: name)
            }
            if !happenings.isEmpty { try await post("/sources/\(Self.source)/data", happenings[...], to: name) }
        }
    }

    private func post(_ path: String, _ observations: ArraySlice<Observation>, to name: MunicipalityName) async throws {
        let entityWriter = EntityWriter(names: ContextNames(context: .core, includesSystemMembers: false), format: .normalized)
        var body = JSONWriter(byteCapacity: observations.count * 512)
        for observation in observations {
            body.raw(body.bytes.isEmpty ? "[" : ",")
            entityWriter.write(observation.entity, to: &body)
        }
        body.raw("]")
        _ = try await door.json(.POST, path, municipality: name.text, contentType: "application/json", body: .bytes(body.bytes))
    }
}

extension ObservedEntity {
    fileprivate init(_ entity: Entity) {
        self.init(id: entity.id, types: entity.types, scopes: entity.scopes, attributes: entity.attributes)
    }
}
