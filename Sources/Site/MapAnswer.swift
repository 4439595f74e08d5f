internal import CityModel
internal import Door
internal import Hummingbird

/// `/live/map`.
extension SiteDoor {
    func mapAnswer(_ request: DoorRequest) async throws -> Response {
        let parameters = LiveParameters(request: request)
        let catalogue = try await city.catalogue(request)
        let layers = Set(catalogue.layers)
        let moment = try parameters.moment()
        let selection = MarkSelection(
            municipalities: try city.municipalities(request.query["municipality"], in: catalogue),
            entries: parameters.entries(catalogue)?.intersection(layers) ?? layers, box: try parameters.box() ?? Self.world,
            moment: moment)
        var found = try await city.marks(selection, catalogue, at: request.now)
        if selection.entries != layers { found.unread = [] }
        let clusters = Clusters(found, zoom: try parameters.zoom())
        let shown = Set(clusters.features.map { ObjectIdentifier($0.mark) })
        try await city.account(for: clusters.features, together: found.marks.filter { !shown.contains(ObjectIdentifier($0.mark)) }, catalogue, at: request.now)
        let total = found.marks.count + found.unread.count
        return Answers.json(write(clusters, total: total, isPartial: found.isPartial, moment, catalogue, language(request)), request)
    }

    static let world = BoundingBox(west: -180, south: -90, east: 180, north: 90)

    private func write(
        _ clusters: Clusters, total: Int, isPartial: Bool, _ moment: Instant?, _ catalogue: Catalogue, _ language: Language
    ) -> [UInt8] {
        var writer = JSONWriter(byteCapacity: 512 + clusters.features.count * 110 + clusters.clusters.count * 40)
        writer.raw("{\"at\":")
        writer.write(moment.map { .integer($0.milliseconds) } ?? JSON.null)
        writer.raw(",\"total\":")
        writer.write(Int64(total))
        writer.raw(isPartial ? ",\"partial\":true,\"types\":" : ",\"partial\":false,\"types\":")
        writer.write(.array(catalogue.entries.map { .string($0.key) }))
        writer.raw(",\"municipalities\":")
        writer.write(.array(catalogue.municipalities.map { .string($0.key) }))
        writer.raw(",\"features\":[")
        for (index, found) in clusters.features.enumerated() {
            if index > 0 { writer.raw(",") }
            write(found, catalogue, language, to: &writer)
        }
        writer.raw("],\"clusters\":[")
        for (index, cluster) in clusters.clusters.enumerated() {
            if index > 0 { writer.raw(",") }
            let mean = cluster.mean.map { JSON.number(($0 * 100).rounded() / 100) } ?? .null
            writer.write(
                .array([
                    .number(cluster.position.longitude.fiveDecimals), .number(cluster.position.latitude.fiveDecimals),
                    .integer(Int64(cluster.count)), .integer(Int64(cluster.entry ?? -1)), mean,
                ]))
        }
        writer.raw("]}")
        return writer.bytes
    }

    private func write(_ found: FoundMark, _ catalogue: Catalogue, _ language: Language, to writer: inout JSONWriter) {
        let mark = found.mark
        guard let position = mark.position else { return }
        writer.raw("[")
        writer.write(Int64(mark.entry))
        writer.raw(",")
        writer.write(Int64(found.municipality))
        writer.raw(",")
        writer.write(mark.id)
        writer.raw(",")
        writer.write(language.name(mark.name, id: mark.id, type: catalogue.entries[mark.entry].shortName))
        writer.raw(",")
        writer.write(position.longitude.fiveDecimals)
        writer.raw(",")
        writer.write(position.latitude.fiveDecimals)
        writer.raw(",")
        writer.write(mark.value)
        writer.raw(",")
        writer.write(mark.time.map { .integer($0) } ?? JSON.null)
        writer.raw("]")
    }
}
