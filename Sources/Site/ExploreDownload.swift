internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Query

/// `/explore.csv`: the points that `/explore` draws, one row each.
extension SiteDoor {
    func exploreDownload(_ request: DoorRequest) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        let interval = try LiveParameters(request: request).interval(lengthMaxSeconds: Self.seriesSecondsMax)
        let count = try request.query.integer("points", in: Self.pointCounts) ?? 300
        let asked = request.query.pairs.filter { $0.name == "series" }
        guard (1...Self.seriesCountMax).contains(asked.count) else { throw CityError.badRequestData("series: one to \(Self.seriesCountMax) are needed") }
        var bytes = CSVLine.bytes(["time", "municipality", "id", "name", "attribute", "unitCode", "mean", "min", "max", "period"])
        for (_, text) in asked {
            let parts = try ShownSeries.parts(text)
            let series = try await series(parts.municipality, parts.attribute, parts.id, catalogue, request)
            let drawn = try await broker.drawnSeries(
                of: series.entity.id, attribute: series.attribute, in: interval, countMax: count, zone: zone, series.municipality.access, at: request.now)
            let about = [series.municipality.key, series.entity.id.text, series.name, series.key, series.unitCode ?? ""]
            for point in drawn.points {
                let numbers = [point.mean, point.min, point.max].map { JSON.number($0).description }
                bytes += CSVLine.bytes([zone.text(point.at)] + about + numbers + [drawn.every ?? ""])
            }
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
                .contentDisposition: "attachment; filename=\"explore.csv\"",
            ], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
