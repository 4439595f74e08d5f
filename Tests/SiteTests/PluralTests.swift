internal import CityModel
internal import OrderedCollections
internal import Testing
@testable internal import Site

@Suite struct PluralTests {
    typealias Category = PluralRule.Category

    @Test(arguments: [
        (.english, [(0, .other), (1, .one), (2, .other), (11, .other), (100, .other), (1_000_000, .other), (-1, .one)]),
        (.french, [(0, .one), (1, .one), (2, .other), (17, .other), (999_999, .other), (1_000_000, .many), (1_000_001, .other), (3_000_000, .many), (-1, .one)]),
        (.spanish, [(0, .other), (1, .one), (2, .other), (16, .other), (999_999, .other), (1_000_000, .many), (1_000_001, .other), (7_000_000, .many), (-1, .one)]),
        (
            .arabic,
            [
                (0, .zero), (1, .one), (2, .two), (3, .few), (10, .few), (11, .many), (26, .many), (99, .many), (100, .other), (101, .other), (102, .other),
                (103, .few), (110, .few), (111, .many), (199, .many), (200, .other), (203, .few), (1_000_000, .other), (-2, .two), (Int.min, .few),
            ]
        ),
    ] as [(PluralRule, [(Int, Category)])])
    func `a count chooses the form that the rules of its language say`(rule: PluralRule, samples: [(Int, Category)]) {
        for (count, category) in samples { #expect(rule.category(of: count) == category, "\(count)") }
    }

    @Test(arguments: Languages.standard.all.map(\.code))
    func `a text with a count has a form for each category of its language, and no other`(code: String) throws {
        let language = try #require(Languages.standard[code])
        let file = try JSON(parsing: try #require(SiteFiles.text("text/\(code).json")))
        let plurals = Self.pluralTexts(file)
        #expect(plurals.count >= 9)
        for (path, forms) in plurals {
            #expect(Set(forms.keys) == Set(language.plurals.categories.map(\.rawValue)), "\(code): \(path)")
            #expect(forms.values.allSatisfy { $0.stringValue?.isEmpty == false }, "\(code): \(path)")
        }
    }

    @Test func `the same texts have a count in every language`() throws {
        let paths = try Languages.standard.all.map { language in
            Set(Self.pluralTexts(try JSON(parsing: try #require(SiteFiles.text("text/\(language.code).json")))).map(\.path))
        }
        #expect(paths.count == 4 && Set(paths).count == 1)
    }

    @Test(arguments: [
        ("en", 1, "1 day"), ("en", 365, "365 days"), ("fr", 1, "1 jour"), ("es", 30, "30 días"), ("ar", 1, "يوم واحد"), ("ar", 2, "يومان"),
        ("ar", 7, "\u{2068}7\u{2069} أيام"), ("ar", 30, "\u{2068}30\u{2069} يومًا"), ("ar", 12_500, "\u{2068}12,500\u{2069} يوم"),
    ])
    func `a text says its count`(code: String, count: Int, text: String) throws {
        #expect(try #require(Languages.standard[code]).text("tokens.dayCount", count: count) == text)
    }

    /// Objects with nothing but forms, by their paths.
    private static func pluralTexts(_ json: JSON, at path: String = "") -> [(path: String, forms: JSONObject)] {
        guard let members = json.objectValue else { return [] }
        let names = Set(Category.allCases.map(\.rawValue))
        if members["other"] != nil, members.keys.allSatisfy(names.contains) { return [(path, members)] }
        return members.flatMap { pluralTexts($0.value, at: path + "." + $0.key) }
    }
}
