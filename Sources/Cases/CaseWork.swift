internal import Broker
package import CityModel
internal import OrderedCollections
internal import Services
internal import Store
package import Trust

/// What staff do with a case. The access says as whom and what for; rules decide about each entity that is changed.
extension CaseDesk {
    /// Brings a case into another step of its service, and tells those who follow it.
    /// - Parameter answer: what is said to them; everybody may read it where the case is public.
    /// - Parameter update: of another system; where it was taken before nothing is done.
    /// - Throws: `CaseFault`; `forbidden`.
    package func move(
        _ reference: CaseReference, to step: String, answer: String?, once update: OutsideUpdate? = nil, _ access: WriteAccess, at now: Instant
    ) async throws {
        let answer = try answer.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : try checked($0, field: "answer") }
        let definition = try await shown(reference, access.reading, at: now).service.definition
        try await change(reference, access, at: now) { writer, contacts in
            guard try writer.isFirst(update, of: reference.request) else { return }
            try writer.edit(reference.request) { request in
                request.move(to: try definition.step(after: request.text(CaseTerm.step) ?? "", step, hasAnswer: answer != nil), at: now)
                request.answer(answer, at: now)
            }
            let closedAt = definition.step(step)?.phase == .closed ? now : nil
            try writer.edit(reference.file) { $0.keep(by: definition.retention, closedAt: closedAt, at: now) }
            for contact in contacts { try writer.addNotice(to: contact, "step.\(step)") }
        }
    }

    /// Says something to those who follow a case.
    package func answer(_ reference: CaseReference, _ text: String, once update: OutsideUpdate? = nil, _ access: WriteAccess, at now: Instant) async throws {
        let said = try checked(text, field: "answer")
        try await change(reference, access, at: now) { writer, contacts in
            guard try writer.isFirst(update, of: reference.request) else { return }
            try writer.edit(reference.request) { $0.answer(said, at: now) }
            for contact in contacts { try writer.addNotice(to: contact, "answered") }
        }
    }

    /// Notes something that only those see who serve people.
    package func note(_ reference: CaseReference, _ text: String, _ access: WriteAccess, at now: Instant) async throws {
        let said = try checked(text, field: "note")
        let author = access.reading.principal.label
        try await broker.jointly(access, at: now) { writer in try writer.edit(reference.dossier) { $0.say(said, by: author, at: now) } }
    }

    /// - Parameter assignee: an account; nil: nobody.
    package func assign(_ reference: CaseReference, to assignee: String?, _ access: WriteAccess, at now: Instant) async throws {
        try await broker.jointly(access, at: now) { writer in try writer.edit(reference.file) { $0.set(CaseTerm.assignee, assignee, at: now) } }
    }

    /// Gives a case to another department, which begins with it anew.
    package func hand(_ reference: CaseReference, to department: String, _ access: WriteAccess, at now: Instant) async throws {
        let department = try checked(department, field: "department")
        try await change(reference, access, at: now) { writer, contacts in
            try writer.edit(reference.request) { request in
                request.set(CaseTerm.department, department, at: now)
                request.set(CaseTerm.updatedAt, now, at: now)
            }
            try writer.edit(reference.file) { $0.set(CaseTerm.assignee, String?.none, at: now) }
            for contact in contacts { try writer.addNotice(to: contact, "transferred") }
        }
    }

    /// Has a case told of together with another, whose followers its own become.
    package func merge(_ reference: CaseReference, into other: CaseReference, _ access: WriteAccess, at now: Instant) async throws {
        guard reference != other else { throw CaseFault.sameCase }
        let retention = try await shown(reference, access.reading, at: now).service.definition.retention
        try await change(reference, access, at: now) { writer, contacts in
            guard let target = try writer.entity(other.request) else { throw CityError.resourceNotFound("there is no case \(other.shown)") }
            guard target.text(CaseTerm.step) != CaseStep.merged else { throw CaseFault.isMerged }
            try writer.edit(reference.request) { request in
                guard request.text(CaseTerm.step) != CaseStep.merged else { throw CaseFault.isMerged }
                request.end(in: CaseStep.merged, at: now)
                request.set(CaseTerm.duplicateOf, link: other.request, at: now)
            }
            try writer.edit(other.request) { request in
                let count = (request.number(CaseTerm.followerCount) ?? 1) + max(contacts.count, 1)
                request.set(CaseTerm.followerCount, .integer(Int64(count)), at: now)
            }
            // Who follows both is told twice, by two links of theirs.
            let keys = contacts.compactMap(CaseType.contact.key)
            try writer.edit(other.file) { $0.setFollowers($0.followerKeys + keys, at: now) }
            try writer.edit(reference.file) { file in
                file.setFollowers([], at: now)
                file.keep(by: retention, closedAt: now, at: now)
            }
            for contact in contacts {
                try writer.edit(contact) { $0.set(CaseTerm.request, link: other.request, at: now) }
                try writer.addNotice(to: contact, "merged")
            }
        }
    }

    /// Lets everybody see a case, after somebody has looked at it.
    /// - Parameter description: what everybody reads of what the resident wrote; nil: nothing of it.
    /// - Parameter photos: those that everybody may see.
    package func publish(
        _ reference: CaseReference, description: String?, photos: Set<String>, _ access: WriteAccess, at now: Instant
    ) async throws {
        let description = try description.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : try checked($0, field: "description") }
        try await broker.jointly(access, at: now) { writer in
            let subject = try writer.entity(reference.dossier)?.text(.dataSubject) ?? CaseSubject.of(reference)
            for attachment in try writer.attachments(of: reference.text) {
                if photos.contains(attachment.id) { _ = try writer.publishAttachment(attachment.id) } else if attachment.isPublic {
                    try writer.withholdAttachment(attachment.id, subject: subject)
                }
            }
            try writer.edit(reference.request, .open) { request in
                request.set(CaseTerm.description, description, at: now)
                request.set(CaseTerm.updatedAt, now, at: now)
            }
            try writer.edit(reference.file) { file in
                file.set(CaseTerm.review, "public", at: now)
                file.set(CaseTerm.withheldReason, String?.none, at: now)
                file.set(CaseTerm.appeal, String?.none, at: now)
            }
        }
    }

    /// Keeps a case from the public, saying why to whoever reported it, who may appeal.
    package func withhold(_ reference: CaseReference, because reason: String, _ access: WriteAccess, at now: Instant) async throws {
        let reason = try checked(reason, field: "reason")
        try await broker.jointly(access, at: now) { writer in
            let subject = try writer.entity(reference.dossier)?.text(.dataSubject) ?? CaseSubject.of(reference)
            for attachment in try writer.attachments(of: reference.text) where attachment.isPublic {
                try writer.withholdAttachment(attachment.id, subject: subject)
            }
            try writer.edit(reference.request, .internalUse) { $0.set(CaseTerm.updatedAt, now, at: now) }
            try writer.edit(reference.file) { file in
                file.set(CaseTerm.review, "withheld", at: now)
                file.set(CaseTerm.withheldReason, reason, at: now)
                file.set(CaseTerm.appeal, String?.none, at: now)
            }
        }
    }

    /// A photo of the mended thing, or of what was found.
    package func attach(_ attachment: NewAttachment, to reference: CaseReference, isPublic: Bool, _ access: WriteAccess, at now: Instant) async throws {
        let limits = limits
        try await broker.jointly(access, at: now) { writer in
            guard try writer.attachments(of: reference.text).count < limits.attachmentCountMax else {
                throw CaseFault.tooManyAttachments(countMax: limits.attachmentCountMax)
            }
            let subject = try writer.entity(reference.dossier)?.text(.dataSubject) ?? CaseSubject.of(reference)
            // So it is asked whether this case is theirs to change.
            try writer.edit(reference.request) { $0.set(CaseTerm.updatedAt, now, at: now) }
            try writer.put(
                .init(
                    id: AttachmentID.random(), caseReference: reference.text, field: attachment.field, mediaType: attachment.mediaType, name: attachment.name,
                    isPublic: isPublic, createdAt: now),
                bytes: attachment.bytes, small: attachment.small, subject: subject)
        }
    }

    private func change(
        _ reference: CaseReference, _ access: WriteAccess, at now: Instant, _ body: @escaping @Sendable (JointWriter, [IRI]) throws -> Void
    ) async throws {
        try await broker.jointly(access, at: now) { writer in try body(writer, try writer.followers(of: reference)) }
    }
}

