package import CityModel
internal import GRDB
package import Query
internal import Series

/// When history is thinned.
package struct RetentionPolicy: Sendable {
    /// For what no source says how long it is kept; nil keeps it.
    package var standard: RetentionRule?
    package var now: Instant
    /// Old observations that were recorded since wait.
    package var settledBefore: Instant
    /// Rows of `instance` that one transaction deletes; those of one moment may be more.
    package var rowCountMax: Int
    let calendar: RetentionCalendar

    /// Rows of `summary` that one transaction takes.
    static let summaryRowCountMax = 8
    /// How long what was recorded of the past may be followed by more.
    package static let settlingSeconds = 86_400.0

    /// - Parameter zone: whose days history is summed up by.
    package init(_ standard: RetentionRule?, zone: CivilZone, at now: Instant, rowCountMax: Int = 2048) {
        (self.standard, self.now, self.rowCountMax) = (standard, now, max(1, rowCountMax))
        (settledBefore, calendar) = (now.adding(seconds: -Self.settlingSeconds), RetentionCalendar(zone))
    }
}

/// How far a walk over all series is.
package struct RetentionPosition: Sendable { fileprivate let series: SeriesKey }

/// What a step of retention did.
package struct RetentionStep: Sendable {
    /// Where to go on; nil when all series were looked at.
    package let next: RetentionPosition?
    /// Instances and summaries that were summed up or dropped.
    package var count = 0
    /// Why series were passed over; the next walk tries them again.
    package var faults: [String] = []
    /// Of the transactions that wrote, the one that took longest.
    package var longestTransaction = Duration.zero

    package init(next: RetentionPosition?) { self.next = next }
}

extension MunicipalityFile {
    /// Series that one step looks at.
    private static let surveyedCount = 256
    /// Series of one step that may fail; when there are more it is the file that does.
    private static let faultCountMax = 16

    /// Thins what is old of some series, as their rules say. Reading, summing up and packing hold nobody up; each part is then written in a
    /// transaction of its own, unless the series' entity was written meanwhile: then it is left for the next walk. So whatever
    /// happens a number is whole or in one summary.
    package func thin(_ policy: RetentionPolicy, after position: RetentionPosition? = nil) async throws -> RetentionStep {
        let (series, last) = try await read { try $0.ruled(policy, after: position?.series, limit: Self.surveyedCount) }
        var step = RetentionStep(next: last.map { RetentionPosition(series: $0) })
        for (series, borders) in series {
            do { try await thin(series, borders, policy, &step) } catch {
                guard step.faults.count < Self.faultCountMax, !(error is CancellationError) else { throw error }
                step.faults.append("series \(series.entity)/\(series.attribute)/\(series.dataset): \(error)")
            }
        }
        return step
    }

    private func thin(_ series: SeriesKey, _ borders: RetentionBorders, _ policy: RetentionPolicy, _ step: inout RetentionStep) async throws {
        // Most series have nothing to thin at most times; the writer hears of the others alone.
        guard try await read({ try $0.thinningPlan(of: series, borders, policy) != nil || $0.hasDroppedRow(of: series, before: borders.daily, policy) })
        else { return }
        while !Task.isCancelled, let done = try await thinPart(of: series, borders, policy) {
            step.count += done.count
            step.longestTransaction = max(step.longestTransaction, done.duration)
        }
        // What can still be summed up, but was being written to, waits for the next walk.
        guard try await read({ try $0.thinningPlan(of: series, borders, policy) == nil }) else { return }
        while !Task.isCancelled, let border = borders.daily, let done = try await dropRows(of: series, borders, before: border, policy) {
            step.count += done.count
            step.longestTransaction = max(step.longestTransaction, done.duration)
        }
    }

    /// - Returns: nil when nothing was thinned: there is nothing left, or others were writing.
    private func thinPart(
        of series: SeriesKey, _ borders: RetentionBorders, _ policy: RetentionPolicy
    ) async throws -> (count: Int, duration: Duration)? {
        let watch = try await watchHistory(of: [series.entity], before: Instant(microseconds: borders.raw))
        let plan = try await read { snapshot in
            // The rule may have been corrected since the walk came here.
            guard try snapshot.borders(of: series, policy) == borders else { return nil as ThinningPlan? }
            return try snapshot.thinningPlan(of: series, borders, policy)
        }
        guard let plan else { return nil }
        return try await write { transaction in
            let start = ContinuousClock.now
            transaction.watch = watch
            guard try transaction.thin(plan, policy) else { return nil }
            return (plan.count, .now - start)
        }
    }

