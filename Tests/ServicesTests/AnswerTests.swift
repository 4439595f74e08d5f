import CityModel
import Query
import RandomEntities
import Services
import Testing

/// Answers as forms and Open311 give them.
struct AnswerTests {
    private static let today = CivilDay(year: 2026, month: 11, day: 26)

    private static func form() throws -> ServiceDefinition {
        try service(["fields": """

              - {id: place, label: Where, type: place}
              - {id: kind, label: Kind, type: choice, choices: [{id: deep, label: Deep}, {id: flat, label: Flat}]}
              - {id: tags, label: Tags, type: choice, several: true, choices: [{id: wet, label: Wet}, {id: dark, label: Dark}, {id: loud, label: Loud}]}
              - {id: line, label: Line, type: text, maxLength: 10}
              - {id: words, label: Words, type: text, lines: 4, required: {field: kind, is: deep}}
              - {id: width, label: Width, type: number, min: 0, max: 100}
              - {id: count, label: Count, type: number, whole: true}
              - {id: seen, label: Seen, type: date, when: past}
              - {id: start, label: Start, type: date, when: future}
              - {id: depth, label: Depth, type: number, asked: {field: kind, is: deep}, required: true}
              - {id: reason, label: Reason, type: choice, asked: {field: kind, is: deep}, choices: [{id: rain, label: Rain}, {id: other, label: Other}]}
              - {id: other, label: Other, type: text, asked: {field: reason, is: other}, required: true}
              - {id: photos, label: Photos, type: photo, maxCount: 2}
              - {id: proof, label: Proof, type: file, mediaTypes: [application/pdf], required: {field: tags, is: loud}}
              - {id: mail, label: Mail, type: consent, purpose: 'dpv:CommunicationManagement'}
              - {id: lamp, label: Lamp, type: entity, entityType: Streetlight}
              - {id: phone, label: Phone, type: text, pattern: telephone}
            """])
    }

    private static func read(_ texts: [String: [String]], uploads: [String: Int] = [:]) throws -> ServiceAnswers {
        try form().answers(to: texts, uploads: uploads, today: today)
    }

    private static func faults(_ texts: [String: [String]], uploads: [String: Int] = [:]) throws -> [AnswerFault] {
        let form = try form()
        do throws(AnswerFaults) {
            _ = try form.answers(to: texts, uploads: uploads, today: today)
            return []
        } catch {
            return error.faults
        }
    }

    @Test(arguments: [
        ("line", ["  a\tb\nc "], .text("a b c")), ("line", ["e\u{301}"], .text("\u{E9}")), ("words", ["one\r\ntwo\rthree\n"], .text("one\ntwo\nthree")),
        ("line", ["a\u{202E}b\u{2066}c"], .text("abc")), ("line", ["\u{645}\u{200F}"], .text("\u{645}\u{200F}")),
        ("width", ["1,5"], .number(1.5)), ("width", ["1.5"], .number(1.5)), ("width", ["\u{663}\u{66B}\u{665}"], .number(3.5)), ("count", ["-1 000"], .number(-1000)),
        ("count", ["1\u{202F}234"], .number(1234)), ("count", ["2.0"], .number(2)), ("width", ["100"], .number(100)),
        ("kind", ["flat"], .choices(["flat"])), ("kind", ["flat", "flat"], .choices(["flat"])), ("tags", ["loud", "wet", "", "wet"], .choices(["wet", "loud"])),
        ("seen", ["2026-11-26"], .date(CivilDay(year: 2026, month: 11, day: 26))), ("start", ["2026-11-26"], .date(CivilDay(year: 2026, month: 11, day: 26))),
        ("place", ["43.61, 3.87"], .place(.init(coordinates: .init(latitude: 43.61, longitude: 3.87), address: nil)!)),
        ("place", ["43.61,-3.87", " 3 rue Foch "], .place(.init(coordinates: .init(latitude: 43.61, longitude: -3.87), address: "3 rue Foch")!)),
        ("place", ["3 rue Foch"], .place(.init(coordinates: nil, address: "3 rue Foch")!)), ("mail", ["yes"], .consent), ("mail", ["on"], .consent),
        ("lamp", ["urn:ngsi-ld:Streetlight:1"], .entity(IRI(known: "urn:ngsi-ld:Streetlight:1"))), ("phone", ["+33 (0)4 67 00 00 00"], .text("+33 (0)4 67 00 00 00")),
        ("phone", ["\u{660}\u{661}\u{662}\u{663}"], .text("0123")),
    ] as [(String, [String], ServiceAnswers.Answer)])
    func `an answer is read as its question needs it`(field: String, texts: [String], answer: ServiceAnswers.Answer) throws {
        // A photo of proof comes with it for the answer that needs one.
        let read = try Self.read([field: texts], uploads: ["proof": 1])
        #expect(read[field] == answer)
    }

