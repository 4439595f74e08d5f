import CityModel
import Query
import OrderedCollections
import RandomEntities
import Store
import Testing

/// Whatever index the planner takes, a search answers as if every entity had been looked at.
@Suite struct SearchTests {
    @Test(arguments: UInt64(0)..<12)
    func `a search finds what a look at every entity finds`(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let folder = try TemporaryStore()
        let file = try folder.file()
        let entities = (0..<200).map { RandomCity.entity($0, &random) }
        for entity in entities {
            let classification = Classification.allCases.randomElement(using: &random) ?? .open
            try await file.write { try $0.insert(entity, provenance: .init(classification: classification), at: noon) }
        }
        // Some change and some go, so that the indexes are maintained and not only built.
        for number in 0..<200 where number % 5 == 0 {
            let changed = number % 10 == 0 ? nil : RandomCity.entity(number, &random)
            try await file.write { transaction in
                guard let stored = try transaction.storedEntity(entityID(number)) else { return }
                let old = try transaction.entity(stored)
                if let changed { try transaction.update(stored, from: old, to: changed, provenance: .init(), at: noon) } else {
                    try transaction.delete(stored, old, at: noon)
                }
            }
        }
        #expect(try await file.verify().faults == [])
        for _ in 0..<60 {
            let (text, filter) = try RandomCity.filter(&random)
            let classificationMax = Classification.allCases.randomElement(using: &random) ?? .special
            let (found, count, expected) = try await file.read { snapshot in
                let all = try snapshot.entities(after: 0, limit: 1000).filter { $0.classification <= classificationMax }
                    .map { try snapshot.entity($0) }.filter { filter.matches($0) }.map(\.id)
                let search = EntitySearch(filter: filter, classificationMax: classificationMax, limit: 1000, wantsCount: true, now: noon)
                let page = try snapshot.search(search)
                return (page.entities.map(\.stored.id), page.count, all)
            }
            #expect(found.sorted() == expected.sorted(), "\(text)")
            #expect(count == expected.count, "\(text)")
        }
    }

    @Test(arguments: UInt64(0)..<8)
    func `moments are found whichever offset they are written with, at both ends of a span and of the years`(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let folder = try TemporaryStore()
        let file = try folder.file()
        let years = [("0000-01-01T0", 9), ("2026-05-31T2", 3), ("2026-06-01T0", 9), ("2026-06-02T0", 9), ("9999-12-31T2", 3)]
        let offsets = ["Z", "+00:00", "+14:00", "-12:00", "+23:59", "-23:59", "+0530"]
        func text() -> String {
            let (day, hourMax) = years.randomElement(using: &random) ?? ("", 0)
            let fraction = Bool.random(using: &random) ? "" : [".5", ",25"].randomElement(using: &random) ?? ""
            return "\(day)\(Int.random(in: 0...hourMax, using: &random)):30:00\(fraction)\(offsets.randomElement(using: &random) ?? "Z")"
        }
        for number in 0..<150 {
            let value: JSON = [.string(text()), ["@type": "DateTime", "@value": .string(text())], "2026-06-01", 7, [.string(text()), .string(text())]].randomElement(using: &random) ?? .null
            try await file.write { try $0.insert(entity(number, attributes: [iri("at"): property(value)]), provenance: .init(), at: noon) }
        }
        let path = AttributePath(root: .init(term: "at", iri: iri("at")))
        for _ in 0..<80 {
            let ends = [text(), text()].compactMap(Instant.init).sorted().map { QueryValue.moment(Moment(kind: .dateTime, instant: $0)) }
            guard ends.count == 2, let range = QueryRange(min: ends[0], max: ends[1]) else { continue }
            let conditions: [QueryTerm.Condition] = [.inside(range)] + QueryTerm.Comparison.allCases.map { .compare($0, ends[0]) }
            for condition in conditions {
                let filter = EntityFilter(types: .type(iri("Thing")), query: .term(QueryTerm(path: path, condition: condition)))
                let (found, expected) = try await file.read { snapshot in
                    let all = try snapshot.entities(after: 0, limit: 1000).map { try snapshot.entity($0) }.filter { filter.matches($0) }.map(\.id)
                    let page = try snapshot.search(EntitySearch(filter: filter, classificationMax: .special, limit: 1000, now: noon))
                    return (page.entities.map(\.stored.id), all)
                }
                #expect(found.sorted() == expected.sorted(), "\(QueryTerm(path: path, condition: condition))")
            }
        }
    }

