import CityModel
import LinkedData
import OrderedCollections
import Policy
import Query
@testable import Store
import RandomEntities
import Testing

/// What is read under rules, against what the rules say of each entity, worked out here without the store.
@Suite struct SeenTests {
    private static let words = ["amber", "birch", "cedar", "delta"]

    /// Entities with everything that rules ask about.
    func city(_ random: inout SplitMix) -> [(entity: Entity, classification: Classification)] {
        (0..<40).map { number in
            var made = entity(number, type: ["Lamp", "Bench", "Person"].randomElement(using: &random) ?? "Lamp")
            made.scopes = [["/north/a", "/north/b", "/south"].randomElement(using: &random)].compactMap { $0.flatMap { Scope($0) } }
            made.attributes[iri("level")] = property(.integer(.random(in: 0...9, using: &random)))
            if Bool.random(using: &random) { made.attributes[iri("name")] = property(.string(Self.words.randomElement(using: &random) ?? "")) }
            if Int.random(in: 0...3, using: &random) > 0 {
                let (longitude, latitude) = (Double.random(in: 2.0...2.4, using: &random), Double.random(in: 48.7...49.0, using: &random))
                made.attributes[.location] = [
                    Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [.number(longitude), .number(latitude)]])
                ]
            }
            return (made, Classification.allCases.randomElement(using: &random) ?? .open)
        }
    }

    private func rule(_ number: Int, _ random: inout SplitMix) -> String {
        func some(_ choices: [String]) -> String { choices.filter { _ in Bool.random(using: &random) }.joined(separator: ", ") }
        var what: [String] = []
        func add(_ key: String, _ list: String) { if !list.isEmpty, Bool.random(using: &random) { what.append("\(key): [\(list)]") } }
        add("types", some(["https://example.org/Lamp", "https://example.org/Bench"]))
        add("scopes", some(["/north/#", "/south"]))
        add("classifications", some(Classification.allCases.map(\.rawValue)))
        if Int.random(in: 0...3, using: &random) == 0 {
            what.append("within: {type: Polygon, coordinates: [[[2.1, 48.8], [2.3, 48.8], [2.3, 48.9], [2.1, 48.9], [2.1, 48.8]]]}")
        }
        let isForbid = Int.random(in: 0...3, using: &random) == 0
        if isForbid { add("attributes", some(["https://example.org/name", "https://example.org/level"])) }
        var narrow: [String] = []
        if !isForbid, Bool.random(using: &random) {
            narrow.append("attributes: {only: [https://example.org/level, location]}")
        }
        if !isForbid, Int.random(in: 0...2, using: &random) == 0 { narrow.append("place: {roundTo: 2000}") }
        return """
            {id: r\(number), effect: \(isForbid ? "forbid" : "permit"), who: anyone, actions: all, what: \(what.isEmpty ? "everything" : "{\(what.joined(separator: ", "))}")\
            \(narrow.isEmpty ? "" : ", narrow: {\(narrow.joined(separator: ", "))}")}
            """
    }

    func policies(_ random: inout SplitMix) throws -> Policies {
        let rules = (0..<Int.random(in: 1...4, using: &random)).map { rule($0, &random) }
        return try Policies(
            files: [.init(name: "random", text: "rules: [\(rules.joined(separator: ",\n"))]")], purposes: ShippedPolicy.purposes(),
            expand: Context.core.expand)
    }

    /// What the rules show of an entity, read off the verdict attribute by attribute.
    func shown(_ entity: Entity, _ classification: Classification, _ policies: Policies) -> Entity? {
        let facts = ResourceFacts(
            types: Set(entity.types), scopes: entity.scopes, classification: classification, location: { entity.place })
        let verdict = policies.decide(.anonymous, .read, on: facts, now: noon)
        guard case .visible = verdict else { return nil }
        var shown = entity
        for (name, instances) in entity.attributes {
            guard case .shown(let precision) = verdict.access(to: name) else {
                shown.attributes[name] = nil
                continue
            }
            shown.attributes[name] = instances.map { instance in
                guard name == .location, let geometry = try? Geometry(instance.value), let told = precision.rounded(geometry) else { return instance }
                var instance = instance
                instance.value = told.json
                return instance
            }
        }
        return shown
    }

    @Test(arguments: UInt64(0)..<150)
    func `whatever is read under rules is what they show, and nothing lets the rest be noticed`(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let folder = try TemporaryStore()
        let file = try folder.file()
        let city = city(&random)
        try await file.write { transaction in
            for (entity, classification) in city { try transaction.insert(entity, provenance: .init(classification: classification), at: noon) }
        }
        let policies = try policies(&random)
        let sight = Sight(policies.ruling(.anonymous, .read, now: noon))
        let seen = city.compactMap { shown($0.entity, $0.classification, policies) }
        let narrowed = file.seen(by: sight)
        let comment = Comment("seed \(seed): \(policies.rules)")
        let max = sight.classificationMax
        let filters = [
            EntityFilter(types: .any), EntityFilter(types: .type(iri("Lamp"))), EntityFilter(attributes: [iri("name")]),
            EntityFilter(query: try QueryExpression(parsing: "level>4", expand: { iri($0) })),
            EntityFilter(types: .type(iri("Bench")), query: try QueryExpression(parsing: "level==3", expand: { iri($0) })),
            EntityFilter(query: try QueryExpression(parsing: "name==\"cedar\"", expand: { iri($0) })),
            EntityFilter(scopes: try ScopeQuery(parsing: "/north/#")), EntityFilter(ids: Set((0..<20).map(entityID))),
            EntityFilter(
                geo: try GeoQuery(
                    georel: "near;maxDistance==6000", geometry: "Point", coordinates: [2.2, 48.85], geoproperty: nil, expand: { _ in .location })),
        ]
        try await narrowed.read { view in
            for filter in filters {
                let expected = seen.filter { filter.matches($0) { _ in nil } }
                let search = EntitySearch(filter: filter, classificationMax: max, limit: 100, wantsCount: true, now: noon)
                let page = try view.search(search)
                let entities = try page.entities.map { try $0.entity ?? view.entity($0.stored) }
                #expect(Dictionary(uniqueKeysWithValues: entities.map { ($0.id, $0) }) == Dictionary(uniqueKeysWithValues: expected.map { ($0.id, $0) }), comment)
                #expect(page.count == expected.count, comment)
            }
            for (entity, _) in city {
                #expect(try view.storedEntity(entity.id).map(view.entity) == seen.first { $0.id == entity.id }, comment)
            }
            let types = Set(seen.flatMap(\.types))
            #expect(Set(try view.types(max)) == types, comment)
            #expect(Set(try view.attributes(max)) == Set(seen.flatMap(\.attributes.keys)), comment)
            for type in ["Lamp", "Bench", "Person"].map(iri) {
                #expect(try view.entityCount(of: type, max) == seen.count { $0.types == [type] }, comment)
                #expect(Set(try view.attributes(of: type, max)) == Set(seen.filter { $0.types == [type] }.flatMap(\.attributes.keys)), comment)
            }
            for name in [iri("level"), iri("name"), .location] {
                #expect(try view.entityCount(having: name, max) == seen.count { $0.attributes[name] != nil }, comment)
            }
            let world = BoundingBox(west: -180, south: -90, east: 180, north: 90)
            let places = try view.livePlaces(in: world, max, at: noon, countMax: 1000)
            let expected = try seen.compactMap { entity in try entity.attributes[.location]?.first.map { try Geometry($0.value).boundingBox.center } }
            // The index keeps single precision.
            #expect(places.count == expected.count, comment)
            for (found, told) in zip(places.sorted { ($0.longitude ?? 0) < ($1.longitude ?? 0) }, expected.sorted { $0.longitude < $1.longitude }) {
                #expect(abs((found.longitude ?? 0) - told.longitude) < 1e-5 && abs((found.latitude ?? 0) - told.latitude) < 1e-5, comment)
            }
            let named = try view.liveNames(of: [iri("name")], max, at: noon, visitCountMax: 1000) { _ in true }
            #expect(named.count == seen.count { $0.attributes[iri("name")] != nil }, comment)
            let changes = try view.changes(after: 0, limit: 1000)
            #expect(changes.map(\.entityID).sorted() == seen.map(\.id).sorted(), comment)
            for change in changes {
                #expect(Set(change.attributes) == seen.first { $0.id == change.entityID }.map { Set($0.attributes.keys) }, comment)
            }
        }
    }

    @Test(arguments: UInt64(0)..<100)
    func `history under rules is that of what they show exactly`(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let folder = try TemporaryStore()
        let file = try folder.file()
        let city = city(&random)
        let gone = (0..<10).map(entityID)
        try await file.write { transaction in
            for (entity, classification) in city {
                try transaction.insert(entity, provenance: .init(classification: classification), at: noon)
                guard let stored = try transaction.storedEntity(entity.id) else { continue }
                for hour in 1...5 {
                    let old = Attribute(kind: .property, value: .integer(Int64(hour)), observedAt: noon.adding(seconds: -3600 * Double(hour)))
                    try transaction.appendHistory(old, name: iri("level"), of: stored.number, classification, at: noon)
                }
                if gone.contains(entity.id) { try transaction.delete(stored, entity, at: noon) }
            }
        }
        _ = try await file.seal(SealingPolicy(before: noon.adding(seconds: -7200), rowCountMin: 2), after: nil)
        let policies = try policies(&random)
        let sight = Sight(policies.ruling(.anonymous, .read, now: noon))
        let comment = Comment("seed \(seed): \(policies.rules)")
        try await file.seen(by: sight).read { view in
            for (entity, classification) in city {
                // Of what is gone it is not known where it was.
                let isGone = gone.contains(entity.id)
                let facts = ResourceFacts(
                    types: Set(entity.types), scopes: entity.scopes, classification: classification,
                    location: { isGone ? .unknown : entity.place })
                let verdict = policies.decide(.anonymous, .read, on: facts, now: noon)
                let historic = try view.historicEntity(entity.id, sight.classificationMax, evenIfEmpty: true)
                guard case .visible = verdict else {
                    #expect(historic == nil, comment)
                    continue
                }
                guard let historic else {
                    Issue.record(comment)
                    continue
                }
                let shown = entity.attributes.keys.filter { verdict.access(to: $0) == .shown(.exact) }
                let series = try view.series(of: historic.number, sight.classificationMax)
                #expect(Set(series.map(\.attribute)) == Set(shown), comment)
                for one in series where one.attribute == iri("level") {
                    var count = 0
                    try view.visitRecords(of: historic.number, one, HistoryWindow(nil, now: noon, sight.classificationMax)) { record in
                        count += record.deletedAt == nil ? 1 : 0
                        return true
                    }
                    #expect(count == 6, comment)
                }
            }
        }
    }

    @Test(arguments: UInt64(0)..<100)
    func `what may be written is what rules permit, and what may not leaves no trace`(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let folder = try TemporaryStore()
        let file = try folder.file()
        let city = city(&random)
        try await file.write { transaction in
            for (entity, classification) in city { try transaction.insert(entity, provenance: .init(classification: classification), at: noon) }
        }
        let policies = try policies(&random)
        let sight = Sight(policies.ruling(.anonymous, .write, now: noon))
        let permit = WritePermit(reading: .upTo(.special), writing: sight, erasing: sight)
        let written = file.written(by: permit)
        let comment = Comment("seed \(seed): \(policies.rules)")
        for (entity, classification) in city {
            let facts = ResourceFacts(
                types: Set(entity.types), scopes: entity.scopes, classification: classification, location: { entity.place })
            let verdict = policies.decide(.anonymous, .write, on: facts, now: noon)
            let mayLevel = if case .visible = verdict { verdict.access(to: iri("level")) != .hidden } else { false }
            let mayAll = if case .visible(let view) = verdict { view.attributes.isAll } else { false }
            let before = try await file.read { try $0.lastChangeNumber() }
            var changed = entity
            changed.attributes[iri("level")] = property(77)
            let new = changed
            let isWritten = await succeeds {
                try await written.write { transaction in
                    let stored = try #require(try transaction.storedEntity(entity.id))
                    try transaction.update(stored, from: entity, to: new, provenance: .init(), at: noon)
                }
            }
            #expect(isWritten == mayLevel, comment)
            #expect(try await file.read { try $0.lastChangeNumber() } == before + (mayLevel ? 1 : 0), comment)
            let isErased = await succeeds {
                try await written.write { transaction in
                    let stored = try #require(try transaction.storedEntity(entity.id))
                    try transaction.delete(stored, transaction.entity(stored), at: noon)
                }
            }
            #expect(isErased == mayAll, comment)
            let another = Entity(
                id: IRI(known: entity.id.text + ":another"), types: entity.types, scopes: entity.scopes, attributes: entity.attributes)
            let isMade = await succeeds {
                try await written.write { try $0.insert(another, provenance: .init(classification: classification), at: noon) }
            }
            let mayMake = if case .visible = verdict { another.attributes.keys.allSatisfy { verdict.access(to: $0) != .hidden } } else { false }
            #expect(isMade == mayMake, comment)
        }
    }

    private func succeeds(_ body: () async throws -> Void) async -> Bool {
        do { try await body() } catch { return false }
        return true
    }
}
