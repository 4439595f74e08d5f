internal import Dispatch
internal import Synchronization

/// Where pictures are prepared: beside the threads that serve requests and one at a time, so that the memory for it is bounded. Others wait in a line with
/// their bytes; when that is long, whoever comes is told to come again.
package final class PhotoWorkshop: Sendable {
    private let queue = DispatchQueue(label: "conurb.photos", qos: .utility)
    private let count = Mutex(0)
    private let countMax: Int

    /// - Parameter waitingCountMax: how many may wait besides the one that is prepared. Each holds its bytes meanwhile.
    package init(waitingCountMax: Int = 8) { countMax = waitingCountMax + 1 }

    /// How many are in it: being prepared or waiting.
    package var occupancy: Int { count.withLock { $0 } }

    package func prepare(_ bytes: [UInt8], limits: PhotoLimits = PhotoLimits()) async throws(PhotoFault) -> Photo {
        try await run { () throws(PhotoFault) in try Photo.prepared(from: bytes, limits: limits) }
    }

    /// For work on pictures that are there, such as a thumbnail.
    /// - Throws: what `work` throws, and `busy`.
    package func run<Value: Sendable>(_ work: @escaping @Sendable () throws(PhotoFault) -> Value) async throws(PhotoFault) -> Value {
        let isFree = count.withLock { count in
            guard count < countMax else { return false }
            count += 1
            return true
        }
        guard isFree else { throw .busy }
        let result: Result<Value, PhotoFault> = await withCheckedContinuation { continuation in
            queue.async { [self] in
                let result = Result(catching: work)
                count.withLock { $0 -= 1 }
                continuation.resume(returning: result)
            }
        }
        return try result.get()
    }
}
