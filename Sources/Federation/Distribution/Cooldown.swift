internal import CityModel
internal import Synchronization

/// Which sources are left alone for a while after they failed (clause 5.2.34).
final class Cooldown: Sendable {
    private struct Key: Hashable { let municipality: MunicipalityName, registration: IRI }
    private let until = Mutex<[Key: Instant]>([:])
    private static let countMax = 10_000

    func isCooling(_ registration: IRI, in municipality: MunicipalityName, at now: Instant) -> Bool {
        until.withLock { until in until[Key(municipality: municipality, registration: registration)].map { now < $0 } ?? false }
    }

    func note(_ succeeded: Bool, _ registration: Registration, in municipality: MunicipalityName, at now: Instant) {
        let key = Key(municipality: municipality, registration: registration.id)
        guard let seconds = registration.management.cooldownSeconds else { return }
        until.withLock { until in
            if until.count >= Self.countMax { until = until.filter { now < $0.value } }
            until[key] = succeeded ? nil : now.adding(seconds: seconds)
        }
    }
}
