import CityModel
import Declarations
import Query
import Services
import Testing

/// The services that are shipped as examples.
struct ExampleTests {
    @Test func `there are at least eight, each with a code of its own that its file is called by`() throws {
        let ids = try Places.examples.map { try ServiceDefinition(parsing: Places.text("examples/services/\($0)")).id.text }
        #expect(ids.count >= 8)
        #expect(ids.map { $0 + ".yaml" } == Places.examples)
    }

    @Test func `the program comes with all of them as they are`() throws {
        #expect(ShippedFiles.names(in: "services") == Places.examples)
        for name in Places.examples { #expect(try ShippedFiles.text("services/\(name)") == Places.text("examples/services/\(name)")) }
    }

    @Test(arguments: Places.examples)
    func `an example is whole in four languages, and tells the resident at each end`(name: String) throws {
        let service = try ServiceDefinition(parsing: Places.text("examples/services/\(name)"))
        #expect(Set(service.title.languages) == ["en", "fr", "es", "ar"])
        // Whoever copies a text and forgets to translate it leaves two that are the same; names and numbers are too short to tell.
        for text in Self.texts(of: service) where text["en"].count > 12 { #expect(Set(text.texts.values).count == text.texts.count, "\(text["en"])") }
        #expect(service.help != nil)
        #expect(service.notices[.received] != nil)
        for step in service.steps where step.phase == .closed { #expect(service.notices[.step(step.id)] != nil, "\(step.id)") }
        #expect(service.retention.caseDays != nil && service.retention.contactDays != nil)
        #expect(service.steps.contains { $0.isDone })
    }

    @Test(arguments: Places.examples)
    func `Arabic texts are written in Arabic letters`(name: String) throws {
        let service = try ServiceDefinition(parsing: Places.text("examples/services/\(name)"))
        for text in Self.texts(of: service) {
            #expect(text["ar"].unicodeScalars.contains { (0x600...0x6FF).contains($0.value) }, "\(text["ar"])")
        }
    }

    @Test(arguments: Places.examples)
    func `a case of an example can be on time whenever it is reported`(name: String) throws {
        let service = try ServiceDefinition(parsing: Places.text("examples/services/\(name)"))
        for day in 0..<366 {
            let moment = Instant(seconds: 1_767_225_600 + Int64(day) * 86_400 + 12 * 3600)
            for target in service.targets {
                let (answer, close) = (target.answer.map { service.calendar.due(after: moment, $0) }, target.close.map { service.calendar.due(after: moment, $0) })
                if let answer { #expect(try #require(answer) > moment) }
                if let close { #expect(try #require(close) > moment) }
            }
        }
    }

    private static func texts(of service: ServiceDefinition) -> [LocalizedText] {
        let fields = service.fields.flatMap { field in
            var texts = [field.label] + [field.help].compactMap(\.self)
            if case .choice(let choices, _) = field.kind { texts += choices.map(\.label) }
            return texts
        }
        return [service.title] + [service.help, service.group].compactMap(\.self) + fields + service.steps.map(\.title)
            + service.notices.values.flatMap { [$0.subject, $0.text] }
    }
}