    /// Pages go on where the one before ended, also when entities came meanwhile: those that come get greater numbers.
    @Test(arguments: [nil, "Thing", "Thing,Other"], [nil, "n!=7", "n>0", "n==1,5"])
    func `pages are in the order of numbers, whatever finds them`(types: String?, query: String?) async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        for number in 1...9 {
            let thing = entity(100 - number, type: number % 3 == 0 ? "Other" : "Thing", attributes: [iri("n"): property(5)])
            try await file.write { try $0.insert(thing, provenance: .init(), at: noon) }
        }
        var filter = EntityFilter()
        filter.types = try types.map { try TypeSelection(parsing: $0, expand: { iri($0) }) }
        filter.query = try query.map { try QueryExpression(parsing: $0, expand: { iri($0) }) }
        for classificationMax in [Classification.personal, .special] {
            let page = try await file.read { [filter] in
                try $0.search(EntitySearch(filter: filter, classificationMax: classificationMax, limit: 20, now: noon)).entities.map(\.stored.number)
            }
            #expect(page == page.sorted() || query == "n>0" && types != "Thing", "\(page)")
            #expect(page.count == (types == "Thing" ? 6 : 9))
        }
    }

    /// Of a page by the index alone an attribute that has expired and was not swept yet would be one of the matches.
    @Test(arguments: ["n==5", "n>4", "t==\"red\"", "n"])
    func `what has expired is no match, whatever the index says`(query: String) async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        for number in 1...3 {
            var thing = entity(number, attributes: [iri("n"): property(5), iri("t"): property("red")])
            if number == 2 { for name in thing.attributes.keys { thing.attributes[name]?[0].expiresAt = noon } }
            try await file.write { [thing] in try $0.insert(thing, provenance: .init(), at: noon.adding(seconds: -60)) }
        }
        let filter = EntityFilter(types: .type(iri("Thing")), query: try QueryExpression(parsing: query, expand: { iri($0) }))
        for (now, expected) in [(noon.adding(seconds: -1), [1, 2, 3]), (noon, [1, 3])] {
            let page = try await file.read { try $0.search(EntitySearch(filter: filter, classificationMax: .special, limit: 9, wantsCount: true, now: now)) }
            #expect(page.entities.map(\.stored.id) == expected.map(entityID))
            #expect(page.count == expected.count)
        }
    }

    @Test func `a search that takes longer than it may is refused, and with more time it is answered`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            for number in 0..<300 { try transaction.insert(entity(number), provenance: .init(), at: noon) }
        }
        let filter = EntityFilter(idPattern: try IDPattern("Thing:1$"))
        func search(_ duration: Duration) async throws -> [IRI] {
            let search = EntitySearch(filter: filter, classificationMax: .special, limit: 20, now: noon, limits: SearchLimits(duration: duration))
            return try await file.read { try $0.search(search).entities.map(\.stored.id) }
        }
        let error = await #expect(throws: CityError.self) { try await search(.zero) }
        if case .tooComplexQuery? = error {} else { Issue.record("\(String(describing: error))") }
        #expect(try await search(.seconds(60)) == [entityID(1)])
    }

    @Test func `identifiers, types and attributes are told apart by their code points`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        for (number, name) in [composed, decomposed].enumerated() {
            let id = try #require(IRI("urn:ngsi-ld:Thing:\(name)"))
            let entity = Entity(id: id, types: [iri(name)], attributes: [iri(name): property(.string(name)), iri("n"): property(.integer(Int64(number)))])
            try await file.write { try $0.insert(entity, provenance: .init(), at: noon) }
        }
        for (number, name) in [composed, decomposed].enumerated() {
            let id = try #require(IRI("urn:ngsi-ld:Thing:\(name)"))
            let filters = [
                EntityFilter(ids: [id]), EntityFilter(types: .type(iri(name))), EntityFilter(attributes: [iri(name)]),
                EntityFilter(query: try QueryExpression(parsing: "x==\(JSON.string(name))", expand: { _ in iri(name) })),
            ]
            for filter in filters {
                let page = try await file.read { snapshot in
                    let page = try snapshot.search(EntitySearch(filter: filter, classificationMax: .special, limit: 9, wantsCount: true, now: noon))
                    return try page.entities.map { try snapshot.entity($0.stored) }
                }
                #expect(page.map { $0.instance(of: iri("n"))?.value } == [.integer(Int64(number))])
            }
        }
        #expect(try await file.verify().faults == [])
    }

    @Test func `pages cover everything once`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            for number in 0..<105 { try transaction.insert(entity(number), provenance: .init(), at: noon) }
        }
        let filter = EntityFilter(types: .type(iri("Thing")))
        for classificationMax in [Classification.special, .internalUse] {
            var seen: [IRI] = []
            for offset in stride(from: 0, to: 120, by: 20) {
                let page = try await file.read { snapshot in
                    try snapshot.search(EntitySearch(filter: filter, classificationMax: classificationMax, offset: offset, limit: 20, wantsCount: true, now: noon))
                }
                #expect(page.hasMore == (offset + 20 < 105))
                #expect(page.count == 105)
                seen += page.entities.map(\.stored.id)
            }
            #expect(seen == (0..<105).map(entityID))
        }
        let hidden = try await file.read { snapshot in
            try snapshot.search(EntitySearch(filter: filter, classificationMax: .open, limit: 20, wantsCount: true, now: noon))
        }
        #expect((hidden.entities.count, hidden.count, hidden.hasMore) == (0, 0, false))
    }

    /// Clause 4.22.
    @Test func `what has expired is not found`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        var short = entity(1)
        short.expiresAt = noon
        var attribute = Attribute(kind: .property, value: 1)
        attribute.expiresAt = noon
        let (gone, partly) = (short, entity(2, attributes: [iri("brief"): [attribute], iri("lasting"): property(2)]))
        try await file.write { transaction in
            for entity in [gone, partly] { try transaction.insert(entity, provenance: .init(), at: noon) }
        }
        for (now, expected) in [(noon.adding(seconds: -1), 2), (noon, 1)] {
            let search = EntitySearch(filter: EntityFilter(types: .type(iri("Thing"))), classificationMax: .special, limit: 10, wantsCount: true, now: now)
            let page = try await file.read { try $0.search(search) }
            #expect(page.entities.count == expected)
            #expect(page.count == expected)
            #expect(page.entities.last?.entity?.attributes.count ?? (now < noon ? 2 : 0) == (now < noon ? 2 : 1))
        }
    }
}

