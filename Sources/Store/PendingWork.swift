package import CityModel
internal import Synchronization

/// Tells whoever delivers notifications in which municipalities there is something to do. It says no more than that: what it
/// is stands in their files, so that nothing is lost when nobody listens. A file need not be open for it.
package final class PendingWork: Sendable {
    private struct State {
        var queues: [MunicipalityName: Set<String>] = [:]
        var listener: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    /// - Parameter wokenQueues: subscriptions whose notifications need not wait any longer.
    package func publish(_ name: MunicipalityName, wokenQueues: Set<String> = []) {
        let listener = state.withLock { state in
            state.queues[name, default: []].formUnion(wokenQueues)
            return state.listener
        }
        listener?()
    }

    /// The municipalities named since this was asked last, each with the queues that were woken.
    package func take() -> [MunicipalityName: Set<String>] {
        state.withLock { state in
            defer { state.queues = [:] }
            return state.queues
        }
    }

    /// Calls `wake` whenever a municipality is named; there is one listener.
    package func listen(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.listener = wake } }
}
