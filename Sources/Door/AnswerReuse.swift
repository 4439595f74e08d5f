package import NIOCore
internal import Synchronization

/// Whether the answer to a request may be given again, within the same second, to whoever sends the same bytes. A door begins before it looks at anything, and allows it with
/// the answer: so that nothing can change unnoticed in between.
package final class AnswerReuse: Sendable {
    package typealias Condition = @Sendable () -> Bool
    /// The body of the answer to a request that differs from the answered one in the last part of its path alone; the headers are the same. Nil where it takes more than a
    /// moment or its answer is of another kind.
    package typealias Sibling = @Sendable (_ part: String) -> ByteBuffer?

    package struct Allowance: Sendable {
        /// Whether nothing has changed of what the answer rests on.
        package let isCurrent: Condition
        package let sibling: Sibling?

        package init(isCurrent: @escaping Condition, sibling: Sibling? = nil) { (self.isCurrent, self.sibling) = (isCurrent, sibling) }
    }

    private let state = Mutex((condition: Condition?.none, allowance: Allowance?.none))

    package init() {}

    /// - Parameter condition: whether nothing has changed of what the answer rests on.
    package func begin(while condition: @escaping Condition) { state.withLock { $0 = (condition, nil) } }

    package func allow(_ sibling: Sibling? = nil) {
        state.withLock { state in state.allowance = state.condition.map { Allowance(isCurrent: $0, sibling: sibling) } }
    }

    /// Nil where the answer may not be given again.
    package var allowance: Allowance? { state.withLock { $0.allowance } }
}
