import Broker
@testable import Cases
import CityModel
import Foundation
import Query
import Services
import Store
import Trust

/// Two municipalities with one service, each case at the moments that a test says.
final class CaseCity {
    let path = FileManager.default.temporaryDirectory.appending(path: "conurb-\(UUID().uuidString)").path
    let store: Store
    let broker: Broker
    let gatekeeper: Gatekeeper
    let desk: CaseDesk

    static let (alder, birch) = (MunicipalityName("alder")!, MunicipalityName("birch")!)
    static let noon = Instant("2026-06-01T12:00:00Z")!

    init(_ change: (String) -> String = { $0 }) async throws {
        store = try Store(directory: path)
        broker = Broker(store: store, configuration: BrokerConfiguration(createsMunicipalities: true))
        gatekeeper = Gatekeeper(store: store, isOpen: false)
        desk = CaseDesk(broker: broker, catalogue: ServiceCatalogue(broker: broker))
        for name in [Self.alder, Self.birch] {
            let access = try await gatekeeper.administering(name, .program)
            _ = try await broker.putService("lamp", text: change(Self.service), access, at: Self.noon)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func staff(_ name: MunicipalityName = alder) async throws -> WriteAccess { try await gatekeeper.writing(name, .program) }

    /// A report at a place, with an address to write to.
    func report(
        _ words: String = "It is dark", at place: (Double, Double) = (3.87, 43.61), email: String? = nil, in name: MunicipalityName = alder, now: Instant = noon
    ) async throws -> FiledCase {
        let access = try await gatekeeper.filing(name, .none)
        let service = try await desk.catalogue.service("lamp", access.reading)
        let answers = try service.definition.answers(to: ["place": ["\(place.1),\(place.0)"], "details": [words], "secret": ["Marker-\(words)"]], today: .init(number: 20_000))
        let report = CaseReport(service: service, answers: answers, channel: .web, contact: CaseContact(name: email.map { _ in "Marker-Person" }, email: email))
        return try await desk.file(report, access, at: now)
    }

    func files(with text: String) throws -> [String] {
        let files = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return files.filter { (try? Data(contentsOf: URL(filePath: path + "/" + $0)))?.range(of: Data(text.utf8)) != nil }
    }

    private static let service = """
        id: lamp
        title: Street light
        fields:
          - {id: place, label: Where is it?, type: place, required: true}
          - {id: details, label: What is wrong?, type: text, lines: 4, public: true}
          - {id: secret, label: For us alone, type: text}
        departments:
          - department: Lighting
        steps:
          - {id: new, title: Received, phase: open, next: [planned, done, declined]}
          - {id: planned, title: Planned, phase: working, next: [done, declined]}
          - {id: done, title: Mended, phase: closed, done: true}
          - {id: declined, title: No action, phase: closed, needsAnswer: true}
        targets:
          - {close: 2 days}
        calendar:
          zone: Europe/Paris
          hours: {weekdays: '08:00-17:00'}
        reopen: {within: 14 days, step: new}
        public: {when: atOnce, place: exact, photos: never}
        retention: {contact: 30 days, case: 365 days}
        """
}