    private func dropRows(
        of series: SeriesKey, _ borders: RetentionBorders, before border: Int64, _ policy: RetentionPolicy
    ) async throws -> (count: Int, duration: Duration)? {
        guard try await read({ try $0.borders(of: series, policy) == borders && $0.hasDroppedRow(of: series, before: border, policy) }) else { return nil }
        return try await write { transaction in
            let start = ContinuousClock.now
            return (try transaction.dropRows(of: series, before: border, policy), .now - start)
        }
    }
}

extension ReadSnapshot {
    /// Series from a position on that have a rule.
    /// - Returns: those; and the last series that was looked at, nil when there are no more.
    fileprivate func ruled(
        _ policy: RetentionPolicy, after position: SeriesKey?, limit: Int
    ) throws -> (series: [(SeriesKey, RetentionBorders)], last: SeriesKey?) {
        let rules = RetentionRules(standard: policy.standard, sources: try documents(.source))
        guard !rules.isEmpty else { return ([], nil) }
        var (found, last, source, bordersOf) = ([(SeriesKey, RetentionBorders)](), position, (entity: Int64.min, id: String?.none), [RetentionRule: RetentionBorders]())
        for _ in 0..<limit {
            guard let next = try nextKeptSeries(after: last) else { return (found, nil) }
            last = next
            if source.entity != next.entity { source = (next.entity, try self.source(of: next.entity)) }
            guard let name = terms.name(of: next.attribute), name != .scopeMember, let rule = rules.rule(name, of: source.id) else { continue }
            let borders = bordersOf[rule] ?? rule.borders(at: policy.now, policy.calendar)
            bordersOf[rule] = borders
            found.append((next, borders))
        }
        return (found, last)
    }

    /// What the rules say of one series now; nil where it is kept.
    fileprivate func borders(of series: SeriesKey, _ policy: RetentionPolicy) throws -> RetentionBorders? {
        let rules = RetentionRules(standard: policy.standard, sources: try documents(.source))
        return try terms.name(of: series.attribute).flatMap { rules.rule($0, of: try source(of: series.entity)) }?.borders(at: policy.now, policy.calendar)
    }

    /// The series after another, wherever something of it lies.
    private func nextKeptSeries(after position: SeriesKey?) throws -> SeriesKey? {
        var least: SeriesKey?
        for table in ["instance", "chunk", "summary"] {
            let condition = position == nil ? "" : "WHERE (\(SeriesKey.columns)) > (?, ?, ?)"
            let row = try row(
                "SELECT \(SeriesKey.columns) FROM \(table) \(condition) ORDER BY \(SeriesKey.columns) LIMIT 1", position?.arguments ?? [])
            guard let row else { continue }
            let next = SeriesKey(
                entity: try row.decode(Int64.self, atIndex: 0), attribute: try row.decode(Int64.self, atIndex: 1),
                dataset: try row.decode(String.self, atIndex: 2))
            if let known = least, known.isBefore(next) { continue }
            least = next
        }
        return least
    }

    /// The source that wrote an entity last, also one that is gone; empty where that is not known any more, nil when none did.
    package func source(of entity: Int64) throws -> String? {
        try row(
            """
            SELECT source FROM entity JOIN import_run ON import_run.id = entity.run WHERE entity.id = ?
            UNION ALL SELECT source FROM past_source WHERE past = ? LIMIT 1
            """, [entity, entity])?.decode(String?.self, atIndex: 0)
    }

    fileprivate static var droppedCondition: String { "\(SeriesKey.condition) AND at_us < ? AND at_us < ? AND at_us + late_us < ?" }

    /// Rows that were kept whole before, such as traces of deletions, and are dropped with the rest.
    fileprivate func hasDroppedRow(of series: SeriesKey, before border: Int64?, _ policy: RetentionPolicy) throws -> Bool {
        guard let border, let arguments = try droppedArguments(of: series, before: border, policy) else { return false }
        return try row("SELECT 1 FROM instance WHERE \(Self.droppedCondition) LIMIT 1", arguments) != nil
    }

    fileprivate func droppedArguments(of series: SeriesKey, before border: Int64, _ policy: RetentionPolicy) throws -> StatementArguments? {
        try heldMoment(of: series, before: border).map { series.arguments + [border, $0, policy.settledBefore.microseconds] }
    }
}

