import CityModel
import Foundation
import Ledger
import Store
import Testing
import Trust

/// An installation with two municipalities and keys of its own.
final class Installation {
    let path: String
    let store: Store
    let ring: KeyRing
    let gatekeeper: Gatekeeper
    let accountability: Accountability
    static let alder = MunicipalityName("alder")!
    static let birch = MunicipalityName("birch")!
    static let noon = Instant("2026-06-01T12:00:00Z")!

    init(publicAddress: String? = nil) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "conurb-\(UUID().uuidString)").path
        store = try Store(directory: path)
        ring = KeyRing(directory: path + "/_keys")
        gatekeeper = Gatekeeper(store: store, isOpen: false)
        accountability = Accountability(store: store, ring: ring, publicAddress: publicAddress)
        for name in [Self.alder, Self.birch] { _ = try store.file(name, creating: true) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func administering(_ name: MunicipalityName = alder) async throws -> AdministerAccess { try await gatekeeper.administering(name, .controlSocket) }
    func reading(_ name: MunicipalityName = alder) async throws -> ReadAccess { try await gatekeeper.reading(name, .none) }

    /// Does something that is recorded.
    func act(_ count: Int = 1, in name: MunicipalityName = alder, at now: Instant = noon) async throws {
        let access = try await administering(name)
        for number in 0..<count { _ = try await gatekeeper.createToken(access, name: "team \(number)", right: .read, now: now) }
    }

    func checkpoint(_ name: MunicipalityName = alder, at now: Instant = noon) async throws -> CheckpointRow {
        try await accountability.checkpoint(reading(name), at: now)
    }
}
