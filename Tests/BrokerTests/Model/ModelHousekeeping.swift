import Broker
import CityModel
import Federation
import Foundation
import OrderedCollections
import Query
import RandomEntities
import Store
import Synchronization

/// What goes on beside the writers.
extension ModelRun {
    /// Makes notifications of what is watched: in one transaction they are made and the changes forgotten.
    func match() async throws {
        let count = try await file.write { transaction in
            let rows = try transaction.watchedChanges(limit: Self.messageCountMax, byteCountMax: 1 << 20)
            for row in rows {
                let change = try row.change.get()
                let subscription = change.entity.types == [ModelOperation.watchedType] ? Self.subscription : Self.passing
                try transaction.append(
                    NewMessage(subscription: subscription, headers: [], body: Array("\(row.seq)".utf8), keys: change.keys), at: change.at)
            }
            if let last = rows.last { try transaction.removeWatchedChanges(upTo: last.seq) }
            return rows.count
        }
        state.withLock { $0.matchedCount += count }
    }

    func deliver() async throws {
        for subscription in [Self.passing, Self.subscription] {
            guard let message = try await file.read({ try $0.outbox(of: subscription, limit: 1, byteCountMax: 1 << 20) }).first else { continue }
            try await file.write { transaction in
                try transaction.removeMessage(message.id)
                var news = DeliveryState()
                news.timesSent = 1
                try transaction.addDelivery(news, to: subscription)
            }
            state.withLock { $0.sentCount += 1 }
        }
    }

    func seal(_ random: inout SplitMix) async throws {
        let now = state.withLock { $0.operationCount } * Self.stepMicroseconds
        let before = Instant(microseconds: noon.microseconds + max(0, now - Int64(random.next() % 40) * Self.stepMicroseconds))
        _ = try await file.seal(SealingPolicy(before: before, rowCountMin: 2 + Int(random.next() % 3), chunkCountMax: 4 + Int(random.next() % 20)))
        for _ in 0..<50 { await Task.yield() }
    }

    /// One walk over all history.
    func thin(_ random: inout SplitMix) async throws {
        let now = state.withLock { state in
            let now = state.clock()
            state.thinnedAt = now
            return now
        }
        let policy = try retention.policy(at: now, rowCountMax: 1 + Int(random.next() % 6))
        let faults = try await file.thinAll(policy)
        guard faults.isEmpty else { throw CityError.internalFault("seed \(seed): thinning failed: \(faults)") }
        for _ in 0..<(random.next() % 100) { await Task.yield() }
    }

    /// What the sweeper asks for is in the journal as what writers ask for, where it found something.
    func sweep(_ random: inout SplitMix) async {
        let now = state.withLock { state in
            let now = state.clock()
            state.sweptAt = now
            return now
        }
        await ask(.sweep, by: ModelDraw.writerCount, at: now)
        for _ in 0..<(random.next() % 300) { await Task.yield() }
    }

    func sweep(at now: Instant) async throws {
        let failed = Mutex<[any Error]>([])
        await broker.sweep(at: now) { _, error in failed.withLock { $0.append(error) } }
        await federation.registrations.sweep(at: now) { _, error in failed.withLock { $0.append(error) } }
        if let first = failed.withLock({ $0.first }) { throw first }
    }

    /// Registrations of context sources, of which one expires after the other.
    static let registered = (0..<40).map { number in
        RegistrationRecord(
            id: "urn:ngsi-ld:ContextSourceRegistration:\(number)", body: [:],
            expiresAt: number == 0 ? nil : Instant(microseconds: noon.microseconds + Int64(number) * 6 * stepMicroseconds))
    }
}

extension ModelRetention {
    func policy(at now: Instant, rowCountMax: Int) throws -> RetentionPolicy {
        guard let zone = CivilZone(zone) else { throw CityError.internalFault("no zone \(zone)") }
        var policy = RetentionPolicy(nil, zone: zone, at: now, rowCountMax: rowCountMax)
        policy.settledBefore = now.adding(seconds: -Self.settlingSeconds)
        return policy
    }
}

extension MunicipalityFile {
    /// - Returns: what failed.
    func thinAll(_ policy: RetentionPolicy) async throws -> [String] {
        var (faults, position) = ([String](), RetentionPosition?.none)
        repeat {
            let step = try await thin(policy, after: position)
            (faults, position) = (faults + step.faults, step.next)
        } while position != nil
        return faults
    }
}
