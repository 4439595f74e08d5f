import CityModel
import Policy
import Query
import RandomEntities
import Testing

/// The decision in two steps against a reading of the rules that shares no code with it: attribute by attribute, straight from
/// what was written.
struct RandomPolicyTests {
    @Test(arguments: UInt64(0)..<400)
    func `both steps together say what the rules say, read one by one`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let written = (0..<Int.random(in: 0...7, using: &random)).map { WrittenRule.random(number: $0, &random) }
        let text = "rules: [\(written.map(\.text).joined(separator: ",\n"))]"
        let policies = try Policies(files: [.init(name: "random", text: text)], purposes: purposesForTest(), expand: expand)
        for _ in 0..<25 {
            let asked = Asked.random(&random)
            let ruling = policies.ruling(asked.requester, asked.action, purpose: asked.purpose, agreement: asked.agreement, now: asked.now)
            let verdict = ruling.verdict(on: asked.facts)
            let expected = Reading(written, asked)
            #expect(verdict.decision == expected.decision, "seed \(seed): \(text)\n\(asked)")
            #expect(verdict.rules == expected.rules, "seed \(seed): \(text)\n\(asked)")
            for name in Reading.universe {
                #expect(verdict.access(to: attribute(name)) == expected.access[name], "seed \(seed), \(name): \(text)\n\(asked)")
            }
            checkShortcuts(ruling, verdict, asked, policies, "seed \(seed): \(text)\n\(asked)")
        }
    }

    /// What a ruling says beforehand must hold for every entity.
    private func checkShortcuts(_ ruling: Ruling, _ verdict: Verdict, _ asked: Asked, _ policies: Policies, _ comment: Comment) {
        #expect(ruling.verdict(on: asked.facts(ruling.needs)) == verdict, comment)
        if let highest = ruling.everythingUpTo {
            #expect((verdict.decision == .permit) == (asked.classification <= highest), comment)
            if case .visible(let view) = verdict { #expect(view.isWhole, comment) }
        }
        if verdict.decision != .refuse {
            #expect(!ruling.isNothing && ruling.classificationsReached.contains(asked.classification), comment)
            #expect(ruling.typesReached.map { !$0.isDisjoint(with: asked.facts.types) } ?? true, comment)
            #expect(ruling.sourcesReached.map { asked.source.map($0.contains) ?? false } ?? true, comment)
            for name in Reading.universe where verdict.access(to: attribute(name)) != .hidden {
                #expect(ruling.attributesReached.contains(attribute(name)), comment)
            }
        }
        if let goodUntil = ruling.goodUntil {
            let last = Instant(microseconds: goodUntil.microseconds - 1)
            #expect(goodUntil > asked.now, comment)
            #expect(
                policies.ruling(asked.requester, asked.action, purpose: asked.purpose, agreement: asked.agreement, now: last) == ruling, comment)
        }
    }
}

/// Purposes of `purposesForTest`, each with the one above it.
private let above = ["a:repair": "a:service", "a:service": "a:all", "a:research": "a:all"]

private func includes(_ broad: String, _ narrow: String) -> Bool {
    var next: String? = narrow
    while let purpose = next {
        if purpose == broad { return true }
        next = above[purpose]
    }
    return false
}

private struct WrittenRule {
    static let names = ["name", "email", "location", "status"]

    var number = 0
    var forbids = false
    var roles: [String]?
    var account: String?
    var municipality: String?
    var signedIn: Bool?
    var actions: [String] = []
    var types: [String]?
    var attributes: [String]?
    var scopes: [String]?
    var classes: [String]?
    var sources: [String]?
    var isWest: Bool?
    var isOwn = false
    var purposes: [String]?
    var consent = false
    var agreement: String?
    var fromDay: Int?
    var untilDay: Int?
    var only: [String]?
    var except: [String]?
    var metres: Int?
    var days: Int?
    var k: Int?

    var id: String { "r\(number)" }

