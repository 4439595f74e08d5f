package import CityModel
package import Store

/// Packs what is old of the history of every municipality that is open, in small steps: one walk over all series of all of them
/// after the other. Keeps nothing but where it is; whoever begins anew loses no more than the way.
package struct HistorySealing: Sendable {
    private let store: Store
    private let ageSeconds: Int
    private let rowCountMin: Int
    /// Of a walk; nil before one.
    private var waiting: [MunicipalityName]?
    private var position: SealingPosition?

    /// - Parameter ageSeconds: what was observed longer ago is packed.
    /// - Parameter rowCountMin: of a series' part that has fewer rows, these stay.
    package init(broker: Broker, ageSeconds: Int, rowCountMin: Int) {
        (store, self.ageSeconds, self.rowCountMin) = (broker.store, ageSeconds, rowCountMin)
    }

    /// Looks at some series of one municipality.
    /// - Returns: nil when a walk is over; the next step begins another.
    package mutating func step(at now: Instant) async throws -> SealingStep? {
        if waiting == nil { waiting = store.openCityFiles.map(\.name).sorted() }
        guard let name = waiting?.first else {
            waiting = nil
            return nil
        }
        let before = Instant(microseconds: now.microseconds - Int64(ageSeconds) * 1_000_000)
        var step = SealingStep(next: nil)
        // One that was closed or removed meanwhile, or that fails, waits for the next walk.
        defer { if step.next == nil { waiting?.removeFirst() } }
        defer { position = step.next }
        guard let file = store.openFiles.first(where: { $0.name == name }) else { return step }
        step = try await file.seal(SealingPolicy(before: before, rowCountMin: rowCountMin), after: position)
        return step
    }
}
