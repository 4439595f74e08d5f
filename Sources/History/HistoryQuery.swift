internal import Broker
internal import CityModel
internal import Door
internal import Query

/// A question as the parameters of a request put it.
struct HistoryQuery: Sendable {
    let question: SeriesQuestion
    let zone: CivilZone
    let every: String?

    static let limitMax = 10_000
    static let limitStandard = 100
    static let attributeCountMax = 10
    static let functionCountMax = 20
    static let periodCountMax = 100_000

    /// - Parameter area: the geometry of an entity.
    init(
        _ request: DoorRequest, _ names: HistoryNames, zone standard: String, area: (IRI) async throws -> Geometry
    ) async throws {
        let query = request.query
        let zoneName = query["zone"] ?? standard
        guard let zone = CivilZone(zoneName) else { throw CityError.badRequestData("zone: \(zoneName.prefix(100)) is not the IANA name of a time zone") }
        (self.zone, every) = (zone, query["every"])
        let functions = try Self.functions(query)
        let grid = try PeriodGrid(
            Self.interval(query, zone, request.now), every: Self.duration(query), zone: zone, countMax: Self.periodCountMax)
        var filter = try Self.filter(query, names)
        filter.geo = try await Self.geo(query, area)
        guard filter.types != nil || filter.ids != nil else { throw CityError.badRequestData("type: a type or an id is needed") }
        question = SeriesQuestion(
            filter: filter, attributes: try Self.attributes(query, names), grid: grid, functions: functions, filling: try Self.filling(query),
            grouping: try Self.grouping(query, names), order: try Self.order(query, functions, periodCount: grid.count),
            condition: try Self.condition(query, functions, periodCount: grid.count),
            limit: try query.integer("limit", in: 1...Self.limitMax) ?? Self.limitStandard)
    }

    private static func attributes(_ query: QueryParameters, _ names: HistoryNames) throws -> [IRI] {
        let texts = query.list("attr")
        guard !texts.isEmpty else { throw CityError.badRequestData("attr: is missing") }
        guard texts.count <= attributeCountMax else { throw CityError.badRequestData("attr: more than \(attributeCountMax) attributes") }
        var attributes: [IRI] = []
        for text in texts {
            let attribute = try names.attribute(text, "attr")
            if !attributes.contains(attribute) { attributes.append(attribute) }
        }
        return attributes
    }

    private static func functions(_ query: QueryParameters) throws(CityError) -> [SeriesFunction] {
        let texts = query["fn"].map { _ in query.list("fn") } ?? ["avg"]
        guard !texts.isEmpty, texts.count <= functionCountMax else { throw .badRequestData("fn: between 1 and \(functionCountMax) functions") }
        var functions: [SeriesFunction] = []
        for text in texts {
            guard let function = SeriesFunction(text) else { throw .badRequestData("fn: \(text.prefix(100)) is not one of \(SeriesFunction.known)") }
            guard !functions.contains(function) else { throw .badRequestData("fn: \(text) stands twice") }
            functions.append(function)
        }
        return functions
    }

    private static func duration(_ query: QueryParameters) throws(CityError) -> PeriodDuration? {
        guard let text = query["every"] else { return nil }
        guard let duration = PeriodDuration(text), !duration.isWholeRange else { throw .badRequestData("every: \(text.prefix(100)) is not a duration such as PT1H or P1D") }
        return duration
    }

    private static func interval(_ query: QueryParameters, _ zone: CivilZone, _ now: Instant) throws(CityError) -> Range<Instant> {
        let to = try query["to"].map { text throws(CityError) in try moment(text, "to", zone, dayOffset: 1) } ?? now
        let from: Instant
        switch query["from"] {
        case let text? where text.hasPrefix("-"):
            guard let duration = PeriodDuration(String(text.dropFirst())) else { throw .badRequestData("from: \(text.prefix(100)) is not a duration such as -P7D") }
            from = duration.start(ofPeriod: -1, from: to)
        case let text?: from = try moment(text, "from", zone, dayOffset: 0)
        case nil: from = to.adding(seconds: -86_400)
        }
        guard from < to else { throw .badRequestData("from: is not before to") }
        return from..<to
    }

    private static func moment(_ text: String, _ parameter: String, _ zone: CivilZone, dayOffset: Int) throws(CityError) -> Instant {
        if let moment = Instant(text) { return moment }
        guard let day = CivilDay(text) else {
            throw .badRequestData("\(parameter): \(text.prefix(100)) is neither a date and time such as 2026-01-31T12:00:00Z nor a day such as 2026-01-31")
        }
        return zone.start(ofDay: CivilDay(number: day.number + dayOffset))
    }

