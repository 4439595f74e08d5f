internal import Broker
package import CityModel
internal import OrderedCollections
package import Services
package import Store
package import Trust

/// A case as it stands, as far as whoever asked for it may see it.
package struct ShownCase: Sendable {
    package let reference: CaseReference
    package let service: OfferedService
    package let request: Entity
    /// Nil for whom it is not.
    package let file: Entity?
    package let dossier: Entity?
    /// How the one who asks is reached, where it is a private link.
    package var contact: Entity?
    package let attachments: [Attachment]

    /// Nil for the steps that all services have.
    package var step: ServiceStep? { request.text(CaseTerm.step).flatMap { service.definition.step($0) } }
    package var isClosed: Bool { request.text(CaseTerm.status) == "closed" }
}

/// What residents do with a case that they follow.
extension CaseDesk {
    /// The case that a private link leads to. What was merged with another leads to that.
    /// - Throws: `resourceNotFound`; `CaseFault.linkIsOver`.
    package func followed(_ link: CaseLink, _ access: CaseAccess, at now: Instant) async throws -> ShownCase {
        guard let contact = try await broker.retrieve([CaseType.contact.id(link.contact)], access.reading, at: now).first,
            let reference = contact.target(CaseTerm.request).flatMap(CaseType.request.key).flatMap(CaseReference.init)
        else { throw CaseLink.unknown }
        var shown = try await shown(reference, access.reading, at: now)
        if let closed = shown.request.moment(CaseTerm.closedAt), closed.adding(seconds: Double(limits.linkDays) * 86_400) < now { throw CaseFault.linkIsOver }
        shown.contact = contact
        // What others said of it is theirs.
        let isReporter = CaseType.contact.id(reference.text) == contact.id
        return isReporter ? shown : ShownCase(
            reference: reference, service: shown.service, request: shown.request, file: nil, dossier: nil, contact: contact,
            attachments: shown.attachments.filter(\.isPublic))
    }

    /// A case, as far as an access shows it.
    /// - Throws: `resourceNotFound`.
    package func shown(_ reference: CaseReference, _ access: ReadAccess, at now: Instant) async throws -> ShownCase {
        let found = Dictionary(
            try await broker.retrieve([reference.request, reference.file, reference.dossier], access, at: now).map { ($0.id, $0) },
            uniquingKeysWith: { first, _ in first })
        guard let request = found[reference.request], let code = request.text(CaseTerm.serviceCode) else {
            throw CityError.resourceNotFound("there is no case \(reference.shown)")
        }
        let service = try await catalogue.service(code, version: request.number(CaseTerm.serviceVersion), access)
        let attachments = try await broker.attachments(of: reference.text, partOf: reference.dossier, access, at: now)
        return ShownCase(
            reference: reference, service: service, request: request, file: found[reference.file], dossier: found[reference.dossier], attachments: attachments)
    }

    /// Who reported a case, as far as an access shows it; nil also where nobody said how to be reached.
    package func reporter(of reference: CaseReference, _ access: ReadAccess, at now: Instant) async throws -> Entity? {
        try await broker.retrieve([reference.reporter], access, at: now).first
    }

    /// Has somebody told of what becomes of a case that somebody else reported.
    /// - Throws: `resourceNotFound` for a case that is not public; `CaseFault`.
    package func follow(_ reference: CaseReference, _ contact: CaseContact, _ access: CaseAccess, at now: Instant) async throws -> CaseLink {
        let (key, limits) = (AttachmentID.random(), limits)
        return try await broker.jointly(access.writing, at: now) { writer in
            guard try writer.classification(of: reference.request) == .open else { throw CityError.resourceNotFound("there is no case \(reference.shown)") }
            try writer.edit(reference.request) { request in
                let count = request.number(CaseTerm.followerCount) ?? 1
                guard count < limits.followerCountMax else { throw CaseFault.tooManyFollowers }
                request.set(CaseTerm.followerCount, .integer(Int64(count + 1)), at: now)
            }
            try writer.edit(reference.file) { $0.setFollowers($0.followerKeys + [key], at: now) }
            let subject = access.subject ?? CaseSubject.ofFollower(key)
            try writer.create(Entity(contact: contact, key: key, of: reference, subject: subject, at: now), .personal)
            return try writer.link(to: key)
        }
    }