/// Entities and filters that meet often enough to be interesting.
enum RandomCity {
    static func entity(_ number: Int, _ random: inout SplitMix) -> Entity {
        var result = Entity(id: entityID(number), types: types(&random))
        for scope in ["/A", "/A/B", "/A/C", "/D"] + scopesThatLookAlike where Int.random(in: 0..<4, using: &random) == 0 {
            if let scope = Scope(scope) { result.scopes.append(scope) }
        }
        for name in ["n", "t", "m"] where Bool.random(using: &random) {
            var instances = [Attribute(kind: .property, value: value(&random))]
            if Int.random(in: 0..<4, using: &random) == 0 {
                instances.append(Attribute(kind: .property, value: value(&random), datasetID: IRI("urn:d:1")))
            }
            result.attributes[iri(name)] = instances
        }
        if Bool.random(using: &random), let place = try? Geometry(longitude: .random(in: 0...10, using: &random), latitude: .random(in: 40...50, using: &random)) {
            result.attributes[.location] = [Attribute(kind: .geoProperty, value: place.json)]
        }
        if Bool.random(using: &random) {
            let targets: [JSON] = (0..<Int.random(in: 1...2, using: &random)).map { _ in .string("urn:r:\(Int.random(in: 0..<5, using: &random))") }
            result.attributes[iri("r")] = [Attribute(kind: .relationship, value: targets.count == 1 ? targets[0] : .array(targets))]
        }
        return result
    }

    /// Of one look or one beginning, and yet different texts.
    private static let textsThatLookAlike = ["caf\u{e9}", "cafe\u{301}", "a\u{0}b", "a\u{0}c", "a", "K", "\u{212A}", "\u{0}"]
    private static let scopesThatLookAlike = ["/Caf\u{e9}", "/Cafe\u{301}"]

    private static func types(_ random: inout SplitMix) -> [IRI] {
        let names = ["Lamp", "Tree", "Bus"].shuffled(using: &random)
        return names.prefix(Int.random(in: 1...2, using: &random)).map(iri)
    }

    private static func value(_ random: inout SplitMix) -> JSON {
        switch Int.random(in: 0..<12, using: &random) {
        case 9...10: .string(textsThatLookAlike.randomElement(using: &random) ?? "")
        case 0...2: .integer(Int64.random(in: 0..<8, using: &random))
        case 3: .number(Double(Int.random(in: 0..<16, using: &random)) / 2)
        case 4: .string(["red", "green", "2026-01-01T00:00:00Z", "4"].randomElement(using: &random) ?? "")
        case 5: .string(String(repeating: "x", count: 130) + ["a", "b"].randomElement(using: &random)!)
        case 6: .bool(.random(using: &random))
        case 7: .array([.integer(Int64.random(in: 0..<8, using: &random)), .string("red"), .bool(true)])
        case 8: .array((0..<(66)).map { .integer(100 + $0) } + [.string("green")])
        default: .object(["k": .integer(Int64.random(in: 0..<8, using: &random))])
        }
    }

