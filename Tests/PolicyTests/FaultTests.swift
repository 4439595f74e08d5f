import CityModel
import Declarations
import Policy
import Testing

/// What is wrong with a file is said with line, key and what would be right.
struct FaultTests {
    @Test(arguments: [
        ("effect: allow", "rules[0].effect", "permit, forbid"), ("efect: permit", "rules[0].efect", "the nearest is effect"),
        ("who: {roles: [auditr]}", "rules[0].who.roles[0]", "did you mean auditor?"), ("who: everyone", "rules[0].who", "anyone"),
        ("who: {}", "rules[0].who", "who: anyone"), ("who: {role: auditor}", "rules[0].who.role", "the nearest is roles"),
        ("who: {roles: []}", "rules[0].who.roles", "the list is empty"), ("who: {signedIn: maybe}", "rules[0].who.signedIn", "true or false"),
        ("who: {municipalities: ['a b']}", "rules[0].who.municipalities[0]", "municipality"),
        ("actions: [read, look]", "rules[0].actions[1]", "read, history, aggregate, subscribe, export, write, erase, publish, administer"),
        ("what: {}", "rules[0].what", "what: everything"), ("what: nothing", "rules[0].what", "everything"),
        ("what: {types: ['a b']}", "rules[0].what.types[0]", "is not the name of a type"),
        ("what: {attributes: [scope]}", "rules[0].what.attributes[0]", "scope is not an attribute"),
        ("what: {attributes: ['@id']}", "rules[0].what.attributes[0]", "is not the name of an attribute"),
        ("what: {scopes: ['/A/*']}", "rules[0].what.scopes[0]", "is not a scope"),
        ("what: {classifications: secret}", "rules[0].what.classifications", "open, internal, partner, personal, special"),
        ("what: {classifications: {upTo: all}}", "rules[0].what.classifications.upTo", "open, internal"),
        ("what: {within: [1, 2, 3]}", "rules[0].what.within", "[west, south, east, north]"),
        ("what: {within: [3, 2, 1, 4]}", "rules[0].what.within", "[west, south, east, north]"),
        ("what: {within: {type: Point, coordinates: [1, 2]}}", "rules[0].what.within", "not a Point"),
        ("what: {within: {type: Polygon, coordinates: [[[1, 2]]]}}", "rules[0].what.within.coordinates", "at least 4"),
        ("what: {subject: ada}", "rules[0].what.subject", "self"), ("purposes: 'a:repairs'", "rules[0].purposes", "the nearest is a:repair"),
        ("consent: asked", "rules[0].consent", "required"), ("effect: forbid\nconsent: required", "rules[0].consent", "only a permit"),
        ("effect: forbid\nagreement: a", "rules[0].agreement", "only a permit"),
        ("effect: forbid\nnarrow: {place: {roundTo: 1}}", "rules[0].narrow", "only a permit"),
        ("from: tomorrow", "rules[0].from", "2026-12-31"), ("until: 2026-02-30", "rules[0].until", "is not a day"),
        ("from: 2026-06-02\nuntil: 2026-06-01", "rules[0].until", "before it begins"),
        ("narrow: {}", "rules[0].narrow", "attributes, place, time, aggregates"),
        ("narrow: {attributes: {only: a, except: b}}", "rules[0].narrow.attributes", "either only or except"),
        ("narrow: {place: {roundTo: 0}}", "rules[0].narrow.place.roundTo", "from 1 to"),
        ("narrow: {time: {roundTo: day}}", "rules[0].narrow.time.roundTo", "P1D"),
        ("narrow: {time: {roundTo: PT0S}}", "rules[0].narrow.time.roundTo", "P1D"),
        ("narrow: {aggregates: {k: 1}}", "rules[0].narrow.aggregates.k", "from 2 to"),
        ("what: {attributes: a}\nnarrow: {attributes: {except: a}}", "rules[0]", "leave no attribute"),
    ])
    func `a fault is named with its key and what is right`(rule: String, key: String, words: String) throws {
        let error = try #require(failure(of: rule))
        #expect((error.file, error.key) == ("rules.yaml", key))
        #expect(error.reason.contains(words), "\(error)")
    }

