internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Services
internal import Trust

/// A case as text: for whoever holds its private link, and as everybody may see it.
extension SiteDoor {
    func textCase(_ request: DoorRequest) async throws -> Response {
        let language = textLanguage(request)
        do {
            let held = try await held(request.pathParameter("link"), at: request.now)
            let events = try await desk.timeline(held.shown.reference, held.access.reading, at: request.now)
            let photos = "municipality=\(held.municipality)&link=\(held.municipality).\(held.link.text)"
            var page = page(held.shown, events, isPrivate: held.shown.dossier != nil, photos: photos, language, request)
            if let continued = held.shown.dossier?.text(CaseTerm.continuedAt) {
                page.paragraph(language.text("case.continued"))
                page.verbatim("curl " + quoted("/text/cases/\(continued)", [], request))
            }
            if held.shown.dossier != nil, !held.shown.isClosed {
                page.section(language.text("case.addHeading"))
                page.item(language.text("case.addLabel"))
                page.verbatim("curl -L -H 'Accept: text/plain' --data-urlencode 'text=…' \\\n  " + quoted(held.address + "/words", [], request))
            }
            page.paragraph(language.text("plain.onPage"))
            page.verbatim(whole(held.address, [], request))
            return answer(page, request, headers: Self.privateHeaders)
        } catch CaseFault.linkIsOver {
            var page = PlainText()
            page.item(language.text("case.linkIsOver"))
            return answer(page, request, status: .gone, headers: Self.privateHeaders)
        }
    }

    func textRequest(_ request: DoorRequest) async throws -> Response {
        guard let reference = CaseReference(try request.pathParameter("reference")) else { throw Self.noCase }
        let municipality = try await municipality(request.query["municipality"])
        let access = try await gatekeeper.reading(municipality, .none)
        let shown = try await desk.shown(reference, access, at: request.now)
        let language = textLanguage(request)
        let events = try await desk.timeline(reference, access, at: request.now)
        var page = page(shown, events, isPrivate: false, photos: "municipality=\(municipality)", language, request)
        page.paragraph(language.text("plain.onPage"))
        page.verbatim(whole("/requests/\(reference)", [("municipality", municipality.text)], request))
        return answer(page, request)
    }

    /// What the page shows of it, in the same order.
    private func page(
        _ shown: ShownCase, _ events: [CaseEvent], isPrivate: Bool, photos query: String, _ language: Language, _ request: DoorRequest
    ) -> PlainText {
        let model = CaseModel(shown: shown, language: language, clock: ClockText(zone: configuration.timeZone, language: language), isPrivate: isPrivate)
        let members = model.members(events, photoQuery: query)
        func text(_ name: String) -> String? { members[name]?.stringValue.map(PlainText.said).flatMap { $0.isEmpty ? nil : $0 } }
        var page = PlainText()
        page.heading([text("heading"), text("reference")].compactMap { $0 }.joined(separator: " "))
        page.blank()
        for line in [text("step"), text("due"), text("address")] { if let line { page.item(line) } }
        if let description = text("description") {
            page.section(language.text("case.description"))
            page.item(description)
        }
        let answers = members["answers"]?.arrayValue ?? []
        if !answers.isEmpty { page.section(language.text("case.answers")) }
        for answer in answers {
            page.item(PlainText.said(answer["label"]?.stringValue ?? ""))
            page.item(PlainText.said(answer["value"]?.stringValue ?? ""), indent: 4)
        }
        let photos = members["photos"]?.arrayValue ?? []
        if !photos.isEmpty { page.section(language.text("case.photos")) }
        for photo in photos { page.verbatim(whole(photo["href"]?.stringValue ?? "", [], request), indent: 0) }
        page.section(language.text("case.timeline"))
        for event in members["events"]?.arrayValue ?? [] {
            let said = [event["when"], event["who"], event["text"]].compactMap { $0?.stringValue }.filter { !$0.isEmpty }
            page.item(said.map(PlainText.said).joined(separator: " "), mark: "- ")
        }
        return page
    }

    // MARK: Figures

    func textFigures(_ request: DoorRequest) async throws -> Response {
        let language = textLanguage(request)
        let clock = ClockText(zone: configuration.timeZone, language: language)
        let model = try await figureModel(request, language, clock)
        let (question, members) = (model.question, model.members)
        var page = PlainText()
        page.heading(members["serviceTitle"]?.stringValue.map(PlainText.said) ?? language.text("figures.heading"))
        page.paragraph(language.text("figures.lead", ["from": clock.date(question.start), "to": clock.date(question.lastMoment)]))
        page.item(members["count"]?.stringValue ?? "")
        for row in members["rows"]?.arrayValue ?? [] { add(row, to: &page, language) }
        for name in ["outcomes", "channels"] {
            let counts = members[name]?.arrayValue ?? []
            if !counts.isEmpty { page.section(language.text("figures.\(name)")) }
            for count in counts { page.item("\(PlainText.said(count["label"]?.stringValue ?? "")): \(count["count"]?.stringValue ?? "")", mark: "- ") }
        }
        page.paragraph(language.text("figures.csv"))
        page.verbatim("curl " + quoted("/figures/services.csv", [("municipality", question.municipality.text), ("service", question.service ?? "")], request))
        return answer(page, request)
    }

    private func add(_ row: JSON, to page: inout PlainText, _ language: Language) {
        page.blank()
        page.item(PlainText.said(row["title"]?.stringValue ?? ""))
        for name in ["cases", "closed", "share", "median", "ninetieth", "target", "perThousand"] {
            guard let value = row[name]?.stringValue, !value.isEmpty else { continue }
            page.item("\(language.text("figures.\(name)")): \(value)", indent: 4)
        }
    }
}
