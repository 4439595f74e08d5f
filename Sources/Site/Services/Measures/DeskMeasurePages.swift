internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Query
internal import Services
internal import Trust

/// `/desk/measures`: where staff write what was done about what was reported. Rules of access decide who may, as of every entity.
extension SiteDoor {
    var deskMeasureRoutes: [Route] {
        let page = Route.Answer(200, "The page", mediaTypes: ["text/html"])
        let elsewhere = Route.Answer(303, "Done: the next page, or the form to sign in")
        let refused = Route.Answer(422, "The form again, with what was wrong", mediaTypes: ["text/html"])
        let body = Route.Body([MultipartForm.mediaType], schema: ["type": "object"], isStreamed: true)
        return [
            Route(
                .get, "/desk/measures", "The measures, with those that were withdrawn", tag: Self.servicesTag,
                parameters: [.init("page", in: .query, "Which page of the list, from 1 on"), .init("done", in: .query, "What was done a moment ago")], responses: [page, elsewhere]
            ) { request in try await withSignedIn(request) { try await measureList(request, $0) } },
            Route(.get, "/desk/measures/new", "The form of a new measure", tag: Self.servicesTag, responses: [page, elsewhere]) { request in
                try await withSignedIn(request) { try await measureForm(request, $0, key: nil, MeasureDraft(), faults: []) }
            },
            Route(.post, "/desk/measures/new", "Write a measure", tag: Self.servicesTag, body: body, responses: [elsewhere, refused]) { request in
                try await writeMeasure(request, key: nil)
            },
            Route(.get, "/desk/measures/{measure}", "The form of a measure", tag: Self.servicesTag, parameters: [Self.measureParameter], responses: [page, elsewhere]) { request in
                try await withSignedIn(request) { signedIn in
                    let access = try await deskAccess(request, signedIn.municipality).reading
                    let measure = try await desk.measure(try request.pathParameter("measure"), access, at: request.now)
                    return try await measureForm(request, signedIn, key: measure.key, MeasureDraft(measure), faults: [])
                }
            },
            Route(
                .post, "/desk/measures/{measure}", "Change a measure, withdraw it or show it again", tag: Self.servicesTag, parameters: [Self.measureParameter], body: body,
                responses: [elsewhere, refused]
            ) { request in try await writeMeasure(request, key: try request.pathParameter("measure")) },
        ]
    }

    // MARK: The list

