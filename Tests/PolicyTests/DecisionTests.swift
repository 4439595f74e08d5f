import CityModel
import Policy
import Query
import Testing

/// What rules mean.
struct DecisionTests {
    @Test func `what no rule speaks of is refused`() throws {
        #expect(try policies().read() == .hidden(.nothingPermits))
        #expect(try policies("actions: write").read() == .hidden(.nothingPermits))
        #expect(try policies("effect: forbid").read() == .hidden(.forbidden(by: "r0")))
    }

    @Test func `a forbid beats every permit, wherever it stands`() throws {
        #expect(try policies("effect: permit", "effect: forbid").read().rules == ["r1"])
        #expect(try policies("effect: forbid", "effect: permit").read() == .hidden(.forbidden(by: "r0")))
    }

    @Test func `a forbid of attributes takes these away and no others`() throws {
        let verdict = try policies("effect: permit", "effect: forbid\nwhat: {attributes: [email]}").read()
        #expect(verdict.access(to: attribute("email")) == .hidden)
        #expect(verdict.access(to: attribute("name")) == .shown(.exact))
        #expect(verdict.decision == .permit)
    }

    @Test func `an entity of which forbids leave nothing is hidden, and the forbid is named`() throws {
        let rules = ["what: {attributes: [email]}", "effect: forbid\nwhat: {attributes: [name]}", "effect: forbid\nwhat: {attributes: [email]}"]
        #expect(try policies(rules[0], rules[1], rules[2]).read() == .hidden(.forbidden(by: "r2")))
        #expect(try policies(rules[0], rules[1]).read().decision == .permit)
    }

    @Test func `several permits show what any of them shows`() throws {
        let verdict = try policies("narrow: {attributes: {only: [name]}}", "narrow: {attributes: {only: [email]}}").read()
        #expect(["name", "email", "phone"].map { verdict.access(to: attribute($0)) } == [.shown(.exact), .shown(.exact), .hidden])
        #expect(verdict.rules == ["r0", "r1"])
    }

    @Test func `what is and narrow both restrict the attributes of a permit`() throws {
        let verdict = try policies("what: {attributes: [a, b]}\nnarrow: {attributes: {except: [b, c]}}").read()
        #expect(["a", "b", "c", "d"].map { verdict.access(to: attribute($0)) } == [.shown(.exact), .hidden, .hidden, .hidden])
    }

    @Test func `of several precisions of an attribute the finest counts, of place and of time each for itself`() throws {
        let verdict = try policies(
            "narrow: {place: {roundTo: 1000}, time: {roundTo: PT1H}}", "narrow: {place: {roundTo: 100}, time: {roundTo: P1D}}",
            "what: {attributes: [name]}"
        ).read()
        #expect(verdict.access(to: .location) == .shown(Precision(placeMetres: 100, period: PeriodDuration("PT1H"))))
        #expect(verdict.access(to: attribute("name")) == .shown(.exact))
    }

    @Test func `figures alone count where no permit shows the entity itself`() throws {
        let figures = "narrow: {aggregates: {k: 10}}", fewer = "narrow: {aggregates: {k: 5}, place: {roundTo: 100}}"
        let name = attribute("name"), email = attribute("email")
        let verdict = try policies(figures, fewer).read()
        #expect(verdict.entityCountMin == 5)
        #expect(verdict.access(to: name) == .aggregated(entityCountMin: 5, Precision(placeMetres: 100, period: nil)))
        let both = try policies(figures, "what: {attributes: [name]}").read()
        #expect(both.decision == .permit)
        #expect(both.access(to: name) == .shown(.exact))
        #expect(both.access(to: email) == .aggregated(entityCountMin: 10, .exact))
    }

    @Test func `a forbid of attributes holds for figures too`() throws {
        let verdict = try policies("narrow: {aggregates: {k: 5}}", "effect: forbid\nwhat: {attributes: [email]}").read()
        #expect(verdict.access(to: attribute("email")) == .hidden)
    }

    // MARK: Who

