internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Photos
internal import Query
internal import Services
internal import Trust

/// `/services/{code}`: the form of a service, and what becomes of it.
extension SiteDoor {
    /// What the form of one service is about.
    struct Filing {
        let municipality: MunicipalityName
        let service: OfferedService
        let language: Language
        /// What everybody may see; for staff what they may.
        let access: ReadAccess
        /// Who enters it for somebody else; nil: the resident.
        let staff: SignedIn?
        /// Whose it is, where it is a resident's.
        let credential: Credential
    }

    /// What becomes of a report as it was typed.
    enum Reception {
        case filed(FiledCase)
        /// Something is left to be said or chosen.
        case shownAgain(TypedReport, ReportRemarks)
    }

    private func filing(_ request: DoorRequest, _ municipality: MunicipalityName, staff: SignedIn? = nil) async throws -> Filing {
        let access = try await staff == nil ? gatekeeper.reading(municipality, .none) : deskAccess(request, municipality).reading
        let service = try await desk.catalogue.service(try request.pathParameter("code"), access)
        guard service.isOffered else { throw CityError.resourceNotFound("there is no service \(service.definition.id) any more") }
        return Filing(municipality: municipality, service: service, language: language(request), access: access, staff: staff, credential: request.credential)
    }

    // MARK: By telephone, on paper, at the counter

    /// The same form for staff who enter what somebody said or wrote.
    func entryPage(_ request: DoorRequest, _ signedIn: SignedIn) async throws -> Response {
        let filing = try await filing(request, signedIn.municipality, staff: signedIn)
        return try await page(request, filing, TypedReport(formToken: FormToken.random()), ReportRemarks())
    }

    func enterReport(_ request: DoorRequest) async throws -> Response {
        let form = try await MultipartForm(request)
        return try await withSignedIn(request) { signedIn in
            guard isFromHere(request), accounts.isOwnForm(form["session"], signedIn) else {
                throw CityError.forbidden("form: it was not sent by a page of this session; load the page again")
            }
            return try await file(form, try await filing(request, signedIn.municipality, staff: signedIn), request)
        }
    }

    // MARK: By the resident

    func reportPage(_ request: DoorRequest) async throws -> Response {
        if request.wantsPlainText { return try await plain(request, textService) }
        let filing = try await filing(request, try await municipality(request.query["municipality"]))
        return try await page(request, filing, TypedReport(formToken: FormToken.random()), ReportRemarks())
    }

    func fileReport(_ request: DoorRequest) async throws -> Response {
        guard isFromHere(request) else { throw CityError.forbidden("form: it was not sent by a page of this site; load the page again") }
        let form = try await MultipartForm(request)
        let filing = try await filing(request, try await municipality(form["municipality"]))
        let verdict = reports.verdict(on: request.network ?? "unknown", at: request.now)
        if case .refused(let seconds) = verdict {
            return try await slowed(request, filing, try TypedReport(form, filing.service.definition), seconds)
        }
        return try await file(form, filing, request, isMany: verdict == .accepted(isMany: true))
    }

    private func file(_ form: MultipartForm, _ filing: Filing, _ request: DoorRequest, isMany: Bool = false) async throws -> Response {
        let channel = filing.staff == nil ? .web : form["channel"].flatMap(CaseChannel.init).flatMap { Self.entryChannels.contains($0) ? $0 : nil } ?? .phone
        switch try await receive(try TypedReport(form, filing.service.definition), kept: form, filing, channel, request, isMany: isMany) {
        case .shownAgain(let typed, let remarks): return try await page(request, filing, typed, remarks, status: remarks.isFaulty ? .unprocessableContent : .ok)
        case .filed(let filed) where filing.staff != nil: return redirect(to: "/desk/\(filed.reference)?done=entry", request)
        case .filed(let filed): return redirect(to: "/cases/\(filing.municipality).\(filed.link.text)?done=new", request)
        }
    }

