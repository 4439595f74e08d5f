package import CityModel
internal import GRDB
internal import Series

/// When parts of series are packed into chunks.
package struct SealingPolicy: Hashable, Sendable {
    /// What was observed before is packed.
    package var before: Instant
    /// Fewer rows of one part of a series stay rows.
    package var rowCountMin: Int
    /// Records of one chunk at most.
    package var chunkCountMax: Int

    /// Rows of one transaction: so few that the writer is soon free again.
    var rowCountMax: Int { min(4096, chunkCountMax / 2) }
    /// Bytes of texts and documents of one transaction, but for one moment that has more.
    let rowByteCountMax = 4 << 20
    /// Of those of one chunk; the rest to what a chunk's dictionary takes is for the last moment.
    let chunkByteCountMax = 6 << 20
    /// Records of one moment that are packed. Where a clock stands still there are more: each that came late would undo them all.
    static let momentCountMax = 16
    /// Such moments that one transaction goes past.
    static let crowdedCountMax = 256
    /// What is longer, in characters or bytes, stays a row.
    static let valueCountMax = 1 << 16

    package init(before: Instant, rowCountMin: Int = 1024, chunkCountMax: Int = 32_768) {
        (self.before, self.rowCountMin, self.chunkCountMax) = (before, max(1, rowCountMin), min(max(4, chunkCountMax), Chunk.countMax / 2))
    }
}

/// How far a walk over all series is.
package struct SealingPosition: Sendable {
    fileprivate let series: SeriesKey
}

/// What a step of sealing did.
package struct SealingStep: Sendable {
    /// Where to go on; nil when all series were looked at.
    package let next: SealingPosition?
    /// Rows that became records of chunks.
    package var rowCount = 0
    /// Why series were passed over; the next walk tries them again.
    package var faults: [String] = []
    /// Of the transactions that wrote, the one that took longest.
    package var longestTransaction = Duration.zero

    package init(next: SealingPosition?) { self.next = next }
}

extension MunicipalityFile {
    /// Series that one step looks at.
    private static let surveyedCount = 256
    /// Series of one step that may fail; when there are more it is the file that does.
    private static let faultCountMax = 16

    /// Packs what is old of some series. Reading and packing hold nobody up; each part is then written in a transaction of its
    /// own, unless the series' entity was written meanwhile: then it is left for the next walk. A series that can't be sealed, as
    /// when its chunk is damaged, holds up no other.
    package func seal(_ policy: SealingPolicy, after position: SealingPosition? = nil) async throws -> SealingStep {
        let (candidates, last) = try await read { try $0.sealable(policy, after: position?.series, limit: Self.surveyedCount) }
        var step = SealingStep(next: last.map(SealingPosition.init))
        for series in candidates {
            do { try await seal(series, policy, &step) } catch {
                guard step.faults.count < Self.faultCountMax, !(error is CancellationError) else { throw error }
                step.faults.append("series \(series.entity)/\(series.attribute)/\(series.dataset): \(error)")
            }
        }
        return step
    }

    private func seal(_ series: SeriesKey, _ policy: SealingPolicy, _ step: inout SealingStep) async throws {
        while !Task.isCancelled, let sealed = try await sealPart(of: series, policy) {
            step.rowCount += sealed.rowCount
            step.longestTransaction = max(step.longestTransaction, sealed.duration)
        }
    }

    /// - Returns: nil when nothing was sealed: there is nothing left, or others were writing.
    private func sealPart(of series: SeriesKey, _ policy: SealingPolicy) async throws -> (rowCount: Int, duration: Duration)? {
        let watch = try await watchHistory(of: [series.entity], before: policy.before)
        guard let plan = try await read({ try $0.sealingPlan(of: series, policy) }) else { return nil }
        return try await write { transaction in
            let start = ContinuousClock.now
            transaction.watch = watch
            guard try transaction.seal(plan) else { return nil }
            return (plan.rowCount, .now - start)
        }
    }
}

/// A part of a series, read and packed.
struct SealingPlan: Sendable {
    let series: SeriesKey
    /// The chunk that is packed anew with the rows.
    let replaced: ChunkSpan?
    /// The moments of the rows.
    let rows: ClosedRange<Int64>
    /// Moments between them of which the rows stay.
    let crowded: [Int64]
    let rowCount: Int
    let chunks: [PackedChunk]
}

extension WriteTransaction {
    /// - Returns: false, having done nothing, when the entity's history was written to since the plan was made, or the chunk that is
    ///   replaced is no longer there.
    func seal(_ plan: SealingPlan) throws -> Bool {
        guard watch?.isUntouched(plan.series.entity) ?? false else { return false }
        touch(plan.series.entity, at: plan.replaced?.from ?? plan.rows.lowerBound)
        if let replaced = plan.replaced {
            try removeChunk(replaced)
            guard db.changesCount == 1 else { return false }
        }
        try execute(
            """
            DELETE FROM instance WHERE \(SeriesKey.condition) AND at_us BETWEEN ? AND ? AND \(SealingRule.condition)
            AND at_us NOT IN (SELECT value FROM json_each(?))
            """, plan.series.arguments + [plan.rows.lowerBound, plan.rows.upperBound, "\(plan.crowded)"])
        guard db.changesCount == plan.rowCount else {
            throw CityError.internalFault("\(db.changesCount) rows were to be sealed where \(plan.rowCount) were read")
        }
        for chunk in plan.chunks { try insert(chunk, of: plan.series) }
        return true
    }
}

/// What can be sealed of rows.
enum SealingRule {
    /// Traces of deletions are few; what expires is erased by an index; what was moved is found by its name; what is
    /// large gains nothing.
    static let condition = """
        form & \(InstanceForm.deletionBit) = 0 AND expires_us IS NULL
        AND CASE WHEN \(Opened.isSealed("value"))
            THEN \(isSmall("opened_value(value)", "opened_unit(value)", "opened_rest(value)")) ELSE \(isSmall("value", "unit", "rest")) END
        """

    private static func isSmall(_ value: String, _ unit: String, _ rest: String) -> String {
        """
        (typeof(\(value)) IN ('integer', 'real') OR length(\(value)) <= \(SealingPolicy.valueCountMax))
        AND (\(unit) IS NULL OR length(\(unit)) <= \(SealingPolicy.valueCountMax))
        AND (\(rest) IS NULL OR length(\(rest)) <= \(SealingPolicy.valueCountMax) AND instr(\(rest), CAST('"instanceId"' AS BLOB)) = 0)
        """
    }
}
