import Declarations
import Services
import Testing

/// What is wrong with a service's file is said with line, key and what would be right.
struct FaultTests {
    /// Fields below the choice `kind`.
    private static func fields(_ rest: String...) -> [String: String] {
        let first = "\n  - {id: kind, label: Kind, type: choice, choices: [{id: deep, label: Deep}, {id: flat, label: Flat}]}"
        return ["fields": first + rest.map { "\n  - {id: a, label: A, \($0)}" }.joined()]
    }

    @Test(arguments: [
        (["id": "Pothole!"], "id", "a-z, 0-9 and -"), (["id": "''"], "id", "empty"), (["titel": "x"], "titel", "the nearest is title"),
        (["title": "{}"], "title", "by language"), (["title": "{english: Pothole}"], "title.english", "is not the code of a language"),
        (["title": "''"], "title", "the text is empty"), (["title": "\"a\\u0007\""], "title", "cannot be seen"),
        (["title": "\"a\\u202Eb\""], "title", "cannot be seen"),
        (["help": "{en: Help, fr: Aide}"], "help.fr", "the title is not in the language fr"), (["keywords": "['']"], "keywords[0]", "empty"),
    ] as [([String: String], String, String)])
    func `what a service is called is checked`(parts: [String: String], key: String, words: String) throws {
        let error = try #require(failure(of: parts))
        #expect(error.key == key)
        #expect(error.reason.contains(words), "\(error)")
    }

    @Test(arguments: ["id", "title", "fields", "departments", "steps", "calendar", "public"])
    func `a service lacks nothing that it needs`(key: String) throws {
        let lines = serviceText().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(lines.firstIndex { $0.hasPrefix("\(key):") })
        let end = lines[(start + 1)...].firstIndex { !$0.hasPrefix(" ") } ?? lines.count
        let text = (lines[..<start] + lines[end...]).joined(separator: "\n")
        #expect(throws: DeclarationError(line: 1, key: "", reason: "the key \(key) is missing")) { _ = try ServiceDefinition(parsing: text) }
    }

    @Test(arguments: ["help", "group"])
    func `a text that lacks a language of the title names it`(key: String) throws {
        let error = try #require(failure(of: ["title": "{en: Pothole, fr: Nid-de-poule}", key: "{en: Only English}"]))
        #expect(error.key == key)
        #expect(error.reason == "the text in the language fr is missing: the title is in en, fr")
    }

    @Test func `a language is missing wherever it is missing`() throws {
        let example = try Places.text("examples/services/pothole.yaml")
        let lines = example.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let places = lines.indices.filter { lines[$0].drop { $0 == " " }.hasPrefix("ar: ") && !lines[$0].hasSuffix("|-") }.dropFirst()
        #expect(places.count > 10)
        for place in places {
            var changed = lines
            changed.remove(at: place)
            do throws(DeclarationError) {
                _ = try ServiceDefinition(parsing: changed.joined(separator: "\n"))
                Issue.record("line \(place + 1) can go unnoticed")
            } catch {
                #expect(error.reason.hasPrefix("the text in the language ar is missing"), "\(error)")
                #expect(error.line <= place + 1)
            }
        }
    }

    @Test(arguments: [
        ("type: txt", "fields[1].type", "did you mean text?"), ("lines: 3", "fields[1]", "the key type is missing"),
        ("type: text, lnes: 3", "fields[1].lnes", "the nearest is lines"), ("type: text, lines: 0", "fields[1].lines", "from 1 to 30"),
        ("type: text, lines: 2, pattern: email", "fields[1].pattern", "one line"), ("type: text, pattern: phone", "fields[1].pattern", "telephone"),
        ("type: text, maxLength: 10001", "fields[1].maxLength", "from 1 to 10000"), ("type: text, min: 3", "fields[1].min", "no such key"),
        ("type: text, pattern: email, public: true", "fields[1].public", "does not become public"),
        ("type: number, min: 3, max: 2", "fields[1].max", "at least 3"), ("type: number, unit: metres", "fields[1].unit", "MTR"),
        ("type: number, min: low", "fields[1].min", "a number is needed"),
        ("type: choice, choices: [{id: x, label: X}]", "fields[1].choices", "at least two"),
        ("type: choice, choices: [{id: x, label: X}, {id: x, label: Y}]", "fields[1].choices[1]", "another choice is called x"),
        ("type: choice, choices: [{id: X, label: X}, {id: y, label: Y}]", "fields[1].choices[0].id", "a letter first"),
        ("type: date, when: past_", "fields[1].when", "did you mean past?"), ("type: place, public: true", "fields[1].public", "no such key"),
        ("type: photo, maxCount: 11", "fields[1].maxCount", "from 1 to 10"), ("type: file", "fields[1]", "the key mediaTypes is missing"),
        ("type: file, mediaTypes: pdf", "fields[1].mediaTypes", "application/pdf"), ("type: consent, purpose: research", "fields[1].purpose", "dpv:"),
        ("type: entity, entityType: Streetlight", "fields[1]", "a field of type place is needed above"),
        ("type: date, required: {field: knd, is: deep}", "fields[1].required.field", "there is no field knd above this field; the nearest is kind"),
        ("type: date, required: {field: kind, is: dep}", "fields[1].required.is", "there is no choice dep of kind; the nearest is deep"),
        ("type: date, required: {field: kind, is: []}", "fields[1].required.is", "never hold"), ("type: date, required: perhaps", "fields[1].required", "true, false"),
        ("type: date, asked: {field: a, is: deep}", "fields[1].asked.field", "there is no field a above this field"),
        ("type: date, asked: {field: kind}", "fields[1].asked", "the key is is missing"),
    ])
    func `a field that cannot be is refused`(field: String, key: String, words: String) throws {
        let error = try #require(failure(of: Self.fields(field)))
        #expect((error.key, error.line) == (key, 5))
        #expect(error.reason.contains(words), "\(error)")
    }

