package import CityModel
package import Store
package import Trust

/// Changes of several entities, with what belongs to them, that hold together or not at all. What is decided is decided on what is there at that
/// moment, for nobody else writes meanwhile.
package struct JointWriter {
    private let transaction: WriteTransaction
    private let now: Instant

    fileprivate init(_ transaction: WriteTransaction, _ now: Instant) { (self.transaction, self.now) = (transaction, now) }

    /// Nil where there is none, or it is to be seen no more.
    package func entity(_ id: IRI) throws -> Entity? {
        guard let stored = try transaction.storedEntity(id) else { return nil }
        return try transaction.entity(stored).unexpired(at: now)
    }

    package func classification(of id: IRI) throws -> Classification? { try transaction.storedEntity(id)?.classification }

    /// - Throws: `alreadyExists`; `forbidden` where rules do not let it be written.
    package func create(_ entity: Entity, _ classification: Classification) throws {
        guard try transaction.create(entity, Provenance(classification: classification), at: now) else {
            throw CityError.alreadyExists("entity \(entity.id) exists already")
        }
    }

    /// - Parameter classification: what it is from now on; nil: what it was.
    /// - Throws: `resourceNotFound`, `forbidden`, and what `body` throws.
    package func edit<Result>(_ id: IRI, _ classification: Classification? = nil, _ body: (inout Entity) throws -> Result) throws -> Result {
        try transaction.edit(id, at: now, provenance: Provenance(classification: classification), body)
    }

    // MARK: What belongs to cases

    package func link(to contact: String) throws -> CaseLink { try CaseLink(to: contact, in: transaction) }

    package func attachments(of reference: String) throws -> [Attachment] { try transaction.attachments(of: reference) }
    package func put(_ attachment: Attachment, bytes: [UInt8], small: [UInt8]?, subject: String) throws {
        try transaction.put(attachment, bytes: bytes, small: small, subject: subject)
    }
    package func publishAttachment(_ id: String) throws -> Bool { try transaction.publishAttachment(id) }
    package func withholdAttachment(_ id: String, subject: String) throws { try transaction.withholdAttachment(id, subject: subject) }
    /// With all that was recorded of them. What is public of a case's photos goes too where `all` says so.
    package func eraseWhole(_ ids: [IRI], keysOf subjects: [String]) throws { try transaction.eraseWhole(ids, keysOf: subjects, at: now) }
    package func removeAttachments(of reference: String, all: Bool) throws { try transaction.removeAttachments(of: reference, all: all) }
    package func record(_ act: Act, _ access: WriteAccess) throws { try transaction.record(act, access.reading, at: now) }
    package func addNotice(to contact: IRI, _ occasion: String) throws { try transaction.addNotice(to: contact, occasion, at: now) }
    package func filedForm(_ token: String) throws -> String? { try transaction.filedForm(token) }
    package func filedRow(_ digest: [UInt8]) throws -> String? { try transaction.filedRow(digest) }
    package func noteRow(_ digest: [UInt8], filedAs reference: String) throws { try transaction.noteRow(digest, filedAs: reference) }
    package func proof(of text: String) throws -> [UInt8] { try transaction.proof(of: text) }
    package func takeUpdate(_ name: String, of request: IRI, answering answer: String) throws -> Bool {
        try transaction.takeUpdate(name, of: request, answering: answer)
    }
    package func removeTakenUpdates(of request: IRI) throws { try transaction.removeTakenUpdates(of: request) }
    package func forgetForms(before border: Instant) throws { try transaction.forgetForms(before: border) }
    package func noteForm(_ token: String, filedAs reference: String) throws { try transaction.noteForm(token, filedAs: reference, at: now) }
}

extension Broker {
    /// Runs `body` in one transaction, and returns after it is on disk. When it throws nothing of it stays. What it makes open is in the ledger.
    package func jointly<Value: Sendable>(
        _ access: WriteAccess, at now: Instant, _ body: @escaping @Sendable (JointWriter) throws -> Value
    ) async throws -> Value {
        try await file(toWrite: access).write { transaction in
            let value = try body(JointWriter(transaction, now))
            try transaction.recordReleases(run: nil, access, at: now)
            return value
        }
    }

    /// The photos and files of a case; those that are not public only where an entity of which they are a part is shown.
    /// - Parameter dossier: that entity.
    package func attachments(of reference: String, partOf dossier: IRI, _ access: ReadAccess, at now: Instant) async throws -> [Attachment] {
        try await file(toRead: access).read { snapshot in
            let all = try snapshot.attachments(of: reference)
            return try snapshot.visibleEntity(dossier, access, at: now) == nil ? all.filter(\.isPublic) : all
        }
    }

    /// - Parameter small: the picture for lists.
    /// - Parameter dossier: the entity of which a case's photos are a part, by the case's reference.
    /// - Returns: nil where there is none, or it may not be seen.
    package func attachment(
        _ id: String, small: Bool, partOf dossier: @escaping @Sendable (String) -> IRI, _ access: ReadAccess, at now: Instant
    ) async throws -> (Attachment, bytes: [UInt8])? {
        try await show(access, at: now) { snapshot in
            guard let found = try snapshot.attachment(id, small: small) else { return nil }
            guard !found.0.isPublic else { return found }
            let dossier = dossier(found.0.caseReference)
            guard try snapshot.visibleEntity(dossier, access, at: now) != nil, let stored = try snapshot.storedEntity(dossier) else { return nil }
            snapshot.show(stored)
            return found
        }
    }

    /// The private link of somebody who follows a case.
    package func link(to contact: String, _ access: ReadAccess) async throws -> CaseLink {
        try await file(toRead: access).read { try CaseLink(to: contact, in: $0) }
    }
}

extension Broker {
    /// To be called once an erasure is on disk: keys are overwritten, and the log is emptied.
    package func afterErasure(_ access: WriteAccess) async throws { try await file(toWrite: access).afterErasure() }
}

/// Notices that wait to be sent. Nothing in them is about anybody.
extension Broker {
    package func dueNotices(_ access: WriteAccess, limit: Int, at now: Instant) async throws -> [WaitingNotice] {
        try await file(toWrite: access).read { try $0.notices(dueAt: now, limit: limit) }
    }

    package func finishNotice(_ id: Int64, _ access: WriteAccess) async throws { try await file(toWrite: access).write { try $0.removeNotice(id) } }

    package func postponeNotice(_ id: Int64, until due: Instant, _ access: WriteAccess) async throws {
        try await file(toWrite: access).write { try $0.postponeNotice(id, until: due) }
    }

    /// Nil where there is no such entity, or it is not shown.
    package func classification(of id: IRI, _ access: ReadAccess) async throws -> Classification? {
        try await file(toRead: access).read { snapshot in
            try snapshot.storedEntity(id).flatMap { $0.classification <= access.classificationMax ? $0.classification : nil }
        }
    }
}
