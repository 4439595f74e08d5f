import CityModel
import LinkedData
import OrderedCollections
import Policy
import Query
@testable import Store
import RandomEntities
import Testing

/// What each table shows under rules, by itself; and that a read which goes on from the one before shows what one that knows nothing shows.
@Suite struct SeenTableTests {
    private func sight(_ rules: String) throws -> Sight {
        let policies = try Policies(
            files: [.init(name: "rules", text: "rules: [\(rules)]")], purposes: ShippedPolicy.purposes(), expand: Context.core.expand)
        return Sight(policies.ruling(.anonymous, .read, now: noon))
    }

    private static let lampsAlone = """
        {id: lamps, effect: permit, who: anyone, actions: all, what: {types: "https://example.org/Lamp", classifications: {upTo: internal}}, \
        narrow: {attributes: {only: ["https://example.org/level"]}}}
        """

    private func thing(_ number: Int, _ type: String) -> Entity {
        var thing = entity(number, type: type, attributes: [iri("level"): property(.integer(Int64(number))), iri("name"): property(.string("n\(number)"))])
        thing.scopes = [Scope("/part/p\(number)")].compactMap { $0 }
        thing.attributes[.location] = [Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [.number(2), .number(48)]])]
        return thing
    }

    /// A lamp, a bench and a lamp that is personal, there and gone; of each and of both attributes something of everything that is recorded.
    private func file(_ folder: TemporaryStore) async throws -> (file: MunicipalityFile, shown: Int64, gone: Int64, level: Int64) {
        let file = try folder.file()
        let kinds: [(String, Classification)] = [("Lamp", .open), ("Bench", .open), ("Lamp", .personal)]
        let numbers = try await file.write { transaction -> [Int64] in
            for (number, (type, classification)) in (kinds + kinds).enumerated() {
                try transaction.insert(thing(number, type), provenance: .init(classification: classification), at: noon)
            }
            let stored = try (0..<6).map { try #require(try transaction.storedEntity(entityID($0))) }
            for one in stored {
                for name in [iri("level"), iri("name")] {
                    let attribute = try transaction.intern(name)
                    for form in [0, Classification.personal.rank * InstanceForm.classificationUnit] {
                        try transaction.execute(
                            """
                            INSERT INTO chunk (entity, attribute, dataset, from_us, to_us, count, form_min, recorded_from_us, recorded_to_us, changed_from_us,
                            changed_to_us, data) VALUES (?, ?, '', ?, ?, 1, ?, 0, 0, 0, 0, x'00')
                            """, [one.number, attribute, form, form, form])
                        try transaction.execute(
                            """
                            INSERT INTO summary (entity, attribute, dataset, level, form, until, from_us, to_us, count, data)
                            VALUES (?, ?, '', 1, ?, 1, 0, 1, 1, x'00')
                            """, [one.number, attribute, form])
                        try transaction.execute(
                            "INSERT INTO thinned (entity, attribute, dataset, rank) VALUES (?, ?, '', ?)",
                            [one.number, attribute, form / InstanceForm.classificationUnit])
                    }
                    for classification in [Classification.open, .personal] {
                        let past = Attribute(kind: .property, value: .integer(Int64(classification.rank)), observedAt: noon.adding(seconds: -60))
                        try transaction.appendHistory(past, name: name, of: one.number, classification, at: noon.adding(seconds: Double(classification.rank)))
                    }
                }
            }
            for one in stored[3...] { try transaction.delete(one, transaction.entity(one), at: noon) }
            return stored.map(\.number)
        }
        let level = try await file.read { $0.terms.number(of: iri("level")) }
        return (file, numbers[0], numbers[3], try #require(level))
    }

    @Test func `each table shows rows of what rules show, and no others`() async throws {
        let folder = try TemporaryStore()
        let (file, shown, gone, level) = try await file(folder)
        let sight = try sight(Self.lampsAlone)
        let hidden = Int64(InstanceForm.hidden(from: .internalUse))
        try await file.seen(by: sight).read { view in
            func numbers(_ sql: String) throws -> Set<Int64> {
                let cursor = try view.rows(sql)
                var found: Set<Int64> = []
                while let row = try cursor.next() { found.insert(try row.decode(Int64.self, atIndex: 0)) }
                return found
            }
            for (table, column) in [("entity", "id"), ("entity_type", "entity"), ("entity_scope", "entity"), ("entity_value", "entity")] {
                #expect(try numbers("SELECT \(column) FROM \(table)") == [shown], "\(table)")
            }
            #expect(try numbers("SELECT attribute FROM entity_value") == [level])
            #expect(try numbers("SELECT id FROM entity_place") == [], "places are not shown")
            #expect(try numbers("SELECT entity FROM change") == [shown, gone])
            let names = try view.rows("SELECT attributes FROM change WHERE entity = \(shown)")
            while let row = try names.next() { #expect(try row.decode(String.self, atIndex: 0) == "\(level)") }
            for table in ["instance", "chunk", "summary", "thinned"] {
                #expect(try numbers("SELECT entity FROM \(table)") == [shown, gone], "\(table)")
                // Scopes are as visible as the entity.
                let scopes = view.terms.number(of: .scopeMember) ?? -1
                #expect(try numbers("SELECT attribute FROM \(table) WHERE entity = \(shown) AND attribute <> \(scopes)") == [level], "\(table)")
            }
            for (table, form) in [("instance", "form"), ("chunk", "form_min"), ("summary", "form"), ("thinned", "rank * \(InstanceForm.classificationUnit)")] {
                #expect(try numbers("SELECT \(form) FROM \(table)").allSatisfy { $0 < hidden }, "\(table)")
                #expect(try numbers("SELECT \(form) FROM main.\(table)").contains { $0 >= hidden }, "\(table): there is something to hide")
            }
            #expect(try numbers("SELECT id FROM past") == [gone])
            #expect(try numbers("SELECT past FROM past_type") == [gone])
        }
        let places = try self.sight(Self.lampsAlone.replacing("level", with: "location").replacing("https://example.org/location", with: "location"))
        let found = try await file.seen(by: places).read { view in
            let row = try #require(try view.row("SELECT min(\(PlaceNumber.entityOfRow)), count(*) FROM entity_place"))
            return (try row.decode(Int64.self, atIndex: 0), try row.decode(Int.self, atIndex: 1))
        }
        #expect(found == (shown, 1))
    }

    @Test(arguments: UInt64(0)..<30)
    func `a read that goes on from the one before shows what has become of everything meanwhile`(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let folder = try TemporaryStore()
        let file = try folder.file()
        let narrowed = file.seen(by: try sight(Self.lampsAlone))
        var city: [Int: (type: String, classification: Classification)] = [:]
        for step in 0..<40 {
            let number = Int.random(in: 0..<6, using: &random)
            let type = ["Lamp", "Bench"].randomElement(using: &random) ?? "Lamp"
            let classification = [Classification.open, .personal].randomElement(using: &random) ?? .open
            let (thing, isDeletion) = (thing(number, type), Int.random(in: 0...3, using: &random) == 0)
            try await file.write { transaction in
                if let stored = try transaction.storedEntity(entityID(number)) {
                    let old = try transaction.entity(stored)
                    if isDeletion { return try transaction.delete(stored, old, at: noon) }
                    try transaction.update(stored, from: old, to: thing, provenance: .init(classification: classification), at: noon)
                } else if !isDeletion {
                    try transaction.insert(thing, provenance: .init(classification: classification), at: noon)
                }
            }
            city[number] = isDeletion ? nil : (type, classification)
            // What the journal does not tell any more was not followed.
            if Int.random(in: 0...4, using: &random) == 0 { try await file.write { try $0.trimJournal(keeping: 1, atMost: 100) } }
            guard Bool.random(using: &random) else { continue }
            let expected = Set(city.filter { $0.value.type == "Lamp" && $0.value.classification == .open }.keys.map(entityID))
            // Both connections that read under rules.
            for _ in 0..<2 {
                let found = try await narrowed.read { view in
                    try view.search(EntitySearch(filter: EntityFilter(types: .any), classificationMax: .special, limit: 100, now: noon)).entities.map(\.stored.id)
                }
                #expect(Set(found) == expected, "seed \(seed), step \(step)")
            }
        }
    }
}
