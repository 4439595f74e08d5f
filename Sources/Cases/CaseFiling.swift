internal import Broker
package import CityModel
internal import Foundation
internal import OrderedCollections
internal import Services
internal import Store
package import Trust

/// Filing: one transaction makes the case with all that belongs to it, or nothing.
extension CaseDesk {
    /// - Throws: `CaseFault` for too many attachments; `alreadyExists` never: a reference that is taken is drawn again.
    package func file(_ report: CaseReport, _ access: CaseAccess, at now: Instant) async throws -> FiledCase {
        try await file(report, subject: access.subject, access.writing, at: now)
    }

    /// What staff enter for somebody who telephoned or wrote.
    package func file(_ report: CaseReport, _ access: WriteAccess, at now: Instant) async throws -> FiledCase {
        try await file(report, subject: nil, access, at: now)
    }

    private func file(_ report: CaseReport, subject: String?, _ access: WriteAccess, at now: Instant) async throws -> FiledCase {
        try check(report.attachments)
        let (definition, address) = (report.service.definition, report.address ?? report.answers.address(report.service.definition))
        let place = try await publicPlace(of: report.answers, address: address, definition, access.reading, at: now)
        let (form, limits) = (NewCase(report, place: place, subject: subject), limits)
        return try await broker.jointly(access, at: now) { writer in
            if let token = report.formToken, let known = try writer.filedForm(token), let reference = CaseReference(known) {
                return FiledCase(reference: reference, link: try writer.link(to: reference.text), isRepeated: true)
            }
            let digest = try report.row.map { try writer.proof(of: $0.name) }
            if let known = try digest.flatMap(writer.filedRow), let reference = CaseReference(known) {
                return FiledCase(reference: reference, link: try writer.link(to: reference.text), isRepeated: true)
            }
            let reference = try Self.freeReference(writer)
            for (entity, classification) in form.entities(reference, at: now) { try writer.create(entity, classification) }
            try form.attach(to: reference, writer, countMax: limits.attachmentCountMax, at: now)
            if let token = report.formToken { try writer.noteForm(token, filedAs: reference.text) }
            if let digest { try writer.noteRow(digest, filedAs: reference.text) }
            if report.contact.email != nil, report.isAcknowledged { try writer.addNotice(to: reference.reporter, "received") }
            return FiledCase(reference: reference, link: try writer.link(to: reference.text), isRepeated: false)
        }
    }

    /// Whether a row of a table was filed before, be its case still there or not.
    package func isFiled(_ row: CaseRow, _ access: ReadAccess) async throws -> Bool { try await broker.filedRow(named: row.name, access) != nil }

    /// The case that a form was filed as; nil where it was not, or too long ago (`CaseLimits.formSeconds`).
    package func filed(form token: String, _ access: CaseAccess) async throws -> FiledCase? {
        guard let known = try await broker.filedForm(token, access.reading), let reference = CaseReference(known) else { return nil }
        return FiledCase(reference: reference, link: try await broker.link(to: reference.text, access.reading), isRepeated: true)
    }

    private func check(_ attachments: [NewAttachment]) throws {
        let byteCount = attachments.reduce(0) { $0 + $1.bytes.count }
        guard attachments.count <= limits.attachmentCountMax, byteCount <= limits.attachmentByteCountMax else {
            throw CaseFault.tooManyAttachments(countMax: limits.attachmentCountMax)
        }
    }

    private static func freeReference(_ writer: JointWriter) throws -> CaseReference {
        for _ in 0..<10 {
            let reference = CaseReference.random()
            if try writer.entity(reference.request) == nil, try writer.entity(reference.dossier) == nil { return reference }
        }
        throw CityError.internalFault("ten references in a row are taken")
    }
}

/// A report as the entities of a case.
private struct NewCase: Sendable {
    let report: CaseReport
    let place: PublicPlace
    /// Whose data it is: of somebody's account, else of the case alone.
    let subject: String?

    init(_ report: CaseReport, place: PublicPlace, subject: String?) { (self.report, self.place, self.subject) = (report, place, subject) }

    private var definition: ServiceDefinition { report.service.definition }
    private var isPublicAtOnce: Bool { definition.publication.when == .atOnce && !report.isHeldForReview }

    private func owner(_ reference: CaseReference) -> String { subject ?? CaseSubject.of(reference) }

    func entities(_ reference: CaseReference, at now: Instant) -> [(Entity, Classification)] {
        [
            (request(reference, at: now), isPublicAtOnce ? .open : .internalUse), (file(reference, at: now), .internalUse),
            (dossier(reference, at: now), .personal), (contact(reference, at: now), .personal),
        ]
    }

