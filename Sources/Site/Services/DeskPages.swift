internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Photos
internal import Services
internal import Store
internal import Trust

/// `/desk`: where staff work on cases. What they see and may do follows from the rules of access, for the purpose of serving people.
extension SiteDoor {
    var deskRoutes: [Route] {
        let page = Route.Answer(200, "The page", mediaTypes: ["text/html"])
        let elsewhere = Route.Answer(303, "Done: the page again, or the form to sign in")
        let refused = Route.Answer(422, "The page again, with what was wrong", mediaTypes: ["text/html"])
        let reference = Route.Parameter("reference", in: .path, "The case's reference")
        let filters = ["view", "service", "department", "district", "page", "done"].map { Route.Parameter($0, in: .query, "What the list is narrowed to: \($0)") }
        return [
            Route(.get, "/desk", "The queue of cases", tag: Self.servicesTag, parameters: filters, responses: [page, elsewhere]) { request in
                try await withSignedIn(request) { try await queue(request, $0) }
            },
            Route(
                .post, "/desk/views", "Give a name to what the queue is narrowed to, or change one", tag: Self.servicesTag,
                body: Self.form(["form", "action", "view", "name", "narrowing"]), responses: [elsewhere, refused]
            ) { request in try await withForm(request) { try await changeViews(request, $0, $1) } },
            Route(
                .post, "/desk", "Do the same to several cases", tag: Self.servicesTag, body: Self.form(["form", "action", "reference", "return"]),
                responses: [elsewhere, refused]
            ) { request in try await withForm(request) { try await bulk(request, $0, $1) } },
            Route(
                .get, "/desk/entry/{code}", "The form to enter what somebody said or wrote", tag: Self.servicesTag,
                parameters: [.init("code", in: .path, "The service's code")], responses: [page, elsewhere]
            ) { request in try await withSignedIn(request) { try await entryPage(request, $0) } },
            Route(
                .post, "/desk/entry/{code}", "Enter what somebody said or wrote", tag: Self.servicesTag, parameters: [.init("code", in: .path, "The service's code")],
                body: .init([MultipartForm.mediaType], schema: ["type": "object"], isStreamed: true), responses: [elsewhere, refused], handler: enterReport),
            Route(
                .get, "/desk/{reference}", "A case, to be worked on", tag: Self.servicesTag, parameters: [reference, .init("done", in: .query, "What was done a moment ago")],
                responses: [page, elsewhere]
            ) { request in try await withSignedIn(request) { try await deskCase(request, $0, fault: nil) } },
            Route(
                .post, "/desk/{reference}", "Work on a case", tag: Self.servicesTag, parameters: [reference],
                body: .init([MultipartForm.mediaType], schema: ["type": "object"], isStreamed: true), responses: [elsewhere, refused], handler: workOnCase),
        ]
    }

    private static let rowCount = 50
    /// How long ago a case was closed that the queue still shows.
    private static let closedSeconds = 30.0 * 86_400

    // MARK: The queue

    /// - Throws: `forbidden` for who works on nothing here.
    func deskAccess(_ request: DoorRequest, _ municipality: MunicipalityName) async throws -> WriteAccess {
        try await gatekeeper.writing(municipality, request.credential, request.terms.serving)
    }

    /// An address that says nothing opens with the view that somebody chose for it.
    private func queue(_ request: DoorRequest, _ signedIn: SignedIn) async throws -> Response {
        if request.query.pairs.isEmpty, let opening = try await desk.views(signedIn).opening { return redirect(to: "/desk?" + opening.narrowing, request) }
        return try await deskPage(request, signedIn, DeskFilter(request.query))
    }

