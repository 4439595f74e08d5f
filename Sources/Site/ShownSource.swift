internal import CityModel
internal import OrderedCollections
internal import Store

/// A source's definition as pages show it.
struct ShownSource: Sendable {
    let id: String
    let municipality: String
    let definition: JSON

    private func text(_ key: String) -> String? { definition[key]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } }

    var name: String { text("title") ?? id }
    /// Unique among the sources of all municipalities.
    var anchor: String { "\(municipality)-\(id)" }
    var steward: String? { text("steward") }
    var attribution: String? { text("attribution") }
    var summary: String? { text("description") }
    /// As people write it.
    var format: String? { text("format").map { $0 == "geojson" ? "GeoJSON" : $0.uppercased() } }
    var isSimulated: Bool { definition["simulated"]?.boolValue ?? false }
    var licenceName: String? { definition["licence"]?.stringValue ?? definition["licence"]?["name"]?.stringValue ?? licenceURL }

    /// Only addresses of the web: nothing else may become a link.
    var licenceURL: String? {
        guard let url = definition["licence"]?["url"]?.stringValue, url.hasPrefix("https://") || url.hasPrefix("http://") else { return nil }
        return url
    }

    var licence: JSON { licenceName.map { ["name": .string($0), "url": licenceURL.map(JSON.string) ?? .null] } ?? .null }

    /// The short names of the types it gives.
    var types: [String] {
        let type = definition["types"] ?? definition["entity"]?["type"]
        return (type?.arrayValue ?? [type ?? .null]).compactMap(\.stringValue).map { IRI(known: $0).shortName }
    }

    /// For the panel of an entity: the source, and the run that fed it last.
    func lineage(_ run: ImportRun) -> JSON {
        [
            "name": .string(name), "anchor": .string(anchor), "steward": steward.map(JSON.string) ?? .null, "licence": licence,
            "attribution": attribution.map(JSON.string) ?? .null, "id": .string(id), "version": .string(run.sourceVersion),
            "run": .integer(run.number), "importedAt": .integer(run.startedAt.milliseconds),
        ]
    }
}
