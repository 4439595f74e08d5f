package import CityModel
internal import Broker
internal import OrderedCollections
internal import Query
internal import Services
internal import Store
package import Trust

/// For how long cases are kept. When one is closed its file says until when, by the definition that it began with; what is opened again is kept.
extension CaseDesk {
    /// Erases what was kept long enough: who reported it and all that they said that is not public; then the case itself.
    /// - Returns: how many cases something was erased of; fewer than `limit` when nothing is left to do.
    package func retire(_ access: WriteAccess, limit: Int, at now: Instant) async throws -> Int {
        var count = 0
        for (name, isWhole) in [(CaseTerm.contactUntil, false), (CaseTerm.caseUntil, true)] {
            for file in try await files(name, until: now, access, limit: limit - count) {
                guard let reference = CaseType.file.key(of: file.id).flatMap(CaseReference.init) else { continue }
                try await erase(reference, isWhole: isWhole, access, at: now)
                count += 1
            }
        }
        return count
    }

    /// Forgets which forms were filed long ago: nobody sends them again.
    package func forgetForms(_ access: WriteAccess, at now: Instant) async throws {
        let border = now.adding(seconds: -limits.formSeconds)
        try await broker.jointly(access, at: now) { try $0.forgetForms(before: border) }
    }

    private func files(_ name: IRI, until now: Instant, _ access: WriteAccess, limit: Int) async throws -> [Entity] {
        guard limit > 0 else { return [] }
        let path = AttributePath(root: .init(term: String(name.lastWord), iri: name))
        let term = QueryTerm(path: path, condition: .compare(.lessOrEqual, .moment(Moment(kind: .dateTime, instant: now))))
        let filter = EntityFilter(types: .type(CaseType.file.iri), query: .term(term))
        let page = try await broker.query(EntityQuery(filter: filter, limit: limit), access.reading, at: now)
        return try page.entities.map { try broker.entity($0, access.reading) }
    }

    private func erase(_ reference: CaseReference, isWhole: Bool, _ access: WriteAccess, at now: Instant) async throws {
        try await broker.jointly(access, at: now) { writer in
            let followers = try writer.followers(of: reference)
            // A key of somebody's account is theirs for much else.
            let keys = try ([reference.dossier] + followers).compactMap { try writer.entity($0)?.text(.dataSubject) }.filter(CaseSubject.isOfOneCase)
            try writer.eraseWhole([reference.dossier, reference.reporter] + followers + (isWhole ? [reference.request, reference.file] : []), keysOf: Array(Set(keys)))
            try writer.removeAttachments(of: reference.text, all: isWhole)
            guard !isWhole else { return try writer.removeTakenUpdates(of: reference.request) }
            try writer.edit(reference.file) { file in
                file.set(CaseTerm.contactUntil, String?.none, at: now)
                file.setFollowers([], at: now)
            }
        }
        try await broker.afterErasure(access)
    }
}

extension CaseSubject {
    /// Whether a key seals nothing but what belongs to one case.
    static func isOfOneCase(_ subject: String) -> Bool { subject.hasPrefix("case:") || subject.hasPrefix("follower:") }
}

extension Entity {
    /// Says in the file of a case until when what is kept.
    mutating func keep(by retention: ServiceRetention?, closedAt: Instant?, at now: Instant) {
        func end(_ days: Int?) -> Instant? { closedAt.flatMap { closed in days.map { closed.adding(seconds: Double($0) * 86_400) } } }
        set(CaseTerm.contactUntil, end(retention?.contactDays), at: now)
        set(CaseTerm.caseUntil, end(retention?.caseDays), at: now)
    }
}
