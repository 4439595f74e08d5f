internal import Broker
package import CityModel
internal import OrderedCollections
internal import Query
internal import Services
internal import Store
package import Trust

/// Giving a case to another municipality of the metropolis, with the resident told of it. Each keeps its own file: there it is a new case, which is filed
/// first and once however often this is begun; here it ends, and its private link leads on.
extension CaseDesk {
    /// - Parameter there: what anybody may file in the other municipality.
    /// - Returns: its reference there.
    /// - Throws: `resourceNotFound` where the other one has no such service; `CaseFault`.
    package func transfer(
        _ reference: CaseReference, to there: CaseAccess, saying reason: String, _ access: WriteAccess, at now: Instant
    ) async throws -> CaseReference {
        guard there.municipality != access.municipality else { throw CaseFault.sameCase }
        let said = try checked(reason, field: "reason")
        let shown = try await shown(reference, access.reading, at: now)
        guard shown.request.text(CaseTerm.step) != CaseStep.transferred, !shown.isClosed else { throw CaseFault.noSuchStep(CaseStep.transferred) }
        let service = try await catalogue.service(shown.service.definition.id.text, there.reading)
        guard service.isOffered else { throw CityError.resourceNotFound("service_code: \(there.municipality) does not offer \(service.definition.id)") }
        let filed = try await file(try await report(shown, as: service, access, at: now), there, at: now)
        try await end(reference, filed, said, shown, there, access, at: now)
        return filed.reference
    }

    private func end(
        _ reference: CaseReference, _ filed: FiledCase, _ said: String, _ shown: ShownCase, _ there: CaseAccess, _ access: WriteAccess, at now: Instant
    ) async throws {
        let (municipality, retention) = (there.municipality.text, shown.service.definition.retention)
        try await broker.jointly(access, at: now) { writer in
            try writer.edit(reference.request) { request in
                guard request.text(CaseTerm.status) != "closed" else { throw CaseFault.noSuchStep(CaseStep.transferred) }
                request.end(in: CaseStep.transferred, at: now)
                request.answer(said, at: now)
            }
            try writer.edit(reference.file) { file in
                file.set(CaseTerm.transferredTo, municipality, at: now)
                file.keep(by: retention, closedAt: now, at: now)
            }
            try writer.edit(reference.dossier) { $0.set(CaseTerm.continuedAt, "\(municipality).\(filed.link.text)", at: now) }
            // Whoever reported it is told there that it has come in.
            for contact in try writer.followers(of: reference) where contact != reference.reporter { try writer.addNotice(to: contact, "transferred") }
            try writer.record(Act(.caseTransferred, reference.text, details: ["to": .string(municipality)]), access)
        }
    }

    /// What is known of a case as a report by the other municipality's definition: what that does not ask is left out.
    private func report(_ shown: ShownCase, as service: OfferedService, _ access: WriteAccess, at now: Instant) async throws -> CaseReport {
        let contact = try await reporter(of: shown.reference, access.reading, at: now)
        var attachments: [NewAttachment] = []
        for attachment in shown.attachments where service.definition.field(attachment.field) != nil || attachment.field.isEmpty {
            guard let whole = try await broker.attachment(attachment.id, small: false, partOf: CaseType.dossier.id, access.reading, at: now) else { continue }
            let small = attachment.mediaType == "image/jpeg" ? try await broker.attachment(attachment.id, small: true, partOf: CaseType.dossier.id, access.reading, at: now)?.bytes : nil
            attachments.append(.init(field: attachment.field, mediaType: attachment.mediaType, name: attachment.name, bytes: whole.bytes, small: small))
        }
        let zone = CivilZone(service.definition.calendar.zone) ?? .utc
        var report = CaseReport(
            service: service, answers: shown.answers(to: service.definition, today: zone.day(of: now)),
            channel: shown.request.text(CaseTerm.channel).flatMap(CaseChannel.init) ?? .web,
            contact: CaseContact(
                name: contact?.text(CaseTerm.name), email: contact?.text(CaseTerm.email), telephone: contact?.text(CaseTerm.telephone),
                language: contact?.text(CaseTerm.language) ?? "en"),
            attachments: attachments, address: shown.dossier?.text(CaseTerm.address) ?? shown.request.text(CaseTerm.address),
            formToken: "transferred:\(access.municipality):\(shown.reference)", requestedAt: shown.request.moment(CaseTerm.requestedAt))
        report.isHeldForReview = true
        return report
    }
}

extension ShownCase {
    /// Its answers as far as they are answers to another definition's questions.
    func answers(to definition: ServiceDefinition, today: CivilDay) -> ServiceAnswers {
        var known = (request.instance(of: CaseTerm.answers)?.value.objectValue ?? [:])
            .merging(dossier?.instance(of: CaseTerm.answers)?.value.objectValue ?? [:], uniquingKeysWith: { first, _ in first }).mapValues(\.answerTexts)
        if let field = definition.descriptionField, let text = dossier?.text(CaseTerm.description) ?? request.text(CaseTerm.description) { known[field.id] = [text] }
        if let field = definition.placeField, let center = (dossier?.point ?? request.point)?.boundingBox.center { known[field.id] = ["\(center.latitude),\(center.longitude)"] }
        var answers = ServiceAnswers()
        for field in definition.fields {
            guard let texts = known[field.id], let answer = definition.answer(to: field, texts, today: today) else { continue }
            answers.byField[field.id] = answer
        }
        return answers
    }
}

extension JSON {
    /// A stored answer as it would be typed.
    fileprivate var answerTexts: [String] {
        switch self {
        case .array(let elements): elements.compactMap(\.stringValue)
        case .bool: ["yes"]
        case .string(let text): [text]
        default: doubleValue.map { ["\($0)"] } ?? []
        }
    }
}
