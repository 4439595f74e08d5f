/// Names in an invented language: made of its syllables, pronounceable, all different, none of them a place we know.
struct NameMaker {
    private var random: SplitMix64
    /// Slugs, so that names that differ only in accents count as the same.
    private var used: Set<String> = []

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private static let beginnings = [
        "Cal", "Mor", "Vel", "Sar", "Tel", "Aër", "Bren", "Lus", "On", "Fer", "Dor", "Nav", "Ith", "Quel", "Ros", "Pel", "Esk", "Var",
        "Zan", "Ul", "Thas", "Gil", "Ced", "Mir", "Hal", "Ob", "Trev", "Ys", "Drel", "Kér",
    ]
    private static let middles = ["a", "e", "i", "o", "u", "ai", "eo", "á", "é"]
    private static let townEndings = [
        "véra", "druin", "quess", "lmeth", "ssár", "nthe", "rvíl", "ddoma", "rrask", "mmil", "gôn", "vraïs", "lunde", "mérac", "tholl",
    ]
    private static let quarterEndings = ["nin", "ret", "lou", "vas", "mick", "dière", "zel", "thás", "quy", "rône", "ben", "llac"]
    private static let streetEndings = ["n", "l", "ric", "sse", "var", "mé", "tin", "dou", "rès", "lio", "gan", "zette", "nd", "bèle"]
    private static let ways = ["Ruvel", "Ruvel", "Ruvel", "Cayra", "Plassa", "Tersel", "Montal", "Quedra"]

    mutating func town() -> String { unique { $0.word(Self.townEndings) } }
    mutating func quarter() -> String { unique { $0.word(Self.quarterEndings) } }
    /// A street: one of the language's words for it, then whom or what it honours.
    mutating func street() -> String { unique { $0.random.pick(Self.ways) + " " + $0.word(Self.streetEndings) } }
    mutating func avenue() -> String { unique { "Avra " + $0.word(Self.streetEndings) } }
    mutating func river() -> String { unique { $0.word(["re", "ne", "lve", "ther"]) } }

    private mutating func word(_ endings: [String]) -> String {
        random.pick(Self.beginnings) + random.pick(Self.middles) + random.pick(endings)
    }

    /// After fifty collisions a number makes the name different.
    private mutating func unique(_ make: (inout NameMaker) -> String) -> String {
        var name = make(&self)
        for _ in 0..<50 where used.contains(Self.slug(name)) { name = make(&self) }
        if used.contains(Self.slug(name)) { name += " \(used.count)" }
        used.insert(Self.slug(name))
        return name
    }

    /// The name in lower-case ASCII letters, for identifiers: accents dropped, anything else as a hyphen.
    static func slug(_ name: String) -> String {
        String(
            name.lowercased().map { character -> Character in
                switch character {
                case "a"..."z", "0"..."9": character
                case "á", "à", "â", "ä": "a"
                case "é", "è", "ê", "ë": "e"
                case "í", "ì", "î", "ï": "i"
                case "ó", "ò", "ô", "ö": "o"
                case "ú", "ù", "û", "ü": "u"
                default: "-"
                }
            })
    }
}
