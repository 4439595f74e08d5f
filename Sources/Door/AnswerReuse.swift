package import NIOCore
internal import Synchronization

/// Whether the answer to a request may be given again, within the same second, to whoever sends the same bytes. A door begins before it looks at anything, and allows it with
/// the answer: so that nothing can change unnoticed in between.
package final class AnswerReuse: Sendable {
    package typealias Condition = @Sendable () -> Bool

    /// How requests are answered that differ from the answered one in the last part of their path alone; the headers of the answer are the same.
    package struct Siblings: Sendable {
        /// - Returns: nil where it takes more than a moment, or the answer is of another kind.
        package typealias Body = @Sendable (_ part: String) -> SiblingBody?
        /// Whether they are still answered so.
        package let areCurrent: Condition
        package let body: Body

        package init(areCurrent: @escaping Condition, body: @escaping Body) { (self.areCurrent, self.body) = (areCurrent, body) }
    }

    package struct SiblingBody: Sendable {
        package let bytes: ByteBuffer
        /// Whether it may be given again.
        package let isCurrent: Condition

        package init(bytes: ByteBuffer, isCurrent: @escaping Condition) { (self.bytes, self.isCurrent) = (bytes, isCurrent) }
    }

    package struct Allowance: Sendable {
        /// Whether nothing has changed of what the answer rests on.
        package let isCurrent: Condition
        package let siblings: Siblings?

        package init(isCurrent: @escaping Condition, siblings: Siblings? = nil) { (self.isCurrent, self.siblings) = (isCurrent, siblings) }
    }

    private struct State {
        var conditions: (answer: Condition, siblings: Condition)?
        var allowance: Allowance?
    }

    private let state = Mutex(State())

    package init() {}

    /// - Parameter condition: whether nothing has changed of what the answer rests on.
    /// - Parameter siblingsCondition: whether nothing has changed of what the way rests on in which it is made.
    package func begin(while condition: @escaping Condition, siblingsWhile siblingsCondition: @escaping Condition) {
        state.withLock { $0 = State(conditions: (condition, siblingsCondition)) }
    }

    package func allow(_ sibling: Siblings.Body? = nil) {
        state.withLock { state in
            state.allowance = state.conditions.map { conditions in
                Allowance(isCurrent: conditions.answer, siblings: sibling.map { Siblings(areCurrent: conditions.siblings, body: $0) })
            }
        }
    }

    /// Nil where the answer may not be given again.
    package var allowance: Allowance? { state.withLock { $0.allowance } }
}
