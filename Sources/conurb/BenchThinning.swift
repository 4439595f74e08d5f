import CityModel
import Foundation
import Query
import Series
import Store

/// Thins the history of a few sensors, as rows and as chunks, to hours, then to days, then to nothing. In a folder of its own, for nothing is
/// left of it.
struct BenchThinning {
    let directory: URL
    let days: Int
    let sensor: (Int) -> BenchSensor
    let tell: (_ name: String, _ figure: Double, _ unit: String) -> Void

    private static let sensorCount = 8
    private static let dayMicroseconds: Int64 = 86_400_000_000

    func run() async throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let store = try Store(directory: directory.path)
        for (what, isSealed) in [("rows", false), ("chunks", true)] {
            guard let name = MunicipalityName(what) else { continue }
            let file = try store.file(name, creating: true)
            for number in 0..<Self.sensorCount { try await load(number, file) }
            if isSealed { try await seal(file) }
            try await thin(file, what)
            guard try await file.verify().faults.isEmpty else { throw CityError.internalFault("the thinned file is damaged") }
        }
        try store.close()
    }

    private func load(_ number: Int, _ file: MunicipalityFile) async throws {
        guard let level = IRI("https://example.org/level"), let id = IRI("urn:ngsi-ld:Sensor:\(number)") else { return }
        var sensor = sensor(number)
        let records = sensor.records(minutes: days * 1440)
        try await file.write { transaction in
            let target = try transaction.insertHistoric(id, types: [level], classification: .open, at: Instant(microseconds: BenchSensor.start))
            for record in records {
                let value: JSON = switch record.value {
                case .integer(let whole): .integer(whole)
                case .number(let number): .number(number)
                case .text, .document: .null
                }
                let instance = Attribute(kind: .property, value: value, observedAt: Instant(microseconds: record.time))
                try transaction.appendHistory(instance, name: level, of: target.number, .open, at: Instant(microseconds: record.time + record.late))
            }
        }
    }

    private func seal(_ file: MunicipalityFile) async throws {
        var position: SealingPosition?
        repeat { position = try await file.seal(SealingPolicy(before: Instant(microseconds: .max), rowCountMin: 1), after: position).next } while position != nil
    }

    private func thin(_ file: MunicipalityFile, _ what: String) async throws {
        let now = Instant(microseconds: BenchSensor.start + Int64(days + 2) * Self.dayMicroseconds)
        for (level, members) in [("hours", ["raw"]), ("days", ["raw", "hourly"]), ("nothing", ["raw", "hourly", "daily"])] {
            let rule = try RetentionRule { members.contains($0) ? "P1D" : nil }
            let clock = ContinuousClock.now
            var (position, count, longest) = (RetentionPosition?.none, 0, Duration.zero)
            repeat {
                let step = try await file.thin(RetentionPolicy(rule, zone: .utc, at: now), after: position)
                (position, count, longest) = (step.next, count + step.count, max(longest, step.longestTransaction))
            } while position != nil
            tell("\(what) to \(level)", Double(count) / ((ContinuousClock.now - clock) / .seconds(1)), "a second")
            tell("longest turn of retention on the writer, \(what) to \(level)", longest / .seconds(1) * 1000, "ms, the flush not counted")
        }
    }
}
