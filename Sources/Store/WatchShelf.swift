internal import CityModel
internal import OrderedCollections

/// Subscriptions that watch the same thing, by what their queries ask of an entity.
struct WatchShelf: Sendable {
    /// Those that ask a value of one attribute.
    fileprivate struct ByValue {
        var numbers: [Double: Set<Int>] = [:]
        var texts: [String: Set<Int>] = [:]
        var spans = SpanIndex()
        /// All of these, for entities whose value says nothing.
        var all: [Int: Int] = [:]
    }

    private var unkeyed: Set<Int> = []
    private var values: [IRI: ByValue] = [:]
    private var places: [IRI: BoxIndex] = [:]

    var isEmpty: Bool { unkeyed.isEmpty && values.isEmpty && places.isEmpty }

    /// - Parameter keys: at least one holds for whatever the subscription wants; empty when nothing is known.
    mutating func insert(_ number: Int, _ keys: [Interest.Key]) {
        guard !keys.isEmpty else {
            unkeyed.insert(number)
            return
        }
        for key in keys {
            switch key {
            case .number(let attribute, let value): change(attribute) { $0.numbers[value, default: []].insert(number); $0.all[number, default: 0] += 1 }
            case .text(let attribute, let text): change(attribute) { $0.texts[text, default: []].insert(number); $0.all[number, default: 0] += 1 }
            case .span(let attribute, let span): change(attribute) { $0.spans.insert(number, span); $0.all[number, default: 0] += 1 }
            case .place(let attribute, let box): places[attribute, default: BoxIndex()].insert(number, box)
            }
        }
    }

    mutating func remove(_ number: Int, _ keys: [Interest.Key]) {
        unkeyed.remove(number)
        for key in keys {
            switch key {
            case .number(let attribute, let value): change(attribute) { $0.numbers.remove(number, at: value); $0.forget(number) }
            case .text(let attribute, let text): change(attribute) { $0.texts.remove(number, at: text); $0.forget(number) }
            case .span(let attribute, let span): change(attribute) { $0.spans.remove(number, span); $0.forget(number) }
            case .place(let attribute, let box):
                places[attribute]?.remove(number, box)
                if places[attribute]?.isEmpty ?? false { places[attribute] = nil }
            }
        }
    }

    /// Calls `found` for each that may want the entity, for some more than once.
    mutating func find(_ entity: WatchedValues, _ found: (Int) -> Void) {
        unkeyed.forEach(found)
        // Whichever are fewer: the attributes asked for here, or those that the entity has.
        if !values.isEmpty {
            for attribute in entity.names(among: values.keys) { find(entity.values(attribute), attribute, found) }
        }
        if !places.isEmpty {
            for attribute in entity.names(among: places.keys) {
                for box in entity.boxes(attribute) { places[attribute]?.find(box, found) }
            }
        }
    }

    private mutating func find(_ given: [IndexValue], _ attribute: IRI, _ found: (Int) -> Void) {
        for value in given {
            switch value {
            case .number(let number):
                values[attribute]?.numbers[number]?.forEach(found)
                values[attribute]?.spans.find(number, found)
            case .text(let text): values[attribute]?.texts[text]?.forEach(found)
            case .present: values[attribute]?.all.keys.forEach(found)
            case .sealedPlace: break
            }
        }
    }

    private mutating func change(_ attribute: IRI, _ body: (inout ByValue) -> Void) {
        var byValue = values.removeValue(forKey: attribute) ?? ByValue()
        body(&byValue)
        if !byValue.all.isEmpty { values[attribute] = byValue }
    }
}

extension WatchShelf.ByValue {
    /// Under several keys a subscription stands several times.
    fileprivate mutating func forget(_ number: Int) {
        guard let count = all[number] else { return }
        all[number] = count > 1 ? count - 1 : nil
    }
}

extension [String: Set<Int>] {
    fileprivate mutating func remove(_ number: Int, at key: String) {
        self[key]?.remove(number)
        if self[key]?.isEmpty ?? false { self[key] = nil }
    }
}

extension [Double: Set<Int>] {
    fileprivate mutating func remove(_ number: Int, at key: Double) {
        self[key]?.remove(number)
        if self[key]?.isEmpty ?? false { self[key] = nil }
    }
}

/// What an entity has, as the index by value orders it.
struct WatchedValues {
    private let entity: Entity

    init(_ entity: Entity) { self.entity = entity }

    func names(among names: some Collection<IRI>) -> [IRI] {
        names.count < entity.attributes.count ? names.filter { entity.attributes[$0] != nil } : entity.attributes.keys.filter(names.contains)
    }

    func values(_ name: IRI) -> [IndexValue] {
        let instances = entity.attributes[name] ?? []
        let values = instances.flatMap(IndexValue.values(of:))
        // Of two conditions different instances may meet one each.
        return instances.count > 1 ? values + [.present] : values
    }

    func boxes(_ name: IRI) -> [BoundingBox] {
        (entity.attributes[name] ?? []).compactMap { instance in
            instance.kind == .geoProperty ? (try? Geometry(instance.value))?.boundingBox : nil
        }
    }
}
