package import CityModel
package import Services

/// Places by the names that people give them.
extension SiteDoor {
    /// Places of a municipality, as everybody may see them, that are called by a text of three characters or more, or lie at that address.
    func places(named name: String, in municipality: MunicipalityName, at now: Instant) async throws -> PlacesFound {
        let wanted = SaidText.cleaned(name)
        let catalogue = try await city.catalogue(for: .everybody, at: now)
        guard wanted.count >= 3, let index = catalogue.municipality(municipality.text) else { return PlacesFound() }
        return try await places(called: wanted, in: index, catalogue, at: now)
    }

    /// Where the places are that have a name: one position where it is clear which is meant.
    package func positions(named name: String, in municipality: MunicipalityName, at now: Instant) async throws -> [ServiceAnswers.Place.Coordinates] {
        let found = try await places(named: name, in: municipality, at: now)
        return (found.only.map { [$0] } ?? found.all).map { .init(latitude: $0.position.latitude, longitude: $0.position.longitude) }
    }
}
