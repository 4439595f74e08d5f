import ArgumentParser
import Broker
import CityModel
import Foundation
import LinkedData
import OrderedCollections
import Store
import Trust

/// Fills a municipality's file and tells how fast, each figure beside plain SQLite with the same documents right after it.
struct WritesBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "writes", abstract: "Measure writes beside plain SQLite (what `conurb bench` does by itself).",
        discussion: """
            Fills a file with entities of five attributes in batches of 1,000, then creates one after the other and changes an attribute of each, 64 at once. Every write is \
            on disk before it counts, with its indexes, history and journal. After each, SQLite alone inserts the same documents in one transaction: the ratio says what all \
            that costs, and can be compared between machines; the figures can't. No HTTP takes part.
            """)

    @Option(help: "How many entities the file is filled with; a tenth of it is written one by one. Default: 20000") var entities = 20_000
    @Option(help: "A file for the same figures as JSON; - prints them instead of the table.", completion: .file()) var json: String?
    @OptionGroup var place: BenchPlace

    func validate() throws {
        guard (1000...10_000_000).contains(entities) else { throw ValidationError("--entities: 1000 to 10000000, not \(entities)") }
    }

    func run() async throws {
        let figures = try await place.within { folder in
            let flushMicroseconds = try Yardstick.flushMicroseconds(at: folder + "/flush")
            return (flushMicroseconds, try await BenchWrites(folder: folder, entityCount: entities).run())
        }
        let machine = BenchMachine()
        let members = machine.json.merging(["flushMicroseconds": .number(figures.0), "writes": .array(figures.1.map(\.json))]) { $1 }
        if let json, json != "-" { try Data(JSON.object(members).text.utf8).write(to: URL(filePath: json)) }
        if json == "-" { print(JSON.object(members).text) } else { print(Self.table(machine, figures.0, figures.1)) }
    }

    private static func table(_ machine: BenchMachine, _ flushMicroseconds: Double, _ figures: [BenchWrites.Figure]) -> String {
        func right(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
        func left(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
        let head = left("writes", 42) + right("a second", 12) + right("SQLite", 12) + right("ratio", 8)
        let lines = figures.map { figure in
            left(figure.name, 42) + right(String(Int(figure.rate)), 12) + right(String(Int(figure.yardstickRate)), 12) + right(String(format: "%.3f", figure.ratio), 8)
        }
        let about = "\(machine.json["version"]?.stringValue ?? "") on \(machine.text); flushing 4,096 bytes takes \(String(format: "%.2f", flushMicroseconds / 1000)) ms"
        return ([about, "", head] + lines).joined(separator: "\n")
    }
}

/// The writes that are measured.
struct BenchWrites {
    struct Figure {
        let name: String
        let count: Int
        let seconds: Double
        let yardstick: Yardstick.Inserts

        var rate: Double { Double(count) / seconds }
        var yardstickRate: Double { Double(yardstick.documentCount) / yardstick.seconds }
        var ratio: Double { rate / yardstickRate }

        var json: JSON {
            [
                "name": .string(name), "count": .integer(Int64(count)), "seconds": .number(seconds), "perSecond": .number(rate),
                "yardstickPerSecond": .number(yardstickRate), "ratio": .number(ratio),
            ]
        }
    }

    let folder: String
    let entityCount: Int

    private static let batchCount = 1000, taskCount = 64

    func run() async throws -> [Figure] {
        let store = try Store(directory: folder + "/data")
        let broker = Broker(store: store, configuration: BrokerConfiguration(createsMunicipalities: true))
        guard let name = MunicipalityName("bench") else { return [] }
        let access = try await Gatekeeper(store: store, isOpen: true).writing(name, .program)
        let singleCount = entityCount / 10
        let figures = [
            try await measured("created, in batches of 1,000", (0..<entityCount).map(Self.entity)) { entities in
                for start in stride(from: 0, to: entities.count, by: Self.batchCount) {
                    let batch = Array(entities[start..<min(start + Self.batchCount, entities.count)])
                    let result = try await broker.createBatch(batch, access, at: .now)
                    guard result.created.count == batch.count else { throw ValidationError("\(result.errors)") }
                }
            },
            try await measured("created one by one, 64 at once", (entityCount..<(entityCount + singleCount)).map(Self.entity)) { entities in
                try await atOnce(entities) { try await broker.create($0, access, at: .now) }
            },
            try await measured("an attribute changed, 64 at once", (0..<singleCount).map(Self.change)) { changes in
                try await atOnce(changes) { change in
                    var fragment = EntityFragment()
                    fragment.attributes = change.attributes
                    _ = try await broker.merge(fragment, into: change.id, access, at: .now)
                }
            },
        ]
        try store.close()
        return figures
    }

    private func measured(_ name: String, _ entities: [Entity], _ write: ([Entity]) async throws -> Void) async throws -> Figure {
        let start = ContinuousClock.now
        try await write(entities)
        let seconds = (ContinuousClock.now - start).inSeconds
        let yardstick = try Yardstick.insert(entities.map(Self.document), at: "\(folder)/\(UUID().uuidString).sqlite")
        return Figure(name: name, count: entities.count, seconds: seconds, yardstick: yardstick)
    }

    private func atOnce(_ entities: [Entity], _ write: @escaping @Sendable (Entity) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<Self.taskCount {
                group.addTask { for number in stride(from: task, to: entities.count, by: Self.taskCount) { try await write(entities[number]) } }
            }
            try await group.waitForAll()
        }
    }

    /// A device, as one is that counts what passes.
    private static func entity(_ number: Int) -> Entity {
        var value = Attribute(kind: .property, value: .number(Double(number * 7919 % 5000) / 100 - 10), observedAt: Instant(microseconds: BenchSensor.start))
        value.unitCode = "CEL"
        let place: JSON = ["type": "Point", "coordinates": [.number(2 + Double(number % 1000) / 2000), .number(40 + Double(number / 1000 % 1000) / 2000)]]
        let about = "Counts what passes and measures what is in the air at a height of three metres, looked after by the works department"
        return Entity(
            id: IRI(known: "urn:ngsi-ld:Device:\(number)"), types: [BenchCity.name("Device")],
            attributes: [
                BenchCity.name("name"): [Attribute(kind: .property, value: .string("Device \(number) at the corner of Long Street"))],
                BenchCity.name("description"): [Attribute(kind: .property, value: .string(about))],
                BenchCity.name("serialNumber"): [Attribute(kind: .property, value: .integer(Int64(number)))],
                BenchCity.name("value"): [value],
                .location: [Attribute(kind: .geoProperty, value: place)],
            ])
    }

    /// What a merge says of it.
    private static func change(_ number: Int) -> Entity {
        Entity(id: entity(number).id, types: [], attributes: [BenchCity.name("value"): [Attribute(kind: .property, value: .number(Double(number) + 0.5))]])
    }

    /// As it is sent.
    private static func document(_ entity: Entity) -> Data {
        var writer = JSONWriter()
        EntityWriter(names: ContextNames(context: .core, includesSystemMembers: false), format: .normalized).write(entity, members: entity.types.isEmpty ? .id : .all, to: &writer)
        return Data(writer.bytes)
    }
}
