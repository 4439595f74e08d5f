import CityModel
import Foundation
import OrderedCollections
import Store

/// A data directory of its own for each test, removed when the test lets go of it.
final class TemporaryStore {
    let path = FileManager.default.temporaryDirectory.appending(path: "conurb-\(UUID().uuidString)").path
    private(set) var store: Store

    init(limits: StoreLimits = .init()) throws { store = try Store(directory: path, limits: limits) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    static let name = MunicipalityName("alder")!
    func file(_ name: MunicipalityName = TemporaryStore.name) throws -> MunicipalityFile { try store.file(name, creating: true) }
}

let noon = Instant("2026-06-01T12:00:00Z")!

func iri(_ text: String) -> IRI { IRI("https://example.org/\(text)")! }
func entityID(_ number: Int) -> IRI { IRI("urn:ngsi-ld:Thing:\(number)")! }

func entity(_ number: Int, type: String = "Thing", attributes: Attributes = [:]) -> Entity {
    Entity(id: entityID(number), types: [iri(type)], attributes: attributes)
}

func property(_ value: JSON) -> [Attribute] { [Attribute(kind: .property, value: value)] }

/// The file of a snapshot of `file`, with what is frozen.
func frozenFile<Found: Sendable>(
    _ folder: TemporaryStore, _ file: MunicipalityFile, id: String = "urn:ngsi-ld:Snapshot:1",
    _ freeze: @escaping @Sendable (WriteTransaction, Found) throws -> Void, reading read: @escaping @Sendable (ReadSnapshot) throws -> Found
) async throws -> MunicipalityFile {
    let record = SnapshotRecord(id: id, body: [:], classificationMax: .special, priority: 5, createdAt: noon, expiresAt: noon.adding(seconds: 60))
    let number = try await file.write { try $0.insert(record) }
    let (found, last) = try await file.read { (try read($0), try $0.lastReclassification()) }
    let frozen = try folder.store.makeSnapshot(file.name.snapshot(number), SnapshotBeginning(id: id, of: file, reclassifiedUntil: last))
    try await frozen.write { try freeze($0, found) }
    return frozen
}
