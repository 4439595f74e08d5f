package import CityModel
internal import GRDB
internal import Series

/// What becomes of the instances of a run: which of them lie in chunks that are packed already, and which are rows. It holds as
/// long as nobody writes to the entity's past.
package struct RunPlan: Sendable {
    /// The chunk that is packed anew with the first of those that follow it.
    var replaced: ChunkSpan?
    var chunks: [PackedChunk] = []
    /// Entries for rows of their own: nothing is recorded of their moments.
    package fileprivate(set) var plain: [Int] = []
    /// Entries of which the writer is to find out, in the order in which they came.
    package fileprivate(set) var left: [Int] = []
    /// The tags of those that become rows or lie in chunks, and of those that were such for a while.
    package fileprivate(set) var newTags: [Int] = []
    /// Whether the instance that is its entity's own lies in a chunk.
    package fileprivate(set) var packsCurrent = false
    /// Instances that lie in chunks.
    package var packedCount: Int { chunks.reduce(0) { $0 + $1.count } - (replaced?.count ?? 0) }
}

/// What of several instances of one moment in one run is kept.
package enum RunRepetition: Sendable {
    /// The last: the source corrected itself.
    case lastStays
    /// The writer is to find out.
    case isLeft
}

extension ReadSnapshot {
    /// Fewer instances are not held against history beforehand, unless as few can be packed.
    private static let plannedCountMin = 64

    /// Works out what becomes of a run.
    /// - Parameter entity: the number of the entity that has the series; nil when it has no history.
    /// - Complexity: reads as many records as the series has in the time that the run spans, though no more than some times as
    ///   many as the run has instances: then nothing is planned.
    package func plan(
        _ run: InstanceRun, of entity: Int64?, _ policy: SealingPolicy, _ repetition: RunRepetition, at now: Instant
    ) throws -> RunPlan {
        var (plan, moments) = (RunPlan(), OrderedMoments(run, before: policy.before.microseconds))
        guard moments.order.count >= min(Self.plannedCountMin, policy.rowCountMin) else { return .leavingAll(of: run) }
        let key = entity.flatMap { entity in
            terms.number(of: run.name).map { SeriesKey(entity: entity, attribute: $0, dataset: run.datasetID?.text ?? "") }
        }
        let closed = try key.flatMap { try closedPast(of: $0, in: moments.span) }
        var free: [Int] = []
        var known = try key.map { try KnownMoments(self, $0, in: moments.span, countMax: 8 * moments.order.count + 2 * policy.chunkCountMax) }
        while let moment = moments.next() {
            let records = try moment.first.flatMap { try known?.records(at: run.entries[$0].sample.time) } ?? []
            guard known?.isCut != true else { return .leavingAll(of: run) }
            // What summaries may count already is taken for known, as long as nothing of its moment is recorded.
            let refused = records.isEmpty ? closed.map { closed in moment.prefix { run.entries[$0].isRefused(by: closed) } } ?? [] : []
            switch repetition {
            case .isLeft where !refused.isEmpty: plan.leave(moment, of: run)
            case .isLeft, .lastStays: plan.take(moment.dropFirst(refused.count), of: run, known: records, repetition, free: &free)
            }
        }
        plan.left = (plan.left + moments.rest).sorted()
        try pack(free, of: run, key, policy, at: now.microseconds, into: &plan)
        return plan
    }

    private func pack(_ free: [Int], of run: InstanceRun, _ key: SeriesKey?, _ policy: SealingPolicy, at now: Int64, into plan: inout RunPlan) throws {
        let spans = try key.map(chunkSpans) ?? []
        var rest = free[...]
        for span in spans {
            let before = rest.prefix { run.entries[$0].sample.time < span.from }
            try pack(before, of: run, after: nil, policy, at: now, into: &plan)
            let within = rest.dropFirst(before.count).prefix { run.entries[$0].sample.time <= span.to }
            plan.addRows(within, of: run)
            rest = rest.dropFirst(before.count + within.count)
        }
        try pack(rest, of: run, after: spans.last, policy, at: now, into: &plan)
    }

    /// - Parameter last: the series' last chunk, which all of them follow.
    private func pack(
        _ indices: ArraySlice<Int>, of run: InstanceRun, after last: ChunkSpan?, _ policy: SealingPolicy, at now: Int64, into plan: inout RunPlan
    ) throws {
        guard indices.count >= policy.rowCountMin else { return plan.addRows(indices, of: run) }
        var records = indices.map { run.entries[$0].recorded(at: now) }
        let replaced = last.flatMap { $0.count * 2 <= policy.chunkCountMax ? $0 : nil }
        if let replaced {
            let chunk = try chunk(replaced)
            records = try corruptible { () throws(SeriesError) in try chunk.records() } + records
        }
        guard let pieces = Self.pieces(records, policy) else { return plan.addRows(indices, of: run) }
        plan.chunks += try pieces.map { piece in try corruptible { () throws(SeriesError) in try PackedChunk(Array(records[piece])) } }
        plan.replaced = replaced
        plan.packed(indices, of: run)
    }
}

