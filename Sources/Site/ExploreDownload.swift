internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Policy
internal import Query

/// `/explore.csv`: what `/explore` draws, a row for each point, or for each hour of a usual week.
extension SiteDoor {
    private typealias Asked = (series: ShownSeries, interval: Range<Instant>)

    func exploreDownload(_ request: DoorRequest) async throws -> Response {
        let catalogue = try await city.catalogue(request, to: .export)
        let interval = try LiveParameters(request: request).interval(lengthMaxSeconds: Self.seriesSecondsMax)
        let count = try request.query.integer("points", in: Self.pointCounts) ?? 300
        let showsWeek: Bool
        switch request.query["show"] {
        case nil, "time": showsWeek = false
        case "week": showsWeek = true
        case let other?: throw CityError.badRequestData("show: \(other.prefix(100)) is neither time nor week")
        }
        let asked = request.query.pairs.filter { $0.name == "series" }
        guard (1...Self.seriesCountMax).contains(asked.count) else { throw CityError.badRequestData("series: one to \(Self.seriesCountMax) are needed") }
        var bytes = CSVLine.bytes(showsWeek ? Self.weekColumns : Self.pointColumns)
        for (_, text) in asked {
            let parts = try ShownSeries.parts(text)
            let series = try await series(parts.municipality, parts.attribute, parts.id, catalogue, request)
            let lines = try await showsWeek ? weekLines((series, interval), request) : pointLines((series, interval), count, request)
            for line in lines { bytes += CSVLine.bytes(line) }
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
                .contentDisposition: "attachment; filename=\"explore.csv\"",
            ], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static let seriesColumns = ["municipality", "id", "name", "attribute", "unitCode"]
    private static let pointColumns = ["time"] + seriesColumns + ["mean", "min", "max", "period"]
    private static let weekColumns = ["weekday", "hour"] + seriesColumns + UsualWeek.percents.map { "p\(Int($0))" } + ["count"]

    private func pointLines(_ asked: Asked, _ count: Int, _ request: DoorRequest) async throws -> [[String]] {
        let drawn = try await broker.drawnSeries(
            of: asked.series.entity.id, attribute: asked.series.attribute, in: asked.interval, countMax: count, zone: zone,
            asked.series.municipality.access, at: request.now)
        return drawn.points.map { point in
            [zone.text(point.at)] + asked.series.columns + [point.mean, point.min, point.max].map { JSON.number($0).description } + [drawn.every ?? ""]
        }
    }

    private func weekLines(_ asked: Asked, _ request: DoorRequest) async throws -> [[String]] {
        let week = try await broker.usualWeek(
            of: asked.series.entity.id, attribute: asked.series.attribute, in: asked.interval, zone: zone, asked.series.municipality.access, at: request.now)
        return week.hours.enumerated().compactMap { place, hour in
            guard let hour else { return nil }
            return [String(place / 24 + 1), String(place % 24)] + asked.series.columns + hour.percentiles.map { JSON.number($0).description } + [String(hour.count)]
        }
    }
}

extension ShownSeries {
    /// What a row says of it.
    fileprivate var columns: [String] { [municipality.key, entity.id.text, name, key, unitCode ?? ""] }
}
