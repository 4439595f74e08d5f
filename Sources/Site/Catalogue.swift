internal import CityModel
internal import OrderedCollections
internal import Trust

/// What there is to show: municipalities, types of entity and how each is coloured. Made from all files at once, so that a
/// type has one colour everywhere.
struct Catalogue: Sendable {
    struct Municipality: Sendable {
        let key: String
        let name: String
        let access: ReadAccess
        /// Entities of each type that may be seen.
        let counts: [IRI: Int]
        /// Attributes that hold names.
        let nameAttributes: [IRI]
        /// Of the file that this was read from.
        let incarnation: UInt64
        /// Where its places are; nil when it has none.
        let box: BoundingBox?
        /// The journal's position when this was read, or one before it.
        let position: Int64
    }

    /// A type of entity that is no ground.
    struct Entry: Sendable {
        let type: IRI
        let shortName: String
        /// What pages call it: its short name, or its IRI when two types have the same.
        let key: String
        let isPlaced: Bool
        let scale: Scale?
        /// The attributes that a table of this type shows, the scale's first.
        let columns: [Column]
        var moves: Bool { KnownType[shortName]?.moves ?? false }
        var isEvent: Bool { KnownType[shortName]?.isEvent ?? false }
        /// What is measured of it again and again: numbers that say when they were observed, or any where none does.
        var measures: [Column] {
            let numeric = columns.filter(\.isNumeric), observed = numeric.filter(\.isObserved)
            return observed.isEmpty ? numeric : observed
        }
    }

    struct Column: Hashable, Sendable {
        let attribute: IRI
        let isNumeric: Bool
        /// Whether values say when they were observed.
        let isObserved: Bool
        var key: String { attribute.shortName }
    }

    let municipalities: [Municipality]
    /// Known types first, in the order of `KnownType.all`, then the others by name.
    let entries: [Entry]
    /// Everything's box; never empty.
    let box: BoundingBox
    /// Whether any of the entities looked at says that it is simulated.
    let isSimulated: Bool
    /// Changes when what is kept of an entity becomes wrong.
    let signature: [String]
    private let places: [IRI: Int]
    private let keys: [String: Int]

    /// As many as there are marks to tell them apart.
    static let layerCountMax = LayerShape.allCases.count

    init(municipalities: [Municipality], entries: [Entry], box: BoundingBox, isSimulated: Bool) {
        (self.municipalities, self.entries, self.box, self.isSimulated) = (municipalities, entries, box, isSimulated)
        places = Dictionary(entries.enumerated().map { ($1.type, $0) }, uniquingKeysWith: { first, _ in first })
        keys = Dictionary(entries.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
        signature = entries.map { "\($0.type) \($0.scale?.attribute.text ?? "")" }
    }

    /// The entries that are layers of the map.
    var layers: ArraySlice<Int> { entries.indices.filter { entries[$0].isPlaced }.prefix(Self.layerCountMax) }

    /// The layers with their marks.
    var markedLayers: [(entry: Int, shape: LayerShape)] {
        zip(layers, LayerShape.assigned(to: layers.map { entries[$0].shortName })).map { (entry: $0, shape: $1) }
    }

    func entry(key: String) -> Int? { keys[key] }

    /// What an entity with these types is shown as: the first of its types that is an entry; nil for ground.
    func entry(types: [IRI]) -> Int? {
        guard OutlineKind.of(types) == nil else { return nil }
        return types.lazy.compactMap { places[$0] }.first
    }

    func municipality(_ key: String) -> Int? { municipalities.firstIndex { $0.key == key } }

    /// The attributes that hold names of entities of a municipality.
    func nameAttributes(_ name: MunicipalityName) -> [IRI] { municipality(name.text).map { municipalities[$0].nameAttributes } ?? [] }

    func count(_ entry: Int, in municipality: Int? = nil) -> Int {
        let type = entries[entry].type
        if let municipality { return municipalities[municipality].counts[type] ?? 0 }
        return municipalities.reduce(0) { $0 + ($1.counts[type] ?? 0) }
    }
}

/// How the values of one attribute become colours.
enum Scale: Hashable, Sendable {
    case number(IRI, unitCode: String?, range: ClosedRange<Double>)
    case state(IRI, values: [String])

    var attribute: IRI {
        switch self {
        case .number(let attribute, _, _), .state(let attribute, _): attribute
        }
    }

    /// The attribute's value when it can be coloured, else null.
    func value(_ json: JSON?) -> JSON {
        switch (self, json) {
        case (.number, .integer?), (.number, .number?), (.state, .string?): json ?? .null
        default: .null
        }
    }
}

extension OutlineKind {
    static func of(_ types: [IRI]) -> OutlineKind? {
        let kinds = types.compactMap { of($0.shortName) }
        return allCases.first(where: kinds.contains)
    }
}
