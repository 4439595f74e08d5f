package import CityModel
internal import Synchronization

/// Tells whoever passes subscriptions on in which municipalities subscriptions or registrations are others than they were. What
/// there is to do stands in their files.
package final class PassingWork: Sendable {
    private let names = Mutex<Set<MunicipalityName>>([])
    private let dues = Mutex<[MunicipalityName: Instant]>([:])
    private let waker: AsyncStream<Void>.Continuation
    let wakes: AsyncStream<Void>

    package init() { (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    package func publish(_ name: MunicipalityName) {
        names.withLock { _ = $0.insert(name) }
        waker.yield()
    }

    /// Publishes it at a moment, unless it is published before and says otherwise.
    func publish(_ name: MunicipalityName, at due: Instant) { dues.withLock { $0[name] = due } }

    func publishDue(at now: Instant) {
        let due = dues.withLock { dues in
            let due = dues.filter { $0.value <= now }.keys
            for name in due { dues[name] = nil }
            return due
        }
        for name in due { publish(name) }
    }

    func take() -> Set<MunicipalityName> {
        names.withLock { names in
            defer { names = [] }
            return names
        }
    }

    /// Ends `wakes`.
    func finish() { waker.finish() }
}