    @Test(arguments: [
        ("who: anyone", true, true, true), ("who: {signedIn: true}", false, true, true), ("who: {signedIn: false}", true, false, false),
        ("who: {roles: [auditor, analyst]}", false, false, true), ("who: {roles: auditor, signedIn: false}", false, false, false),
        ("who: {accounts: ada}", false, true, true), ("who: {accounts: grace}", false, false, false),
        ("who: {municipalities: [lattes]}", false, false, true),
    ])
    func `a rule speaks to those whom it names`(who: String, anonymous: Bool, signedIn: Bool, analyst: Bool) throws {
        let policies = try policies(who)
        let requesters = [
            .anonymous, Requester(account: "ada", roles: []),
            Requester(account: "ada", roles: [.analyst], municipality: MunicipalityName("lattes")),
        ]
        #expect(requesters.map { policies.decide($0, .read, on: .municipality, now: now).decision == .permit } == [anonymous, signedIn, analyst])
    }

    // MARK: What

    @Test(arguments: [
        ("types: [Bus, Tram]", true), ("types: Tram", false), ("classifications: open", false), ("classifications: [open, personal]", true),
        ("classifications: {upTo: personal}", true), ("classifications: {upTo: partner}", false), ("sources: buses", true),
        ("sources: trams", false), ("scopes: /Montpellier/#", true), ("scopes: /Montpellier", false), ("scopes: /+/Mosson", true),
        ("scopes: [/Lattes, /Montpellier/Mosson]", true), ("within: [3.8, 43.5, 4, 43.7]", true), ("within: [3.8, 43.5, 3.85, 43.7]", false),
        ("within: {type: Polygon, coordinates: [[[3.8, 43.5], [4, 43.5], [3.9, 43.7], [3.8, 43.5]]]}", true),
        ("types: Bus, sources: trams", false), ("subject: self", true),
    ])
    func `a rule speaks of what it names`(what: String, speaks: Bool) throws {
        let point = try Geometry(longitude: 3.9, latitude: 43.6)
        let facts = ResourceFacts(
            types: [attribute("Bus"), attribute("Vehicle")], scopes: [Scope("/Montpellier/Mosson")!], classification: .personal,
            source: "buses", dataSubject: "ada", location: { .at([point]) })
        #expect(try policies("what: {\(what)}").read(facts, roles: [.resident]).decision == (speaks ? .permit : .refuse))
        let forbidden = try policies("effect: forbid\nwhat: {\(what)}", "effect: permit").read(facts, roles: [.resident])
        #expect(forbidden.decision == (speaks ? .refuse : .permit))
    }

    @Test func `what nobody asks for is not looked up`() throws {
        var isAsked = false
        let facts = ResourceFacts(
            types: [attribute("Bus")],
            location: {
                isAsked = true
                return .nowhere
            })
        #expect(try policies("what: {types: Tram, within: [0, 0, 1, 1]}").read(facts).decision == .refuse)
        #expect(!isAsked)
        #expect(try policies("what: {types: Bus, within: [0, 0, 1, 1]}").read(facts).decision == .refuse)
        #expect(isAsked)
    }

    @Test(arguments: [
        (location: 1, permit: Verdict.Decision.permit, forbid: Verdict.Decision.refuse), (2, .refuse, .refuse), (3, .refuse, .permit),
        (4, .refuse, .permit), (5, .refuse, .refuse), (6, .refuse, .refuse),
    ])
    func `a permit for an area is for what lies in it whole, a forbid for what reaches into it or may do so`(
        location: Int, permit: Verdict.Decision, forbid: Verdict.Decision
    ) throws {
        func point(_ longitude: Double) throws -> Geometry { try Geometry(longitude: longitude, latitude: 0.5) }
        let (inside, outside) = (try point(0.5), try point(2))
        let line = try Geometry(typeName: "LineString", coordinates: [[0.5, 0.5], [2, 0.5]])
        let facts = ResourceFacts(location: {
            switch location {
            case 1: .at([inside])
            case 2: .at([line])
            case 3: .at([outside])
            case 4: .nowhere
            case 5: .unknown
            default: .at([inside, outside])
            }
        })
        #expect(try policies("what: {within: [0, 0, 1, 1]}").read(facts).decision == permit)
        #expect(try policies("effect: permit", "effect: forbid\nwhat: {within: [0, 0, 1, 1]}").read(facts).decision == forbid)
    }

