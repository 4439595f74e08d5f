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

    /// Rows of one transaction: half a chunk, so that two fill one and the writer is soon free again.
    var rowCountMax: Int { chunkCountMax / 2 }

    package init(before: Instant, rowCountMin: Int = 1024, chunkCountMax: Int = 8192) {
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
    /// Of the transactions that wrote, the one that took longest.
    package var longestTransaction = Duration.zero

    package init(next: SealingPosition?) { self.next = next }
}

extension MunicipalityFile {
    /// Series that one step looks at.
    private static let surveyedCount = 256

    /// Packs what is old of some series. Reading and packing hold nobody up; each part is then written in a transaction of its
    /// own, unless the series' entity was written meanwhile: then it is left for the next walk.
    package func seal(_ policy: SealingPolicy, after position: SealingPosition? = nil) async throws -> SealingStep {
        let (candidates, last) = try await read { try $0.sealable(policy, after: position?.series, limit: Self.surveyedCount) }
        var step = SealingStep(next: last.map(SealingPosition.init))
        for series in candidates {
            while !Task.isCancelled, let sealed = try await sealPart(of: series, policy) {
                step.rowCount += sealed.rowCount
                step.longestTransaction = max(step.longestTransaction, sealed.duration)
            }
        }
        return step
    }

    /// - Returns: nil when nothing was sealed: there is nothing left, or others were writing.
    private func sealPart(of series: SeriesKey, _ policy: SealingPolicy) async throws -> (rowCount: Int, duration: Duration)? {
        try await write { $0.sealing.watch(series, before: policy.before.microseconds) }
        guard let plan = try await read({ try $0.sealingPlan(of: series, policy) }) else { return nil }
        return try await write { transaction in
            let start = ContinuousClock.now
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
    let rowCount: Int
    let chunks: [PackedChunk]
}

extension WriteTransaction {
    /// - Returns: false, having done nothing, when the entity's history was written to since the plan was made, or the chunk that is
    ///   replaced is no longer there.
    func seal(_ plan: SealingPlan) throws -> Bool {
        guard sealing.isUntouched(plan.series) else { return false }
        if let replaced = plan.replaced {
            try removeChunk(replaced)
            guard db.changesCount == 1 else { return false }
        }
        try execute(
            "DELETE FROM instance WHERE \(SeriesKey.condition) AND at_us BETWEEN ? AND ? AND \(SealingRule.condition)",
            plan.series.arguments + [plan.rows.lowerBound, plan.rows.upperBound])
        guard db.changesCount == plan.rowCount else {
            throw CityError.internalFault("\(db.changesCount) rows were to be sealed where \(plan.rowCount) were read")
        }
        for chunk in plan.chunks { try insert(chunk, of: plan.series) }
        return true
    }
}

/// What can be sealed of rows.
enum SealingRule {
    /// Traces of deletions are few; what expires is erased by an index; what was moved is found by its name.
    static let condition = """
        form & \(InstanceForm.deletionBit) = 0 AND expires_us IS NULL
        AND (rest IS NULL OR instr(rest, CAST('"instanceId"' AS BLOB)) = 0)
        """
}
