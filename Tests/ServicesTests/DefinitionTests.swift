import Services
import Testing

/// What a file says becomes the definition.
struct DefinitionTests {
    @Test func `the smallest file is a whole service`() throws {
        let service = try service()
        #expect(service.id.text == "pothole")
        #expect(service.title["fr"] == "Pothole")
        #expect(service.title.languages == ["en"])
        #expect(service.steps.map(\.phase) == [.open, .closed])
        #expect(service.retention == ServiceRetention())
        #expect(service.reopening == nil)
        #expect(service.publication == ServicePublication(when: .reviewed, place: .exact, photos: .never))
        #expect(service.calendar.hours[.friday] == [.init(begin: 540, end: 1020)])
        #expect(service.calendar.hours[.saturday] == nil)
    }

    @Test func `every kind of field is read with what belongs to it`() throws {
        let fields = """

              - {id: place, label: Where, type: place, required: true}
              - {id: kind, label: Kind, type: choice, several: true, choices: [{id: deep, label: Deep}, {id: flat, label: Flat}], public: true}
              - {id: plate, label: Plate, type: text, pattern: licencePlate}
              - {id: words, label: Words, type: text, lines: 4, maxLength: 900, required: {field: kind, is: deep}}
              - {id: width, label: Width, type: number, min: 0.5, max: 9, unit: MTR}
              - {id: day, label: Day, type: date, when: past, asked: {field: kind, is: [deep, flat]}}
              - {id: photos, label: Photos, type: photo}
              - {id: proof, label: Proof, type: file, mediaTypes: [application/pdf], maxCount: 2}
              - {id: mail, label: Mail, type: consent, purpose: 'dpv:CommunicationManagement'}
              - {id: lamp, label: Lamp, type: entity, entityType: Streetlight, withinMetres: 30}
            """
        let service = try service(["fields": fields])
        #expect(service.fields.map(\.kind) == [
            .place,
            .choice([.init(id: "deep", label: LocalizedText(["en": "Deep"], first: "en")!), .init(id: "flat", label: LocalizedText(["en": "Flat"], first: "en")!)], several: true),
            .text(lineCount: 1, countMax: 200, pattern: .licencePlate), .text(lineCount: 4, countMax: 900, pattern: nil),
            .number(.init(minimum: 0.5, maximum: 9, isWhole: false, unit: "MTR")), .date(.past), .photo(countMax: 3),
            .file(mediaTypes: ["application/pdf"], countMax: 2), .consent(purpose: "dpv:CommunicationManagement"), .entity(type: "Streetlight", withinMetres: 30),
        ])
        #expect(service.placeField?.id == "place")
        #expect(service.field("place")?.required == .always)
        #expect(service.field("words")?.required == .when(.init(field: "kind", values: ["deep"])))
        #expect(service.field("day")?.asked == .init(field: "kind", values: ["deep", "flat"]))
        #expect(service.fields.filter(\.isPublic).map(\.id) == ["place", "kind"])
    }

    @Test func `what is public of photos and places is said in one part`() throws {
        let fields = "\n  - {id: place, label: Where, type: place}\n  - {id: photos, label: Photos, type: photo}"
        let shown = try service(["fields": fields, "public": "{when: atOnce, place: {roundTo: 50}, photos: reviewed}"])
        #expect(shown.fields.map(\.isPublic) == [true, true])
        #expect(shown.publication == ServicePublication(when: .atOnce, place: .rounded(metres: 50), photos: .reviewed))
        let hidden = try service(["fields": fields, "public": "{when: atOnce, place: hidden}"])
        #expect(hidden.fields.map(\.isPublic) == [false, false])
        #expect(try service(["fields": fields, "public": "{when: never}"]).publication == ServicePublication(when: .never, place: .hidden, photos: .never))
    }

    @Test func `working spans, spans of keeping, hours and holidays are read as they are written`() throws {
        let service = try service([
            "targets": "[{when: {field: kind, is: deep}, answer: 8 hours, close: 1 day}, {close: 10 days}]",
            "retention": "{contact: 6 months, case: 5 years}", "reopen": "{within: 2 weeks, step: new}",
            "calendar": "\n  zone: UTC\n  hours: {weekdays: ['08:30-12:00', '13:30-17:00'], wednesday: closed, sunday: '00:00-24:00'}\n  holidays: [12-25, 02-29, 2026-12-24, easter, easter+1, easter -2]",
        ])
        #expect(service.targets == [
            .init(condition: .init(field: "kind", values: ["deep"]), answer: .hours(8), close: .days(1)), .init(close: .days(10)),
        ])
        #expect(service.retention == ServiceRetention(contactDays: 180, caseDays: 1825))
        #expect(service.reopening == Reopening(withinDays: 14, step: "new"))
        #expect(service.calendar.hours[.monday] == [.init(begin: 510, end: 720), .init(begin: 810, end: 1020)])
        #expect(Set(service.calendar.hours.keys) == [.monday, .tuesday, .thursday, .friday, .sunday])
        #expect(service.calendar.hours[.sunday] == [.init(begin: 0, end: 1440)])
        #expect(service.calendar.holidays == [
            .yearly(month: 12, day: 25), .yearly(month: 2, day: 29), .once(year: 2026, month: 12, day: 24), .easter(dayOffset: 0), .easter(dayOffset: 1), .easter(dayOffset: -2),
        ])
    }

    @Test func `a reader of a language that is not there reads English, else the first one`() throws {
        #expect(try service(["title": "{fr: Nid-de-poule, en: Pothole}", "fields": "[{id: a, label: {fr: A, en: B}, type: date}]",
                             "steps": "[{id: a, title: {fr: A, en: B}, phase: open, next: b}, {id: b, title: {fr: A, en: B}, phase: closed}]"]).title["de"] == "Pothole")
        #expect(LocalizedText(["fr": "Bonjour", "es": "Hola"], first: "fr")?["de"] == "Bonjour")
        #expect(LocalizedText(["fr": "Bonjour"], first: "en") == nil)
    }

    @Test func `notices are filled, and what is put in is not looked at again`() throws {
        let service = try service(["notices": """

              received: {subject: 'Your report {reference}', text: "Dear resident,\\n{answer}\\n{link}"}
              step.done: {subject: Done, text: '{status} {municipality}{service}'}
            """])
        let notice = try #require(service.notices[.received])
        let filled = notice.filled(language: "en", with: ["reference": "A\r\nBcc: x", "answer": "{link}", "link": "https://example.org/r"])
        #expect(filled.subject == "Your report A  Bcc: x")
        #expect(filled.text == "Dear resident,\n{link}\nhttps://example.org/r")
        #expect(service.notices[.step("done")]?.filled(language: "ar", with: ["status": "Done"]).text == "Done ")
        #expect(NoticeOccasion("step.") == nil)
    }
}
