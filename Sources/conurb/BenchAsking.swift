import Broker
import CityModel
import Foundation
import OrderedCollections
import Store
import Trust

/// Asks the benchmark's questions: cold, warm, and while samples come in.
struct BenchAsking {
    let directory: URL
    let municipality: MunicipalityName
    let days: Int
    let tell: (String, Double, String) -> Void

    private static let warmCount = 5
    /// Samples of one write of those that come in.
    private static let batchCount = 1000

    func run() async throws {
        for question in BenchQuestion.allCases {
            // A file that nobody has read: opened anew, its pages not in memory.
            try forgetPages()
            let seconds = try await withBroker { broker, access in try await ask(question, broker, access) }
            tell("\(question.title), cold", seconds * 1000, "ms")
        }
        try await withBroker { broker, access in
            for question in BenchQuestion.allCases { tell("\(question.title), warm", try await median(question, broker, access) * 1000, "ms, median of \(Self.warmCount)") }
            let count = try await withIngest(broker) {
                for question in BenchQuestion.allCases {
                    tell("\(question.title), beside ingest", try await median(question, broker, access) * 1000, "ms, median of \(Self.warmCount)")
                }
            }
            tell("ingested meanwhile", count, "samples a second, durable, \(Self.batchCount) in a write")
        }
    }

    private func withBroker<Answer>(_ body: (Broker, ReadAccess) async throws -> Answer) async throws -> Answer {
        let store = try Store(directory: directory.path)
        let access = try await Gatekeeper(store: store, isOpen: true).reading(municipality, .program)
        let result = try await body(Broker(store: store, configuration: BrokerConfiguration(createsMunicipalities: true)), access)
        try store.close()
        return result
    }

    private var end: Instant { Instant(microseconds: BenchSensor.start + Int64(days) * 86_400_000_000) }

    private func ask(_ question: BenchQuestion, _ broker: Broker, _ access: ReadAccess) async throws -> Double {
        let clock = ContinuousClock.now
        _ = try await broker.answer(try question.question(days: days, end: end), access, at: end)
        return (ContinuousClock.now - clock).inSeconds
    }

    private func median(_ question: BenchQuestion, _ broker: Broker, _ access: ReadAccess) async throws -> Double {
        var seconds: [Double] = []
        for _ in 0..<Self.warmCount { seconds.append(try await ask(question, broker, access)) }
        return seconds.sorted()[seconds.count / 2]
    }

    /// - Returns: samples a second that were written while `body` ran.
    private func withIngest(_ broker: Broker, _ body: () async throws -> Void) async throws -> Double {
        let writing = try await Gatekeeper(store: broker.store, isOpen: true).writing(municipality, .program)
        let (start, clock) = (end, ContinuousClock.now)
        let ingest = Task {
            var count = 0
            while !Task.isCancelled {
                let moment = start.adding(seconds: Double(count / Self.batchCount))
                _ = try await broker.record(
                    (0..<Self.batchCount).map { number in
                        let value = Attribute(kind: .property, value: .integer(Int64(count + number)), observedAt: moment)
                        return ObservedEntity(id: IRI(known: "urn:ngsi-ld:Ingest:\(number)"), types: [IRI(known: IRI.defaultContextNamespace + "Ingest")], attributes: [BenchCity.level: [value]])
                    }, provenance: Provenance(classification: .open), writing, at: moment)
                count += Self.batchCount
            }
            return count
        }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        ingest.cancel()
        let count = try await ingest.value
        try outcome.get()
        return Double(count) / (ContinuousClock.now - clock).inSeconds
    }

    /// Asks the operating system to drop what it keeps of the files in memory.
    private func forgetPages() throws {
        for path in FileManager.default.enumerator(atPath: directory.path)?.compactMap({ $0 as? String }) ?? [] {
            let file = open(directory.appending(path: path).path, O_RDONLY)
            guard file >= 0 else { continue }
            fsync(file)
            posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
            close(file)
        }
    }
}