extension JointWriter {
    /// The contacts of those who follow a case.
    func followers(of reference: CaseReference) throws -> [IRI] { try entity(reference.file)?.followerKeys.map(CaseType.contact.id) ?? [] }
}

extension Entity {
    /// Of the file of a case.
    var followerKeys: [String] { instance(of: CaseTerm.followers)?.value.arrayValue?.compactMap(\.stringValue) ?? [] }

    mutating func setFollowers(_ keys: [String], at now: Instant) { set(CaseTerm.followers, .array(keys.map(JSON.string)), at: now) }
}

extension Entity {
    mutating func answer(_ text: String?, at now: Instant) {
        if let text { set(CaseTerm.answer, text, at: now) }
        if instance(of: CaseTerm.answeredAt) == nil { set(CaseTerm.answeredAt, now, at: now) }
        set(CaseTerm.updatedAt, now, at: now)
    }

    /// Into one of the ends that all services have.
    mutating func end(in step: String, at now: Instant) {
        set(CaseTerm.step, step, at: now)
        set(CaseTerm.status, "closed", at: now)
        set(CaseTerm.closedAt, now, at: now)
        set(CaseTerm.isDone, .bool(false), at: now)
        set(CaseTerm.updatedAt, now, at: now)
    }
}

extension ServiceDefinition {
    fileprivate func step(after current: String, _ next: String, hasAnswer: Bool) throws(CaseFault) -> ServiceStep {
        do { return try transition(from: current, to: next, hasAnswer: hasAnswer) } catch {
            switch error {
            case .answerMissing: throw .answerMissing
            case .unknownStep, .notNext: throw .noSuchStep(next)
            }
        }
    }
}
