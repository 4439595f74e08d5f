import Declarations
import Testing

struct SpellingTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3), ("abcd", "badc", 2),
    ])
    func `distances count insertions, deletions, replacements and swaps`(left: String, right: String, distance: Int) {
        #expect(Spelling.distance(Array(left.utf8), Array(right.utf8)) == distance)
        #expect(Spelling.distance(Array(right.utf8), Array(left.utf8)) == distance)
    }

    @Test func `without names there is no nearest`() { #expect(Spelling.nearest(to: "a", in: []) == nil) }
}
