import CityModel
import Testing

@Suite struct IRITests {
    @Test(arguments: [
        ("https://schema.org/name", "name"), ("https://example.org/vocabulary#name", "name"), ("urn:ngsi-ld:name", "name"), ("a:b/c/", "c"), ("x:y", "y"),
        ("https://example.org/näme", "näme"), ("://", "://"),
    ])
    func `the last word is what people call it`(text: String, word: String) { #expect(IRI(known: text).lastWord == word) }

    /// Names that differ in one byte, wherever it is, or in their length alone.
    @Test func `names that differ hardly ever fall together, and equal ones always do`() {
        var names: Set<IRI> = []
        var hashes: Set<Int> = []
        for length in 1...80 {
            let text = String(repeating: "a", count: length)
            for place in 0..<length {
                for letter in ["a", "b", "c", "\u{0}"] {
                    let start = text.index(text.startIndex, offsetBy: place)
                    let name = IRI(known: text.replacingCharacters(start, with: letter))
                    names.insert(name)
                    hashes.insert(name.hashValue)
                    #expect(names.contains(IRI(known: String(decoding: Array(name.text.utf8), as: UTF8.self))))
                }
            }
        }
        // Of 9,000 numbers of 64 bits two are the same once in 400,000,000,000 times.
        #expect(names.count == 80 + 80 * 81 / 2 * 3 && hashes.count == names.count)
    }
}

extension String {
    fileprivate func replacingCharacters(_ start: Index, with letter: String) -> String { self[..<start] + letter + self[index(after: start)...] }
}