    static func random(number: Int, _ random: inout SplitMix) -> WrittenRule {
        func some(_ all: [String], _ probability: Double, _ random: inout SplitMix) -> [String]? {
            guard Double.random(in: 0..<1, using: &random) < probability else { return nil }
            return Array(all.shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random)))
        }
        func flip(_ probability: Double, _ random: inout SplitMix) -> Bool { Double.random(in: 0..<1, using: &random) < probability }
        var rule = WrittenRule(number: number, forbids: flip(0.3, &random))
        rule.roles = some(["resident", "auditor", "steward"], 0.4, &random)
        rule.account = some(["ada", "grace"], 0.1, &random)?[0]
        rule.municipality = some(["lattes", "pignan"], 0.1, &random)?[0]
        rule.signedIn = flip(0.15, &random) ? flip(0.6, &random) : nil
        rule.actions = some(["read", "history", "write"], 1, &random) ?? []
        rule.types = some(["Bus", "Tram", "Bike"], 0.3, &random)
        rule.attributes = some(names, 0.3, &random)
        rule.scopes = some(["/A", "/A/#", "/+/B", "/C/#"], 0.2, &random)
        rule.classes = some(["open", "internal", "personal"], 0.4, &random)
        rule.sources = some(["s", "t"], 0.15, &random)
        rule.isWest = flip(0.15, &random) ? flip(0.5, &random) : nil
        rule.isOwn = flip(0.1, &random)
        rule.purposes = some(["a:all", "a:service", "a:repair", "a:research"], 0.3, &random)
        rule.fromDay = flip(0.15, &random) ? Int.random(in: 1...15, using: &random) : nil
        rule.untilDay = flip(0.15, &random) ? Int.random(in: 16...30, using: &random) : nil
        guard !rule.forbids else { return rule }
        rule.consent = flip(0.15, &random)
        rule.agreement = some(["x", "y"], 0.1, &random)?[0]
        if rule.attributes == nil {
            if flip(0.5, &random) { rule.only = some(names, 0.4, &random) } else { rule.except = some(names, 0.4, &random) }
        }
        rule.metres = flip(0.3, &random) ? Int.random(in: 1...3, using: &random) * 100 : nil
        rule.days = flip(0.3, &random) ? Int.random(in: 1...3, using: &random) : nil
        rule.k = flip(0.3, &random) ? Int.random(in: 2...4, using: &random) : nil
        return rule
    }

    var text: String {
        func list(_ texts: [String]) -> String { "[\(texts.map { "'\($0)'" }.joined(separator: ", "))]" }
        func mapping(_ members: [(String, String?)], orElse text: String) -> String {
            let present = members.compactMap { name, value in value.map { "\(name): \($0)" } }
            return present.isEmpty ? text : "{\(present.joined(separator: ", "))}"
        }
        func day(_ number: Int?) -> String? { number.map { "2026-06-\($0 < 10 ? "0" : "")\($0)" } }
        let narrowAttributes = only.map { "{only: \(list($0))}" } ?? except.map { "{except: \(list($0))}" }
        let narrow = mapping(
            [
                ("attributes", narrowAttributes), ("place", metres.map { "{roundTo: \($0)}" }), ("time", days.map { "{roundTo: P\($0)D}" }),
                ("aggregates", k.map { "{k: \($0)}" }),
            ], orElse: "")
        return mapping(
            [
                ("id", id), ("effect", forbids ? "forbid" : "permit"),
                (
                    "who",
                    mapping(
                        [
                            ("roles", roles.map(list)), ("accounts", account), ("municipalities", municipality),
                            ("signedIn", signedIn.map(String.init)),
                        ], orElse: "anyone")
                ), ("actions", list(actions)),
                (
                    "what",
                    mapping(
                        [
                            ("types", types.map(list)), ("attributes", attributes.map(list)), ("scopes", scopes.map(list)),
                            ("classifications", classes.map(list)), ("sources", sources.map(list)),
                            ("within", isWest.map { $0 ? "[-10, -10, 0, 10]" : "[0, -10, 10, 10]" }), ("subject", isOwn ? "self" : nil),
                        ], orElse: "everything")
                ), ("purposes", purposes.map(list)), ("consent", consent ? "required" : nil), ("agreement", agreement), ("from", day(fromDay)),
                ("until", day(untilDay)), ("narrow", narrow.isEmpty ? nil : narrow),
            ], orElse: "{}")
    }
}

