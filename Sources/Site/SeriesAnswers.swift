internal import Broker
internal import CityModel
internal import Door
internal import Hummingbird
internal import OrderedCollections
internal import Query

/// `/live/series` and `/live/week`: what the charts of `/explore` are drawn from.
extension SiteDoor {
    /// Two hundred years.
    static let seriesSecondsMax: Double = 200 * 366 * 86_400
    static let pointCounts = 20...1000

    var zone: CivilZone { CivilZone(configuration.timeZone) ?? .utc }

    func seriesAnswer(_ request: DoorRequest) async throws -> Response {
        let (series, interval) = try await askedSeries(request)
        let count = try request.query.integer("points", in: Self.pointCounts) ?? 300
        let drawn = try await broker.drawnSeries(
            of: series.entity.id, attribute: series.attribute, in: interval, countMax: count, zone: zone, series.municipality.access, at: request.now)
        var members = words(series)
        members["every"] = drawn.every.map(JSON.string) ?? .null
        members["count"] = .integer(Int64(drawn.observationCount))
        func json(_ points: [DrawnSeries.Point]) -> JSON {
            .array(
                points.map { point in
                    let numbers = drawn.every == nil ? [point.mean] : [point.mean, point.min, point.max]
                    return .array([.integer(point.at.milliseconds)] + numbers.map { .number(Self.rounded($0)) })
                })
        }
        members["points"] = json(drawn.points)
        if drawn.every == nil { (members["before"], members["after"]) = (json(drawn.before), json(drawn.after)) }
        return Answers.json(.object(members), request)
    }

    func weekAnswer(_ request: DoorRequest) async throws -> Response {
        let (series, interval) = try await askedSeries(request)
        let week = try await broker.usualWeek(
            of: series.entity.id, attribute: series.attribute, in: interval, zone: zone, series.municipality.access, at: request.now)
        var members = words(series)
        members["count"] = .integer(Int64(week.observationCount))
        members["percents"] = .array(UsualWeek.percents.map(JSON.number))
        members["hours"] = .array(
            week.hours.map { hour in
                hour.map { .array($0.percentiles.map { .number(Self.rounded($0)) } + [.integer(Int64($0.count))]) } ?? .null
            })
        return Answers.json(.object(members), request)
    }

    private func askedSeries(_ request: DoorRequest) async throws -> (ShownSeries, Range<Instant>) {
        let catalogue = try await city.catalogue(request)
        let interval = try LiveParameters(request: request).interval(lengthMaxSeconds: Self.seriesSecondsMax)
        let series = try await series(
            try requiredMunicipality(request), request.query["attribute"] ?? "", request.query["id"] ?? "", catalogue, request)
        return (series, interval)
    }

    private func words(_ series: ShownSeries) -> JSONObject {
        [
            "municipality": ["key": .string(series.municipality.key), "name": .string(series.municipality.name)], "id": .string(series.entity.id.text),
            "name": .string(series.name), "type": .string(series.typeKey),
            "attribute": ["key": .string(series.key), "label": .string(series.label)], "unit": .string(series.unit.symbol ?? ""),
            "factor": .number(series.unit.factor),
        ]
    }
}
