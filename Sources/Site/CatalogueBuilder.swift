internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Store
internal import Trust

/// Makes the catalogue from what each municipality's file says of its types.
struct CatalogueBuilder {
    private struct Facts {
        var isPlaced = false
        var attributes: OrderedDictionary<IRI, AttributeFacts> = [:]
    }

    private var facts: [IRI: Facts] = [:]
    private var municipalities: [Catalogue.Municipality] = []
    private var box: BoundingBox?
    private var isSimulated = false

    mutating func add(_ access: ReadAccess, _ vocabulary: LiveVocabulary) {
        municipalities.append(
            Catalogue.Municipality(
                key: access.municipality.text, name: Self.name(access.municipality, vocabulary), access: access,
                counts: Dictionary(vocabulary.types.map { ($0.type, $0.count) }, uniquingKeysWith: { first, _ in first }),
                nameAttributes: vocabulary.attributes.filter { Mark.nameTerms.contains($0.shortName) }, incarnation: vocabulary.incarnation,
                box: vocabulary.box.map { Self.padded($0) }, position: vocabulary.position))
        for type in vocabulary.types where OutlineKind.of(type.type.shortName) == nil {
            let samples = vocabulary.samples[type.type] ?? []
            // Areas are districts too, and lines are routes: what is drawn as ground is no layer under its other types.
            guard samples.isEmpty || !samples.allSatisfy({ OutlineKind.of($0.entity.types) != nil }) else { continue }
            facts[type.type, default: Facts()].isPlaced = facts[type.type]?.isPlaced ?? false || type.isPlaced
            for sample in samples {
                for (name, instances) in sample.entity.attributes {
                    guard let instance = instances.first(where: { $0.datasetID == nil }) else { continue }
                    if instance.value == true, name.shortName == "simulated" { isSimulated = true }
                    facts[type.type]?.attributes[name, default: AttributeFacts()].add(instance)
                }
            }
        }
        if let more = vocabulary.box { extend(more) }
    }

    private mutating func extend(_ more: BoundingBox) {
        guard var known = box else { return box = more }
        known.extend(longitude: more.west, latitude: more.south)
        known.extend(longitude: more.east, latitude: more.north)
        box = known
    }

    /// The name of the one entity that is the municipality, else the key as words.
    private static func name(_ municipality: MunicipalityName, _ vocabulary: LiveVocabulary) -> String {
        let areas = vocabulary.types.filter { $0.type.shortName == "Municipality" }
        if areas.count == 1, areas[0].count == 1, let area = vocabulary.samples[areas[0].type]?.first,
            let name = Mark.name(of: area.entity)
        {
            return name
        }
        return Words.split(municipality.text)
    }

    func catalogue() -> Catalogue {
        let types = facts.keys.sorted { first, second in
            let (left, right) = (first.shortName, second.shortName)
            return (KnownType.place(of: left) ?? .max, left, first) < (KnownType.place(of: right) ?? .max, right, second)
        }
        let clashing = Dictionary(grouping: types, by: \.shortName).filter { $1.count > 1 }
        let entries = types.map { type in
            let shortName = type.shortName
            let found = facts[type] ?? Facts()
            let scale = Self.scale(shortName, found.attributes)
            return Catalogue.Entry(
                type: type, shortName: shortName, key: clashing[shortName] == nil ? shortName : type.text, isPlaced: found.isPlaced,
                scale: scale, columns: Self.columns(found.attributes, scale))
        }
        return Catalogue(municipalities: municipalities, entries: entries, box: Self.padded(box), isSimulated: isSimulated)
    }

    /// A map needs an area: a point becomes a kilometre or so, nothing at all becomes the world.
    private static func padded(_ box: BoundingBox?) -> BoundingBox {
        guard let box else { return BoundingBox(west: -170, south: -60, east: 170, north: 75) }
        let margin = max(0.005, (box.east - box.west) * 0.02)
        return BoundingBox(
            west: max(-180, box.west - margin), south: max(-85, box.south - margin), east: min(180, box.east + margin),
            north: min(85, box.north + margin))
    }

