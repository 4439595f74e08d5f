import ArgumentParser
import Broker
import CityModel
import Foundation
import Series
import Store
import Trust

/// What this program can do on this machine, in figures.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure what this machine does.",
        discussion: """
            `conurb bench` alone measures writes beside plain SQLite and prints a table: it takes some seconds and needs a folder on the disk that will be used. \
            `conurb bench --entities 1000000 --folder /var/lib --json figures.json` does so with more, elsewhere, and keeps the figures. Requests over HTTP \
            are measured by `make bench` of the sources, which asks a server and nginx.
            """,
        subcommands: [WritesBenchCommand.self, YardstickBenchCommand.self, HistoryBenchCommand.self], defaultSubcommand: WritesBenchCommand.self)
}

/// Makes the history of sensors of a seed, writes it as rows, seals it and asks about it.
struct HistoryBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Measure how history is packed and read.",
        discussion: "Prints one line a figure: its name, the figure, its unit.")

    @Option(help: "How many sensors, a kind of each eight. Default: 1000") var sensors = 1000
    @Option(help: "Days of one sample a minute. Default: 30") var days = 30
    @Option(help: "Equal seeds give equal samples. Default: 1") var seed: UInt64 = 1
    @Flag(help: "Samples are recorded one by one, to the microsecond, and not once an hour.") var alone = false
    @Option(help: "The data folder to make, which stays. Default: one that is removed at the end", completion: .directory) var keep: String?
    @Option(help: "A folder for sensors.csv and samples.csv: the same for other databases.", completion: .directory) var samples: String?

    func validate() throws {
        guard (1...10_000).contains(sensors), (1...366).contains(days) else { throw ValidationError("--sensors 1 to 10000, --days 1 to 366") }
        guard keep.map({ !FileManager.default.fileExists(atPath: $0) }) ?? true else { throw ValidationError("--keep: \(keep ?? "") is there already") }
    }

    func run() async throws {
        let directory = keep.map { URL(filePath: $0) } ?? FileManager.default.temporaryDirectory.appending(path: "conurb-bench-\(UUID().uuidString)")
        defer { if keep == nil { try? FileManager.default.removeItem(at: directory) } }
        try measureCodec()
        guard let name = MunicipalityName("bench") else { return }
        try await load(directory, name)
        try await BenchAsking(directory: directory, municipality: name, days: days, tell: tell).run()
        try await BenchThinning(directory: directory.appending(path: "thinned"), days: days, sensor: sensor, tell: tell).run()
    }

    private func tell(_ name: String, _ figure: Double, _ unit: String) { print("\(name): \((figure * 1000).rounded() / 1000) \(unit)") }
    private func seconds(_ body: () throws -> Void) rethrows -> Double { try ContinuousClock().measure(body) / .seconds(1) }

    private func sensor(_ number: Int) -> BenchSensor {
        let kinds = BenchSensor.Kind.allCases
        // Both of each kind: on the minute, and with jitter.
        return BenchSensor(kind: kinds[number / 2 % kinds.count], number: number, seed: seed, recording: alone ? .eachAlone : .hourly)
    }

    /// Bytes a sample by kind, and how fast one core decodes times and numbers, without a file.
    private func measureCodec() throws {
        var (count, decodeSeconds, openSeconds, encodeSeconds) = (0, 0.0, 0.0, 0.0)
        var (times, numbers) = ([Int64](repeating: 0, count: Chunk.blockCount), [Double](repeating: 0, count: Chunk.blockCount))
        for kind in 0..<BenchSensor.Kind.allCases.count {
            var (byteCount, kindCount) = (0, 0)
            for number in [2 * kind, 2 * kind + 1] {
                var sensor = sensor(number)
                for _ in 0..<max(1, days * 1440 / 8192) {
                    let records = sensor.records(minutes: 8192)
                    var bytes: [UInt8] = []
                    encodeSeconds += try seconds { bytes = try ChunkEncoder.encode(records) }
                    let chunk = try Chunk(bytes)
                    (byteCount, kindCount) = (byteCount + bytes.count, kindCount + records.count)
                    openSeconds += try seconds { for _ in 0..<10 { _ = try Chunk(bytes) } } / 10
                    decodeSeconds += try seconds {
                        for _ in 0..<10 { for block in chunk.summaries.indices { try chunk.decode(block: block, times: &times, numbers: &numbers) } }
                    } / 10
                }
            }
            count += kindCount
            tell("chunks of \(BenchSensor.Kind.allCases[kind])", Double(byteCount) / Double(kindCount), "bytes a sample")
        }
        tell("decoding", Double(count) / decodeSeconds / 1e6, "million samples a second")
        tell("decoding with checksum and summaries", Double(count) / (decodeSeconds + openSeconds) / 1e6, "million samples a second")
        tell("encoding", Double(count) / encodeSeconds / 1e6, "million samples a second")
    }

    private func load(_ directory: URL, _ name: MunicipalityName) async throws {
        let store = try Store(directory: directory.path)
        let file = try store.file(name, creating: true)
        let empty = try await byteCount(file, directory)
        let samples = try samples.map { try BenchSamples(folder: $0) }
        let load = BenchLoad(
            broker: Broker(store: store, configuration: BrokerConfiguration(createsMunicipalities: true)), gatekeeper: Gatekeeper(store: store, isOpen: true), file: file, municipality: name,
            city: BenchCity(sensorCount: sensors, seed: seed), days: days, samples: samples, sensor: sensor)
        let figures = try await load.run()
        try samples?.close()
        tell("samples", Double(figures.rowCount), "")
        tell("written", Double(figures.rowCount) / figures.rowSeconds, "rows a second")
        tell("sealed", Double(figures.rowCount) / figures.sealSeconds, "rows a second")
        tell("longest turn of the sealer on the writer", figures.longestTurn.inSeconds * 1000, "ms, the flush not counted")
        tell("in the file", Double(try await byteCount(file, directory) - empty) / Double(figures.rowCount), "bytes a sample, entities and all")
        guard try await file.verify().faults.isEmpty else { throw ValidationError("the sealed file is not what the rows were") }
        try store.close()
    }

    /// Of a compact copy: a file keeps the room of what was deleted for what is to come.
    private func byteCount(_ file: MunicipalityFile, _ directory: URL) async throws -> Int {
        let copy = directory.appending(path: "copy.sqlite")
        try await file.copy(to: copy.path)
        defer { try? FileManager.default.removeItem(at: copy) }
        return try FileManager.default.attributesOfItem(atPath: copy.path)[.size] as? Int ?? 0
    }
}

extension Duration {
    var inSeconds: Double { self / .seconds(1) }
}