    @Test func `fields have names of their own, and one of them is the place`() throws {
        #expect(failure(of: Self.fields("type: date", "type: date"))?.reason == "another field is called a")
        #expect(failure(of: Self.fields("type: place", "type: place"))?.reason.contains("one place") == true)
        #expect(failure(of: ["fields": "[]"])?.reason.contains("at least one field") == true)
        #expect(failure(of: ["fields": "\n  - {id: a, label: A, type: date}", "targets": "[{when: {field: a, is: x}, close: 1 day}]"])?.reason.contains("is not a choice") == true)
    }

    @Test(arguments: [
        ("[]", "departments", "at least one"), ("[{department: A, districts: [X]}]", "departments[0]", "the last department"),
        ("[{department: A, when: {field: kind, is: deep}}]", "departments[0]", "the last department"),
        ("[{department: A}, {department: B}]", "departments[1]", "never reached"),
        ("[{department: A, districts: []}, {department: B}]", "departments[0].districts", "the list is empty"),
        ("[{department: A, districts: [X, X]}, {department: B}]", "departments[0].districts[1]", "X stands here already"),
        ("[{department: A, when: {field: kind, is: wet}}, {department: B}]", "departments[0].when.is", "there is no choice wet"),
    ])
    func `departments that leave something unhandled are refused`(text: String, key: String, words: String) throws {
        let error = try #require(failure(of: ["departments": text]))
        #expect(error.key == key)
        #expect(error.reason.contains(words), "\(error)")
    }

    @Test(arguments: [
        ("[]", "steps", "at least two"), ("[{id: a, title: A, phase: closed}]", "steps[0]", "begins with the first"),
        ("[{id: a, title: A, phase: open}]", "steps[0]", "the key next is missing"),
        ("[{id: a, title: A, phase: open, next: b}]", "steps[0].next", "there is no step b"),
        ("[{id: a, title: A, phase: open, next: a}]", "steps[0].next", "does not lead to itself"),
        ("[{id: a, title: A, phase: open, next: [b, b]}, {id: b, title: B, phase: closed}]", "steps[0].next[1]", "stands here already"),
        ("[{id: a, title: A, phase: open, next: b}, {id: b, title: B, phase: working, next: a}]", "steps[0]", "no step is of phase closed"),
        ("[{id: a, title: A, phase: open, next: b}, {id: b, title: B, phase: closed}, {id: c, title: C, phase: closed}]", "steps[2]", "no step leads here"),
        ("[{id: a, title: A, phase: open, next: [b, c]}, {id: b, title: B, phase: closed}, {id: c, title: C, phase: open, next: d}, {id: d, title: D, phase: open, next: c}]",
         "steps[2]", "no closed step can be reached"),
        ("[{id: a, title: A, phase: open, next: b, done: true}, {id: b, title: B, phase: closed}]", "steps[0].done", "only a step of phase closed"),
        ("[{id: a, title: A, phase: open, next: b}, {id: a, title: B, phase: closed}]", "steps[1]", "another step is called a"),
        ("[{id: a, title: A, phase: begun, next: b}]", "steps[0].phase", "open, working, closed"),
    ])
    func `steps that lead nowhere are refused`(text: String, key: String, words: String) throws {
        let error = try #require(failure(of: ["steps": text]))
        #expect(error.key == key)
        #expect(error.reason.contains(words), "\(error)")
    }