extension RunPlan {
    fileprivate static func leavingAll(of run: InstanceRun) -> RunPlan {
        var plan = RunPlan()
        plan.left = run.entries.indices.filter { run.entries[$0].tag != InstanceRun.currentTag }
        return plan
    }

    /// - Parameter known: what is recorded of the moment.
    fileprivate mutating func take(
        _ moment: ArraySlice<Int>, of run: InstanceRun, known: [StoredRecord], _ repetition: RunRepetition, free: inout [Int]
    ) {
        let others = moment.filter { run.entries[$0].tag != InstanceRun.currentTag }
        let isLeft = repetition == .isLeft && (moment.count > 1 || !known.isEmpty)
        guard !isLeft, moment.allSatisfy({ run.entries[$0].isSealable }) else { return left += others }
        guard known.isEmpty else {
            let areKnown = others.allSatisfy { index in known.contains { run.entries[index].hasContent(of: $0) } }
            if !areKnown { left += others }
            return
        }
        guard let last = moment.last else { return }
        free.append(last)
        // One that says what the one before it said is no news.
        var before: StoredRecord?
        for index in others {
            if !(before.map(run.entries[index].hasContent) ?? false) { newTags.append(Int(run.entries[index].tag)) }
            before = StoredRecord(run.entries[index].sample)
        }
    }

    fileprivate mutating func leave(_ moment: ArraySlice<Int>, of run: InstanceRun) {
        left += moment.filter { run.entries[$0].tag != InstanceRun.currentTag }
    }

    /// The entity records its own instance itself.
    fileprivate mutating func addRows(_ indices: ArraySlice<Int>, of run: InstanceRun) {
        plain += indices.filter { run.entries[$0].tag != InstanceRun.currentTag }
    }

    fileprivate mutating func packed(_ indices: ArraySlice<Int>, of run: InstanceRun) {
        packsCurrent = packsCurrent || indices.contains { run.entries[$0].tag == InstanceRun.currentTag }
    }
}

extension InstanceRun.Entry {
    fileprivate func isRefused(by past: ClosedPast) -> Bool { past.contains(sample.time, isNumber: sample.value.isNumeric) }

    /// Whether history holds it with a record of its moment, whoever may see that.
    fileprivate func hasContent(of record: StoredRecord) -> Bool {
        let unit = Int64(InstanceForm.classificationUnit)
        return expires == record.expires && sample.form % unit == record.sample.form % unit && sample.value.isSame(as: record.sample.value)
            && sample.rest == record.sample.rest && sample.unit.map { Array($0.utf8) } == record.sample.unit.map { Array($0.utf8) }
    }
}

/// The entries of a run that are old, moment by moment.
private struct OrderedMoments {
    /// Indices, in order of moment and of arrival.
    let order: [Int]
    /// Indices of the others, in order of arrival.
    let rest: [Int]
    let span: ClosedRange<Int64>
    private var position = 0
    private let run: InstanceRun

    init(_ run: InstanceRun, before: Int64) {
        self.run = run
        let isOld = run.entries.map { $0.form.isObserved && $0.sample.time < before }
        var order = run.entries.indices.filter { isOld[$0] }
        let isInOrder = zip(order, order.dropFirst()).allSatisfy { run.entries[$0].sample.time <= run.entries[$1].sample.time }
        if !isInOrder { order.sort { (run.entries[$0].sample.time, $0) < (run.entries[$1].sample.time, $1) } }
        self.order = order
        rest = run.entries.indices.filter { !isOld[$0] && run.entries[$0].tag != InstanceRun.currentTag }
        let first = order.first.map { run.entries[$0].sample.time } ?? 0
        span = first...(order.last.map { run.entries[$0].sample.time } ?? first)
    }

    mutating func next() -> ArraySlice<Int>? {
        guard position < order.count else { return nil }
        let start = position
        let time = run.entries[order[start]].sample.time
        while position < order.count, run.entries[order[position]].sample.time == time { position += 1 }
        return order[start..<position]
    }
}

/// What is recorded of moments that are asked for in order.
private struct KnownMoments {
    private var merged: MergedRecords
    private var next: StoredRecord?
    private var countMax: Int
    /// Whether more than is allowed would have to be read.
    private(set) var isCut = false

    init(_ snapshot: ReadSnapshot, _ series: SeriesKey, in span: ClosedRange<Int64>, countMax: Int) throws {
        merged = try MergedRecords(snapshot, series, in: span)
        self.countMax = countMax
        try advance()
    }

    mutating func records(at time: Int64) throws -> [StoredRecord] {
        var found: [StoredRecord] = []
        while let record = next, record.sample.time <= time, !isCut {
            if record.sample.time == time { found.append(record) }
            try advance()
        }
        return found
    }

    private mutating func advance() throws {
        countMax -= 1
        isCut = countMax < 0
        if case .record(let record)? = try merged.next() { next = record } else { next = nil }
    }
}
