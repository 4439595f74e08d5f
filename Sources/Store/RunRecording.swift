package import CityModel
internal import GRDB

/// Instances of a run become history: those that were packed beforehand in one go, the others one by one.
extension WriteTransaction {
    private func key(_ run: InstanceRun, _ entity: Int64) throws -> SeriesKey {
        SeriesKey(entity: entity, attribute: try intern(run.name), dataset: run.datasetID?.text ?? "")
    }

    /// Puts the chunks of a plan where they belong. To be called only as long as nobody else has written to the entity's past
    /// since the plan was begun.
    package func pack(_ plan: RunPlan, of run: InstanceRun, _ entity: Int64) throws {
        guard let first = plan.chunks.first else { return }
        touch(entity, at: first.from)
        if let replaced = plan.replaced {
            try removeChunk(replaced)
            guard db.changesCount == 1 else { throw CityError.internalFault("chunk \(replaced.id) was to be packed anew and is gone") }
        }
        let series = try key(run, entity)
        for chunk in plan.chunks { try insert(chunk, of: series) }
    }

    /// Writes rows for entries of which the plan knows that nothing is recorded of their moments; holds under the same
    /// condition as `pack`.
    package func recordAlone(_ entries: some Collection<Int>, of run: InstanceRun, _ entity: Int64, at now: Instant) throws {
        let series = try key(run, entity)
        for index in entries { try insertAlone(InstanceRow(run.entries[index], of: series, at: now)) }
    }

    /// Records entries one by one, as `appendHistory` does.
    /// - Returns: the tags of those that history did not hold already.
    package func record(_ entries: some Collection<Int>, of run: InstanceRun, _ entity: Int64, at now: Instant) throws -> [Int] {
        let series = try key(run, entity)
        return try entries.filter { try appendHistory(InstanceRow(run.entries[$0], of: series, at: now)) }.map { Int(run.entries[$0].tag) }
    }
}

extension InstanceRun {
    package var tags: [Int] { entries.map { Int($0.tag) } }
    package func tags(of indices: [Int]) -> [Int] { indices.map { Int(entries[$0].tag) } }
    /// Those that are not their entity's own, in the order in which they came.
    package var others: [Int] { entries.indices.filter { entries[$0].tag != Self.currentTag } }
}
