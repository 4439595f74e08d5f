package import CityModel
package import LinkedData
internal import OrderedCollections
internal import Query

/// A part of a write that did not succeed.
package struct ProvisionFailure: Sendable {
    package enum Reason: Sendable {
        case own(CityError)
        /// What the source said.
        case foreign(status: Int, problem: JSON?)
    }

    /// Nil when it is this broker's part.
    package let registration: IRI?
    /// Nil when it was about the entity as a whole.
    package let attributes: Set<IRI>?
    package let reason: Reason

    package init(registration: IRI?, attributes: Set<IRI>?, reason: Reason) {
        (self.registration, self.attributes, self.reason) = (registration, attributes, reason)
    }

    /// The error when this is all that was to be done (clause 6.3.17).
    package var asWhole: CityError {
        switch reason {
        case .own(let error): error
        case .foreign(404, _): .resourceNotFound(detail)
        case .foreign(508, _): .loopDetected(detail)
        case .foreign(let status, _) where isNeighbours && (status == 401 || status == 403): .forbidden(detail)
        default: .sourceFailed(detail)
        }
    }

    /// Whether nobody has what was to be changed.
    package var isNotFound: Bool {
        switch reason {
        case .own(.resourceNotFound), .foreign(404, _): true
        default: false
        }
    }

    /// Whether the source is a municipality on this installation.
    package var isNeighbours = false

    private var detail: String {
        guard case .foreign(let status, let problem) = reason else { return "" }
        let said = problem?["detail"]?.stringValue ?? problem?["title"]?.stringValue ?? "no more"
        return "the source of registration \(registration?.text ?? "") answers \(status): \(said.prefix(300))"
    }
}

/// What became of the parts of a write.
package struct ProvisionOutcome: Sendable {
    package var failures: [ProvisionFailure] = []
    /// How many parts succeeded, this broker's among them.
    package var successCount = 0
    package var updated: Set<IRI> = []
    /// Whether a source says that it created the entity.
    package var hasCreated = false
}

extension Federation {
    /// Sends the parts of a write to their sources.
    /// - Parameter build: makes the request for one part, with the names of a context.
    package func perform(
        _ plan: ProvisionPlan, _ origin: Origin, _ build: @escaping @Sendable (ProvisionPart, Context) -> Forward
    ) async -> ProvisionOutcome {
        var outcome = ProvisionOutcome()
        outcome.failures += plan.failures
        let parts = plan.parts
        let replies = await askAll(parts, origin) { part in
            await ask(part.source.registration, origin) { context in build(part, context) }
        }
        for (part, reply) in zip(parts, replies) { outcome.add(part, reply) }
        return outcome
    }
}

extension ProvisionOutcome {
    fileprivate mutating func add(_ part: ProvisionPart, _ reply: SourceReply) {
        switch reply {
        case .timedOut: failures.append(part.failure(.own(.sourceTimedOut("the source of registration \(part.source.registration.id) does not answer in time"))))
        case .failed(let reason): failures.append(part.failure(.own(.sourceFailed("the source of registration \(part.source.registration.id): \(reason)"))))
        case .answer(207, _, let body, let context): addPartial(part, try? JSON(parsing: body), context)
        case .answer(let status, _, let body, _):
            if (200...299).contains(status) {
                successCount += 1
                hasCreated = hasCreated || status == 201
                updated.formUnion(part.attributes ?? [])
            } else {
                failures.append(part.failure(.foreign(status: status, problem: (try? JSON(parsing: body))?.problemDetails)))
            }
        }
    }

    /// A source that succeeded in part says which attributes it did not change (clause 5.2.18).
    private mutating func addPartial(_ part: ProvisionPart, _ result: JSON?, _ context: Context) {
        let names = result?["notUpdated"]?.arrayValue?.compactMap { $0["attributeName"]?.stringValue.flatMap(context.expand) } ?? []
        let named = part.attributes.map(Set(names).intersection) ?? Set(names)
        let failed = named.isEmpty ? part.attributes : named
        failures.append(
            ProvisionFailure(
                registration: part.source.registration.id, attributes: failed, reason: .foreign(status: 207, problem: result?["errors"]?.arrayValue?.first?["error"]?.problemDetails)))
        let done = (part.attributes ?? []).subtracting(failed ?? [])
        updated.formUnion(done)
        if !done.isEmpty { successCount += 1 }
    }
}

extension ProvisionPlan {
    /// The parts that are sent to nobody, with why.
    var failures: [ProvisionFailure] {
        looping.map { $0.failure(.own(.loopDetected("registration \($0.source.registration.id) leads back to where the request has been"))) }
            + unsupported.map { $0.failure(.own($0.refusal)) }
            + refused.map { $0.failure(.own(.forbidden("no rule of access permits this at the source of registration \($0.source.registration.id)"))) }
    }
}

extension ProvisionPart {
    func failure(_ reason: ProvisionFailure.Reason) -> ProvisionFailure {
        var failure = ProvisionFailure(registration: source.registration.id, attributes: attributes, reason: reason)
        if case .municipality = source.registration.endpoint { failure.isNeighbours = true }
        return failure
    }
}

extension JSON {
    private static let detailLengthMax = 300

    /// What is kept of a source's problem (RFC 9457): it may be said of many entries, and the source decides how long it is.
    var problemDetails: JSON {
        var kept: JSONObject = [:]
        for name in ["type", "title", "detail"] {
            if let text = self[name]?.stringValue { kept[name] = .string(String(text.unicodeScalars.prefix(Self.detailLengthMax))) }
        }
        return .object(kept)
    }

    /// The status of a problem that is a status of an error.
    var problemStatus: Int? { self["status"]?.integerValue.flatMap { (400...599).contains($0) ? Int($0) : nil } }
}
