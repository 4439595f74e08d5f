package import CityModel
package import Services

/// Places by the names that people give them.
extension SiteDoor {
    /// The most places of one name that somebody chooses from.
    private static let placeCountMax = 20

    /// Places of a municipality, as everybody may see them, whose names hold a text of three characters or more.
    /// - Returns: some of them, and the one that it is: the only one, or the only one that is called exactly so.
    func places(named name: String, in municipality: MunicipalityName, at now: Instant) async throws -> (all: [FoundMark], one: FoundMark?) {
        let wanted = Words.folded(SaidText.cleaned(name))
        guard wanted.count >= 3 else { return ([], nil) }
        let catalogue = try await city.catalogue(for: .everybody, at: now)
        guard let index = catalogue.municipality(municipality.text) else { return ([], nil) }
        let selection = MarkSelection(municipalities: [index], entries: nil, box: nil, nameContains: wanted)
        let found = try await city.marks(selection, catalogue, at: now).marks
        let placed = Self.first(Self.placeCountMax, of: found.filter { $0.mark.position != nil }, wanted)
        let exact = placed.filter { $0.mark.foldedName == wanted }
        return (placed, exact.count == 1 ? exact[0] : placed.count == 1 ? placed[0] : nil)
    }

    /// Where the places are that have a name: one position where it is clear which is meant.
    package func positions(named name: String, in municipality: MunicipalityName, at now: Instant) async throws -> [ServiceAnswers.Place.Coordinates] {
        let found = try await places(named: name, in: municipality, at: now)
        let meant = found.one.map { [$0] } ?? found.all
        return meant.compactMap { $0.mark.position.map { .init(latitude: $0.latitude, longitude: $0.longitude) } }
    }
}