    @Test func `what is about nobody is not about somebody who did not sign in`() throws {
        #expect(try policies("what: {subject: self}").read().decision == .refuse)
        #expect(try policies("what: {subject: self}").read(ResourceFacts(dataSubject: "grace"), roles: [.resident]).decision == .refuse)
    }

    // MARK: What for

    @Test(arguments: [
        (purpose: nil, permit: false, forbid: true), ("a:service", true, true), ("a:repair", true, true), ("a:all", false, true),
        ("a:research", false, false), ("a:unheard", false, true),
    ] as [(purpose: String?, permit: Bool, forbid: Bool)])
    func `a permit is for its purpose and what that includes, a forbid also for what may include it`(
        purpose: String?, permit: Bool, forbid: Bool
    ) throws {
        #expect(try policies("purposes: 'a:service'").read(purpose: purpose).decision == (permit ? .permit : .refuse))
        let forbidden = try policies("effect: permit", "effect: forbid\npurposes: ['a:service']").read(purpose: purpose)
        #expect(forbidden.decision == (forbid ? .refuse : .permit))
    }

    @Test(arguments: [
        (consents: ["a:service"], purpose: "a:repair", isPermitted: true), (["a:repair"], "a:repair", true), (["a:repair"], "a:service", false),
        (["a:research"], "a:repair", false), ([], "a:repair", false), (["a:all"], nil, false),
    ] as [(consents: Set<String>, purpose: String?, isPermitted: Bool)])
    func `a permit that needs consent counts where the person consented to the purpose or to a broader one`(
        consents: Set<String>, purpose: String?, isPermitted: Bool
    ) throws {
        let verdict = try policies("consent: required").read(ResourceFacts(consents: { consents }), purpose: purpose)
        #expect(verdict.decision == (isPermitted ? .permit : .refuse))
    }

    @Test func `a permit by agreement counts when the request rests on it`() throws {
        let policies = try policies("agreement: exchange")
        #expect(policies.read(agreement: "exchange").decision == .permit)
        #expect(policies.read(agreement: "other").decision == .refuse)
        #expect(policies.read().decision == .refuse)
    }

    // MARK: When

    @Test(arguments: [
        ("2026-05-31T23:59:59.999999Z", false), ("2026-06-01T00:00:00Z", true), ("2026-06-30T23:59:59.999999Z", true), ("2026-07-01T00:00:00Z", false),
    ])
    func `a rule holds from the first moment of its first day to the end of its last`(moment: String, holds: Bool) throws {
        let verdict = try policies("from: 2026-06-01\nuntil: 2026-06-30").read(at: Instant(moment)!)
        #expect(verdict.decision == (holds ? .permit : .refuse))
    }

    @Test func `days are those of the policy's zone`() throws {
        let text = "zone: Europe/Paris\nrules: [{id: a, effect: permit, who: anyone, actions: read, what: everything, until: 2026-06-30}]"
        let policies = try Policies(files: [.init(name: "a", text: text)], purposes: .empty, expand: expand)
        #expect(policies.read(at: Instant("2026-06-30T21:59:59Z")!).decision == .permit)
        #expect(policies.read(at: Instant("2026-06-30T22:00:00Z")!).decision == .refuse)
    }

    @Test func `a ruling says when it must be made anew`() throws {
        let policies = try policies("until: 2026-06-30", "from: 2026-06-15T12:00:00Z", "until: 2026-06-02\nactions: write")
        func goodUntil(_ moment: Instant) -> Instant? { policies.ruling(.anonymous, .read, now: moment).goodUntil }
        #expect(goodUntil(now) == Instant("2026-06-15T12:00:00Z"))
        #expect(goodUntil(Instant("2026-06-15T12:00:00Z")!) == Instant("2026-07-01T00:00:00Z"))
        #expect(goodUntil(Instant("2026-07-01T00:00:00Z")!) == nil)
    }
}
