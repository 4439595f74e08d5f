internal import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Store
internal import Trust

/// Asks one source for what a step aims at, and says what is known of the copy then.
struct CopyAsking {
    let federation: Federation
    let access: ReadAccess

    /// - Returns: nil when there is nothing left to be known.
    func record(after step: PassingStep) async -> PassedOnRecord? {
        switch step.aim {
        case .put(let target, let content):
            await step.before.state.isThere ? change(step.record, step.before, target, content) : create(step.record, step.before, target, content)
        case .end(let registration): await end(step.record, registration)
        }
    }

    private func create(
        _ asked: PassedOnRecord, _ before: PassedOnRecord, _ target: WantedCopy, _ content: JSON
    ) async -> PassedOnRecord {
        var record = asked
        var body = content["members"]?.objectValue ?? [:]
        body["id"] = .string(record.id)
        let reply = await ask(target, Forward(.post, "subscriptions", body: .object(body)))
        switch reply {
        case .answer(let status, let headers, _, _) where (200...299).contains(status):
            record.settle(content)
            if let remote = Self.identifier(in: headers) { record.remote = remote }
        case .answer(409, _, _, _):
            // Its answer to an earlier request was lost. What it took then may be something else.
            return await replace(record, target, content)
        default: record.fail(reply, before, content)
        }
        return record
    }

    /// Makes what the source has under the identifier what it should have.
    private func replace(_ asked: PassedOnRecord, _ target: WantedCopy, _ content: JSON) async -> PassedOnRecord {
        var record = asked
        record.state = .unsure
        let operations = target.source.registration.operations
        if operations.contains(.updateSubscription) {
            record = await change(record, record, target, content)
            // One that is there and is not there is no reason for haste.
            if record.state == .absent { record.postpone() }
        } else if operations.contains(.deleteSubscription) {
            let reply = await ask(target, Forward(.delete, "subscriptions/" + URLText.encode(record.remote)))
            if reply.isSuccess || reply.isUnknown { record.forget() }
            record.postpone()
        } else {
            (record.refused, record.attemptCount, record.due) = (content, 0, nil)
        }
        return record
    }

    private func change(
        _ asked: PassedOnRecord, _ before: PassedOnRecord, _ target: WantedCopy, _ content: JSON
    ) async -> PassedOnRecord {
        var record = asked
        let members = content["members"]?.objectValue ?? [:]
        let old = record.sent?["members"]?.objectValue ?? [:]
        let isKnown = before.state == .there && before.sent?["context"] == content["context"]
        let body = isKnown ? members.change(from: before.sent?["members"]?.objectValue ?? [:]) : members.whole(over: old)
        let reply = await ask(target, Forward(.patch, "subscriptions/" + URLText.encode(record.remote), body: .object(body)))
        if reply.isSuccess {
            record.settle(content)
        } else if reply.isUnknown {
            // The source does not know it any more: it is told anew.
            record.forget()
        } else {
            record.fail(reply, before, content)
        }
        return record
    }

    private func end(_ asked: PassedOnRecord, _ registration: Registration) async -> PassedOnRecord? {
        let origin = Origin(access: access, asker: Asker(now: .now, credential: .none), context: .core, via: []) { _ in nil }
        let path = "subscriptions/" + URLText.encode(asked.remote)
        let reply = await federation.ask(registration, origin, mayRefuse: true) { _ in Forward(.delete, path) }
        if reply.isSuccess || reply.isUnknown { return nil }
        var record = asked
        record.postpone()
        return record
    }

    private func ask(_ target: WantedCopy, _ forward: Forward) async -> SourceReply {
        await federation.ask(target.source.registration, target.origin(), mayRefuse: true) { _ in forward }
    }

    /// The identifier that a source gave what it created (clause 6.10.3.1); nil when it is no URI.
    private static func identifier(in headers: [(name: String, value: String)]) -> String? {
        guard let location = headers.first(where: { $0.name.lowercased() == "location" })?.value, location.utf8.count <= 2048,
            let last = location.split(separator: "/").last, let text = URLText.decode(String(last)), let id = IRI(text)
        else { return nil }
        return id.text
    }
}

extension SourceReply {
    /// Whether the source does not know what was asked about.
    fileprivate var isUnknown: Bool { if case .answer(404, _, _, _) = self { true } else { false } }
}

extension PassedOnRecord {
    fileprivate mutating func settle(_ content: JSON) { (state, sent, refused, attemptCount, due) = (.there, content, nil, 0, nil) }

    /// The source has none, so that it is told anew at once.
    fileprivate mutating func forget() { (state, sent, remote, due) = (.absent, nil, id, .now) }

    /// A source that will not have it is not asked again before it is something else, or the registration is; what it had it has.
    fileprivate mutating func fail(_ reply: SourceReply, _ before: PassedOnRecord, _ content: JSON) {
        guard reply.isFinalRefusal else { return postpone() }
        (state, sent, refused, attemptCount, due) = (before.state, before.sent, content, 0, nil)
    }

    /// Pauses double from 2 seconds to a quarter of an hour.
    fileprivate mutating func postpone() {
        attemptCount = min(attemptCount + 1, 1000)
        due = Instant.now.adding(seconds: min(Double(1 << min(attemptCount, 10)), 900))
    }
}
