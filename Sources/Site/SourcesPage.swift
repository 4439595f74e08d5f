internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Store

/// `/sources`: a page for people, JSON for programs.
extension SiteDoor {
    func sourcesPage(_ request: DoorRequest) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        var sources: [(shown: ShownSource, live: LiveSource, municipality: String)] = []
        for municipality in catalogue.municipalities {
            for live in try await broker.liveSources(municipality.access) {
                sources.append((ShownSource(id: live.id, municipality: municipality.key, definition: live.definition), live, municipality.name))
            }
        }
        sources.sort { (Words.folded($0.municipality), Words.folded($0.shown.name), $0.shown.anchor) < (Words.folded($1.municipality), Words.folded($1.shown.name), $1.shown.anchor) }
        guard Acceptance.choose(request.headers[.accept], offers: ["application/json", "text/html"]) == "text/html" else {
            return Answers.json(["sources": .array(sources.map { json($0.shown, $0.live) })], request, headers: [.vary: "Accept"])
        }
        var page = PageModel(.sources, self, request, catalogue, cursor: cursor(catalogue))
        page.members["sources"] = .array(sources.map { source($0.shown, $0.live, $0.municipality, page) })
        var response = try answer(page, request)
        response.headers[.vary] = (response.headers[.vary].map { $0 + ", " } ?? "") + "Accept"
        return response
    }

    private func json(_ shown: ShownSource, _ live: LiveSource) -> JSON {
        let report = RunReport(live.lastRun)
        return [
            "id": .string(shown.id), "municipality": .string(shown.municipality), "title": .string(shown.name),
            "description": shown.summary.map(JSON.string) ?? .null, "steward": shown.steward.map(JSON.string) ?? .null,
            "licence": shown.licence, "attribution": shown.attribution.map(JSON.string) ?? .null,
            "format": shown.definition["format"] ?? .null, "types": .array(shown.types.map(JSON.string)),
            "entityCount": .integer(Int64(live.entityCount)),
            "lastRun": live.lastRun.map { run in
                [
                    "startedAt": .string(run.startedAt.description), "finishedAt": run.finishedAt.map { .string($0.description) } ?? .null,
                    "accepted": report.accepted.map { .integer($0) } ?? .null, "unchanged": report.unchanged.map { .integer($0) } ?? .null,
                    "rejected": report.rejected.map { .integer($0) } ?? .null, "run": .integer(run.number), "version": .string(run.sourceVersion),
                    "quality": [
                        "passedPercent": report.passedPercent.map(JSON.number) ?? .null, "flagged": report.flagged.map(JSON.integer) ?? .null,
                        "rejectedBy": .object(JSONObject(report.rules.map { ($0.rule, .integer($0.count)) }, uniquingKeysWith: { first, _ in first })),
                    ],
                ]
            } ?? .null,
        ]
    }

    /// Every source has every key: a template looks for one that is missing in what is around it.
    private func source(_ shown: ShownSource, _ live: LiveSource, _ municipality: String, _ page: PageModel) -> JSON {
        let language = page.language
        let report = RunReport(live.lastRun)
        func fact(_ key: String, _ text: String?, href: String? = nil) -> JSON? {
            text.map { ["label": .string(language.text("sources.\(key)")), "text": .string($0), "factHref": href.map(JSON.string) ?? false] }
        }
        let types = language.list(shown.types.map(language.type))
        let facts = [
            fact("steward", shown.steward), fact("licence", shown.licenceName, href: shown.licenceURL), fact("attribution", shown.attribution),
            fact("format", shown.format), fact("types", types.isEmpty ? nil : types),
        ].compactMap { $0 }
        func count(_ key: String, _ number: Int64?) -> JSON? {
            number.map { ["label": .string(language.text("sources.\(key)")), "text": .string(language.count(Int($0)))] }
        }
        let counts = [
            count("accepted", report.accepted), count("unchanged", report.unchanged), count("rejected", report.rejected),
            count("flagged", report.flagged),
            count("entities", Int64(live.entityCount)),
        ].compactMap { $0 }
        let moment = live.lastRun.map { $0.finishedAt ?? $0.startedAt }
        return [
            "anchor": .string(shown.anchor), "name": .string(shown.name), "municipality": .string(municipality), "summary": shown.summary.map(JSON.string) ?? false,
            "simulated": .bool(shown.isSimulated), "facts": .array(facts),
            "lastRun": moment.map { ["iso": .string(Instant(seconds: $0.seconds).description), "text": .string(page.clock.dateTime($0))] } ?? false,
            "quality": report.passedPercent.map { ["text": .string(language.number($0) + "\u{202F}%"), "percent": .number($0)] } ?? false,
            "counts": .array(counts), "isEmpty": .bool(report.isEmpty), "hasRules": .bool(!report.rules.isEmpty),
            "rules": .array(report.rules.map { ["rule": .string($0.rule), "countText": .string(language.count(Int($0.count)))] }),
        ]
    }
}

/// What the report of a run says, as far as it says it.
struct RunReport {
    let accepted: Int64?
    let unchanged: Int64?
    let rejected: Int64?
    /// Records that were let in though they broke a rule.
    let flagged: Int64?
    /// Rejected records by rule, the most first.
    let rules: [(rule: String, count: Int64)]

    init(_ run: ImportRun?) {
        let report = run?.report
        accepted = report?["accepted"]?.integerValue
        unchanged = report?["unchanged"]?.integerValue
        rejected = report?["rejected"]?.integerValue
        flagged = report?["flagged"]?.integerValue
        let found: [(String, Int64)] = (report?["rules"]?.arrayValue ?? []).compactMap { rule in
            guard let name = rule["rule"]?.stringValue ?? rule["id"]?.stringValue, let count = rule["count"]?.integerValue,
                rule["severity"]?.stringValue ?? "reject" == "reject"
            else { return nil }
            return (name, count)
        }
        rules = found.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(30).map { (rule: $0.0, count: $0.1) }
    }

    /// Whether the run read no record at all, as when a file was not what it should be.
    var isEmpty: Bool { accepted == 0 && unchanged ?? 0 == 0 && rejected ?? 0 == 0 }

    /// Of a hundred records those that were not rejected, to a tenth; nil when none were read.
    var passedPercent: Double? {
        guard let rejected else { return nil }
        let passed = (accepted ?? 0) + (unchanged ?? 0)
        guard passed + rejected > 0 else { return nil }
        return (Double(passed) / Double(passed + rejected) * 1000).rounded(.down) / 10
    }
}
