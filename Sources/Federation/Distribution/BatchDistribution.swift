package import CityModel
package import LinkedData
internal import OrderedCollections

/// One entry of a batch, as far as it decides where its parts go.
package struct BatchEntry: Sendable {
    let id: IRI
    let types: [IRI]
    let attributes: Set<IRI>?

    /// - Parameter attributes: nil when the entry is about the entity as a whole.
    package init(_ id: IRI, types: [IRI], attributes: Set<IRI>?) { (self.id, self.types, self.attributes) = (id, types, attributes) }
}

/// A batch in parts.
package struct BatchPlan: Sendable {
    /// One for each entry.
    package let plans: [ProvisionPlan]
}

/// What sources did with a batch. Entries are named by their place in it.
package struct BatchOutcome: Sendable {
    package var failures: [(entry: Int, failure: ProvisionFailure)] = []
    package var succeeded: Set<Int> = []
    /// Of those that succeeded, the ones that a source says it created.
    package var created: Set<Int> = []
}

extension Federation {
    /// - Returns: nil when all of it is for this broker alone.
    package func plan(_ operation: SourceOperation, _ entries: [BatchEntry], _ origin: Origin) async throws -> BatchPlan? {
        let candidates = try await candidates(origin)
        guard !candidates.registrations.isEmpty else { return nil }
        var plans: [ProvisionPlan] = []
        for entry in entries { plans.append(try await plan(operation, entry.id, types: entry.types, attributes: entry.attributes, candidates, origin)) }
        return plans.allSatisfy(\.isLocalOnly) ? nil : BatchPlan(plans: plans)
    }

    /// Sends to each source the entries that it has a part of, in one request (clauses 5.6.7 to 5.6.10 and 5.6.20).
    /// - Parameter build: makes the request of some entries with their parts, with the names of a context.
    package func perform(
        _ batch: BatchPlan, ids: [IRI], _ origin: Origin, _ build: @escaping @Sendable ([(entry: Int, part: ProvisionPart)], Context) -> Forward
    ) async -> BatchOutcome {
        var outcome = BatchOutcome()
        var groups: OrderedDictionary<IRI, [(entry: Int, part: ProvisionPart)]> = [:]
        for (entry, plan) in batch.plans.enumerated() {
            for part in plan.parts { groups[part.source.registration.id, default: []].append((entry, part)) }
            for part in plan.looping {
                outcome.failures.append((entry, part.failure(.own(.loopDetected("registration \(part.source.registration.id) leads back to where the request has been")))))
            }
            for part in plan.unsupported {
                outcome.failures.append(
                    (entry, part.failure(.own(.conflict("registration \(part.source.registration.id) has this, and its source does not offer the operation")))))
            }
        }
        let parts = Array(groups.values)
        let replies = await askAll(parts, origin) { group in
            guard let registration = group.first?.part.source.registration else { return SourceReply.failed("nothing is asked") }
            return await ask(registration, origin) { context in build(group, context) }
        }
        for (group, reply) in zip(parts, replies) { outcome.add(group, reply, ids) }
        for (entry, _) in outcome.failures { outcome.succeeded.remove(entry) }
        return outcome
    }
}

extension BatchOutcome {
    fileprivate mutating func add(_ group: [(entry: Int, part: ProvisionPart)], _ reply: SourceReply, _ ids: [IRI]) {
        switch reply {
        case .timedOut: fail(group, .own(.sourceTimedOut("the source does not answer in time")))
        case .failed(let reason): fail(group, .own(.sourceFailed("the source: \(reason)")))
        case .answer(let status, _, let body, _):
            let json = try? JSON(parsing: body)
            guard (200...299).contains(status) else { return fail(group, .foreign(status: status, problem: json?.problemDetails)) }
            var problems: [String: JSON] = [:]
            if status == 207 {
                for error in json?["errors"]?.arrayValue ?? [] { if let id = error["entityId"]?.stringValue { problems[id] = error["error"] ?? .null } }
                guard json?["success"] != nil || !problems.isEmpty else { return fail(group, .foreign(status: 207, problem: nil)) }
            }
            let created = Set(status == 201 ? json?.arrayValue?.compactMap(\.stringValue) ?? [] : [])
            // Of a result in parts only what it lists was done.
            let done = status == 207 ? json?["success"]?.arrayValue.map { Set($0.compactMap(\.stringValue)) } : nil
            for (entry, part) in group {
                let problem = problems[ids[entry].text]
                if problem != nil || !(done?.contains(ids[entry].text) ?? true) {
                    failures.append((entry, part.failure(.foreign(status: problem?.problemStatus ?? 207, problem: problem?.problemDetails))))
                } else {
                    succeeded.insert(entry)
                    if created.contains(ids[entry].text) { self.created.insert(entry) }
                }
            }
        }
    }

    private mutating func fail(_ group: [(entry: Int, part: ProvisionPart)], _ reason: ProvisionFailure.Reason) {
        for (entry, part) in group { failures.append((entry, part.failure(reason))) }
    }
}