    private func measureList(_ request: DoorRequest, _ signedIn: SignedIn) async throws -> Response {
        let access = try await deskAccess(request, signedIn.municipality).reading
        let number = max(1, min(request.query["page"].flatMap { Int($0) } ?? 1, 1000))
        let found = try await desk.measures(offset: (number - 1) * Self.measureRowCount, limit: Self.measureRowCount, access, at: request.now)
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.deskmeasures, self, request, catalogue, cursor: cursor(catalogue))
        let words = MeasureWords(language: page.language, clock: page.clock, zone: zone, titles: try await titles(of: found.measures.flatMap(\.services), access))
        var rows: [JSON] = []
        for measure in found.measures {
            var row = words.item(measure, href: "/desk/measures/\(PercentEncoding.encode(measure.key))", today: zone.day(of: request.now)).objectValue ?? [:]
            row["isHidden"] = .bool(try await !desk.kept(measure.key, access, at: request.now).isPublic)
            rows.append(.object(row))
        }
        page.members["count"] = .string(page.language.text("measures.count", count: found.count))
        page.members["measures"] = .array(rows)
        page.members["hasMeasures"] = .bool(!rows.isEmpty)
        page.members["done"] = request.query["done"].flatMap { page.language.known("deskmeasures.done.\($0)") }.map(JSON.string) ?? .null
        page.members["previous"] = number > 1 ? .string("/desk/measures?page=\(number - 1)") : .null
        page.members["next"] = number * Self.measureRowCount < found.count ? .string("/desk/measures?page=\(number + 1)") : .null
        return try answer(page, request)
    }

    // MARK: The form

    /// What can be chosen for a measure in one municipality.
    private func measureChoices(_ signedIn: SignedIn, _ access: ReadAccess, _ catalogue: Catalogue, _ language: Language, at now: Instant) async throws -> MeasureChoices {
        var choices = MeasureChoices()
        choices.services = try await desk.catalogue.services(access).map { ($0.definition.id.text, $0.definition.title[language.code]) }
        choices.districts = try await desk.districtNames(catalogue.nameAttributes(signedIn.municipality), access, at: now)
        let place = catalogue.municipality(signedIn.municipality.text)
        for entry in catalogue.entries where place.map({ catalogue.municipalities[$0].counts[entry.type] ?? 0 > 0 }) ?? false {
            for column in entry.measures {
                let label = language.type(entry.shortName) + " – " + language.attribute(column.key, of: entry.shortName)
                choices.indicators.append((MeasureDraft.indicator(entry.type, column.attribute), label))
            }
        }
        return choices
    }

    private func measureForm(
        _ request: DoorRequest, _ signedIn: SignedIn, key: String?, _ draft: MeasureDraft, faults: [MeasureFault]
    ) async throws -> Response {
        let access = try await deskAccess(request, signedIn.municipality).reading
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.deskmeasure, self, request, catalogue, cursor: cursor(catalogue))
        var choices = try await measureChoices(signedIn, access, catalogue, page.language, at: request.now)
        var isPublic = true
        if let key {
            let kept = try await desk.kept(key, access, at: request.now)
            (isPublic, choices) = (kept.isPublic, choices.with(kept.measure))
        }
        let model = MeasureFormModel(draft: draft, faults: faults, choices: choices, language: page.language, languages: languages.all)
        for (name, value) in model.members { page.members[name] = value }
        page.members["formToken"] = .string(signedIn.formToken)
        page.members["action"] = .string(key.map { "/desk/measures/\(PercentEncoding.encode($0))" } ?? "/desk/measures/new")
        page.members["heading"] = .string(page.language.text(key == nil ? "deskmeasure.new" : "deskmeasure.change"))
        page.members["isNew"] = .bool(key == nil)
        page.members["isPublic"] = .bool(isPublic)
        page.members["pageHref"] = key.map { .string("/measures/\(PercentEncoding.encode($0))?municipality=\(signedIn.municipality)") } ?? .null
        page.boot["bbox"] = (catalogue.municipality(signedIn.municipality.text).flatMap { catalogue.municipalities[$0].box } ?? catalogue.box).json
        return try answer(page, request, status: faults.isEmpty ? .ok : .unprocessableContent)
    }

    private func writeMeasure(_ request: DoorRequest, key: String?) async throws -> Response {
        let form = try await MultipartForm(request)
        return try await withSignedIn(request) { signedIn in
            guard isFromHere(request), accounts.isOwnForm(form["form"], signedIn) else {
                throw CityError.forbidden("form: it was not sent by a page of this session; load the page again")
            }
            let access = try await deskAccess(request, signedIn.municipality)
            switch (form["action"] ?? "save", key) {
            case ("save", _): return try await saveMeasure(MeasureDraft(form), key: key, request, signedIn, access)
            case ("withdraw", let key?):
                try await desk.show(key, false, access, at: request.now)
                return redirect(to: "/desk/measures?done=withdraw", request)
            case ("show", let key?):
                try await desk.show(key, true, access, at: request.now)
                return redirect(to: "/desk/measures?done=show", request)
            case (let action, _): throw CityError.badRequestData("action: \(action.prefix(40)) is none that there is")
            }
        }
    }

    private func saveMeasure(_ draft: MeasureDraft, key: String?, _ request: DoorRequest, _ signedIn: SignedIn, _ access: WriteAccess) async throws -> Response {
        let (catalogue, language) = (try await city.catalogue(request), language(request))
        var choices = try await measureChoices(signedIn, access.reading, catalogue, language, at: request.now)
        var old: Measure?
        if let key { old = try await desk.measure(key, access.reading, at: request.now) }
        if let old { choices = choices.with(old) }
        let codes = [language.code] + languages.all.map(\.code).filter { $0 != language.code }
        let rules = MeasureRules(
            languages: codes, services: Set(choices.services.map(\.code)), indicators: Set(choices.indicators.map(\.key)), today: zone.day(of: request.now))
        let (measure, faults) = draft.measure(key ?? Measure.newKey(), rules)
        guard var measure else { return try await measureForm(request, signedIn, key: key, draft, faults: faults) }
        // A street or a square that others wrote is not made a point by whoever mends a word.
        if let old, draft.hasPlace(of: MeasureDraft(old)) { measure.place = old.place }
        try await desk.put(measure, access, at: request.now)
        return redirect(to: "/desk/measures?done=\(key == nil ? "new" : "save")", request)
    }
}

/// What can be chosen on the form of a measure.
struct MeasureChoices {
    var services: [(code: String, title: String)] = []
    var districts: [String] = []
    var indicators: [(key: String, label: String)] = []

    /// What a measure has stays possible, also where it is offered no more.
    func with(_ measure: Measure) -> MeasureChoices {
        var choices = self
        for code in measure.services where !services.contains(where: { $0.code == code }) { choices.services.append((code, code)) }
        if let indicator = measure.indicator {
            let key = MeasureDraft.indicator(indicator.type, indicator.attribute)
            if !indicators.contains(where: { $0.key == key }) { choices.indicators.append((key, key)) }
        }
        return choices
    }
}

extension MeasureDraft {
    fileprivate func hasPlace(of other: MeasureDraft) -> Bool { (latitude, longitude) == (other.latitude, other.longitude) }

    /// As a form has it; what is longer than anybody types is cut.
    init(_ form: MultipartForm) {
        self.init()
        func text(_ name: String, _ countMax: Int = 200) -> String { String((form[name] ?? "").prefix(countMax)) }
        for part in form.parts where part.fileName == nil {
            if part.name.hasPrefix("title."), titles.count < 20 { titles[String(part.name.dropFirst(6).prefix(40))] = text(part.name, 2000) }
            if part.name.hasPrefix("text."), texts.count < 20 { texts[String(part.name.dropFirst(5).prefix(40))] = text(part.name, 20_000) }
        }
        services = form.texts("services").prefix(100).map { String($0.prefix(100)) }
        (effectiveOn, reportsFrom, reportsTo) = (text("effectiveOn"), text("reportsFrom"), text("reportsTo"))
        (latitude, longitude, radius, district) = (text("latitude"), text("longitude"), text("radius"), text("district", 1000))
        (indicator, indicatorRadius, indicatorUnit, indicatorDays) = (text("indicator", 4100), text("indicatorRadius"), text("indicatorUnit"), text("indicatorDays"))
    }
}
