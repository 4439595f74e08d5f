package import CityModel
internal import OrderedCollections
package import Store
package import Trust

/// Old observations of a run, gathered until there are enough of each series to be packed: the past of many months can be recorded
/// in seconds, in memory that does not grow with it. What is gathered is not written until it is recorded.
package struct BulkRecording: Sendable {
    fileprivate var recording: Recording
    /// What the entities of the recording before it are, which may not be written yet.
    private let known: [IRI: Recording.Target]
    private let begin = ContinuousClock.now
    /// Bytes of the entities that are held at most, about, and those of some more.
    private let documentByteCountMax: Int
    /// What comes slowly is recorded all the same.
    private let durationMax: Duration

    /// Values that are held at most, and a thousand or so more.
    private static let keptCountMax = 1 << 18
    /// Bytes of their texts and documents.
    private static let keptByteCountMax = 16 << 20
    private static let targetCountMax = 10_000
    /// Which no entity can have that was stored before.
    fileprivate static let stamp = Instant(microseconds: .max)

    /// - Parameter last: what was gathered before, and is being recorded.
    package init(
        provenance: Provenance, after last: BulkRecording? = nil, documentByteCountMax: Int = 64 << 20, durationMax: Duration = .seconds(10)
    ) {
        (self.documentByteCountMax, self.durationMax) = (documentByteCountMax, durationMax)
        recording = Recording(provenance: provenance, now: Self.stamp)
        known = Dictionary(uniqueKeysWithValues: (last?.recording.targets ?? []).map { ($0.id, $0.continued) })
    }

    package var count: Int { recording.outcomes.count }

    /// Whether an entity is there once this and what was gathered before is recorded.
    package func holds(_ id: IRI) -> Bool { recording.knows(id) || known[id] != nil }

    /// Takes up entities that are known from before.
    /// - Returns: those that are to be looked for in the file.
    fileprivate mutating func takeUp(_ ids: [IRI]) -> [IRI] {
        var (seen, unknown) = (Set<IRI>(), [IRI]())
        for id in ids where !recording.knows(id) && seen.insert(id).inserted {
            if let target = known[id] { recording.add(target) } else { unknown.append(id) }
        }
        return unknown
    }

    /// Whether what was gathered is to be recorded now.
    package var isFull: Bool {
        recording.keptCount >= Self.keptCountMax || recording.keptByteCount >= Self.keptByteCountMax
            || recording.documentByteCount >= documentByteCountMax || recording.targets.count >= Self.targetCountMax || ContinuousClock.now - begin > durationMax
    }
}

extension Broker {
    /// Whether observations are such as are gathered: each with a time that is old.
    package func areGathered(_ observations: [ObservedEntity], at now: Instant) -> Bool {
        guard let before = configuration.packing?.policy(at: now).before else { return false }
        return observations.allSatisfy { $0.observedAt.map { $0 < before } ?? false }
    }

    /// Adds observations to those that wait.
    package func gather(_ observations: [ObservedEntity], into bulk: inout BulkRecording, _ access: WriteAccess) async throws {
        let (unknown, provenance) = (bulk.takeUp(observations.map(\.id)), bulk.recording.provenance)
        if !unknown.isEmpty {
            let targets = try await file(toWrite: access).read { snapshot in try unknown.map { try snapshot.target($0, provenance) } }
            for target in targets { bulk.recording.add(target) }
        }
        for observation in observations { bulk.recording.record(observation) }
    }

    /// Records what was gathered, in several writes, of which none holds up others for long. Those of one entity that become
    /// rows follow its new state: who is cut off and begins anew comes to the same.
    /// - Parameter turn: how long one of the writes goes on.
    /// - Returns: one outcome for each observation, in the order in which they were gathered.
    package func record(
        _ bulk: BulkRecording, _ access: WriteAccess, at now: Instant, turn: Duration = .milliseconds(10)
    ) async throws -> [RecordingOutcome] {
        let policy = configuration.packing?.policy(at: now) ?? SealingPolicy(before: Instant(microseconds: .min))
        return try await BulkWriting(file: file(toWrite: access), access: access, recording: bulk.recording, policy: policy, now: now, turn: turn).write()
    }
}

extension Recording.Target {
    /// The same entity, as it will be, for what is gathered next.
    fileprivate var continued: Recording.Target {
        var entity = entity
        for (place, instances) in entity.attributes.values.enumerated() {
            entity.attributes.values[place] = instances.map { instance in
                var instance = instance
                instance.modifiedAt = nil
                return instance
            }
        }
        return Recording.Target(id: id, stored: nil, isMissing: false, original: entity, classification: classification)
    }
}
