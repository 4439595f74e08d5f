internal import CityModel
internal import Door
internal import Hummingbird

/// `/live/search`.
extension SiteDoor {
    /// Where the total stops counting.
    static let searchTotalMax = 10_000

    func searchAnswer(_ request: DoorRequest) async throws -> Response {
        let parameters = LiveParameters(request: request)
        let catalogue = try await city.catalogue(request)
        let wanted = try parameters.searched()
        let limit = try request.query.integer("limit", in: 1...50) ?? 10
        let selection = MarkSelection(
            municipalities: try city.municipalities(request.query["municipality"], in: catalogue), entries: parameters.entries(catalogue),
            box: try parameters.box(), nameContains: wanted, moment: try parameters.moment())
        let found = try await city.marks(selection, catalogue, at: request.now).marks
        let best = Self.first(limit, of: found, wanted)
        let language = language(request)
        try await city.account(for: best, catalogue, at: request.now)
        return Answers.json(
            [
                "total": .integer(Int64(min(found.count, Self.searchTotalMax))),
                "results": .array(best.map { result($0, catalogue, language) }),
            ], request)
    }

    private func result(_ found: FoundMark, _ catalogue: Catalogue, _ language: Language) -> JSON {
        let municipality = catalogue.municipalities[found.municipality]
        let entry = catalogue.entries[found.mark.entry]
        return [
            "municipality": .string(municipality.key), "municipalityName": .string(municipality.name), "id": .string(found.mark.id),
            "name": .string(language.name(found.mark.name, id: found.mark.id, type: entry.shortName)), "type": .string(entry.key), "typeLabel": .string(language.type(entry.shortName)),
            "position": found.mark.position?.json ?? .null, "value": found.mark.value,
        ]
    }

    /// The first by name; with a text, names that begin with it come before the others. Entities without a name come last.
    static func first(_ limit: Int, of marks: [FoundMark], _ wanted: String) -> [FoundMark] {
        func rank(_ mark: Mark) -> Int { mark.name == nil ? 2 : wanted.isEmpty || mark.foldedName.hasPrefix(wanted) ? 0 : 1 }
        let keyed = marks.map { (rank: rank($0.mark), found: $0) }
        return keyed.sorted { first, second in
            (first.rank, first.found.mark.foldedName, first.found.mark.id) < (second.rank, second.found.mark.foldedName, second.found.mark.id)
        }.prefix(limit).map(\.found)
    }
}
