internal import Synchronization

/// Whether the answer to a request may be given again, within the same second, to whoever sends the same bytes. A door begins before it looks at anything, and allows it with
/// the answer: so that nothing can change unnoticed in between.
package final class AnswerReuse: Sendable {
    package typealias Condition = @Sendable () -> Bool
    private let state = Mutex((condition: Condition?.none, isAllowed: false))

    package init() {}

    /// - Parameter condition: whether nothing has changed of what the answer rests on.
    package func begin(while condition: @escaping Condition) { state.withLock { $0 = (condition, false) } }

    package func allow() { state.withLock { $0.isAllowed = true } }

    /// Nil where the answer may not be given again.
    package var condition: Condition? { state.withLock { $0.isAllowed ? $0.condition : nil } }
}