    /// - Parameter form: what was sent and can't be done, with the reason in `fault`.
    func deskPage(
        _ request: DoorRequest, _ signedIn: SignedIn, _ filter: DeskFilter, fault: String? = nil, form: FormFields? = nil
    ) async throws -> Response {
        let access = try await deskAccess(request, signedIn.municipality).reading
        let (rows, count) = try await rows(filter, signedIn, access, at: request.now)
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.desk, self, request, catalogue, cursor: cursor(catalogue))
        let language = page.language
        let services = try await desk.catalogue.services(access)
        let titles = Dictionary(services.map { ($0.definition.id.text, $0.definition.title[language.code]) }, uniquingKeysWith: { first, _ in first })
        page.members["formToken"] = .string(signedIn.formToken)
        show(try await desk.views(signedIn), filter, form, in: &page)
        func choices(_ values: [String], _ chosen: String?, _ label: (String) -> String) -> JSON {
            .array(values.map { ["key": .string($0), "label": .string(label($0)), "selected": .bool($0 == chosen)] })
        }
        page.members["view"] = .string(filter.view.rawValue)
        page.members["services"] = choices(titles.keys.sorted { titles[$0, default: ""] < titles[$1, default: ""] }, filter.service) { titles[$0] ?? $0 }
        let departments = Set(services.flatMap { $0.definition.departments.map(\.department) }).sorted()
        page.members["departments"] = choices(departments, filter.department) { $0 }
        let districts = try await desk.districtsOfCases(access)
        page.members["districts"] = choices(districts + (filter.district.map { districts.contains($0) ? [] : [$0] } ?? []), filter.district) { $0 }
        page.members["hasDistricts"] = .bool(!districts.isEmpty || filter.district != nil)
        page.members["entries"] = .array(
            services.map { ["href": .string("/desk/entry/\($0.definition.id)"), "label": .string($0.definition.title[language.code])] }.sorted {
                ($0["label"]?.stringValue ?? "") < ($1["label"]?.stringValue ?? "")
            })
        page.members["rows"] = .array(rows.map { row($0, titles, page, signedIn, at: request.now) })
        page.members["hasRows"] = .bool(!rows.isEmpty)
        page.members["count"] = .string(language.text("desk.count", count: count))
        page.members["fault"] = fault.map(JSON.string) ?? .null
        page.members["done"] = request.query["done"].flatMap { language.known("desk.done.\($0)") }.map(JSON.string) ?? .null
        page.members["return"] = .string("/desk?" + filter.address.query)
        let pages = (count + Self.rowCount - 1) / Self.rowCount
        page.members["previous"] = filter.page > 0 ? .string("/desk?" + filter.at(filter.page - 1).address.query) : .null
        page.members["next"] = filter.page + 1 < pages ? .string("/desk?" + filter.at(filter.page + 1).address.query) : .null
        page.boot["cases"] = .array(rows.compactMap { point($0, titles) })
        page.boot["bbox"] = (catalogue.municipality(signedIn.municipality.text).flatMap { catalogue.municipalities[$0].box } ?? catalogue.box).json
        return try answer(page, request, status: fault == nil ? .ok : .unprocessableContent)
    }

    /// A case of the queue, with how it is worked on.
    private struct DeskRow {
        let request: Entity
        let file: Entity?
        var reference: String { request.text(CaseTerm.reference) ?? "" }
    }

    private func rows(_ filter: DeskFilter, _ signedIn: SignedIn, _ access: ReadAccess, at now: Instant) async throws -> (rows: [DeskRow], count: Int) {
        var query = CaseQuery()
        (query.services, query.departments) = (filter.service.map { [$0] } ?? [], filter.department.map { [$0] } ?? [])
        query.districts = filter.district.map { [$0] } ?? []
        (query.offset, query.limit) = (filter.page * Self.rowCount, Self.rowCount)
        query.statuses = filter.view == .closed ? ["closed"] : ["open", "inProgress"]
        query.order = filter.view == .closed ? .updated : .due
        if filter.view == .overdue { query.expected = Instant(seconds: 0)...Instant(seconds: now.seconds - now.seconds % 60) }
        if filter.view == .closed { query.updated = now.adding(seconds: -Self.closedSeconds)...now }
        switch filter.view {
        case .mine: query.references = try await desk.references(assignedTo: signedIn.subject, access, at: now)
        case .review: query.references = try await desk.references(inReview: "waiting", access, at: now)
        case .open, .overdue, .closed: break
        }
        guard !(query.references.isEmpty && [.mine, .review].contains(filter.view)) else { return ([], 0) }
        if filter.view == .review { query.statuses = [] }
        let page = try await desk.cases(query, access, at: now)
        let references = page.cases.compactMap { $0.text(CaseTerm.reference).flatMap(CaseReference.init) }
        let files = try await desk.files(references, access, at: now)
        return (page.cases.map { DeskRow(request: $0, file: $0.text(CaseTerm.reference).flatMap { files[$0] }) }, page.count)
    }

    private func row(_ row: DeskRow, _ titles: [String: String], _ page: PageModel, _ signedIn: SignedIn, at now: Instant) -> JSON {
        let (request, language) = (row.request, page.language)
        let due = request.moment(CaseTerm.expectedAt)
        let isOver = due.map { $0 < now } ?? false
        return [
            "reference": .string(row.reference), "href": .string("/desk/\(PercentEncoding.encode(row.reference))"),
            "shown": .string(CaseReference(row.reference)?.shown ?? row.reference),
            "service": .string(request.text(CaseTerm.serviceCode).flatMap { titles[$0] } ?? request.text(CaseTerm.serviceName) ?? ""),
            "address": request.text(CaseTerm.address).map(JSON.string) ?? .null, "district": request.text(CaseTerm.district).map(JSON.string) ?? .null,
            "department": .string(request.text(CaseTerm.department) ?? ""), "status": .string(request.text(CaseTerm.status) ?? ""),
            "statusLabel": .string(language.value(request.text(CaseTerm.status) ?? "", of: "status")),
            "requested": request.moment(CaseTerm.requestedAt).map { .string(page.clock.date($0)) } ?? .null,
            "left": due.map { .string(left($0, language, at: now)) } ?? .null, "isOver": .bool(isOver && request.text(CaseTerm.status) != "closed"),
            "followers": .string(language.count(request.number(CaseTerm.followerCount) ?? 1)),
            "isMine": .bool(row.file?.text(CaseTerm.assignee) == signedIn.subject), "isTaken": .bool(row.file?.text(CaseTerm.assignee) != nil),
            "inReview": .bool(row.file?.text(CaseTerm.review) == "waiting"),
            "selectLabel": .string(language.text("desk.select", ["reference": CaseReference(row.reference)?.shown ?? row.reference])),
        ]
    }

    /// How long there is until a moment, or how long ago it was.
    private func left(_ due: Instant, _ language: Language, at now: Instant) -> String {
        let seconds = due.seconds - now.seconds
        let (name, size): (String, Int64) = abs(seconds) < 86_400 ? ("hours", 3600) : ("days", 86_400)
        let count = Int(abs(seconds) / size)
        return language.text("desk.\(seconds < 0 ? "over" : "left").\(name)", count: count, ["number": language.count(count)])
    }

    private func point(_ row: DeskRow, _ titles: [String: String]) -> JSON? {
        guard let center = row.request.point?.boundingBox.center else { return nil }
        return [
            "reference": .string(row.reference), "lon": .number(center.longitude), "lat": .number(center.latitude),
            "label": .string(row.request.text(CaseTerm.serviceCode).flatMap { titles[$0] } ?? ""), "status": .string(row.request.text(CaseTerm.status) ?? ""),
        ]
    }

    /// The same for several cases: those that can't be are named, the others are done.
    private func bulk(_ request: DoorRequest, _ signedIn: SignedIn, _ fields: FormFields) async throws -> Response {
        let references = fields.all("reference").prefix(Self.rowCount).compactMap { CaseReference($0) }
        let target = Preferences.safeReturn(fields["return"] ?? "/desk")
        let filter = DeskFilter(address: target)
        guard !references.isEmpty else { return try await deskPage(request, signedIn, filter, fault: language(request).text("desk.noneChosen")) }
        let access = try await deskAccess(request, signedIn.municipality)
        var failed: [String] = []
        for reference in references {
            do {
                switch fields["action"] ?? "" {
                case "take": try await desk.assign(reference, to: signedIn.subject, access, at: request.now)
                case "drop": try await desk.assign(reference, to: nil, access, at: request.now)
                case "hand": try await desk.hand(reference, to: fields["department"] ?? "", access, at: request.now)
                default: throw CityError.badRequestData("action: take, drop or hand")
                }
            } catch is CaseFault { failed.append(reference.shown) } catch CityError.resourceNotFound { failed.append(reference.shown) }
        }
        guard failed.isEmpty else {
            return try await deskPage(request, signedIn, filter, fault: language(request).text("desk.failed", ["references": failed.joined(separator: ", ")]))
        }
        return redirect(to: target + (target.contains("?") ? "&" : "?") + "done=bulk", request)
    }
}
