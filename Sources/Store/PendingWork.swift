package import CityModel
internal import Synchronization

/// Tells whoever delivers notifications in which municipalities there is something to do. It says no more than that: what it
/// is stands in their files, so that nothing is lost when nobody listens. A file need not be open for it.
package final class PendingWork: Sendable {
    private struct State {
        var names: Set<MunicipalityName> = []
        var listener: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    package func publish(_ name: MunicipalityName) {
        let listener = state.withLock { state in
            state.names.insert(name)
            return state.listener
        }
        listener?()
    }

    /// The municipalities named since this was asked last.
    package func take() -> Set<MunicipalityName> {
        state.withLock { state in
            defer { state.names = [] }
            return state.names
        }
    }

    /// Calls `wake` whenever a municipality is named; there is one listener.
    package func listen(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.listener = wake } }
}