    private static func filter(_ query: QueryParameters, _ names: HistoryNames) throws -> EntityFilter {
        var filter = EntityFilter()
        let types = query.list("type")
        guard types.count <= 100 else { throw CityError.badRequestData("type: more than 100 types") }
        if !types.isEmpty { filter.types = .or(try types.map { .type(try names.type($0, "type")) }) }
        filter.ids = try query["id"].map { try EntityFilter.ids(parsing: $0) }
        filter.query = try query["q"].map { try QueryExpression(parsing: $0, expand: names.expansion) }
        return filter
    }

    private static func geo(_ query: QueryParameters, _ area: (IRI) async throws -> Geometry) async throws -> GeoQuery? {
        guard let text = query["area"] else { return nil }
        let geometry: Geometry
        if let box = try box(text) {
            geometry = box
        } else if text.hasPrefix("{") {
            guard text.utf8.count <= 1 << 16, let json = try? JSON(parsing: text), let given = try? Geometry(json) else {
                throw CityError.badRequestData("area: is no GeoJSON geometry")
            }
            geometry = given
        } else if let id = IRI(text) {
            geometry = try await area(id)
        } else {
            throw CityError.badRequestData("area: \(text.prefix(100)) is neither an identifier, nor west,south,east,north, nor a GeoJSON geometry")
        }
        return GeoQuery(relation: .intersects, reference: try PreparedGeometry(geometry))
    }

    /// `west,south,east,north` in degrees as a polygon; nil for something else.
    private static func box(_ text: String) throws(CityError) -> Geometry? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Double($0) }
        guard parts.count == 4, numbers.count == 4 else { return nil }
        let (west, south, east, north) = (numbers[0], numbers[1], numbers[2], numbers[3])
        guard numbers.allSatisfy(\.isFinite), west < east, south < north, (-180...180).contains(west), (-180...180).contains(east), south >= -90, north <= 90
        else { throw .badRequestData("area: \(text.prefix(100)) is not west,south,east,north in degrees") }
        let ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        let coordinates = JSON.array([.array(ring.map { .array($0.map(JSON.number)) })])
        guard let polygon = try? Geometry(["type": "Polygon", "coordinates": coordinates] as JSON) else { throw .badRequestData("area: is no box") }
        return polygon
    }

    private static func filling(_ query: QueryParameters) throws(CityError) -> GapFilling {
        guard let text = query["fill"] else { return .none }
        guard let filling = GapFilling(rawValue: text) else { throw .badRequestData("fill: \(text.prefix(100)) is not none, last or linear") }
        return filling
    }

    private static func grouping(_ query: QueryParameters, _ names: HistoryNames) throws -> SeriesGrouping {
        switch query["group"] {
        case nil, "entity"?: return .entity
        case "type"?: return .type
        case "all"?: return .all
        case let text? where text.hasPrefix("within:"): return .within(try names.type(String(text.dropFirst("within:".count)), "group"))
        case let text?: return .attribute(try names.attribute(text, "group"))
        }
    }

    /// `max>60`
    private static func condition(
        _ query: QueryParameters, _ functions: [SeriesFunction], periodCount: Int
    ) throws(CityError) -> SeriesCondition? {
        guard let text = query["having"] else { return nil }
        guard periodCount == 1 else { throw .badRequestData("having: is for questions without periods (every)") }
        let name = text.prefix { $0 != "<" && $0 != ">" }, rest = text.dropFirst(name.count)
        let sign = rest.prefix { "<>=".contains($0) }
        guard let comparison = SeriesCondition.Comparison(rawValue: String(sign)), let bound = Double(rest.dropFirst(sign.count)), bound.isFinite else {
            throw .badRequestData("having: \(text.prefix(100)) is not a function, one of > >= < <= and a number, such as max>60")
        }
        guard let function = SeriesFunction(String(name)), let index = functions.firstIndex(of: function) else {
            throw .badRequestData("having: \(name.prefix(100)) is not one of the functions asked for (fn)")
        }
        return SeriesCondition(function: index, comparison, bound)
    }

    private static func order(
        _ query: QueryParameters, _ functions: [SeriesFunction], periodCount: Int
    ) throws(CityError) -> (function: Int, isDescending: Bool)? {
        guard let text = query["order"] else { return nil }
        guard periodCount == 1 else { throw .badRequestData("order: is for questions without periods (every)") }
        let isDescending = text.hasPrefix("-")
        let name = isDescending ? String(text.dropFirst()) : text
        guard let function = SeriesFunction(name), let index = functions.firstIndex(of: function) else {
            throw .badRequestData("order: \(text.prefix(100)) is not one of the functions asked for (fn)")
        }
        return (index, isDescending)
    }
}