    @Test(arguments: [
        ("line", ["12345678901"], .tooLong(countMax: 10)), ("line", ["a\u{0}b"], .controlCharacter), ("line", ["a", "b"], .tooMany(countMax: 1)),
        ("width", ["wide"], .notANumber), ("width", ["1,2,3"], .notANumber), ("width", ["1."], .notANumber), ("width", ["1e5"], .notANumber), ("width", ["nan"], .notANumber),
        ("width", ["-0,1"], .below(0)), ("width", ["100.1"], .above(100)), ("count", ["1.5"], .notWhole), ("count", ["1234567890123456789"], .notANumber),
        ("kind", ["wet"], .unknownChoice), ("kind", ["deep", "flat"], .tooMany(countMax: 1)), ("tags", ["wet", "odd"], .unknownChoice),
        ("seen", ["26/11/2026"], .notADate), ("seen", ["2026-02-30"], .notADate), ("seen", ["2026-11-27"], .notPast), ("start", ["2026-11-25"], .notFuture),
        ("place", ["91,3"], .notAPlace), ("place", ["43,61 3,87"], .notAPlace), ("place", ["43.61"], .notAPlace), ("place", ["1,2", "3,4"], .notAPlace),
        ("place", [String(repeating: "a", count: 301)], .tooLong(countMax: 300)), ("mail", ["perhaps"], .unknownChoice), ("lamp", ["lamp 1"], .notAnIdentifier),
        ("phone", ["call me"], .pattern(.telephone)),
    ] as [(String, [String], AnswerFault.Reason)])
    func `an answer that is none is refused with its reason`(field: String, texts: [String], reason: AnswerFault.Reason) throws {
        #expect(try Self.faults([field: texts]).contains(AnswerFault(field: field, reason: reason)))
    }

    @Test func `all faults are told at once, in the order of the questions`() throws {
        let faults = try Self.faults(
            ["kind": ["deep"], "width": ["x"], "seen": ["x"], "colour": ["red"], "reason": ["other"]], uploads: ["photos": 3, "more": 1])
        #expect(faults == [
            .init(field: "words", reason: .missing), .init(field: "width", reason: .notANumber), .init(field: "seen", reason: .notADate),
            .init(field: "depth", reason: .missing), .init(field: "other", reason: .missing), .init(field: "photos", reason: .tooMany(countMax: 2)),
            .init(field: "colour", reason: .unknownField), .init(field: "more", reason: .unknownField),
        ])
    }

    @Test func `what is not asked is not needed, and what was said to it is left out`() throws {
        let read = try Self.read(["kind": ["flat"], "depth": ["not a number"], "reason": ["other"], "other": ["x"]])
        #expect(Set(read.byField.keys) == ["kind"])
        #expect(try Self.faults(["kind": ["odd"], "reason": ["other"]]) == [.init(field: "kind", reason: .unknownChoice)])
    }

    @Test func `what is needed when something else was said is needed only then`() throws {
        #expect(try Self.faults(["tags": ["loud"]]) == [.init(field: "proof", reason: .missing)])
        #expect(try Self.read(["tags": ["loud"]], uploads: ["proof": 1])["proof"] == .uploads(1))
        #expect(try Self.read(["tags": ["wet"]])["proof"] == nil)
    }

    @Test func `blank texts are no answers, and no is none to a question of consent`() throws {
        #expect(try Self.read(["line": ["", "  "], "width": [" "], "kind": [], "mail": ["no"], "place": ["", " "]]).byField.isEmpty)
    }

    @Test(arguments: [
        (TextPattern.email, ["ada@example.org", "a.b+c@mail.example.co"], ["ada", "ada@example", "@example.org", "a..b@example.org", ".a@example.org", "a@-b.org", "a b@example.org", "a@b@c.org"]),
        (.telephone, ["112", "+33 4 67 00 00 00", "04.67.00.00.00"], ["12a", "++33467", "1", "1234567890123456", "04 67 -", "4--- 67"]),
        (.postalCode, ["34000", "SW1A 1AA", "1234-567", "D02 AF30"], ["PARIS", "34 000 -", "12345678901", ""]),
        (.licencePlate, ["AB-123-CD", "1234 BCD", "B·AB 123"], ["A", "AB/123", "-AB123"]), (.digits, ["0", "0123456789"], ["", "1 2", "12a", "\u{661}"]),
    ])
    func `a pattern lets pass what it should`(pattern: TextPattern, good: [String], bad: [String]) {
        for text in good { #expect(pattern.matches(text), "\(text)") }
        for text in bad { #expect(!pattern.matches(text), "\(text)") }
    }

    @Test(arguments: UInt64(0)..<300)
    func `no text brings the reading down, and every text that is taken can be taken again`(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let form = try Self.form()
        let odd: [Unicode.Scalar] = ["a", "9", "\u{669}", ",", ".", "-", " ", "\u{202E}", "\u{301}", "\u{0}", "\n", "\r", "@", "\u{1F6E0}", "\u{FFFF}", "{"]
        for field in form.fields {
            let text = String(String.UnicodeScalarView((0..<Int.random(in: 0...8, using: &generator)).map { _ in odd.randomElement(using: &generator) ?? "a" }))
            guard let read = try? form.answers(to: [field.id: [text]], today: Self.today), case .text(let taken) = read[field.id] else { continue }
            #expect(try form.answers(to: [field.id: [taken]], today: Self.today)[field.id] == .text(taken))
        }
    }
}