    /// Files a report if nothing is wrong with it and nothing left to ask.
    /// - Parameter isMany: whether very many came from where it comes from.
    func receive(
        _ report: TypedReport, kept form: MultipartForm, _ filing: Filing, _ channel: CaseChannel, _ request: DoorRequest, isMany: Bool
    ) async throws -> Reception {
        var typed = report
        let reading = UploadReading(prepare: prepare(photo:), desk: desk, language: filing.language)
        let uploads = await reading.read(typed, kept: form, filing.service.definition)
        var remarks = ReportRemarks(otherFaults: uploads.faults, kept: uploads.taken)
        let contact = contact(typed, filing.language, &remarks)
        try await findPlace(&typed, &remarks, filing, request)
        let answers = answers(typed, uploads.taken, filing, &remarks, at: request.now)
        if let answers, let field = filing.service.definition.placeField,
            try await desk.isOutside(answers, filing.service.definition, filing.access, at: request.now)
        {
            remarks.otherFaults[field.id] = filing.language.text("report.reasons.outside")
        }
        guard let answers, !remarks.isFaulty else { return .shownAgain(typed, remarks) }
        guard try await isWhole(typed, answers, &remarks, filing, request) else { return .shownAgain(typed, remarks) }
        var report = CaseReport(
            service: filing.service, answers: answers, channel: channel, contact: contact, attachments: uploads.taken.values.flatMap { $0 },
            address: typed.place.address.isEmpty ? nil : SaidText.cleaned(typed.place.address), formToken: typed.formToken)
        report.district = try await desk.district(of: answers, filing.service.definition, filing.access, at: request.now)
        report.isHeldForReview = isMany
        guard filing.staff == nil else { return .filed(try await desk.file(report, deskAccess(request, filing.municipality), at: request.now)) }
        return .filed(try await desk.file(report, gatekeeper.filing(filing.municipality, filing.credential), at: request.now))
    }

    private static let entryChannels: [CaseChannel] = [.phone, .paper, .counter]

    private func slowed(_ request: DoorRequest, _ filing: Filing, _ typed: TypedReport, _ seconds: Int) async throws -> Response {
        var remarks = ReportRemarks()
        remarks.emailFault = filing.language.text("report.slowed", count: max(1, seconds / 60))
        var response = try await page(request, filing, typed, remarks, status: .tooManyRequests)
        response.headers[.retryAfter] = String(seconds)
        return response
    }

    // MARK: Reading

    private func contact(_ typed: TypedReport, _ language: Language, _ remarks: inout ReportRemarks) -> CaseContact {
        func text(_ text: String, _ countMax: Int) -> String? {
            let text = SaidText.cleaned(text)
            return text.isEmpty ? nil : String(text.prefix(countMax))
        }
        let email = text(typed.contact.email, 300)
        if let email, !CaseContact.isAddress(email) { remarks.emailFault = language.text("report.reasons.pattern.email") }
        return CaseContact(name: text(typed.contact.name, 200), email: email, telephone: text(typed.contact.telephone, 40), language: language.code)
    }

    private func answers(
        _ typed: TypedReport, _ uploads: [String: [NewAttachment]], _ filing: Filing, _ remarks: inout ReportRemarks, at now: Instant
    ) -> ServiceAnswers? {
        do throws(AnswerFaults) {
            let zone = CivilZone(filing.service.definition.calendar.zone) ?? .utc
            return try filing.service.definition.answers(
                to: typed.texts(filing.service.definition), uploads: uploads.mapValues(\.count), today: zone.day(of: now))
        } catch {
            // A photo that can't be taken is told of as such, not as missing.
            remarks.faults = error.faults.filter { remarks.otherFaults[$0.field] == nil }
            return nil
        }
    }

    /// Where only a name or an address was given: the one place that has it; of several, somebody has to choose.
    private func findPlace(_ typed: inout TypedReport, _ remarks: inout ReportRemarks, _ filing: Filing, _ request: DoorRequest) async throws {
        guard filing.service.definition.placeField != nil, typed.candidate == nil, typed.place.latitude.isEmpty else { return }
        let found = try await places(named: typed.place.address, in: filing.municipality, at: request.now)
        if let position = found.only?.position {
            (typed.place.latitude, typed.place.longitude) = (String(position.latitude), String(position.longitude))
        } else if !typed.isConfirmed { remarks.candidates = found.all }
    }

    /// Whether nothing is left to ask before it is filed: which of several places it is, and whether it is one of those reported nearby.
    private func isWhole(
        _ typed: TypedReport, _ answers: ServiceAnswers, _ remarks: inout ReportRemarks, _ filing: Filing, _ request: DoorRequest
    ) async throws -> Bool {
        guard remarks.candidates.isEmpty else { return false }
        guard !typed.isConfirmed, let point = try await desk.publicPoint(of: answers, filing.service.definition, filing.access, at: request.now) else { return true }
        remarks.duplicates = try await desk.duplicates(of: filing.service.definition.id.text, at: point, filing.access, at: request.now)
        return remarks.duplicates.isEmpty
    }

