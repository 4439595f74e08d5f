internal import Door
internal import Foundation
internal import NIOCore
internal import Synchronization

/// Answers of the current second, by the bytes of their requests. Who shows many the same, or asks again and again, is answered from here, as long as nothing is written to
/// the municipality: what was acknowledged is never missing from an answer, and what changes by the clock alone is so a second late at most. Of requests that differ in the
/// last part of their path alone it keeps how they are answered (`FamilyAnswer`), where their door says so.
final class Microcache: Sendable {
    struct Answer: Sendable {
        let bytes: ByteBuffer
        let isCurrent: AnswerReuse.Condition
        /// The template of the route, for the figures.
        let route: String
    }

    enum Finding {
        case answer(Answer)
        /// - isRepeated: whether these very bytes were asked before in this second, so that the answer to them may be kept.
        case family(FamilyAnswer, isRepeated: Bool)
        /// Another of its family was asked before in this second, so that it may be kept how they are answered.
        case related(isRepeated: Bool)
        /// It was asked before in this second, and its answer may be kept.
        case repeated
        case new
    }

    private struct State {
        var second: time_t = 0
        var answers: [ByteBuffer: Answer] = [:]
        var families: [RequestFamily: FamilyAnswer] = [:]
        var byteCount = 0
        /// Hashes of what was asked in this second: what is asked once is not kept.
        var asked: Set<Int> = []

        mutating func turn(_ now: time_t) {
            guard second != now else { return }
            second = now
            answers.removeAll(keepingCapacity: answers.capacity < 4096)
            families.removeAll()
            asked.removeAll(keepingCapacity: true)
            byteCount = 0
        }

        /// Whether it was asked before; from now on it was.
        mutating func ask(_ hash: Int) -> Bool { asked.count < Microcache.askedCountMax ? !asked.insert(hash).inserted : asked.contains(hash) }

        /// - Returns: false where there is no room for it.
        mutating func take(_ byteCount: Int, _ byteCountMax: Int) -> Bool {
            guard self.byteCount + byteCount <= byteCountMax else { return false }
            self.byteCount += byteCount
            return true
        }
    }

    static let requestByteCountMax = 4096
    static let answerByteCountMax = 1 << 18
    /// They hold more than their bytes: what the parameters of the request came to.
    private static let familyCountMax = 128
    private static let askedCountMax = 16_384

    /// Seconds after which a request of each connection goes all the way in any case, for those further up who watch whether something happens on it; 0: all do.
    let passingSeconds: Int
    private let byteCountMax: Int
    private let state = Mutex(State())

    /// - Parameter idleSecondsMax: after which connections are closed on which nothing is seen to happen.
    init(byteCountMax: Int, idleSecondsMax: Int = 60) { (self.byteCountMax, passingSeconds) = (byteCountMax, min(5, idleSecondsMax / 3)) }

    func find(_ request: ByteBuffer, _ family: RequestFamily?, at now: time_t) -> Finding {
        state.withLock { state in
            state.turn(now)
            if let answer = state.answers[request] {
                if answer.isCurrent() { return .answer(answer) }
                state.answers[request] = nil
                state.byteCount -= answer.byteCount(request)
                return .repeated
            }
            let isRepeated = state.ask(request.hashValue)
            guard let family else { return isRepeated ? .repeated : .new }
            if let answer = state.families[family] {
                if answer.isCurrent() { return .family(answer, isRepeated: isRepeated) }
                state.families[family] = nil
                state.byteCount -= answer.byteCount(family)
                return .related(isRepeated: isRepeated)
            }
            if state.ask(family.hashValue) { return .related(isRepeated: isRepeated) }
            return isRepeated ? .repeated : .new
        }
    }

    /// - Parameter second: that in which the request came. An answer that took until the next one is not kept, for it says another moment than it was asked in.
    func keep(_ answer: Answer, to request: ByteBuffer, of second: time_t) {
        let byteCount = answer.byteCount(request)
        guard byteCount <= Self.answerByteCountMax, time(nil) == second, answer.isCurrent() else { return }
        state.withLock { state in
            guard state.second == second, state.answers[request] == nil, state.take(byteCount, byteCountMax) else { return }
            state.answers[ByteBuffer(bytes: request.readableBytesView)] = answer
        }
    }

    /// The same for all of a family.
    func keep(_ answer: FamilyAnswer, to family: RequestFamily, of second: time_t) {
        guard time(nil) == second, let family = family.copy else { return }
        state.withLock { state in
            guard state.second == second, state.families.count < Self.familyCountMax, state.families[family] == nil else { return }
            guard state.take(answer.byteCount(family), byteCountMax) else { return }
            state.families[family] = answer
        }
    }
}

extension Microcache.Answer {
    fileprivate func byteCount(_ request: ByteBuffer) -> Int { request.readableBytes + bytes.readableBytes }
}
