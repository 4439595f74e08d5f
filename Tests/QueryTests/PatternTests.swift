import CityModel
import Query
import Testing

@Suite struct PatternTests {
    /// Clauses 5.2.8, 5.2.33.
    @Test(arguments: [
        ("abc", "xabcx", true), ("abc", "ab", false), ("^abc$", "abc", true), ("^abc$", "xabc", false), ("^abc$", "abcx", false),
        ("a.c", "aéc", true), ("a.c", "ac", false), ("ab*c", "ac", true), ("ab*c", "abbbc", true), ("ab+c", "ac", false), ("ab?c", "abc", true),
        ("ab?c", "abbc", false), ("^a{3}$", "aaa", true), ("^a{3}$", "aa", false), ("^a{2,}$", "aaaaa", true), ("^a{2,}$", "a", false),
        ("^a{2,3}$", "aaa", true), ("^a{2,3}$", "aaaa", false), ("^(ab|cd)+$", "abcdab", true), ("^(ab|cd)+$", "abc", false), ("^(?:x|)y$", "y", true),
        ("[a-c]x", "bx", true), ("[a-c]x", "dx", false), ("[^a-c]x", "dx", true), ("[]x]", "]", true), ("[a-]", "-", true), ("[[:digit:]]+", "a1", true),
        ("[[:upper:]]", "a", false), ("[\\d_]", "_", true), ("^[^\\d]$", "5", false), ("^[\\D]$", "x", true), ("\\d\\D\\w\\W\\s\\S", "1aa- x", true),
        ("a\\.b", "a.b", true), ("a\\.b", "axb", false), ("\\$", "$", true), ("^$", "", true), ("^$", "a", false), ("a|b|c", "c", true), ("x*", "", true),
        ("a*?b", "aab", true), ("{", "{", true), ("a{x}", "a{x}", true), (".*47$", "urn:ngsi-ld:Building:47", true), (".*downtown$", "x:downtown2", false),
        ("urn:ngsi-ld:Vehicle:*", "urn:ngsi-ld:Vehicle", true), ("^urn:é", "urn:é1", true), ("(^a|b$)", "xb", true), ("(^a|b$)", "xbx", false), ("a$b", "ab", false),
    ])
    func `a pattern is found or not`(pattern: String, text: String, isFound: Bool) throws {
        #expect(try Pattern(pattern).matches(text) == isFound)
    }

    @Test(arguments: [
        "", "a**", "invalid_entity_id_pattern**", "*a", "+", "?", "(a", "a)", "[a", "[", "a\\", "a{2", "a{3,2}", "a{256}", "(?=a)", "(?<n>a)", "(?i)a",
        "\\1", "\\b", "\\q", "[z-a]", "[[:nope:]]", "a++", "a{2}{3}", "(*)", "|*",
    ])
    func `what is no pattern is refused and the error names idPattern`(text: String) {
        #expect { try IDPattern(text) } throws: { error in
            guard case .badRequestData(let detail) = error as? CityError else { return false }
            return detail.hasPrefix("idPattern: ")
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: [
        "(a+)+$", "^(a|a)*$", "(a|aa)+$", "(.*a){20}$", "^((a*)*)*$", "(a?){100}a{100}$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y", "(.*)*(.*)*(.*)*b$",
    ])
    func `hostile patterns finish`(pattern: String) throws {
        let isFound = try Pattern(pattern).matches(String(repeating: "a", count: 2_000) + "!")
        #expect(!isFound)
    }

    @Test(.timeLimit(.minutes(10)), arguments: ["((((((a{99}){99}){99}){99}){99}){99})", "((((((){255}){255}){255}){255}){255}){255}", "(a{200}){200}", "(.{0,255}){0,255}"])
    func `repetitions that multiply are refused`(pattern: String) {
        #expect { try Pattern(pattern) } throws: { error in
            (error as? Pattern.Invalid)?.reason == "the regular expression has more than 1000 steps"
        }
    }

    @Test func `of a long text only the beginning is searched`() throws {
        for (pattern, border) in [("ab", "ab"), ("[a]b", "ab"), ("b$", "b")] {
            let filler = String(repeating: "x", count: Pattern.searchedScalarCountMax - border.count)
            #expect(try Pattern(pattern).matches(filler + border))
            #expect(try !Pattern(pattern).matches("x" + filler + border))
        }
    }

    @Test func `length and depth have limits`() throws {
        _ = try Pattern(String(repeating: "a", count: Pattern.byteCountMax))
        #expect(throws: Pattern.Invalid.self) { try Pattern(String(repeating: "a", count: Pattern.byteCountMax + 1)) }
        func nested(_ depth: Int) -> String { String(repeating: "(", count: depth) + "a" + String(repeating: ")", count: depth) }
        _ = try Pattern(nested(32))
        #expect(throws: Pattern.Invalid.self) { try Pattern(nested(33)) }
    }

    @Test(arguments: [
        ("^urn:ngsi-ld:Bus:", "urn:ngsi-ld:Bus:"), ("^urn:a.*", "urn:a"), ("^urn:a\\.b[0-9]", "urn:a.b"), ("urn:a", nil), ("^a|b", nil), ("^", nil),
        ("^ab*", "a"), ("^(ab)c", nil),
    ] as [(String, String?)])
    func `an anchored pattern says how identifiers begin`(pattern: String, prefix: String?) throws {
        #expect(try IDPattern(pattern).literalPrefix == prefix)
    }

    @Test func `every short pattern over two letters agrees with its definition`() throws {
        // All texts up to length 4 against patterns whose language is easy to say otherwise.
        let texts = (0...4).flatMap { length in (0..<(1 << length)).map { bits in String((0..<length).map { bits >> $0 & 1 == 0 ? "a" : "b" }) } }
        for text in texts {
            #expect(try Pattern("^(ab)*$").matches(text) == (text == String(repeating: "ab", count: text.count / 2)))
            #expect(try Pattern("a.*b").matches(text) == (text.firstIndex(of: "a").map { text[$0...].contains("b") } ?? false))
            #expect(try Pattern("^[^b]{1,2}$").matches(text) == (text == "a" || text == "aa"))
            #expect(try Pattern("aa|bb").matches(text) == (text.contains("aa") || text.contains("bb")))
        }
    }
}
