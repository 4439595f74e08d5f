internal import CityModel
internal import Store
internal import Subscriptions
internal import Synchronization

/// The registrations of recent municipalities, read and checked, as long as the files say the same. Looking at a municipality
/// that has none costs two locks and reads nothing. One that can't be read is passed over, so that it fails nobody's requests; of one
/// that keeps writes from this broker what it registers is kept.
package final class RegistrationCatalogue: Sendable {
    package struct Edition: Sendable {
        let revision: Int64
        package let registrations: [Registration]
    }

    private let state = Mutex<[MunicipalityName: Edition]>([:])
    private static let municipalityCountMax = 256

    private let report: @Sendable (MunicipalityName, PassedOver) -> Void

    /// - Parameter report: told of registrations that can't be read.
    init(report: @escaping @Sendable (MunicipalityName, PassedOver) -> Void) { self.report = report }

    func registrations(of file: MunicipalityFile) async throws -> [Registration] {
        // Asked before the reading: what is written meanwhile makes this edition an old one.
        let revision = file.registrations.revision
        if let edition = state.withLock({ $0[file.name] }), edition.revision == revision { return edition.registrations }
        let registrations = try await file.read { try $0.registrations() }.compactMap { record in
            do { return try Registration(record) } catch {
                report(file.name, PassedOver(registration: record.id, reason: error))
                return Registration(remnantOf: record)
            }
        }
        state.withLock { state in
            if state[file.name] == nil, state.count >= Self.municipalityCountMax { state.removeAll() }
            state[file.name] = Edition(revision: revision, registrations: registrations)
        }
        return registrations
    }
}

extension Registration {
    init(_ record: RegistrationRecord) throws {
        guard let id = IRI(record.id) else { throw CityError.internalFault("a stored registration has no identifier") }
        self = try RegistrationDocument(record.body).registration(id)
    }
}