/// A request and the entity that it is about.
private struct Asked {
    var account: String?
    var role: String?
    var municipality: String?
    var action = AccessAction.read
    var purpose: String?
    var agreement: String?
    /// Of June 2026, at noon.
    var day = 1
    var types: [String] = []
    var scopes: [String] = []
    var classification = Classification.open
    var source: String?
    var subject: String?
    /// The longitudes of its places; nil where they can't be read.
    var places: [Double]? = []
    var consents: [String] = []

    static func random(_ random: inout SplitMix) -> Asked {
        func one<Value>(_ all: [Value], _ random: inout SplitMix) -> Value { all[Int.random(in: 0..<all.count, using: &random)] }
        var asked = Asked()
        asked.account = one([nil, "ada", "ada", "grace"], &random)
        asked.role = asked.account == nil ? nil : one([nil, "resident", "auditor", "steward"], &random)
        asked.municipality = asked.account == nil ? nil : one([nil, "lattes", "pignan"], &random)
        asked.action = one([.read, .read, .history, .write], &random)
        asked.purpose = one([nil, "a:all", "a:service", "a:repair", "a:research"], &random)
        asked.agreement = one([nil, "x", "y"], &random)
        asked.day = Int.random(in: 1...30, using: &random)
        asked.types = one([["Bus"], ["Tram"], ["Bus", "Bike"], ["Other"]], &random)
        asked.scopes = one([[], ["/A"], ["/A/B"], ["/D/B", "/C"]], &random)
        asked.classification = one(Classification.allCases, &random)
        asked.source = one([nil, "s", "t"], &random)
        asked.subject = one([nil, "ada", "grace"], &random)
        asked.places = one([[], [-5], [5], [-5, 5], nil], &random)
        asked.consents = one([[], ["a:all"], ["a:service"], ["a:repair"], ["a:research"]], &random)
        return asked
    }

    var now: Instant { Instant(utc: CivilTime(year: 2026, month: 6, day: day, hour: 12)) }
    var requester: Requester {
        Requester(account: account, roles: Set(role.flatMap(Role.init).map { [$0] } ?? []), municipality: municipality.flatMap(MunicipalityName.init))
    }

    var facts: ResourceFacts { facts(FactNeeds(rawValue: .max)) }

    /// Those that are needed; the others are left as they are in an entity of which nothing is known.
    func facts(_ needs: FactNeeds) -> ResourceFacts {
        var facts = ResourceFacts()
        if needs.contains(.types) { facts.types = Set(types.map(attribute)) }
        if needs.contains(.scopes) { facts.scopes = scopes.compactMap(Scope.init) }
        if needs.contains(.classification) { facts.classification = classification }
        if needs.contains(.source) { facts.source = source }
        if needs.contains(.dataSubject) { facts.dataSubject = subject }
        if needs.contains(.location) { facts.location = { location } }
        if needs.contains(.consents) { facts.consents = { Set(consents) } }
        return facts
    }

    private var location: ResourceFacts.Location {
        guard let places else { return .unknown }
        let geometries = places.compactMap { try? Geometry(longitude: $0, latitude: 1) }
        return geometries.isEmpty ? .nowhere : .at(geometries)
    }
}

/// What the rules say, each read for itself.
private struct Reading {
    /// All names that rules have, and one that none has.
    static let universe = WrittenRule.names + ["other"]

    var access: [String: AttributeAccess] = [:]
    var decision = Verdict.Decision.refuse
    var rules: [String] = []

    init(_ written: [WrittenRule], _ asked: Asked) {
        let speaking = written.filter { Reading.speaks($0, asked) }
        for name in Reading.universe { access[name] = Reading.access(to: name, speaking) }
        if access.values.contains(where: { if case .shown = $0 { true } else { false } }) {
            decision = .permit
        } else if access.values.contains(where: { if case .aggregated = $0 { true } else { false } }) {
            decision = .aggregates
        }
        rules = Reading.rules(speaking, isRefused: decision == .refuse)
    }

    private static func shows(_ rule: WrittenRule, _ name: String) -> Bool {
        (rule.attributes?.contains(name) ?? true) && (rule.only?.contains(name) ?? true) && !(rule.except?.contains(name) ?? false)
    }

