import ArgumentParser
import Broker
import CityModel
import Foundation
import Series
import Store
import Trust

/// Writes the samples of the benchmark's sensors into a municipality, and seals them as it goes, as a sealer does beside a city.
struct BenchLoad {
    let broker: Broker
    let gatekeeper: Gatekeeper
    let file: MunicipalityFile
    let municipality: MunicipalityName
    let city: BenchCity
    let days: Int
    /// Nil where nobody wants the samples otherwise.
    let samples: BenchSamples?
    let sensor: (Int) -> BenchSensor

    struct Figures {
        var rowCount = 0
        var rowSeconds = 0.0
        var sealSeconds = 0.0
        var longestTurn = Duration.zero
    }

    /// Sensors that are written before what they have said is sealed.
    private static let groupCount = 50
    /// Rows of one transaction: what an hour of a busy city brings.
    private static let transactionRowCount = 10_000

    func run() async throws -> Figures {
        var figures = Figures()
        let access = try await gatekeeper.writing(municipality, .program)
        _ = try await broker.record(city.districts(), provenance: Provenance(classification: .open), access, at: Instant(microseconds: BenchSensor.start))
        for start in stride(from: 0, to: city.places.count, by: Self.groupCount) {
            for place in city.places[start..<min(start + Self.groupCount, city.places.count)] {
                let clock = ContinuousClock.now
                figures.rowCount += try await write(place, access)
                figures.rowSeconds += (ContinuousClock.now - clock).inSeconds
            }
            try await seal(&figures)
        }
        return figures
    }

    private func write(_ place: BenchCity.Place, _ access: WriteAccess) async throws -> Int {
        var sensor = sensor(place.number)
        let records = sensor.records(minutes: days * 1440)
        guard let last = records.max(by: { ($0.time, $0.late) < ($1.time, $1.late) }) else { return 0 }
        try samples?.write(place, sensor.kind, records)
        let entity = city.entity(place, sensor.kind, last: last.instance)
        _ = try await broker.record([entity], provenance: Provenance(classification: .open), access, at: last.recordedAt)
        let id = entity.id
        for start in stride(from: 0, to: records.count, by: Self.transactionRowCount) {
            let part = records[start..<min(start + Self.transactionRowCount, records.count)]
            try await file.write { transaction in
                guard let number = try transaction.historicEntity(id, .special)?.number else { throw ValidationError("\(id) is not there") }
                for record in part {
                    try transaction.appendHistory(record.instance, name: BenchCity.level, of: number, .open, at: record.recordedAt)
                }
            }
        }
        return records.count
    }

    private func seal(_ figures: inout Figures) async throws {
        let clock = ContinuousClock.now
        var position: SealingPosition?
        repeat {
            let step = try await file.seal(SealingPolicy(before: Instant(microseconds: .max), rowCountMin: 1024), after: position)
            guard step.faults.isEmpty else { throw ValidationError("\(step.faults)") }
            (position, figures.longestTurn) = (step.next, max(figures.longestTurn, step.longestTransaction))
        } while position != nil
        figures.sealSeconds += (ContinuousClock.now - clock).inSeconds
    }
}

extension SampleRecord {
    fileprivate var instance: Attribute {
        let value: JSON =
            switch self.value {
            case .integer(let whole): .integer(whole)
            case .number(let number): .number(number)
            case .text, .document: .null
            }
        return Attribute(kind: .property, value: value, observedAt: Instant(microseconds: time))
    }

    fileprivate var recordedAt: Instant { Instant(microseconds: time + late) }
}