    @Test(arguments: [
        ("targets", "[{answer: 8 hrs}]", "targets[0].answer", "8 hours or 3 days"), ("targets", "[{}]", "targets[0]", "answer or close"),
        ("targets", "[{close: 0 days}]", "targets[0].close", "1 to 500 days"), ("targets", "[{close: 501 days}]", "targets[0].close", "1 to 500 days"),
        ("targets", "[{close: 1 day}, {close: 2 days}]", "targets[1]", "never reached"), ("targets", "[{close: 2 weeks}]", "targets[0].close", "3 days"),
        ("reopen", "{within: 30 days, step: old}", "reopen.step", "there is no step old"), ("reopen", "{within: 30 days, step: done}", "reopen.step", "is a closed step"),
        ("reopen", "{within: 11 years, step: new}", "reopen.within", "at most 10 years"), ("reopen", "{within: soon, step: new}", "reopen.within", "14 days"),
        ("notices", "{recieved: {subject: S, text: T}}", "notices.recieved", "the nearest is received"),
        ("notices", "{step.dune: {subject: S, text: T}}", "notices.step.dune", "the nearest is done"),
        ("notices", "{received: {subject: 'Yours: {refrence}', text: T}}", "notices.received.subject", "the nearest is {reference}"),
        ("notices", "{received: {subject: S, text: 'a { b'}}", "notices.received.text", "is not closed"),
        ("notices", "{received: {subject: S, text: 'a } b'}}", "notices.received.text", "closes none"),
        ("notices", "{received: {subject: S}}", "notices.received", "the key text is missing"),
        ("public", "{when: later}", "public.when", "atOnce, reviewed, never"), ("public", "{when: never, place: exact}", "public.place", "leave this out"),
        ("public", "{when: atOnce}", "public", "the key place is missing"), ("public", "{when: atOnce, place: {roundTo: 0}}", "public.place.roundTo", "from 1"),
        ("public", "{when: reviewed, place: exact, photos: atOnce}", "public.photos", "before the case"),
        ("public", "{when: atOnce, place: near}", "public.place", "roundTo: 50"), ("retention", "{contact: 2 years, case: 1 year}", "retention.contact", "longer than the case"),
        ("retention", "{case: 101 years}", "retention.case", "at most 100 years"), ("retention", "{case: for ever}", "retention.case", "5 years"),
    ])
    func `other parts that cannot be are refused`(part: String, text: String, key: String, words: String) throws {
        let error = try #require(failure(of: [part: text]))
        #expect(error.key == key)
        #expect(error.reason.contains(words), "\(error)")
    }

    @Test(arguments: [
        ("zone: Europe/Pari\n  hours: {weekdays: '09:00-17:00'}", "calendar.zone", "IANA"), ("zone: UTC\n  hours: {}", "calendar.hours", "at least one day"),
        ("zone: UTC\n  hours: {weekdays: closed}", "calendar.hours", "at least one day"), ("zone: UTC\n  hours: {monday: '9-17'}", "calendar.hours.monday", "08:30-12:00"),
        ("zone: UTC\n  hours: {monday: '17:00-09:00'}", "calendar.hours.monday", "after the beginning"),
        ("zone: UTC\n  hours: {monday: '09:00-24:01'}", "calendar.hours.monday", "08:30-12:00"),
        ("zone: UTC\n  hours: {monday: ['13:00-17:00', '08:00-12:00']}", "calendar.hours.monday[1]", "in order"),
        ("zone: UTC\n  hours: {monday: ['08:00-12:00', '12:00-17:00']}", "calendar.hours.monday[1]", "pause"),
        ("zone: UTC\n  hours: {mnday: '08:00-12:00'}", "calendar.hours.mnday", "the nearest is monday"),
        ("zone: UTC\n  hours: {monday: '08:00-12:00'}\n  holidays: [02-30]", "calendar.holidays[0]", "12-25"),
        ("zone: UTC\n  hours: {monday: '08:00-12:00'}\n  holidays: [easter+x]", "calendar.holidays[0]", "easter+1"),
        ("zone: UTC\n  hours: {monday: '08:00-12:00'}\n  holidays: [easter+101]", "calendar.holidays[0]", "easter+1"),
        ("zone: UTC\n  hours: {monday: '08:00-12:00'}\n  holidays: [12-25, 12-25]", "calendar.holidays[1]", "stands here already"),
    ])
    func `a calendar that cannot be is refused`(text: String, key: String, words: String) throws {
        let error = try #require(failure(of: ["calendar": "\n  " + text]))
        #expect(error.key == key)
        #expect(error.reason.contains(words), "\(error)")
    }

    @Test func `public answers do not tell more than the rest of the case`() throws {
        let hidden = "{when: never}"
        #expect(failure(of: Self.fields("type: date, public: true").merging(["public": hidden]) { $1 })?.reason.contains("nothing of this service") == true)
        let rounded = "{when: atOnce, place: {roundTo: 50}}"
        let entity = "\n  - {id: p, label: P, type: place}\n  - {id: a, label: A, type: entity, entityType: Streetlight, public: true}"
        #expect(failure(of: ["fields": entity, "public": rounded])?.reason.contains("not shown exactly") == true)
        #expect(failure(of: ["fields": entity]) == nil)
    }

    @Test(arguments: [("keywords", 50), ("targets", 30), ("steps", 30), ("departments", 100), ("fields", 50)])
    func `a list has its length at most`(part: String, countMax: Int) throws {
        let text = "[" + Array(repeating: "x", count: countMax + 1).joined(separator: ", ") + "]"
        #expect(failure(of: [part: text])?.reason == "a list here has at most \(countMax) elements")
    }

    @Test(arguments: [("title", 120), ("help", 2000), ("group", 120)])
    func `a text has its length at most`(part: String, countMax: Int) throws {
        #expect(failure(of: [part: String(repeating: "é", count: countMax)]) == nil)
        #expect(failure(of: [part: String(repeating: "é", count: countMax + 1)])?.reason == "the text has more than \(countMax) characters")
    }
}