    static func filter(_ random: inout SplitMix) throws -> (String, EntityFilter) {
        var filter = EntityFilter()
        var texts: [String] = []
        func chance() -> Bool { Bool.random(using: &random) }
        if chance() {
            let text = ["Lamp", "Lamp,Tree", "(Lamp;Tree)", "(Lamp;Bus)|Tree", "*"].randomElement(using: &random)!
            filter.types = try TypeSelection(parsing: text, expand: { iri($0) })
            texts.append("type=\(text)")
        }
        if chance() {
            let text = query(&random)
            filter.query = try QueryExpression(parsing: text, expand: { iri($0) })
            texts.append("q=\(text)")
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            let text = (["/A", "/A/#", "/+/B", "/A/B,/D", "/#", "(/A/B;/A/C)"] + scopesThatLookAlike).randomElement(using: &random)!
            filter.scopes = try ScopeQuery(parsing: text)
            texts.append("scopeQ=\(text)")
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            let georel = ["near;maxDistance==200000", "within", "disjoint", "near;minDistance==200000"].randomElement(using: &random)!
            let isNear = georel.hasPrefix("near")
            filter.geo = try GeoQuery(
                georel: georel, geometry: isNear ? "Point" : "Polygon",
                coordinates: .string(isNear ? "[5,45]" : "[[[2,42],[8,42],[8,48],[2,48],[2,42]]]"), expand: { iri($0) })
            texts.append("georel=\(georel)")
        }
        if Int.random(in: 0..<6, using: &random) == 0 {
            filter.attributes = [iri(["n", "t", "zz"].randomElement(using: &random)!)]
            texts.append("attrs=\(filter.attributes!)")
        }
        if Int.random(in: 0..<8, using: &random) == 0 {
            filter.idPattern = try IDPattern("^urn:ngsi-ld:Thing:1")
            texts.append("idPattern")
        }
        return (texts.joined(separator: "&"), filter)
    }

    private static func query(_ random: inout SplitMix) -> String {
        func term() -> String {
            let name = ["n", "t", "m"].randomElement(using: &random)!
            let text = JSON.string(textsThatLookAlike.randomElement(using: &random)!)
            return [
                "\(name)==\(text)", "\(name)==\(text)", "\(name)!=\(text)", "\(name)>\(text)", "\(name)==\(text),\"red\"",
                "\(name)", "\(name)==4", "\(name)==\"4\"", "\(name)!=4", "\(name)>3", "\(name)>=3.5", "\(name)<2", "\(name)<=2",
                "\(name)==1..5", "\(name)!=1..5", "\(name)==\"red\"", "\(name)==\"red\",\"green\"", "\(name)==true", "\(name)~=re",
                "\(name)!~=re", "\(name)==\"\(String(repeating: "x", count: 130))a\"", "\(name)>\"g\"", "\(name)>2025-12-31T00:00:00Z",
                "\(name)[k]>3", "r==\"urn:r:1\"", "r!=\"urn:r:1\"", "\(name)==2026-01-01T00:00:00Z",
            ].randomElement(using: &random)!
        }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return "\(term());\(term())"
        case 4:
            let (low, high) = (Int.random(in: 0..<6, using: &random), Int.random(in: 2..<9, using: &random))
            return "n\([">", ">="].randomElement(using: &random)!)\(low);n\(["<", "<="].randomElement(using: &random)!)\(high);n>=1"
        case 1: return "\(term())|\(term())"
        case 2: return "(\(term())|\(term()));\(term())"
        default: return term()
        }
    }
}

/// The texts that an attribute has, without reading an entity.
@Suite struct TextListTests {
    @Test func `each text is told once, and none that nobody of the asker's sight has`() async throws {
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        let file = try folder.file()
        let values: [(JSON, String, Classification)] = [
            ("Mosson", "Case", .open), ("Écusson", "Case", .open), ("Mosson", "Case", .internalUse), ("Port", "Case", .internalUse), ("Lez", "Other", .open), ("Secret", "Case", .personal),
            (7, "Case", .open), (["A", "B"], "Case", .open), ("", "Case", .open), (["x": 1], "Case", .open),
        ]
        try await file.write { transaction in
            for (number, (value, type, classification)) in values.enumerated() {
                try transaction.insert(entity(number, type: type, attributes: [iri("district"): property(value)]), provenance: .init(classification: classification), at: noon)
            }
        }
        func texts(_ classificationMax: Classification, limit: Int = 9) async throws -> [String] {
            try await file.read { try $0.texts(of: iri("district"), type: iri("Case"), classificationMax, limit: limit) }
        }
        #expect(try await texts(.open) == ["A", "B", "Mosson", "Écusson"])
        #expect(try await texts(.special) == ["A", "B", "Mosson", "Port", "Écusson"], "what is sealed is told by no index")
        #expect(try await texts(.open, limit: 2) == ["A", "B"])
        #expect(try await file.read { try $0.texts(of: iri("nothing"), type: iri("Case"), .open, limit: 9) } == [])
    }
}
