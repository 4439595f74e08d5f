internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import Services
internal import Trust

/// What happens to cases as web feeds (Atom, RFC 4287): of a municipality's public cases, and of one case for whoever holds its private link.
extension SiteDoor {
    var feedRoutes: [Route] {
        let feed = Route.Answer(200, "The feed", mediaTypes: ["application/atom+xml"])
        return [
            Route(
                .get, "/requests.atom", "Public cases, those that changed last first", tag: Self.servicesTag,
                parameters: [Self.municipalityParameter, .init("service", in: .query, "Cases of one service, by its code"), .init("district", in: .query, "Cases of one district")],
                responses: [feed], handler: publicFeed),
            Route(
                .get, "/cases/{link}/feed.atom", "What happens to a case", tag: Self.servicesTag,
                parameters: [.init("link", in: .path, "The private link's end")], responses: [feed], handler: privateFeed),
        ]
    }

    private static let entryCount = 50

    private func publicFeed(_ request: DoorRequest) async throws -> Response {
        let municipality = try await municipality(request.query["municipality"])
        let access = try await gatekeeper.reading(municipality, .none)
        var query = CaseQuery()
        query.services = request.query["service"].map { [$0] } ?? []
        query.districts = request.query["district"].map { [$0] } ?? []
        (query.order, query.limit) = (.updated, Self.entryCount)
        // What changed within a month: more than that can't be put in order in a large city.
        query.updated = request.now.adding(seconds: -31 * 86_400)...request.now
        let (language, origin) = (language(request), configuration.publicAddress ?? request.origin)
        let entries = try await desk.cases(query, access, at: request.now).cases.compactMap { entity -> AtomEntry? in
            guard let key = entity.text(CaseTerm.reference), let updated = entity.moment(CaseTerm.updatedAt) else { return nil }
            let status = language.value(entity.text(CaseTerm.status) ?? "", of: "status")
            let query = PageAddress(pairs: [("municipality", municipality.text)]).query
            return AtomEntry(
                id: entity.id.text, title: "\(entity.text(CaseTerm.name) ?? key): \(status)",
                text: [entity.text(CaseTerm.description), entity.text(CaseTerm.answer)].compactMap { $0 }.joined(separator: "\n\n"),
                link: "\(origin)/requests/\(PercentEncoding.encode(key))?\(query)", updated: updated)
        }
        let feed = AtomFeed(id: "\(origin)\(request.path)", title: "\(configuration.name): \(language.text("services.title"))", language: language.code, entries: entries)
        return answer(feed, request, headers: [.cacheControl: "public, max-age=60"])
    }

    private func privateFeed(_ request: DoorRequest) async throws -> Response {
        let held = try await held(request.pathParameter("link"), at: request.now)
        let (language, address) = (language(request), (configuration.publicAddress ?? request.origin) + held.address)
        let model = CaseModel(shown: held.shown, language: language, clock: ClockText(zone: configuration.timeZone, language: language), isPrivate: held.shown.dossier != nil)
        let events = try await desk.timeline(held.shown.reference, held.access.reading, at: request.now)
        let entries = events.enumerated().reversed().prefix(Self.entryCount).compactMap { number, event -> AtomEntry? in
            model.event(event)?["text"]?.stringValue.map { text in
                AtomEntry(id: "urn:conurb:case:\(held.shown.reference):\(number)", title: String(text.prefix(120)), text: text, link: address, updated: event.at)
            }
        }
        let title = "\(held.shown.service.definition.title[language.code]) \(held.shown.reference.shown)"
        let feed = AtomFeed(id: "urn:conurb:case:\(held.shown.reference)", title: title, language: language.code, entries: entries)
        return answer(feed, request, headers: [.cacheControl: "no-store", .referrerPolicy: "no-referrer", .robots: "noindex, nofollow"])
    }

    private func answer(_ feed: AtomFeed, _ request: DoorRequest, headers: HTTPFields) -> Response {
        Answers.body(Array(feed.text.utf8), type: "application/atom+xml; charset=utf-8", request, headers: headers)
    }
}

struct AtomEntry {
    let id: String
    let title: String
    let text: String
    let link: String
    let updated: Instant
}

/// A feed as XML (RFC 4287, section 4.1.1).
struct AtomFeed {
    let id: String
    let title: String
    let language: String
    let entries: [AtomEntry]

    var text: String {
        // A feed without entries was never changed.
        let updated = entries.map(\.updated).max() ?? Instant(seconds: 0)
        var text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"\(language)\">"
        text += "<id>\(Self.escaped(id))</id><title>\(Self.escaped(title))</title><updated>\(updated)</updated><author><name>\(Self.escaped(title))</name></author>\n"
        for entry in entries {
            text += "<entry><id>\(Self.escaped(entry.id))</id><title>\(Self.escaped(entry.title))</title><updated>\(entry.updated)</updated>"
            text += "<link href=\"\(Self.escaped(entry.link))\"/><content type=\"text\">\(Self.escaped(entry.text))</content></entry>\n"
        }
        return text + "</feed>\n"
    }

    /// Without what XML 1.0 has no place for (section 2.2).
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default:
                let isCharacter = scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF || ["\t", "\n", "\r"].contains(scalar)
                if isCharacter { escaped.unicodeScalars.append(scalar) }
            }
        }
        return escaped
    }
}