    /// The case as everybody may see it once it is public. What is personal is not in it.
    private func request(_ reference: CaseReference, at now: Instant) -> Entity {
        let requestedAt = report.requestedAt.map { min($0, now) } ?? now
        let due = definition.deadlines(for: report.answers, since: requestedAt)
        let first = definition.steps[0]
        let title = definition.title[definition.title.first]
        var entity = Entity(.request, reference.text)
        entity.set(CaseTerm.name, [title, place.address].compactMap { $0 }.joined(separator: ", "), at: now)
        entity.set(CaseTerm.reference, reference.text, at: now)
        entity.set(CaseTerm.serviceCode, definition.id.text, at: now)
        entity.set(CaseTerm.serviceName, title, at: now)
        entity.set(CaseTerm.serviceVersion, .integer(Int64(report.service.version)), at: now)
        entity.set(CaseTerm.description, publicDescription, at: now)
        entity.set(CaseTerm.status, first.phase.status, at: now)
        entity.set(CaseTerm.step, first.id, at: now)
        entity.set(CaseTerm.requestedAt, requestedAt, at: now)
        entity.set(CaseTerm.updatedAt, now, at: now)
        entity.set(CaseTerm.expectedAt, due.close, at: now)
        entity.set(CaseTerm.answerExpectedAt, due.answer, at: now)
        entity.set(CaseTerm.department, definition.department(for: report.answers, district: report.district), at: now)
        entity.set(CaseTerm.address, place.address, at: now)
        entity.set(CaseTerm.district, report.district, at: now)
        entity.set(CaseTerm.channel, report.channel.rawValue, at: now)
        entity.set(CaseTerm.concerns, link: report.answers.concerned(definition), at: now)
        entity.set(CaseTerm.followerCount, .integer(1), at: now)
        entity.set(CaseTerm.answers, report.answers.json(definition) { $0.isPublic && $0.id != definition.descriptionField?.id }, at: now)
        entity.set(place: place.point, at: now)
        return entity
    }

    private var address: String? { report.address ?? report.answers.address(definition) }

    private var publicDescription: String? {
        definition.descriptionField.flatMap { $0.isPublic ? report.answers.text($0.id) : nil }
    }

    private func file(_ reference: CaseReference, at now: Instant) -> Entity {
        var entity = Entity(.file, reference.text)
        entity.set(CaseTerm.request, link: reference.request, at: now)
        entity.set(CaseTerm.followers, .array([.string(reference.text)]), at: now)
        entity.set(CaseTerm.review, isPublicAtOnce ? "public" : definition.publication.when == .never ? "never" : "waiting", at: now)
        return entity
    }

    private func dossier(_ reference: CaseReference, at now: Instant) -> Entity {
        var entity = Entity(.dossier, reference.text)
        entity.set(.dataSubject, owner(reference), at: now)
        entity.set(CaseTerm.request, link: reference.request, at: now)
        entity.set(CaseTerm.description, definition.descriptionField.flatMap { report.answers.text($0.id) }, at: now)
        entity.set(CaseTerm.answers, report.answers.json(definition) { !$0.isPublic && $0.id != definition.descriptionField?.id }, at: now)
        entity.set(CaseTerm.address, address, at: now)
        entity.set(place: report.answers.place(definition), at: now)
        if let remark = report.remark { entity.say(remark, by: "resident", at: now) }
        return entity
    }

    private func contact(_ reference: CaseReference, at now: Instant) -> Entity {
        Entity(contact: report.contact, key: reference.text, of: reference, subject: owner(reference), at: now)
    }

    func attach(to reference: CaseReference, _ writer: JointWriter, countMax: Int, at now: Instant) throws {
        let showsPhotos = isPublicAtOnce && definition.publication.photos == .atOnce
        for (index, attachment) in report.attachments.prefix(countMax).enumerated() {
            let isPhoto = attachment.small != nil
            let stored = Attachment(
                id: AttachmentID.random(), caseReference: reference.text, field: attachment.field, mediaType: attachment.mediaType, name: attachment.name,
                isPublic: showsPhotos && isPhoto, createdAt: Instant(microseconds: now.microseconds + Int64(index)))
            try writer.put(stored, bytes: attachment.bytes, small: attachment.small, subject: owner(reference))
        }
    }
}

extension Entity {
    /// How somebody who follows a case is reached.
    init(contact: CaseContact, key: String, of reference: CaseReference, subject: String, at now: Instant) {
        self.init(.contact, key)
        set(.dataSubject, subject, at: now)
        set(CaseTerm.request, link: reference.request, at: now)
        set(CaseTerm.name, contact.name, at: now)
        set(CaseTerm.email, contact.email, at: now)
        set(CaseTerm.telephone, contact.telephone, at: now)
        set(CaseTerm.language, contact.language, at: now)
    }
}

/// Whom a case is about where nobody is known: the one who reported it, whoever that was.
enum CaseSubject {
    static func of(_ reference: CaseReference) -> String { "case:\(reference)" }
    /// One of those who follow it.
    static func ofFollower(_ key: String) -> String { "follower:\(key)" }
}

/// The name of a photo or a file: 120 random bits, since who has a public one could guess at others.
enum AttachmentID {
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<3).map { _ in CaseReference.random(using: &generator).text.lowercased() }.joined()
    }
}
