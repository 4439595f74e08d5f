import ArgumentParser
import CityModel
import Foundation
import Query
import Series
import Store

/// What this program can do on this machine, in figures.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure on this machine.", subcommands: [HistoryBenchCommand.self])
}

/// Makes the history of sensors of a seed, writes it as rows, seals it and asks about it. Everything happens in a folder of its
/// own, which is removed at the end.
struct HistoryBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Measure how history is packed and read.",
        discussion: "Prints one line a figure: its name, the figure, its unit.")

    @Option(help: "How many sensors, a kind of each eight. Default: 80") var sensors = 80
    @Option(help: "Days of one sample a minute. Default: 30") var days = 30
    @Option(help: "Equal seeds give equal samples. Default: 1") var seed: UInt64 = 1
    @Flag(help: "Samples are recorded one by one, to the microsecond, and not once an hour.") var alone = false
    @Option(help: "The folder to make the data folder in. Default: the system's for temporary files") var folder: String?

    func validate() throws {
        guard (1...10_000).contains(sensors), (1...366).contains(days) else { throw ValidationError("--sensors 1 to 10000, --days 1 to 366") }
    }

    func run() async throws {
        let parent = folder.map { URL(filePath: $0) } ?? FileManager.default.temporaryDirectory
        let directory = parent.appending(path: "conurb-bench-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try measureCodec()
        let store = try Store(directory: directory.path)
        guard let name = MunicipalityName("bench") else { return }
        let file = try store.file(name, creating: true)
        let empty = try await byteCount(file, directory)
        try await load(file)
        try await seal(file, directory, empty: empty)
        try await ask(file)
        try store.close()
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

    private static let level = IRI("https://example.org/level")
    private static func id(_ number: Int) -> IRI? { IRI("urn:ngsi-ld:Sensor:\(number)") }

    private func load(_ file: MunicipalityFile) async throws {
        let clock = ContinuousClock.now
        var rowCount = 0
        for number in 0..<sensors {
            guard let level = Self.level, let id = Self.id(number) else { return }
            let sensor = sensor(number)
            rowCount += try await file.write { [days] transaction in
                var sensor = sensor
                let target = try transaction.insertHistoric(id, types: [level], classification: .open, at: Instant(microseconds: BenchSensor.start))
                let records = sensor.records(minutes: days * 1440)
                for record in records {
                    let value: JSON = switch record.value {
                    case .integer(let whole): .integer(whole)
                    case .number(let number): .number(number)
                    case .text, .document: .null
                    }
                    let instance = Attribute(kind: .property, value: value, observedAt: Instant(microseconds: record.time))
                    try transaction.appendHistory(
                        instance, name: level, of: target.number, .open, at: Instant(microseconds: record.time + record.late))
                }
                return records.count
            }
        }
        tell("rows written", Double(rowCount) / (ContinuousClock.now - clock).inSeconds, "a second")
    }

    private func seal(_ file: MunicipalityFile, _ directory: URL, empty: Int) async throws {
        let before = try await byteCount(file, directory) - empty
        let count = try await file.read { try $0.instanceCount() }
        tell("as rows", Double(before) / Double(count), "bytes a sample in the file")
        let clock = ContinuousClock.now
        var (position, rowCount, longest) = (SealingPosition?.none, 0, Duration.zero)
        repeat {
            let policy = SealingPolicy(before: Instant(microseconds: .max), rowCountMin: 1)
            let step = try await file.seal(policy, after: position)
            (position, rowCount, longest) = (step.next, rowCount + step.rowCount, max(longest, step.longestTransaction))
        } while position != nil
        tell("sealed", Double(rowCount) / (ContinuousClock.now - clock).inSeconds, "rows a second")
        tell("longest turn of the sealer on the writer", longest.inSeconds * 1000, "ms, the flush not counted")
        let after = try await byteCount(file, directory) - empty
        tell("as chunks", Double(after) / Double(count), "bytes a sample in the file")
        guard try await file.read({ try $0.instanceCount() }) == count, try await file.verify().faults.isEmpty else {
            throw ValidationError("the sealed file is not what the rows were")
        }
    }

    /// Of a compact copy: a file keeps the room of what was deleted for what is to come.
    private func byteCount(_ file: MunicipalityFile, _ directory: URL) async throws -> Int {
        let copy = directory.appending(path: "copy.sqlite")
        try await file.copy(to: copy.path)
        defer { try? FileManager.default.removeItem(at: copy) }
        return try FileManager.default.attributesOfItem(atPath: copy.path)[.size] as? Int ?? 0
    }

    private func ask(_ file: MunicipalityFile) async throws {
        let (start, hour) = (BenchSensor.start, Int64(3_600_000_000))
        let week = TemporalQuery(.between(Instant(microseconds: start), Instant(microseconds: start + 168 * hour)))
        let all = TemporalQuery(nil)
        for (name, temporal, width, sensorCount) in [
            ("hourly means of one sensor for a week", week, hour, 1), ("hourly means of all sensors for a week", week, hour, sensors),
            ("daily means of all sensors for all days", all, 24 * hour, sensors),
        ] {
            var best = Double.infinity
            for _ in 0..<5 {
                let clock = ContinuousClock.now
                try await file.read { snapshot in
                    for number in 0..<sensorCount { try Self.means(snapshot, number, temporal, width) }
                }
                best = min(best, (ContinuousClock.now - clock).inSeconds)
            }
            tell(name, best * 1000, "ms, the best of five")
        }
    }

    private static func means(_ snapshot: ReadSnapshot, _ number: Int, _ temporal: TemporalQuery, _ width: Int64) throws {
        guard let level, let id = id(number), let entity = try snapshot.historicEntity(id, .special) else { return }
        var periods: [Int64: Measures] = [:]
        func slot(_ moment: Int64) -> Int64 { (moment - BenchSensor.start) / width }
        for series in try snapshot.series(of: entity.number, attributes: [level], .special) {
            let window = HistoryWindow(temporal, now: Instant(microseconds: .max), .special)
            try snapshot.visitSpans(of: entity.number, series, window, isWhole: { slot($0.microseconds) == slot($1.microseconds) }) { span in
                switch span {
                case .record(let record):
                    if let number = record.attribute.value.doubleValue { periods[slot(record.time.microseconds), default: Measures()].add(number) }
                case .measures(let measures, let first, _): periods[slot(first.microseconds), default: Measures()].add(measures)
                case .numbers(let times, let numbers):
                    var index = times.startIndex
                    while index < times.endIndex {
                        let current = slot(times[index])
                        let end = BenchSensor.start + (current + 1) * width
                        var measures = Measures()
                        while index < times.endIndex, times[index] < end {
                            measures.add(numbers[index])
                            index += 1
                        }
                        periods[current, default: Measures()].add(measures)
                    }
                }
                return true
            }
        }
    }
}

extension Duration {
    fileprivate var inSeconds: Double { self / .seconds(1) }
}
