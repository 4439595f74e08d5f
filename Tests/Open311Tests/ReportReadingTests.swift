import Cases
import CityModel
@testable import Open311
import Query
import Services
import Testing

struct ReportReadingTests {
    private static let good = [("lat", "43.61"), ("long", "3.87"), ("attribute[fault]", "out"), ("description", "Dark")]

    private func read(_ texts: [(String, String)], _ language: String? = nil) throws -> ReportReading {
        let fields = PostedFields(texts.map { (name: $0.0, value: $0.1) })
        return try ReportReading(fields, Example.definition(), Example.language(language), .init(), at: Example.now)
    }

    private func faults(_ texts: [(String, String)]) throws -> [String] {
        do {
            _ = try read(texts)
            return []
        } catch let fault as Open311Fault { return fault.parts.map(\.description) }
    }

    @Test func `parameters of the standard answer the questions that they are about`() throws {
        let reading = try read(Self.good + [("address_string", "Rue Foch"), ("attribute[since]", "2026-02-28T23:30:00Z"), ("email", "a@city.example"), ("first_name", "Ada")])
        #expect(reading.answers["place"] == .place(.init(coordinates: .init(latitude: 43.61, longitude: 3.87), address: "Rue Foch")!))
        #expect(reading.answers["fault"] == .choices(["out"]))
        #expect(reading.answers["description"] == .text("Dark"))
        // The day that it is where the service works.
        #expect(reading.answers["since"] == .date(.init(year: 2026, month: 3, day: 1)))
        #expect((reading.address, reading.remark) == ("Rue Foch", nil))
        #expect(reading.contact == CaseContact(name: "Ada", email: "a@city.example", language: "en"))
        #expect(try read(Self.good, "fr").contact.language == "fr")
    }

    @Test func `what no question asks for is a remark`() throws {
        #expect(try read(Self.good + [("media_url", "https://x.example/1.jpg")]).remark == "media_url: https://x.example/1.jpg")
    }

    @Test func `addresses of pictures are kept, ten at most`() throws {
        let urls = (1...11).map { ("media_url", "https://x.example/\($0).jpg") }
        #expect(try read(Self.good + urls.prefix(2)).remark == "media_url: https://x.example/1.jpg\nmedia_url: https://x.example/2.jpg")
        #expect(try faults(Self.good + urls.prefix(10)) == [])
        #expect(try faults(Self.good + urls) == ["media_url stands more than 10 times"])
    }

    @Test func `all faults are told at once, each with its parameter`() throws {
        let found = try faults([("lat", "91"), ("email", "x"), ("attribute[fault]", "gone"), ("attribute[other]", "1")])
        for name in ["lat ", "lat, long", "email", "attribute[fault]", "attribute[other]"] { #expect(found.contains { $0.hasPrefix(name) }, "\(name)") }
        #expect(found.count == 5)
    }

    @Test(arguments: [("90", "180", true), ("-90", "-180", true), ("90.1", "0", false), ("0", "180.1", false), ("1e9", "0", false), ("nan", "0", false), ("inf", "0", false), ("a", "0", false)])
    func `degrees lie within the world`(latitude: String, longitude: String, isAccepted: Bool) throws {
        #expect(try faults([("lat", latitude), ("long", longitude), ("attribute[fault]", "out")]).isEmpty == isAccepted)
    }

    @Test func `a description has 4000 characters at most`() throws {
        // The service takes 1000.
        let words = try faults(Self.good.dropLast() + [("description", String(repeating: "x", count: 4001))])
        #expect(words.contains("description has more than 4000 characters") && words.contains("description has more than 1000 characters"))
        #expect(try faults(Self.good.dropLast() + [("description", String(repeating: "x", count: 1000))]).isEmpty)
    }

    @Test func `a form and JSON say the same`() throws {
        let json = #"{"lat": 43.5, "ok": true, "none": null, "attribute": {"a": ["x", "y"], "b": 2}, "attribute[c]": "z"}"#
        let fields = PostedFields(try PostedFields.texts(ofJSON: Array(json.utf8)))
        #expect(fields.attributes == ["a": ["x", "y"], "b": ["2"], "c": ["z"]])
        #expect((fields["lat"], fields["ok"], fields["none"]) == ("43.5", "true", nil))
        let form = PostedFields([("attribute[a][]", "x"), ("attribute[a][]", "y"), ("attribute[b]", "2"), ("attribute[c]", "z"), ("attribute[d", "?"), ("attribute[e][0]", "?"), ("lat", "43.5"), ("lat", "")])
        #expect(form.attributes == fields.attributes)
        #expect(form["lat"] == "43.5", "what says nothing counts as absent")
    }

    @Test(arguments: ["[]", "1", "{", #"{"a": {"b": 1}}"#, #"{"a": [[1]]}"#, #"{"attribute": {"a": {"b": 1}}}"#])
    func `JSON that is no form is refused`(text: String) {
        #expect(throws: Open311Fault.self) { try PostedFields.texts(ofJSON: Array(text.utf8)) }
    }

    @Test func `what fills a slot of a notice is not looked at again`() throws {
        let reference = try #require(CaseReference("K7QM2P4D"))
        #expect(try Example.definition().received(reference, link: "{reference}", municipality: "alder", "en") == "Street light K7QM-2P4D: {reference}")
    }
}
