import CityModel
import OrderedCollections
import Query
@testable import Store
import RandomEntities
import Testing

/// What is personal is sealed in the file, and is answered as what is not.
@Suite struct SealedEntityTests {
    private static let level = iri("level"), name = iri("name"), friend = iri("friend")
    private static let words = ["amber", "birch", "cedar", "delta"]

    private static func moment(_ second: Int) -> Instant { noon.adding(seconds: Double(second)) }

    private enum Step: Sendable {
        case insert(Entity, Int)
        case update(Int, Attributes, Int)
        case delete(Int, Int)
        case record(Attribute, IRI, Int, Int)
        case add(Attribute, IRI, Int, Int)
        case eraseSeries(IRI, Int)
    }

    private static func value(_ chance: inout SplitMix, _ name: IRI) -> Attribute {
        let values: [JSON] = name == level ? [.integer(.random(in: 0...9, using: &chance)), .number(2.5), "text", true] : words.map(JSON.string)
        var made = Attribute(kind: .property, value: values[Int.random(in: 0...3, using: &chance)])
        if Int.random(in: 0...3, using: &chance) == 0 { made.unitCode = "CEL" }
        if Int.random(in: 0...2, using: &chance) > 0 { made.observedAt = moment(Int.random(in: -600...0, using: &chance)) }
        if Int.random(in: 0...9, using: &chance) == 0 { made.subattributes = [iri("accuracy"): property(1)] }
        return made
    }

