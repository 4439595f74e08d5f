import Dispatch

/// Runs what suspends to its end: entries are called by what knows of no tasks.
func blocking(_ body: @escaping @Sendable () async -> Void) {
    let end = DispatchSemaphore(value: 0)
    Task.detached {
        await body()
        end.signal()
    }
    end.wait()
}
