internal import Broker
package import CityModel
internal import OrderedCollections
package import Trust

/// Keeps figures for a minute, for whoever may see the same; makes one at a time, since each reads many cases.
package actor FiguresKeeper<Question: Hashable & Sendable, Figures: Sendable> {
    package typealias Making = @Sendable (Question, ReadAccess, Instant) async throws -> Figures

    private struct Key: Hashable {
        let question: Question
        let access: ReadAccess
        /// Of the file, its rules and its consents: what is withdrawn is withdrawn at once.
        let revisions: [UInt64]
    }

    private let broker: Broker
    private let make: Making
    private var kept: OrderedDictionary<Key, (figures: Figures, at: ContinuousClock.Instant)> = [:]
    private var making: [Key: Task<Figures, any Error>] = [:]
    private var last: Task<Figures, any Error>?

    private static var countMax: Int { 16 }
    private static var makingCountMax: Int { 8 }
    private static var lifetime: Duration { .seconds(60) }

    package init(desk: CaseDesk, make: @escaping Making) { (broker, self.make) = (desk.broker, make) }

    /// - Throws: `overloaded` where many others wait for theirs.
    package func figures(_ question: Question, _ access: ReadAccess, at now: Instant) async throws -> Figures {
        let revisions = [try broker.incarnation(access), UInt64(bitPattern: try broker.rulesRevision(access))]
        let key = Key(question: question, access: access, revisions: revisions)
        if let known = kept[key], ContinuousClock.now - known.at < Self.lifetime { return known.figures }
        if let task = making[key] { return try await task.value }
        guard making.count < Self.makingCountMax else { throw CityError.overloaded("figures: many are being made; come again in a moment") }
        // Each waits for the one before; whoever asks for the same meanwhile waits for the same.
        let task = Task { [make, last] in
            _ = await last?.result
            return try await make(question, access, now)
        }
        (making[key], last) = (task, task)
        defer { making[key] = nil }
        let figures = try await task.value
        kept.removeValue(forKey: key)
        kept[key] = (figures, .now)
        if kept.count > Self.countMax { kept.removeFirst() }
        return figures
    }
}
