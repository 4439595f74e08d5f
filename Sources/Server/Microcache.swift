internal import Door
internal import Foundation
internal import NIOCore
internal import Synchronization

/// Answers of the current second, by the bytes of their requests. Who shows many the same, or asks again and again, is answered from here, as long as nothing is written to
/// the municipality: what was acknowledged is never missing from an answer, and what changes by the clock alone is so a second late at most.
final class Microcache: Sendable {
    struct Answer: Sendable {
        let bytes: ByteBuffer
        let isCurrent: AnswerReuse.Condition
        /// The template of the route, for the figures.
        let route: String
    }

    enum Finding {
        case answer(Answer)
        /// It was asked before in this second, and its answer may be kept.
        case repeated
        case new
    }

    private struct State {
        var second: time_t = 0
        var answers: [ByteBuffer: Answer] = [:]
        var byteCount = 0
        /// Hashes of what was asked in this second: what is asked once is not kept.
        var asked: Set<Int> = []

        mutating func turn(_ now: time_t) {
            guard second != now else { return }
            second = now
            answers.removeAll(keepingCapacity: answers.capacity < 4096)
            asked.removeAll(keepingCapacity: true)
            byteCount = 0
        }
    }

    static let requestByteCountMax = 4096
    private static let answerByteCountMax = 1 << 18
    private static let askedCountMax = 16_384

    /// Seconds after which a request of each connection goes all the way in any case, for those further up who watch whether something happens on it; 0: all do.
    let passingSeconds: Int
    private let byteCountMax: Int
    private let state = Mutex(State())

    /// - Parameter idleSecondsMax: after which connections are closed on which nothing is seen to happen.
    init(byteCountMax: Int, idleSecondsMax: Int = 60) { (self.byteCountMax, passingSeconds) = (byteCountMax, min(5, idleSecondsMax / 3)) }

    func find(_ request: ByteBuffer, at now: time_t) -> Finding {
        state.withLock { state in
            state.turn(now)
            if let answer = state.answers[request] {
                if answer.isCurrent() { return .answer(answer) }
                state.answers[request] = nil
                state.byteCount -= request.readableBytes + answer.bytes.readableBytes
                return .repeated
            }
            let hash = request.hashValue
            guard !state.asked.contains(hash) else { return .repeated }
            if state.asked.count < Self.askedCountMax { state.asked.insert(hash) }
            return .new
        }
    }

    /// - Parameter second: that in which the request came. An answer that took until the next one is not kept, for it says another moment than it was asked in.
    func keep(_ answer: Answer, to request: ByteBuffer, of second: time_t) {
        let byteCount = request.readableBytes + answer.bytes.readableBytes
        guard byteCount <= Self.answerByteCountMax, time(nil) == second else { return }
        state.withLock { state in
            guard state.second == second, state.answers[request] == nil, state.byteCount + byteCount <= byteCountMax else { return }
            state.answers[request] = answer
            state.byteCount += byteCount
        }
    }
}
