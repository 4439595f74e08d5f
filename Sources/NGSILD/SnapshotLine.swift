internal import CityModel
internal import OrderedCollections
internal import Synchronization

/// Whose snapshots are prepared next: some municipalities at a time, each of them once, in the order in which they came.
final class SnapshotLine: Sendable {
    private struct State {
        var waiting: OrderedSet<MunicipalityName> = []
        var busy: Set<MunicipalityName> = []
    }

    private let state = Mutex(State())
    private let countMax: Int

    init(countMax: Int) { self.countMax = countMax }

    /// Puts these at the end of the line, and lets those begin that have their turn: `end` has to follow for each.
    func begin(adding names: Set<MunicipalityName>) -> [MunicipalityName] {
        state.withLock { state in
            state.waiting.append(contentsOf: names.sorted { $0.text < $1.text })
            let ready = state.waiting.filter { !state.busy.contains($0) }.prefix(max(0, countMax - state.busy.count))
            state.waiting.subtract(ready)
            state.busy.formUnion(ready)
            return Array(ready)
        }
    }

    func end(_ name: MunicipalityName) { state.withLock { _ = $0.busy.remove(name) } }
}
