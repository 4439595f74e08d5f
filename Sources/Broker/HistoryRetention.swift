package import CityModel
internal import Query
package import Store

/// Thins what is old of the history of every municipality that is open, as its sources and the installation say, in small steps:
/// one walk over all series of all of them after the other. Keeps nothing but where it is.
package struct HistoryRetention: Sendable {
    private let store: Store
    private let standard: RetentionRule?
    private let zone: CivilZone
    private let settlingSeconds: Int
    /// Of a walk; nil before one.
    private var waiting: [MunicipalityName]?
    private var position: RetentionPosition?

    /// - Parameter standard: for what no source says how long it is kept; nil keeps it.
    /// - Parameter zone: the IANA name of the zone whose days history is summed up by.
    /// - Parameter settlingSeconds: how long what was recorded of the past may be followed by more.
    package init(broker: Broker, standard: RetentionRule?, zone: String, settlingSeconds: Int) {
        (store, self.standard, self.zone, self.settlingSeconds) = (broker.store, standard, CivilZone(zone) ?? .utc, settlingSeconds)
    }

    /// Looks at some series of one municipality.
    /// - Returns: nil when a walk is over; the next step begins another.
    package mutating func step(at now: Instant) async throws -> RetentionStep? {
        if waiting == nil { waiting = store.openCityFiles.map(\.name).sorted() }
        guard let name = waiting?.first else {
            waiting = nil
            return nil
        }
        var step = RetentionStep(next: nil)
        // One that was closed or removed meanwhile, or that fails, waits for the next walk.
        defer { if step.next == nil { waiting?.removeFirst() } }
        defer { position = step.next }
        guard let file = store.openFiles.first(where: { $0.name == name }) else { return step }
        var policy = RetentionPolicy(standard, zone: zone, at: now)
        policy.settledBefore = now.adding(seconds: -Double(settlingSeconds))
        step = try await file.thin(policy, after: position)
        return step
    }
}
