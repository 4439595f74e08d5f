/// Which form of a text goes with a count: the cardinal rules of CLDR (Unicode Technical Standard 35, part 3, "Language Plural
/// Rules"; `plurals.xml`) for whole numbers written in digits. So of CLDR's operands `n` and `i` are the number without its sign,
/// `v` and `e` are 0. The scripts ask `Intl.PluralRules`; a browser test compares its categories with those of the texts.
enum PluralRule: String, Sendable {
    /// By the code of the language.
    case english = "en", french = "fr", spanish = "es", arabic = "ar"

    /// The names of the forms, as the language files have them.
    enum Category: String, CaseIterable, Sendable { case zero, one, two, few, many, other }

    /// What a text with a count has a form for, no more and no less.
    var categories: Set<Category> {
        switch self {
        case .english: [.one, .other]
        case .french, .spanish: [.one, .many, .other]
        case .arabic: Set(Category.allCases)
        }
    }

    func category(of count: Int) -> Category {
        let n = count.magnitude
        return switch self {
        case .english: n == 1 ? .one : .other  // one: i = 1 and v = 0
        case .french: n <= 1 ? .one : Self.isMillions(n) ? .many : .other  // one: i = 0,1
        case .spanish: n == 1 ? .one : Self.isMillions(n) ? .many : .other  // one: n = 1
        case .arabic: Self.arabic(n)
        }
    }

    /// many: e = 0 and i != 0 and i % 1000000 = 0 and v = 0 or e != 0..5
    private static func isMillions(_ n: UInt) -> Bool { n != 0 && n % 1_000_000 == 0 }

    private static func arabic(_ n: UInt) -> Category {
        switch (n, n % 100) {
        case (0, _): .zero  // n = 0
        case (1, _): .one  // n = 1
        case (2, _): .two  // n = 2
        case (_, 3...10): .few  // n % 100 = 3..10
        case (_, 11...99): .many  // n % 100 = 11..99
        default: .other
        }
    }
}
