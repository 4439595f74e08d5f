import CityModel
import Policy
import Testing

/// What can be known of a request before any entity is looked at.
struct RulingTests {
    private func ruling(_ policies: Policies, _ roles: Set<Role> = [], purpose: String? = nil) -> Ruling {
        policies.ruling(roles.isEmpty ? .anonymous : Requester(account: "ada", roles: roles), .read, purpose: purpose, now: now)
    }

    @Test(arguments: [
        (["what: {classifications: open}"], .open), (["what: {classifications: {upTo: partner}}"], .partner), (["effect: permit"], .special),
        (["what: {classifications: [open, internal]}", "what: {classifications: open, types: Bus}"], .internalUse),
        (["what: {classifications: internal}", "what: {classifications: open}"], .internalUse),
        (["what: {classifications: internal}"], nil), (["what: {classifications: open, types: Bus}"], nil), ([], nil),
        (["what: {classifications: open}", "what: {classifications: internal, types: Bus}"], nil),
        (["what: {classifications: open}\nnarrow: {place: {roundTo: 10}}"], nil),
        (["what: {classifications: open}\nnarrow: {aggregates: {k: 2}}"], nil), (["consent: required\nwhat: {classifications: open}"], nil),
        (["effect: permit", "effect: forbid\nwhat: {classifications: special}"], .personal),
        (["effect: permit", "effect: forbid\nwhat: {classifications: internal}"], nil),
        (["what: {classifications: open}", "effect: forbid\nwhat: {classifications: personal, types: Bus}"], .open),
        (["what: {classifications: open}", "effect: forbid\nwhat: {types: Bus}"], nil),
        (["what: {classifications: open}", "effect: forbid\nwhat: {attributes: email}"], nil),
        (["effect: permit", "effect: forbid"], nil),
    ] as [([String], Classification?)])
    func `a ruling knows when it amounts to everything up to a classification`(rules: [String], highest: Classification?) throws {
        let policies =
            switch rules.count {
            case 0: try policies()
            case 1: try policies(rules[0])
            default: try policies(rules[0], rules[1])
            }
        #expect(ruling(policies).everythingUpTo == highest)
    }

    @Test func `a ruling asks for the facts that its rules need and no others`() throws {
        let policies = try policies(
            "what: {types: Bus, sources: a}", "what: {scopes: /A}\nwho: {roles: auditor}", "effect: forbid\nwhat: {within: [0, 0, 1, 1]}\nwho: {roles: auditor}",
            "consent: required\npurposes: 'a:repair'", "what: {subject: self, classifications: open}\nwho: {roles: resident}")
        #expect(ruling(policies).needs == [.types, .source])
        #expect(ruling(policies, [.auditor]).needs == [.types, .source, .scopes, .location])
        #expect(ruling(policies, purpose: "a:repair").needs == [.types, .source, .consents])
        #expect(ruling(policies, [.resident]).needs == [.types, .source, .dataSubject, .classification])
    }

    @Test func `a ruling says what permits may reach at most`() throws {
        let policies = try policies(
            "what: {types: [Bus, Tram], classifications: [open, special], sources: a}", "what: {types: Bike, classifications: personal}",
            "effect: forbid\nwhat: {classifications: special}", "who: {roles: auditor}\nnarrow: {attributes: {except: [email]}}")
        let some = ruling(policies)
        #expect(some.typesReached == [attribute("Bus"), attribute("Tram"), attribute("Bike")])
        #expect(some.classificationsReached == [.open, .personal])
        #expect(some.sourcesReached == nil)
        let auditor = ruling(policies, [.auditor])
        #expect(auditor.typesReached == nil)
        #expect(auditor.attributesReached == .all)
        #expect(!some.isNothing)
        #expect(ruling(try Policies(files: [], purposes: .empty, expand: expand)).isNothing)
    }

    @Test func `rulings are equal when the same rules speak, whoever asks`() throws {
        let policies = try policies("what: {classifications: open}", "who: {roles: [auditor, steward]}", "purposes: 'a:service'")
        #expect(ruling(policies, [.auditor]) == ruling(policies, [.steward]))
        #expect(ruling(policies, [.auditor]) != ruling(policies))
        #expect(ruling(policies, purpose: "a:repair") == ruling(policies, purpose: "a:service"))
        #expect(ruling(policies, purpose: "a:research") == ruling(policies))
        #expect(Set([ruling(policies, [.auditor]), ruling(policies, [.steward]), ruling(policies)]).count == 2)
    }

    @Test func `rulings that rest on who it is, or on consent to the purpose, are told apart by these`() throws {
        let own = try policies("what: {subject: self}")
        #expect(ruling(own, [.resident]) != own.ruling(Requester(account: "grace", roles: [.resident]), .read, now: now))
        let consented = try policies("consent: required")
        #expect(ruling(consented, purpose: "a:repair") != ruling(consented, purpose: "a:service"))
    }
}