    // MARK: The page

    private func page(
        _ request: DoorRequest, _ filing: Filing, _ typed: TypedReport, _ remarks: ReportRemarks, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let catalogue = try await city.catalogue(for: .everybody, at: request.now)
        var page = PageModel(.report, self, request, catalogue, cursor: cursor(catalogue))
        let (definition, language) = (filing.service.definition, page.language)
        let model = ReportFormModel(definition: definition, typed: typed, remarks: remarks, language: language)
        page.members["title"] = .string(definition.title[language.code])
        page.members["heading"] = .string(definition.title[language.code])
        page.members["help"] = definition.help.map { .string($0[language.code]) } ?? .null
        page.members["action"] = .string(filing.staff == nil ? "/services/\(definition.id)" : "/desk/entry/\(definition.id)")
        page.members["staff"] = filing.staff.map { signedIn in
            [
                "session": .string(signedIn.formToken),
                "channels": .array(
                    Self.entryChannels.map { ["key": .string($0.rawValue), "label": .string(language.text("report.channels.\($0.rawValue)")), "selected": .bool($0 == .phone)] }),
            ]
        } ?? .null
        page.members["municipality"] = .string(filing.municipality.text)
        page.members["formToken"] = .string(typed.formToken)
        page.members["fields"] = model.fields
        page.members["faults"] = model.faults
        page.members["hasFaults"] = .bool(remarks.isFaulty)
        page.members["confirmed"] = typed.isConfirmed || !remarks.duplicates.isEmpty || !remarks.candidates.isEmpty ? "yes" : .null
        page.members["contact"] = [
            "name": .string(typed.contact.name), "email": .string(typed.contact.email), "telephone": .string(typed.contact.telephone),
            "isOpen": .bool(!typed.contact.name.isEmpty || !typed.contact.telephone.isEmpty),
        ]
        page.members["emailFault"] = remarks.emailFault.map(JSON.string) ?? .null
        page.members["privacy"] = .string(privacy(definition, language))
        page.members["duplicates"] = remarks.duplicates.isEmpty ? .null : ["cases": .array(remarks.duplicates.map { duplicate($0, filing, page, request) })]
        page.boot["bbox"] = (catalogue.municipality(filing.municipality.text).flatMap { catalogue.municipalities[$0].box } ?? catalogue.box).json
        page.boot["municipality"] = .string(filing.municipality.text)
        return try answer(page, request, status: status, headers: Self.reportHeaders)
    }

    /// The page may ask where the phone is.
    private static var reportHeaders: HTTPFields { [.permissionsPolicy: "camera=(), geolocation=(self), microphone=()"] }

    /// What becomes of it, for whoever is about to send it.
    func privacy(_ definition: ServiceDefinition, _ language: Language) -> String {
        let shown = language.text("report.public.\(definition.publication.when.rawValue)")
        let days = definition.retention.contactDays
        return [shown, place(definition, language), days.map { language.text("report.keptFor", count: $0) }].compactMap { $0 }.joined(separator: " ")
    }

    /// How exactly everybody sees where it is; nil where that goes without saying.
    private func place(_ definition: ServiceDefinition, _ language: Language) -> String? {
        guard definition.placeField != nil, definition.publication.when != .never else { return nil }
        return switch definition.publication.place {
        case .exact: nil
        case .rounded(let metres): language.text("report.place.rounded", count: Int(metres.rounded()))
        case .street: language.text("report.place.street")
        case .hidden: language.text("report.place.hidden")
        }
    }

    private func duplicate(_ entity: Entity, _ filing: Filing, _ page: PageModel, _ request: DoorRequest) -> JSON {
        let key = entity.text(CaseTerm.reference) ?? ""
        let title = entity.text(CaseTerm.description) ?? entity.text(CaseTerm.name) ?? ""
        let query = PageAddress(pairs: [("municipality", filing.municipality.text)]).query
        return [
            "title": .string(String(title.prefix(120))), "status": .string(page.language.value(entity.text(CaseTerm.status) ?? "", of: "status")),
            "when": entity.moment(CaseTerm.requestedAt).map { .string(page.clock.date($0)) } ?? false, "distance": false,
            "href": .string("/requests/\(PercentEncoding.encode(key))?\(query)#follow"),
        ]
    }
}

/// The name of one form, so that it is filed once whatever is pressed twice and sent again.
enum FormToken {
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<3).map { _ in CaseReference.random(using: &generator).text }.joined()
    }
}