    private static let columnCountMax = 5
    /// Said in other columns, or not worth one.
    private static let withoutColumn: Set<String> = Set(Mark.nameTerms + ["simulated", "dataProvider", "source", "description"])

    /// The scale's attribute, then those that are observed, then facts.
    private static func columns(_ attributes: OrderedDictionary<IRI, AttributeFacts>, _ scale: Scale?) -> [Catalogue.Column] {
        let plain = attributes.filter { ($0.value.numberCount > 0 || !$0.value.texts.isEmpty) && !withoutColumn.contains($0.key.shortName) }
        let main = plain.filter { $0.key == scale?.attribute }
        let others = plain.filter { $0.key != scale?.attribute }
        let ordered = Array(main) + others.filter { $0.value.isObserved } + others.filter { !$0.value.isObserved }
        return ordered.prefix(columnCountMax).map { Catalogue.Column(attribute: $0.key, isNumeric: $0.value.numberCount > 0, isObserved: $0.value.isObserved) }
    }

    private static func scale(_ shortName: String, _ attributes: OrderedDictionary<IRI, AttributeFacts>) -> Scale? {
        let known = KnownType[shortName]
        if let known, known.colourings.isEmpty { return nil }
        for colouring in known?.colourings ?? [] {
            guard let (name, facts) = attributes.first(where: { $0.key.shortName == colouring.attribute }).map({ ($0.key, $0.value) })
            else { continue }
            switch colouring {
            case .number(_, let range) where facts.numberCount > 0:
                let usual = range ?? facts.usualRange
                return .number(name, unitCode: facts.unitCode, range: facts.isPercent && usual.upperBound == 1 ? 0...100 : usual)
            case .state(_, let usual) where !facts.texts.isEmpty:
                let others = facts.texts.subtracting(usual).sorted()
                return .state(name, values: Array((usual + others).prefix(8)))
            default: continue
            }
        }
        let numeric = attributes.filter { $0.value.numberCount > 0 }
        let best = numeric.max { first, second in
            let (left, right) = (first.value, second.value)
            return (left.isObserved ? 1 : 0, left.numberCount) < (right.isObserved ? 1 : 0, right.numberCount)
                || ((left.isObserved, left.numberCount) == (right.isObserved, right.numberCount) && first.key > second.key)
        }
        return best.map { .number($0.key, unitCode: $0.value.unitCode, range: $0.value.usualRange) }
    }
}

/// What a sample of entities says of one attribute.
struct AttributeFacts {
    private var numbers: [Double] = []
    private(set) var texts: Set<String> = []
    private(set) var unitCode: String?
    private(set) var isObserved = false

    mutating func add(_ instance: Attribute) {
        guard instance.kind == .property else { return }
        if let number = instance.value.doubleValue { numbers.append(number) }
        if let text = instance.value.stringValue, texts.count < 50 { texts.insert(text) }
        unitCode = unitCode ?? instance.unitCode
        isObserved = isObserved || instance.observedAt != nil
    }

    var numberCount: Int { numbers.count }
    var isPercent: Bool { unitCode == "P1" }

    /// Round numbers around all but the outermost twentieths.
    var usualRange: ClosedRange<Double> {
        let sorted = numbers.sorted()
        guard let first = sorted.first, let last = sorted.last else { return 0...1 }
        let cut = sorted.count / 20
        let low = min(sorted[cut], first >= 0 ? first : sorted[cut])
        let high = max(sorted[sorted.count - 1 - cut], low)
        let step = Self.step(high > low ? high - low : max(abs(last), 1))
        // Where zero is near, a scale begins there.
        let start = low >= 0 && low < (high - low) ? 0 : (low / step).rounded(.down) * step
        let end = max((high / step).rounded(.up) * step, start + step)
        return start...end
    }

    /// A tenth to a half of the span: a 1, 2 or 5 with zeros.
    private static func step(_ span: Double) -> Double {
        var step = 1.0
        while step * 10 <= span { step *= 10 }
        while step > span { step /= 10 }
        return span / step < 2 ? step / 5 : span / step < 5 ? step / 2 : step
    }
}
