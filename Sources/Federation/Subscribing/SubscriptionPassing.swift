internal import Broker
package import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Store
internal import Subscriptions
package import Trust

/// Passes subscriptions on to context sources, from the start of the program to its end (clauses 5.8.1.4, 5.8.2.4, 5.8.5.4).
///
/// What should be at the sources follows from subscriptions and registrations; what is there stands in the file (`PassedOnRecord`).
/// Whenever either side may be another one they are held against each other, and the sources are asked for the difference. So it
/// does not matter what changed, nor whether the program ended in between. Whoever subscribes waits for no source.
package struct SubscriptionPassing: Sendable {
    let federation: Federation
    let gatekeeper: Gatekeeper
    private let report: @Sendable (MunicipalityName, any Error) -> Void

    /// Copies of one municipality at all its sources.
    private static let countMax = 10_000
    /// Attempts to take back what nobody wants any more.
    private static let endingAttemptCountMax = 20
    private static let concurrentCountMax = 16
    private static let pause: Duration = .seconds(1)

    /// - Parameter report: told of faults of this program and of files that can't be used.
    package init(_ federation: Federation, _ gatekeeper: Gatekeeper, report: @escaping @Sendable (MunicipalityName, any Error) -> Void) {
        (self.federation, self.gatekeeper, self.report) = (federation, gatekeeper, report)
    }

    /// Runs until `stop` is called, then finishes what it has begun.
    package func run() async throws {
        for name in try federation.broker.municipalities() { federation.passingWork.publish(name) }
        await withDiscardingTaskGroup { group in
            group.addTask {
                while (try? await Task.sleep(for: Self.pause)) != nil { federation.passingWork.publishDue(at: .now) }
            }
            for await _ in federation.passingWork.wakes {
                for name in federation.passingWork.take() {
                    if let due = await perform(in: name) { federation.passingWork.publish(name, at: due) }
                }
            }
            group.cancelAll()
        }
    }

    package func stop() { federation.passingWork.finish() }

    /// - Returns: when there is something to be done again.
    private func perform(in name: MunicipalityName) async -> Instant? {
        do { return try await pass(in: name, at: .now) } catch CityError.nonexistentTenant { return nil } catch {
            report(name, error)
            return Instant.now.adding(seconds: 5)
        }
    }

    /// One source that is to have a copy of one subscription.
    private struct Wanted {
        let record: SubscriptionRecord
        let body: SubscriptionBody
        let subscription: Subscription
        let source: MatchedSource
        let origin: Origin
    }

    /// A copy that a source is to be asked about.
    private enum Step {
        case put(PassedOnRecord, Wanted)
        case end(PassedOnRecord)
    }

    /// Holds what should be at the sources against what is there.
    /// - Returns: when there is something to be done again.
    func pass(in name: MunicipalityName, at now: Instant) async throws -> Instant? {
        let access = try await gatekeeper.writing(name, .program)
        let file = try federation.broker.registry(access.reading)
        let registrations = try await federation.registrations(access.reading)
        let known = try await file.read { try $0.passedOn() }
        guard !registrations.isEmpty || !known.isEmpty else { return nil }
        let wanted = try await wanted(file, access.reading, at: now)
        var steps: [Step] = []
        var missing = wanted
        for var record in known {
            let key = Key(record.subscription, record.registration)
            let target = record.isEnding ? nil : missing[key]
            if let target, try Place(target.source.registration) == Place(of: record) {
                missing[key] = nil
                steps.append(.put(record, target))
            } else {
                if !record.isEnding { (record.isEnding, record.attemptCount, record.due) = (true, 0, nil) }
                steps.append(.end(record))
            }
        }
        for (_, target) in missing where steps.count < Self.countMax {
            let registration = target.source.registration.id.text
            guard let source = try await file.read({ try $0.registration(registration) })?.body else { continue }
            let record = PassedOnRecord(
                id: "urn:ngsi-ld:Subscription:distsub-" + Self.secret(), token: Self.secret(), subscription: target.record.id,
                registration: registration, source: source)
            // Before the source hears of it: what it tells at once has to be known here.
            try await file.write { try $0.put(record) }
            steps.append(.put(record, target))
        }
        let again = try await perform(steps, file, access.reading, at: now)
        return (again + wanted.values.compactMap(\.record.expiresAt)).min()
    }

    private struct Key: Hashable {
        let subscription: String, registration: String
        init(_ subscription: String, _ registration: String) { (self.subscription, self.registration) = (subscription, registration) }
    }

    /// Where a copy lies: a registration that is moved has to be told anew.
    private struct Place: Equatable {
        let endpoint: SourceEndpoint, tenant: String?
        init(_ registration: Registration) { (endpoint, tenant) = (registration.endpoint, registration.tenant) }
        init(of record: PassedOnRecord) throws { self.init(try SubscriptionPassing.registration(of: record)) }
    }

    /// Clause 5.8.1.4: a source that matches the subscription and offers to be subscribed to. Auxiliary ones are none, nor are
    /// neighbours, for whose consent nobody's credential is at hand here, nor those that whoever subscribed may not see.
    private func wanted(_ file: MunicipalityFile, _ access: ReadAccess, at now: Instant) async throws -> OrderedDictionary<Key, Wanted> {
        var wanted: OrderedDictionary<Key, Wanted> = [:]
        for record in try await file.read({ try $0.unexpiredSubscriptions(at: now, limit: Self.countMax) }) {
            let body = try SubscriptionBody(record.body)
            guard body.address != nil, let subscription = try? body.subscription(), !subscription.isLocalOnly else { continue }
            let context = (try? await federation.contexts.context(.string(body.contextURL), in: file.name)) ?? .core
            let origin = Origin(
                access: access.narrowed(to: record.classificationMax), asker: Asker(now: now, credential: .none), context: context, via: body.via
            ) { _ in nil }
            let matching = try await federation.matching(SourceSpecification(subscription), [.createSubscription], origin)
            for source in matching.sources where source.registration.mode != .auxiliary && source.registration.endpoint.isOnWeb {
                guard wanted.count < Self.countMax else { return wanted }
                wanted[Key(record.id, source.registration.id.text)] = Wanted(
                    record: record, body: body, subscription: subscription, source: source, origin: origin)
            }
        }
        return wanted
    }

    private func perform(_ steps: [Step], _ file: MunicipalityFile, _ access: ReadAccess, at now: Instant) async throws -> [Instant] {
        try await withThrowingTaskGroup(of: Instant?.self) { group in
            var again: [Instant?] = []
            for (index, step) in steps.enumerated() {
                if index >= Self.concurrentCountMax { again.append(try await group.next() ?? nil) }
                group.addTask {
                    switch step {
                    case .put(let record, let target): try await put(record, target, file, at: now)
                    case .end(let record): try await end(record, file, access, at: now)
                    }
                }
            }
            for try await due in group { again.append(due) }
            return again.compactMap { $0 }
        }
    }

    // MARK: - Asking one source

    /// - Returns: when it is to be tried again.
    private func put(_ record: PassedOnRecord, _ target: Wanted, _ file: MunicipalityFile, at now: Instant) async throws -> Instant? {
        var record = record
        let registration = target.source.registration
        let copy = SubscriptionCopy(
            subscription: target.subscription, document: target.body.document, source: target.source,
            receiver: (target.body.address ?? "") + SourceNotifications.path(file.name, record.token))
        let context = await federation.context(for: registration, target.origin)
        guard let members = copy.members(context) else {
            guard record.sent == nil else { return try await end(record.ending, file, target.origin.access, at: now) }
            try await remove(record, file)
            return nil
        }
        // What the names stand for belongs to what was sent.
        let sent: JSON = ["members": .object(members), "context": .string(context.linkURL)]
        if record.sent == sent { return nil }
        if let due = record.due, now < due { return due }
        let isNew = record.sent == nil
        guard isNew || registration.operations.contains(.updateSubscription) else {
            guard registration.operations.contains(.deleteSubscription) else { return nil }
            return try await end(record.ending, file, target.origin.access, at: now) ?? now
        }
        var body = members
        if isNew { body["id"] = .string(record.id) } else if record.sent?["context"] == sent["context"], let old = record.sent?["members"]?.objectValue {
            body = members.change(from: old)
        }
        let remote = record.remote
        let forward = isNew
            ? Forward(.post, "subscriptions", body: .object(body))
            : Forward(.patch, "subscriptions/" + URLText.encode(remote), body: .object(body))
        let reply = await federation.ask(registration, target.origin) { _ in forward }
        switch reply {
        case .answer(let status, let headers, _, _) where (200...299).contains(status) || (status == 409 && isNew):
            record.sent = sent
            (record.attemptCount, record.due) = (0, nil)
            if isNew, let remote = Self.identifier(in: headers) { record.remote = remote }
        case .answer(404, _, _, _) where !isNew:
            // The source does not know it any more: it is told anew.
            (record.sent, record.due) = (nil, now)
        default: record.postpone(at: now)
        }
        if let source = try await file.read({ [record] in try $0.registration(record.registration) })?.body { record.source = source }
        try await file.write { [record] transaction in
            // Unless it was decided otherwise meanwhile.
            guard let current = try transaction.passedOn(record.id), !current.isEnding else { return }
            try transaction.put(record)
        }
        return record.due
    }

    private func end(_ record: PassedOnRecord, _ file: MunicipalityFile, _ access: ReadAccess, at now: Instant) async throws -> Instant? {
        var record = record
        if let due = record.due, now < due { return due }
        guard let registration = try? Self.registration(of: record), record.sent != nil || record.attemptCount > 0,
            registration.operations.contains(.deleteSubscription)
        else {
            try await remove(record, file)
            return nil
        }
        let remote = record.remote
        let origin = Origin(access: access, asker: Asker(now: now, credential: .none), context: .core, via: []) { _ in nil }
        let reply = await federation.ask(registration, origin) { _ in Forward(.delete, "subscriptions/" + URLText.encode(remote)) }
        var isDone = reply.isSuccess
        if case .answer(404, _, _, _) = reply { isDone = true }
        record.postpone(at: now)
        guard !isDone, record.attemptCount < Self.endingAttemptCountMax else {
            try await remove(record, file)
            return nil
        }
        try await file.write { [record] in try $0.put(record) }
        return record.due
    }

    private func remove(_ record: PassedOnRecord, _ file: MunicipalityFile) async throws {
        try await file.write { try $0.removePassedOn(record.id) }
    }

    private static func registration(of record: PassedOnRecord) throws -> Registration {
        try Registration(RegistrationRecord(id: record.registration, body: record.source, expiresAt: nil))
    }

    /// The identifier that a source gave what it created (clause 6.10.3.1); nil when it is no URI.
    private static func identifier(in headers: [(name: String, value: String)]) -> String? {
        guard let location = headers.first(where: { $0.name.lowercased() == "location" })?.value, location.utf8.count <= 2048,
            let last = location.split(separator: "/").last, let text = URLText.decode(String(last)), let id = IRI(text)
        else { return nil }
        return id.text
    }

    /// 128 bits that nobody can guess.
    private static func secret() -> String {
        (0..<2).map { _ in
            let text = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }
}

extension PassedOnRecord {
    fileprivate var ending: PassedOnRecord {
        var record = self
        (record.isEnding, record.attemptCount, record.due) = (true, 0, nil)
        return record
    }

    /// Pauses double from 2 seconds to a quarter of an hour.
    fileprivate mutating func postpone(at now: Instant) {
        attemptCount = min(attemptCount + 1, 1000)
        due = now.adding(seconds: min(Double(1 << min(attemptCount, 10)), 900))
    }
}