    private static func forbidden(_ name: String, _ speaking: [WrittenRule]) -> Bool {
        speaking.contains { $0.forbids && ($0.attributes?.contains(name) ?? true) }
    }

    private static func access(to name: String, _ speaking: [WrittenRule]) -> AttributeAccess {
        guard !forbidden(name, speaking) else { return .hidden }
        let permits = speaking.filter { !$0.forbids && shows($0, name) }
        func precision(_ rules: [WrittenRule]) -> Precision {
            let metres = rules.contains { $0.metres == nil } ? nil : rules.compactMap(\.metres).min()
            let days = rules.contains { $0.days == nil } ? nil : rules.compactMap(\.days).min()
            return Precision(placeMetres: metres, period: days.map { PeriodDuration(months: 0, microseconds: Int64($0) * 86_400_000_000) })
        }
        let rows = permits.filter { $0.k == nil }
        if !rows.isEmpty { return .shown(precision(rows)) }
        guard let fewest = permits.min(by: { ($0.k ?? 0, $0.number) < ($1.k ?? 0, $1.number) }), let k = fewest.k else { return .hidden }
        return .aggregated(entityCountMin: k, precision([fewest]))
    }

    private static func rules(_ speaking: [WrittenRule], isRefused: Bool) -> [String] {
        let permits = speaking.filter { !$0.forbids }
        guard isRefused else {
            return permits.filter { rule in universe.contains { shows(rule, $0) && !forbidden($0, speaking) } }.map(\.id)
        }
        if let whole = speaking.first(where: { $0.forbids && $0.attributes == nil }) { return [whole.id] }
        let cause = speaking.first { forbid in
            forbid.forbids && permits.contains { permit in universe.contains { shows(permit, $0) && (forbid.attributes?.contains($0) ?? true) } }
        }
        return cause.map { [$0.id] } ?? []
    }

    private static func speaks(_ rule: WrittenRule, _ asked: Asked) -> Bool {
        if let roles = rule.roles, !roles.contains(asked.role ?? "") { return false }
        if let account = rule.account, account != asked.account { return false }
        if let municipality = rule.municipality, municipality != asked.municipality { return false }
        if let signedIn = rule.signedIn, signedIn != (asked.account != nil) { return false }
        if !rule.actions.contains(asked.action.rawValue) { return false }
        if let types = rule.types, !types.contains(where: asked.types.contains) { return false }
        if let scopes = rule.scopes, !scopes.contains(where: { pattern in asked.scopes.contains { matches(pattern, $0) } }) { return false }
        if let classes = rule.classes, !classes.contains(asked.classification.rawValue) { return false }
        if let sources = rule.sources, !sources.contains(asked.source ?? "") { return false }
        if rule.isOwn, asked.account == nil || asked.account != asked.subject { return false }
        if let agreement = rule.agreement, agreement != asked.agreement { return false }
        if let day = rule.fromDay, asked.day < day { return false }
        if let day = rule.untilDay, asked.day > day { return false }
        return liesRight(rule, asked) && isForRightPurpose(rule, asked)
    }

    private static func matches(_ pattern: String, _ scope: String) -> Bool {
        switch pattern {
        case "/A": scope == "/A"
        case "/A/#": scope == "/A" || scope.hasPrefix("/A/")
        case "/+/B": scope.hasSuffix("/B") && scope.split(separator: "/").count == 2
        default: scope == "/C" || scope.hasPrefix("/C/")
        }
    }

    private static func liesRight(_ rule: WrittenRule, _ asked: Asked) -> Bool {
        guard let isWest = rule.isWest else { return true }
        guard let places = asked.places else { return rule.forbids }
        let inside = places.filter { ($0 < 0) == isWest }.count
        return rule.forbids ? inside > 0 : inside > 0 && inside == places.count
    }

    private static func isForRightPurpose(_ rule: WrittenRule, _ asked: Asked) -> Bool {
        if rule.consent {
            guard let purpose = asked.purpose, asked.consents.contains(where: { includes($0, purpose) }) else { return false }
        }
        guard let purposes = rule.purposes else { return true }
        guard let purpose = asked.purpose else { return rule.forbids }
        return purposes.contains { includes($0, purpose) || (rule.forbids && includes(purpose, $0)) }
    }
}