extension WriteTransaction {
    /// - Returns: false, having done nothing, when the entity's history was written to since the plan was made.
    func thin(_ plan: ThinningPlan, _ policy: RetentionPolicy) throws -> Bool {
        guard watch?.isUntouched(plan.series.entity) ?? false else { return false }
        touch(plan.series.entity)
        if let (replaced, rest) = plan.chunk {
            try removeChunk(replaced)
            guard db.changesCount == 1 else { return false }
            if let rest { try insert(rest, of: plan.series) }
        }
        if let rows = plan.rows { try remove(rows.span, but: rows.kept, rows.count, of: plan.series, policy) }
        for id in plan.summaries.removed where try !removeSummaries(id) {
            throw CityError.internalFault("summaries \(id) were to be exchanged and are not there")
        }
        for summaries in plan.summaries.added { try insert(summaries, of: plan.series) }
        try note(plan.facts, of: plan.series)
        return true
    }

    private func remove(_ span: ClosedRange<Int64>, but kept: [Int64], _ count: Int, of series: SeriesKey, _ policy: RetentionPolicy) throws {
        let arguments = series.arguments + [span.lowerBound, span.upperBound, policy.settledBefore.microseconds, "\(kept)"]
        try execute(
            """
            DELETE FROM instance WHERE \(SeriesKey.condition) AND at_us BETWEEN ? AND ? AND \(ThinningRule.condition)
            AND at_us NOT IN (SELECT value FROM json_each(?))
            """, arguments)
        guard db.changesCount == count else {
            throw CityError.internalFault("\(db.changesCount) rows were to be summed up where \(count) were read")
        }
        try removeNames(of: series, in: span)
    }

    /// Removes the identifiers of instances of a span that were moved and are gone.
    private func removeNames(of series: SeriesKey, in span: ClosedRange<Int64>) throws {
        try execute(
            """
            DELETE FROM instance_name WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us BETWEEN ? AND ? AND NOT EXISTS (
                SELECT 1 FROM instance WHERE instance.entity = instance_name.entity AND instance.attribute = instance_name.attribute
                AND instance.dataset = instance_name.dataset AND instance.at_us = instance_name.at_us AND instance.late_us = instance_name.late_us)
            """, series.arguments + [span.lowerBound, span.upperBound])
    }

    /// What goes with rows that no summary has counted: numbers that expire by themselves among them.
    private func droppedFacts(of doomed: String, _ arguments: StatementArguments, before border: Int64) throws -> [Int: ThinnedFacts] {
        var facts: [Int: ThinnedFacts] = [:]
        let cursor = try rows(
            """
            SELECT form / \(InstanceForm.classificationUnit), min(at_us), max(at_us), typeof(\(Opened.value)) IN ('integer', 'real') AS is_number FROM (\(doomed))
            WHERE form & \(InstanceForm.deletionBit) = 0 GROUP BY 1, 4
            """, arguments)
        while let row = try cursor.next() {
            let rank = try row.decode(Int.self, atIndex: 0)
            for moment in [try row.decode(Int64.self, atIndex: 1), try row.decode(Int64.self, atIndex: 2)] {
                if try row.decode(Bool.self, atIndex: 3) {
                    facts[rank, default: ThinnedFacts()].addNumber(at: moment, periodEnd: border)
                    facts[rank]?.addDropped(until: border)
                } else {
                    facts[rank, default: ThinnedFacts()].addOther(at: moment)
                }
            }
        }
        return facts
    }

    /// - Returns: how many rows were removed.
    fileprivate func dropRows(of series: SeriesKey, before border: Int64, _ policy: RetentionPolicy) throws -> Int {
        guard let arguments = try droppedArguments(of: series, before: border, policy) else { return 0 }
        let doomed = "SELECT \(InstanceKey.columns), form, value FROM instance WHERE \(Self.droppedCondition) ORDER BY at_us, late_us LIMIT ?"
        let all = arguments + [policy.rowCountMax]
        let facts = try droppedFacts(of: doomed, all, before: border)
        try execute("DELETE FROM instance WHERE (\(InstanceKey.columns)) IN (SELECT \(InstanceKey.columns) FROM (\(doomed)))", all)
        let count = db.changesCount
        try removeNames(of: series, in: .min...border)
        try note(facts, of: series)
        touch(series.entity)
        return count
    }
}

extension SeriesKey {
    /// In the order of the tables, where texts are in that of their bytes.
    fileprivate func isBefore(_ other: SeriesKey) -> Bool {
        if (entity, attribute) != (other.entity, other.attribute) { return (entity, attribute) < (other.entity, other.attribute) }
        return dataset.utf8.lexicographicallyPrecedes(other.dataset.utf8)
    }
}
