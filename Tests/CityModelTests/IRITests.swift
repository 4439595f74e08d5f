import CityModel
import Testing

@Suite struct IRITests {
    @Test(arguments: [
        ("https://schema.org/name", "name"), ("https://example.org/vocabulary#name", "name"), ("urn:ngsi-ld:name", "name"), ("a:b/c/", "c"), ("x:y", "y"),
        ("https://example.org/näme", "näme"), ("://", "://"),
    ])
    func `the last word is what people call it`(text: String, word: String) { #expect(IRI(known: text).lastWord == word) }
}
