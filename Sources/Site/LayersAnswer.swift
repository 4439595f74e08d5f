internal import CityModel
internal import Door
internal import Hummingbird
internal import OrderedCollections

/// `/live/layers`, which pages hold from the beginning too.
extension SiteDoor {
    func layersAnswer(_ request: DoorRequest) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        let municipality = try request.query["municipality"].flatMap { $0.isEmpty ? nil : $0 }
            .map { try city.municipalities($0, in: catalogue)[0] }
        return Answers.json(["layers": layers(catalogue, language(request), municipality: municipality)], request)
    }

    /// Layers are on at first when they are few, not too crowded, and have something to say.
    static let onCountMax = 4
    static let onEntityCountMax = 500

    /// - Parameter on: keys of those to be on; nil leaves it to us.
    func layers(_ catalogue: Catalogue, _ language: Language, municipality: Int? = nil, on: Set<String>? = nil) -> JSON {
        var onCount = 0
        return .array(
            catalogue.markedLayers.map { index, shape in
                let entry = catalogue.entries[index]
                let suits = entry.scale != nil && catalogue.count(index) <= Self.onEntityCountMax && onCount < Self.onCountMax
                if suits { onCount += 1 }
                return [
                    "key": .string(entry.key), "label": .string(language.type(entry.shortName)), "shape": .string(shape.rawValue),
                    "count": .integer(Int64(catalogue.count(index, in: municipality))), "on": .bool(on?.contains(entry.key) ?? suits),
                    "scale": entry.scale.map { scale($0, of: entry.shortName, language) } ?? .null,
                ]
            })
    }

    private func scale(_ scale: Scale, of type: String, _ language: Language) -> JSON {
        let name = scale.attribute.shortName
        let label = language.attribute(name, of: type)
        switch scale {
        case .number(_, let unitCode, let range):
            let unit = languages.unit(unitCode, of: name)
            return [
                "kind": "number", "attribute": .string(name), "label": .string(label), "unit": unit.symbol.map(JSON.string) ?? .null,
                "factor": .number(unit.factor), "min": .number(range.lowerBound), "max": .number(range.upperBound),
            ]
        case .state(_, let values):
            return [
                "kind": "state", "attribute": .string(name), "label": .string(label),
                "states": .array(values.map { ["value": .string($0), "label": .string(language.value($0, of: name))] }),
            ]
        }
    }
}