    /// Opens a case again that was closed, with what its resident says.
    /// - Throws: `CaseFault.notReopenable`, `.tooLong`, `.nothingSaid`.
    package func reopen(_ shown: ShownCase, saying text: String, _ access: CaseAccess, at now: Instant) async throws {
        let said = try checked(text, field: "text")
        let (reference, definition) = (shown.reference, shown.service.definition)
        try await broker.jointly(access.writing, at: now) { writer in
            try writer.edit(reference.request) { request in
                guard let closed = request.moment(CaseTerm.closedAt),
                    let step = try? definition.reopening(from: request.text(CaseTerm.step) ?? "", closedAt: closed, now: now)
                else { throw CaseFault.notReopenable }
                request.move(to: step, at: now)
            }
            try writer.edit(reference.file) { file in
                file.set(CaseTerm.reopenedCount, .integer(Int64((file.number(CaseTerm.reopenedCount) ?? 0) + 1)), at: now)
                file.set(CaseTerm.rating, JSON?.none, at: now)
                file.keep(by: nil, closedAt: nil, at: now)
            }
            try writer.edit(reference.dossier) { $0.say(said, by: "resident", at: now) }
            for contact in try writer.followers(of: reference) where contact != reference.reporter { try writer.addNotice(to: contact, "reopened") }
        }
    }

    /// What the resident adds, for staff alone.
    package func add(_ text: String, to reference: CaseReference, _ access: CaseAccess, at now: Instant) async throws {
        let said = try checked(text, field: "text")
        try await broker.jointly(access.writing, at: now) { writer in try writer.edit(reference.dossier) { $0.say(said, by: "resident", at: now) } }
    }

    /// How satisfied whoever reported it is, from 1 to 5, once it is closed.
    package func rate(_ reference: CaseReference, _ rating: Int, _ access: CaseAccess, at now: Instant) async throws {
        guard (1...5).contains(rating) else { throw CaseFault.invalidRating }
        try await broker.jointly(access.writing, at: now) { writer in
            guard try writer.entity(reference.request)?.text(CaseTerm.status) == "closed" else { throw CaseFault.notClosed }
            try writer.edit(reference.file) { $0.set(CaseTerm.rating, .integer(Int64(rating)), at: now) }
        }
    }

    /// Asks for another decision on what was not published, saying why.
    package func appeal(_ reference: CaseReference, saying text: String, _ access: CaseAccess, at now: Instant) async throws {
        let said = try checked(text, field: "text")
        try await broker.jointly(access.writing, at: now) { writer in
            try writer.edit(reference.file) { file in
                guard file.text(CaseTerm.review) == "withheld" else { throw CaseFault.notWithheld }
                file.set(CaseTerm.appeal, "open", at: now)
                file.set(CaseTerm.review, "waiting", at: now)
            }
            try writer.edit(reference.dossier) { $0.say(said, by: "resident", at: now) }
        }
    }

    /// What people write, without blanks around it.
    func checked(_ text: String, field: String) throws -> String {
        let said = SaidText.cleaned(text)
        guard !said.isEmpty else { throw CaseFault.nothingSaid }
        guard said.count <= limits.textCountMax else { throw CaseFault.tooLong(field: field, countMax: limits.textCountMax) }
        return said
    }
}

extension Entity {
    /// Adds to what was said and noted: the last stands in the entity, all of it in its history.
    mutating func say(_ text: String, by author: String, at now: Instant) {
        set(CaseTerm.note, text, at: now)
        attributes[CaseTerm.note]?[0].subattributes[CaseTerm.author] = [Attribute(kind: .property, value: .string(author))]
    }

    /// Brings a case into another step. The history of `step` is the way it went.
    mutating func move(to step: ServiceStep, at now: Instant) {
        set(CaseTerm.step, step.id, at: now)
        set(CaseTerm.status, step.phase.status, at: now)
        set(CaseTerm.updatedAt, now, at: now)
        let isClosed = step.phase == .closed
        set(CaseTerm.closedAt, isClosed ? now : nil, at: now)
        set(CaseTerm.isDone, isClosed ? .bool(step.isDone) : nil, at: now)
    }
}

extension CaseDesk {
    /// Removes how somebody is reached who follows a case. Whoever reported it keeps the link, which goes on showing it.
    package func forget(_ link: CaseLink, _ access: CaseAccess, at now: Instant) async throws {
        let contact = CaseType.contact.id(link.contact)
        try await broker.jointly(access.writing, at: now) { writer in
            try writer.edit(contact) { entity in for name in [CaseTerm.email, CaseTerm.telephone, CaseTerm.name] { entity.set(name, String?.none, at: now) } }
        }
    }
}
