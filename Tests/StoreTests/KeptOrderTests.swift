import CityModel
import LinkedData
import Policy
import Query
import RandomEntities
import Store
import Testing

extension SeenTests {
    @Test(arguments: UInt64(0)..<40)
    func `an order that is kept is the one that would be found, for each of several who look in turn while the city changes`(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let folder = try TemporaryStore()
        let file = try folder.file()
        var city = Dictionary(uniqueKeysWithValues: city(&random).map { ($0.entity.id, $0) })
        try await file.write { [city] transaction in
            for (entity, classification) in city.values { try transaction.insert(entity, provenance: .init(classification: classification), at: noon) }
        }
        let several = try (0..<3).map { _ in try policies(&random) }
        let filter = EntityFilter(query: try QueryExpression(parsing: "level>2", expand: { iri($0) }))
        let orderings = try ["level;desc,name", "name"].map { try Ordering(parsing: $0, expand: { iri($0) }) }
        for round in 0..<40 {
            if round > 0 { try await change(&city, file, &random) }
            let (number, place) = (Int.random(in: 0...several.count, using: &random), Int.random(in: 0...1, using: &random))
            let ordering = orderings[place]
            let sight = number == several.count ? Sight.upTo(.partner) : Sight(several[number].ruling(.anonymous, .read, now: noon))
            let expected = city.values.compactMap { entity, classification in
                number == several.count ? (classification <= .partner ? entity : nil) : shown(entity, classification, several[number])
            }.filter { filter.matches($0) }
            let offset = Int.random(in: 0...5, using: &random)
            var search = EntitySearch(
                filter: filter, classificationMax: sight.classificationMax, ordering: ordering, offset: offset, limit: 7, wantsCount: true, now: noon)
            search.keptAs = "order \(place)"
            let (page, ids) = try await file.seen(by: sight).read { [search] view in
                let page = try view.search(search)
                return (page, page.entities.map(\.stored.id))
            }
            #expect(ids == ordering.sorted(expected).dropFirst(offset).prefix(7).map(\.id), "seed \(seed), round \(round)")
            #expect(page.count == expected.count && page.hasMore == (expected.count > offset + 7), "seed \(seed), round \(round)")
        }
    }

    /// One entity comes, goes, or is another; now and then more than what is followed one by one.
    private func change(_ city: inout [IRI: (entity: Entity, classification: Classification)], _ file: MunicipalityFile, _ random: inout SplitMix) async throws {
        let fresh = self.city(&random)
        let countMax = Int.random(in: 0...9, using: &random) == 0 ? 40 : 2
        for (entity, classification) in fresh.shuffled(using: &random).prefix(countMax) {
            let isGoing = Bool.random(using: &random)
            try await file.write { transaction in
                guard let stored = try transaction.storedEntity(entity.id) else {
                    try transaction.insert(entity, provenance: .init(classification: classification), at: noon)
                    return
                }
                let old = try transaction.entity(stored)
                guard !isGoing else { return try transaction.delete(stored, old, at: noon) }
                try transaction.update(stored, from: old, to: entity, provenance: .init(classification: classification), at: noon)
            }
            city[entity.id] = isGoing && city[entity.id] != nil ? nil : (entity, classification)
        }
    }
}
