internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Services
internal import Trust

/// `POST /text/services/{code}`: a report from a terminal or a gateway, as one command.
///
/// It is always nobody's: no cookie and no token counts, so a page of another site that has somebody's browser send it can do no more than file a report of its
/// own; and as the page's form does, it refuses what a browser says that another site sent. The same limits hold for one connection.
extension SiteDoor {
    func fileText(_ request: DoorRequest) async throws -> Response {
        guard isFromHere(request) else { throw CityError.forbidden("Origin: a page of another site can't file a report") }
        let form = try await TextForm(request)
        let language = textLanguage(request, form[.lang])
        let municipality = try await municipality(request.query["municipality"] ?? form[.municipality])
        let access = try await gatekeeper.reading(municipality, .none)
        let service = try await desk.catalogue.service(try request.pathParameter("code"), access)
        guard service.isOffered else { throw CityError.resourceNotFound("there is no service \(service.definition.id) any more") }
        let filing = Filing(municipality: municipality, service: service, language: language, access: access, staff: nil, credential: .none)
        let typed = try form.report(service.definition, in: municipality)
        let anybody = try await gatekeeper.filing(municipality, .none)
        if let known = try await desk.filed(form: typed.formToken, anybody) { return filed(known, filing, request) }
        let verdict = reports.verdict(on: request.network ?? "unknown", at: request.now)
        if case .refused(let seconds) = verdict { return slowed(seconds, language, request) }
        switch try await receive(typed, kept: form.parts, filing, .text, request, isMany: verdict == .accepted(isMany: true)) {
        case .filed(let new): return filed(new, filing, request)
        case .shownAgain(let typed, let remarks) where remarks.isFaulty: return refused(typed, remarks, filing, request)
        case .shownAgain(_, let remarks): return asked(remarks, filing, request)
        }
    }

    private func filed(_ filed: FiledCase, _ filing: Filing, _ request: DoorRequest) -> Response {
        let (language, end) = (filing.language, "/cases/\(filing.municipality).\(filed.link.text)")
        var page = PlainText()
        page.heading(language.text("case.thanks"))
        page.paragraph("\(language.text("case.reference")): \(filed.reference.shown)")
        page.paragraph(language.text("case.keepLink"))
        page.verbatim(whole(end, [], request), indent: 0)
        page.paragraph(language.text("plain.asText"))
        page.verbatim("curl " + quoted("/text" + end, [("lang", language.code)], request))
        return answer(page, request, status: .created, headers: [.referrerPolicy: "no-referrer"])
    }

    private func slowed(_ seconds: Int, _ language: Language, _ request: DoorRequest) -> Response {
        var page = PlainText()
        page.heading(language.text("plain.refused"))
        page.paragraph(language.text("plain.slowed", count: max(1, seconds / 60)))
        return answer(page, request, status: .tooManyRequests, headers: [.retryAfter: String(seconds)])
    }

    /// All that is wrong, by the names by which it was sent.
    private func refused(_ typed: TypedReport, _ remarks: ReportRemarks, _ filing: Filing, _ request: DoorRequest) -> Response {
        let (definition, language) = (filing.service.definition, filing.language)
        let model = ReportFormModel(definition: definition, typed: typed, remarks: remarks, language: language)
        var page = PlainText()
        page.heading(language.text("plain.refused"))
        page.blank()
        for field in definition.fields {
            guard let fault = model.fault(field) else { continue }
            page.item("\(TextForm.name(of: field.id)): \(fault)")
            page.item(field.label[language.code], indent: 4)
        }
        for fault in remarks.faults where fault.reason == .unknownField { page.item("\(PlainText.said(String(fault.field.prefix(60)))): \(language.text("report.reasons.unknownField"))") }
        if let fault = remarks.emailFault { page.item("contact.email: \(fault)") }
        page.paragraph(language.text("plain.see"))
        page.verbatim("curl " + quoted("/text/services/\(definition.id)", [("municipality", filing.municipality.text), ("lang", language.code)], request))
        return answer(page, request, status: .unprocessableContent)
    }

    /// What somebody has to decide first: which of several places it is, and whether it is one of those reported nearby.
    private func asked(_ remarks: ReportRemarks, _ filing: Filing, _ request: DoorRequest) -> Response {
        let (language, field) = (filing.language, filing.service.definition.placeField)
        let clock = ClockText(zone: configuration.timeZone, language: language)
        var page = PlainText()
        page.heading(language.text("plain.refused"))
        if !remarks.candidates.isEmpty, let field {
            page.paragraph("\(TextForm.name(of: field.id)): \(language.text("report.candidates"))")
            for found in remarks.candidates {
                page.item(PlainText.said(found.label), mark: "- ")
                page.verbatim("--data-urlencode '\(TextForm.name(of: field.id))=\(found.position.latitude),\(found.position.longitude)'", indent: 2)
            }
        }
        if !remarks.duplicates.isEmpty {
            page.paragraph(language.text("report.duplicatesLead"))
            for entity in remarks.duplicates { add(entity, to: &page, filing, clock, request) }
        }
        page.paragraph(language.text("plain.another"))
        page.verbatim("-d confirmed=yes")
        return answer(page, request, status: .conflict)
    }

    private func add(_ entity: Entity, to page: inout PlainText, _ filing: Filing, _ clock: ClockText, _ request: DoorRequest) {
        let title = entity.text(CaseTerm.description) ?? entity.text(CaseTerm.name) ?? ""
        let status = filing.language.value(entity.text(CaseTerm.status) ?? "", of: "status")
        let said = [entity.moment(CaseTerm.requestedAt).map(clock.date), status, PlainText.said(String(title.prefix(120)))].compactMap { $0 }
        page.item(filing.language.list(said), mark: "- ")
        let pairs = [("municipality", filing.municipality.text), ("lang", filing.language.code)]
        page.verbatim("curl " + quoted("/text/requests/\(PercentEncoding.encode(entity.text(CaseTerm.reference) ?? ""))", pairs, request))
    }
}
