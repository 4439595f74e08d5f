package import CityModel
internal import OrderedCollections
internal import Synchronization

/// Tells whoever passes subscriptions on in which municipalities subscriptions or registrations are others than they were, and whose
/// turn it is: some municipalities at a time, each of them once, in the order in which they came. What there is to do stands in
/// their files.
package final class PassingWork: Sendable {
    private struct State {
        var waiting: OrderedSet<MunicipalityName> = []
        var busy: Set<MunicipalityName> = []
        var dues: [MunicipalityName: Instant] = [:]
        var isFinished = false
    }

    private let state = Mutex(State())
    private let waker: AsyncStream<Void>.Continuation
    let wakes: AsyncStream<Void>
    private static let busyCountMax = 4

    package init() { (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    package func publish(_ name: MunicipalityName) {
        state.withLock { _ = $0.waiting.append(name) }
        waker.yield()
    }

    /// Publishes it at a moment, unless another moment is said before.
    func publish(_ name: MunicipalityName, at due: Instant) { state.withLock { $0.dues[name] = due } }

    func publishDue(at now: Instant) {
        let due = state.withLock { state in
            let due = state.dues.filter { $0.value <= now }.keys
            for name in due { state.dues[name] = nil }
            return due
        }
        for name in due { publish(name) }
    }

    /// Lets those begin that have their turn: `end` has to follow for each.
    func begin() -> [MunicipalityName] {
        state.withLock { state in
            let ready = state.waiting.filter { !state.busy.contains($0) }.prefix(max(0, Self.busyCountMax - state.busy.count))
            state.waiting.subtract(ready)
            state.busy.formUnion(ready)
            return Array(ready)
        }
    }

    func end(_ name: MunicipalityName) {
        state.withLock { _ = $0.busy.remove(name) }
        waker.yield()
    }

    /// Whether no further source is to be asked.
    var isFinished: Bool { state.withLock { $0.isFinished } }

    /// Ends `wakes`.
    func finish() {
        state.withLock { $0.isFinished = true }
        waker.finish()
    }
}
