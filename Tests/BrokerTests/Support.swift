import Broker
import CityModel
import Foundation
import Store
import Trust

/// A broker on a data directory of its own, removed when the test lets go of it.
final class TemporaryBroker {
    let path = FileManager.default.temporaryDirectory.appending(path: "conurb-\(UUID().uuidString)").path
    let store: Store
    let broker: Broker
    let gatekeeper: Gatekeeper

    init(
        isOpen: Bool = false, createsMunicipalities: Bool = true, entityMapLimits: EntityMapLimits = .init(), snapshotLimits: SnapshotLimits = .init(),
        packing: HistoryPacking? = nil
    ) throws {
        store = try Store(directory: path)
        var configuration = BrokerConfiguration(createsMunicipalities: createsMunicipalities)
        (configuration.entityMapLimits, configuration.snapshotLimits) = (entityMapLimits, snapshotLimits)
        configuration.packing = packing
        broker = Broker(store: store, configuration: configuration)
        gatekeeper = Gatekeeper(store: store, isOpen: isOpen)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    static let name = MunicipalityName("alder")!
    func writing() async throws -> WriteAccess { try await gatekeeper.writing(Self.name, .program) }
}

let noon = Instant("2026-06-01T12:00:00Z")!
func iri(_ text: String) -> IRI { IRI("https://example.org/\(text)")! }
let lamp = IRI("urn:ngsi-ld:Lamp:1")!

func observed(_ value: JSON, minute: Double?) -> [Attribute] {
    [Attribute(kind: .property, value: value, observedAt: minute.map { noon.adding(seconds: $0 * 60) })]
}
