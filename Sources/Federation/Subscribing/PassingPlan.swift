internal import CityModel
internal import OrderedCollections
internal import Store

/// What is to be asked of one source. The record says already that it was asked, for so it is written down before.
struct PassingStep {
    var record: PassedOnRecord
    /// What holds when the source will not do it.
    let before: PassedOnRecord
    let aim: Aim

    enum Aim {
        case put(WantedCopy, content: JSON)
        case end(Registration)
    }
}

/// Holds what should be at the sources against what is there, and decides what is to be written down and asked. It asks nothing.
struct PassingPlan {
    private(set) var steps: [PassingStep] = []
    /// What is to be written down before anything is asked.
    private(set) var written: [PassedOnRecord] = []
    private(set) var removed: [String] = []
    /// When there is something to be asked later.
    private(set) var dues: [Instant] = []
    private let now: Instant

    /// Requests of one turn: what is left over has another one, after other municipalities.
    private static let stepCountMax = 256
    /// How long a source is asked to take back what nobody wants any more.
    private static let endingSeconds: Double = 7 * 86_400

    /// - Parameter secret: makes 128 bits that nobody can guess.
    init(
        known: [PassedOnRecord], wanted: OrderedDictionary<WantedCopy.Key, WantedCopy>, sources: [String: CopySource], countMax: Int,
        at now: Instant, secret: () -> String
    ) {
        self.now = now
        var missing = wanted
        for record in known {
            guard isRoomLeft else { return }
            var record = record
            let source = sources[record.registration].flatMap { $0.isPlace(of: record) ? $0 : nil }
            let isChanged = source.map { $0.kept != record.source } ?? false
            if let source, isChanged { (record.source, record.refused) = (source.kept, nil) }
            let key = WantedCopy.Key(subscription: record.subscription, registration: record.registration)
            if !record.isEnding, let target = missing[key] {
                let content = target.content(record.token)
                if content == nil { missing[key] = nil }
                if source != nil, let content, !needsAnother(record, target, content) {
                    missing[key] = nil
                    put(record, target, content, isChanged: isChanged)
                    continue
                }
            }
            end(record)
        }
        var count = known.count
        for target in missing.values where count < countMax {
            guard isRoomLeft else { return }
            let token = secret()
            guard let content = target.content(token) else { continue }
            count += 1
            let record = PassedOnRecord(
                id: "urn:ngsi-ld:Subscription:distsub-" + secret(), token: token, subscription: target.subscription,
                registration: target.source.registration.id.text, source: target.source.kept)
            put(record, target, content, isChanged: true)
        }
    }

    private var isRoomLeft: Bool {
        mutating get {
            if steps.count < Self.stepCountMax { return true }
            dues.append(now)
            return false
        }
    }

    /// Where a source lets nobody change what it has, it is taken back and told anew.
    private func needsAnother(_ record: PassedOnRecord, _ target: WantedCopy, _ content: JSON) -> Bool {
        let operations = target.source.registration.operations
        return record.state.isThere && record.sent != content && !operations.contains(.updateSubscription)
            && operations.contains(.deleteSubscription)
    }

    private mutating func put(_ record: PassedOnRecord, _ target: WantedCopy, _ content: JSON, isChanged: Bool) {
        let isFixed = record.state.isThere && !target.source.registration.operations.contains(.updateSubscription)
        guard record.state != .there || record.sent != content, record.refused != content, !isFixed else {
            if isChanged { written.append(record) }
            return
        }
        if let due = record.due, now < due {
            dues.append(due)
            if isChanged { written.append(record) }
            return
        }
        var asked = record
        asked.state = record.state.isThere ? .unsure : .perhaps
        asked.sent = content.with(membersOf: record.sent)
        asked.refused = nil
        written.append(asked)
        steps.append(PassingStep(record: asked, before: record, aim: .put(target, content: content)))
    }

    private mutating func end(_ record: PassedOnRecord) {
        var record = record
        let isNew = !record.isEnding
        if isNew { (record.endingSince, record.attemptCount, record.due, record.refused) = (now, 0, nil, nil) }
        let patienceEnd = (record.endingSince ?? now).adding(seconds: Self.endingSeconds)
        guard record.state != .absent, now < patienceEnd, let registration = try? CopySource.registration(of: record),
            registration.operations.contains(.deleteSubscription)
        else {
            removed.append(record.id)
            return
        }
        if let due = record.due, now < due {
            dues.append(due)
            return
        }
        if isNew { written.append(record) }
        steps.append(PassingStep(record: record, before: record, aim: .end(registration)))
    }
}

extension JSON {
    /// What a source may have after it was told of this, where it had `other` or something of it.
    fileprivate func with(membersOf other: JSON?) -> JSON {
        guard let old = other?["members"]?.objectValue, var members = self["members"]?.objectValue, let context = self["context"] else { return self }
        for (name, value) in old where members[name] == nil { members[name] = value }
        return ["members": .object(members), "context": context]
    }
}