    @Test func `the line is the one where the key stands`() throws {
        let text = "title: Rules\nrules:\n  - id: a\n    effect: permit\n    who:\n      roles:\n        - auditor\n        - auditr\n"
        #expect(throws: DeclarationError(
            file: "a.yaml", line: 8, key: "rules[0].who.roles[1]",
            reason: "auditr is not one of \(Role.allCases.map(\.rawValue).joined(separator: ", ")); did you mean auditor?")
        ) {
            let rest = "    actions: read\n    what: everything\n"
            _ = try Policies(files: [.init(name: "a.yaml", text: text + rest)], purposes: .empty, expand: expand)
        }
    }

    @Test(arguments: ["id", "effect", "who", "actions", "what"])
    func `a rule lacks nothing that it needs`(key: String) throws {
        let lines = ["id: a", "effect: permit", "who: anyone", "actions: read", "what: everything"].filter { !$0.hasPrefix(key) }
        let text = "rules: [{\(lines.joined(separator: ", "))}]"
        #expect(throws: DeclarationError(file: "a", line: 1, key: "rules[0]", reason: "the key \(key) is missing")) {
            _ = try Policies(files: [.init(name: "a", text: text)], purposes: .empty, expand: expand)
        }
    }

    @Test(arguments: ["a b", "A", "", String(repeating: "a", count: 65)])
    func `an id that cannot be one is refused`(id: String) throws {
        let text = "rules: [{id: '\(id)', effect: permit, who: anyone, actions: read, what: everything}]"
        #expect(throws: DeclarationError.self) { _ = try Policies(files: [.init(name: "a", text: text)], purposes: .empty, expand: expand) }
    }

    @Test func `two rules of one id are refused, also in two files`() throws {
        let text = "rules:\n- {id: a, effect: permit, who: anyone, actions: read, what: everything}"
        #expect(throws: DeclarationError(file: "two.yaml", line: 2, key: "id", reason: "a is the id of another rule: one.yaml, line 2")) {
            _ = try Policies(files: [.init(name: "one.yaml", text: text), .init(name: "two.yaml", text: text)], purposes: .empty, expand: expand)
        }
    }

    @Test(arguments: [
        ("purposes: [{id: 'a:b', title: T}]", "prefix"), ("prefixes: {a: x}\npurposes: [{id: b, title: T}]", "prefix"),
        ("prefixes: {a: x}\npurposes: [{id: 'a:b', title: T}, {id: 'a:b', title: T}]", "two purposes"),
        ("prefixes: {a: x}\npurposes: [{id: 'a:b', title: T, broader: 'a:c'}]", "there is no purpose a:c"),
        ("prefixes: {a: x}\npurposes: [{id: 'a:b', title: T, broader: 'a:b'}]", "would include itself"),
        ("prefixes: {a: x}\npurposes: [{id: 'a:b', title: T, broader: 'a:c'}, {id: 'a:c', title: T, broader: 'a:b'}]", "would include itself"),
        ("prefixes: {A: x}\npurposes: []", "a prefix is written"), ("prefixes: {a: x}", "the key purposes is missing"),
    ])
    func `a list of purposes that cannot be is refused`(text: String, words: String) {
        do throws(DeclarationError) {
            _ = try Purposes(parsing: text)
            Issue.record("no error")
        } catch {
            #expect(error.reason.contains(words), "\(error)")
        }
    }

    @Test func `a purpose can be named by its short form and by its IRI`() throws {
        let purposes = try purposesForTest()
        #expect(purposes.id(naming: "a:repair") == "a:repair")
        #expect(purposes.id(naming: "https://example.org/purposes#repair") == "a:repair")
        #expect(purposes.id(naming: "https://example.org/purposes#other") == nil)
        #expect(purposes.id(naming: "repair") == nil)
    }
}