    private static func attributes(_ chance: inout SplitMix) -> Attributes {
        var made: Attributes = [level: [value(&chance, level)]]
        if Bool.random(using: &chance) { made[name] = [value(&chance, name)] }
        if Bool.random(using: &chance) { made[.dataSubject] = property(.string("resident:\(Int.random(in: 1...3, using: &chance))")) }
        if Bool.random(using: &chance) {
            made[friend] = [Attribute(kind: .relationship, value: .string(entityID(Int.random(in: 0...9, using: &chance)).text))]
        }
        if Bool.random(using: &chance) {
            let (longitude, latitude) = (Double.random(in: 2.0...2.4, using: &chance), Double.random(in: 48.7...49.0, using: &chance))
            made[.location] = [Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [.number(longitude), .number(latitude)]])]
        }
        return made
    }

    private static func steps(_ chance: inout SplitMix) -> [Step] {
        (0..<120).map { second in
            let number = Int.random(in: 0...9, using: &chance)
            let which = Bool.random(using: &chance) ? level : name
            switch Int.random(in: 0...9, using: &chance) {
            case 0, 1, 2:
                var made = entity(number, type: ["Lamp", "Bench"].randomElement(using: &chance) ?? "Lamp", attributes: attributes(&chance))
                made.scopes = [Scope("/north/a"), Scope("/south")].compactMap(\.self).filter { _ in Bool.random(using: &chance) }
                return .insert(made, second)
            case 3, 4: return .update(number, attributes(&chance), second)
            case 5: return .delete(number, second)
            case 6, 7: return .record(value(&chance, which), which, number, second)
            case 8: return .add(value(&chance, which), which, number, second)
            default: return .eraseSeries(which, number)
            }
        }
    }

    private static func perform(_ step: Step, _ transaction: WriteTransaction, _ classification: Classification) throws {
        let provenance = Provenance(classification: classification)
        switch step {
        case .insert(let entity, let second):
            guard try transaction.storedEntity(entity.id) == nil else { return }
            try transaction.insert(entity, provenance: provenance, at: moment(second))
        case .update(let number, let attributes, let second):
            guard let stored = try transaction.storedEntity(entityID(number)) else { return }
            let old = try transaction.entity(stored)
            var new = old
            for (name, instances) in attributes { new.attributes[name] = instances }
            try transaction.update(stored, from: old, to: new, provenance: provenance, at: moment(second))
        case .delete(let number, let second):
            guard let stored = try transaction.storedEntity(entityID(number)) else { return }
            try transaction.delete(stored, transaction.entity(stored), at: moment(second))
        case .record(let attribute, let name, let number, let second):
            guard let known = try transaction.historicEntity(entityID(number), .special, evenIfEmpty: true) else { return }
            try transaction.appendHistory(attribute, name: name, of: known.number, classification, at: moment(second))
        case .add(let attribute, let name, let number, let second):
            guard let known = try transaction.historicEntity(entityID(number), .special, evenIfEmpty: true) else { return }
            try transaction.add(attribute, name, to: known, at: moment(second))
        case .eraseSeries(let name, let number):
            guard let known = try transaction.historicEntity(entityID(number), .special) else { return }
            for series in try transaction.series(of: known.number, attributes: [name], .special) { try transaction.erase(series, of: known) }
        }
    }

    /// What readers find, whichever way, in lines.
    private static func seen(_ snapshot: ReadSnapshot) throws -> [String] {
        var lines: [String] = []
        func say(_ what: String, _ found: Any) { lines.append("\(what): \(found)") }
        func query(_ text: String) throws -> QueryExpression { try QueryExpression(parsing: text, expand: { $0 == "dataSubject" ? .dataSubject : iri($0) }) }
        let near = try GeoQuery(
            georel: "near;maxDistance==9000", geometry: "Point", coordinates: [2.2, 48.85], geoproperty: nil, expand: { _ in .location })
        let filters = [
            EntityFilter(types: .any), EntityFilter(types: .type(iri("Lamp"))), EntityFilter(attributes: [name]), EntityFilter(geo: near),
            EntityFilter(query: try query("level>4")), EntityFilter(types: .type(iri("Bench")), query: try query("level==2.5")),
            EntityFilter(query: try query("level>=1;level<=5")), EntityFilter(query: try query("name==\"cedar\"")),
            EntityFilter(query: try query("name~=\"^[ab]\"")), EntityFilter(query: try query("level!=2")),
            EntityFilter(query: try query("dataSubject==\"resident:2\"")), EntityFilter(query: try query("friend==\"\(entityID(3).text)\"")),
            EntityFilter(scopes: try ScopeQuery(parsing: "/north/#")), EntityFilter(ids: Set((0..<5).map(entityID))),
        ]
        for (number, filter) in filters.enumerated() {
            let page = try snapshot.search(EntitySearch(filter: filter, classificationMax: .special, limit: 100, wantsCount: true, now: moment(999)))
            say("filter \(number)", try page.entities.map { try $0.entity ?? snapshot.entity($0.stored) }.sorted { $0.id < $1.id })
            say("count \(number)", page.count ?? -1)
            var temporal = HistorySearch(
                filter: filter, temporal: TemporalQuery(.before(moment(60))), classificationMax: .special, order: .ascending, offset: 0, limit: 100, now: moment(999))
            temporal.wantsCount = true
            say("histories \(number)", try snapshot.searchHistory(temporal).matches.map { "\($0.entity.id) \($0.entity.types)" })
        }
        say("types", try snapshot.types(.special).map { "\($0) \(try snapshot.entityCount(of: $0, .special)) \(try snapshot.attributes(of: $0, .special))" })
        say("kinds", try snapshot.kinds(of: name, type: iri("Lamp"), .special))
        say("numbers", try snapshot.liveNumbers(of: level, types: [iri("Lamp"), iri("Bench")]).sorted { $0.key < $1.key }.map { "\($0)" })
        let box = BoundingBox(west: 2.1, south: 48.8, east: 2.3, north: 48.95)
        say("places", try snapshot.livePlaces(in: box, .special, at: moment(999), countMax: 100).map(\.number).sorted())
        let whole = try snapshot.livePlacesBox(.special)
        say("box", whole.map { [$0.west, $0.south, $0.east, $0.north].map { ($0 * 1000).rounded() } } ?? [])
        for number in 0...9 {
            guard let known = try snapshot.historicEntity(entityID(number), .special, evenIfEmpty: true) else { continue }
            for series in try snapshot.series(of: known.number, .special) {
                let title = "\(number) \(series.attribute)"
                for property in [.observedAt, .createdAt, .modifiedAt, .deletedAt, nil] as [TemporalQuery.Property?] {
                    let window = HistoryWindow(property.map { TemporalQuery(.after(moment(-300)), of: $0) }, now: moment(999), .special)
                    try snapshot.visitRecords(of: known.number, series, window) { record in
                        say(title, "\(record.attribute) \(record.instanceID) \(String(describing: record.deletedAt))")
                        return true
                    }
                }
                let all = moment(-10_000)..<moment(10_000)
                say(title, try snapshot.history(of: known.number, attribute: series.attribute, in: all, limit: 100, .special, at: moment(999)))
                say(title, try snapshot.livePoints(of: known.number, attribute: series.attribute, in: all, countMax: 50, .special, at: moment(999)))
                let value = try snapshot.value(of: known.number, attribute: series.attribute, at: moment(30), .special, now: moment(999))
                say(title, value.map { "\($0)" } ?? "")
                let window = HistoryWindow(nil, now: moment(999), .special)
                try snapshot.visitSamples(of: known.number, series, in: all, window, isWhole: { _, _ in false }) { say(title, $0) }
                say(title, try snapshot.lastSample(of: known.number, series, before: moment(20), window) ?? -1)
                say(title, try snapshot.unit(of: known.number, series, window) ?? "")
                say(title, try snapshot.keptSummaries(of: known.number, series, in: nil, window))
            }
        }
        for row in try snapshot.watchedChanges(limit: 1000, byteCountMax: 1 << 24) {
            let change = try row.change.get()
            say("watched \(row.seq)", "\(change.operation) \(change.entity) \(String(describing: change.previous))")
        }
        return lines
    }

    @Test(arguments: UInt64(0)..<40)
    func `readers find of what is sealed what they find of what is plain`(seed: UInt64) async throws {
        var chance = SplitMix(seed: seed)
        let steps = Self.steps(&chance)
        var answers: [[String]] = []
        for classification in [Classification.internalUse, seed % 2 == 0 ? .personal : .special] {
            let folder = try TemporaryStore()
            let file = try folder.file()
            try await file.write { transaction in
                let everything = Interest(wantsEveryEntity: true, attributes: nil, operations: [.created, .updated, .deleted])
                try transaction.insert(
                    SubscriptionRecord(
                        id: "urn:s:1", body: [:], interest: everything, endpoint: "http://a", classificationMax: .special, isActive: true, expiresAt: nil,
                        since: 0, due: nil))
            }
            for (number, step) in steps.enumerated() {
                try await file.write { try Self.perform(step, $0, classification) }
                guard number % 40 == 39 else { continue }
                // What is old becomes chunks, which are sealed too.
                _ = try await file.seal(SealingPolicy(before: Self.moment(-100), rowCountMin: 3, chunkCountMax: 8))
            }
            let lines = try await file.read(Self.seen)
            answers.append(lines)
            #expect(try await file.verify().faults == [], "seed \(seed)")
            let (all, shown) = try await file.read { (try $0.entityCount(), try $0.entityCount(.internalUse)) }
            #expect(shown == (classification == .internalUse ? all : 0))
            if classification != .internalUse {
                let plain = try await file.read { snapshot in
                    try snapshot.row("SELECT count(*) FROM instance WHERE form & 16 = 0 AND NOT \(Opened.isSealed("value"))")?.decode(Int.self, atIndex: 0)
                }
                #expect(plain == 0, "seed \(seed)")
            }
        }
        #expect(answers[0].count == answers[1].count, "seed \(seed)")
        for (plain, sealed) in zip(answers[0], answers[1]) where plain != sealed { Issue.record("seed \(seed): \(sealed)\nand not\n\(plain)") }
    }
}
