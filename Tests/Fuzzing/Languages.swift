import CityModel
import OrderedCollections
import Query

/// The languages that stand in the parameters of a request.
extension FuzzEntry {
    private static let expand: @Sendable (String) -> IRI? = { name in name.isEmpty || name.contains(" ") ? nil : IRI(known: "https://example.org/" + name) }

    /// What is written may be longer than what was read, and has brackets where they can be left out.
    private static let roomy: QueryLimits = {
        var limits = QueryLimits()
        limits.byteCountMax = 1 << 24
        limits.depthMax *= 3
        return limits
    }()

    private static let thing: Entity = {
        var entity = Entity(id: IRI(known: "urn:ngsi-ld:Thing:1"), types: [IRI(known: "https://example.org/Thing")])
        let values: [(String, JSON)] = [
            ("level", 3), ("state", "on"), ("note", ["x": 1, "y": ["a", 2.5, .null, true]]), ("when", "2026-06-01T12:00:00Z"), ("list", [1, "two", [3]]),
        ]
        for (name, value) in values { entity.attributes[IRI(known: "https://example.org/" + name)] = [Attribute(kind: .property, value: value)] }
        entity.attributes[.location] = [Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [3.8, 43.6]])]
        return entity
    }()

    static let languages: [FuzzEntry] = [
        FuzzEntry(
            "q",
            tokens: [
                "==", "!=", ">=", "<=", "~=", "!~=", ";", "|", "(", ")", "..", ",", "\"", "level", "note[x]", "state", "{Thing}", "true",
                "2026-06-01T12:00:00Z", "P1D", "%22", "\\", ".*",
            ]
        ) { bytes in
            let text = text(bytes)
            _ = try? QueryExpression(parsingBody: text, expand: expand)
            guard let query = try? QueryExpression(parsing: text, expand: expand) else { return }
            _ = query.matches(thing)
            guard let again = try? QueryExpression(parsing: query.description, expand: expand, limits: roomy) else { throw Broken("\(text) is written \(query), which is none") }
            try hold(again == query, "\(text) is written \(query), which is \(again)")
        },
        FuzzEntry(
            "selection",
            tokens: [
                "Thing", "*", "|", ";", "(", ")", ",", "/", "#", "+", "/a/#", "@none", "urn:ngsi-ld:Thing:1", "id", "type", "scope", "{", "}", ";desc",
                ";dist-asc", "level", "location", "fr-u-co-phonebk", "[a-z]+", "(?:", "{1,9}", "\\d", "^", "$", "[^", "Point",
            ]
        ) { bytes in
            let parts = lines(bytes, 7)
            if let text = parts[0], let types = try? TypeSelection(parsing: text, expand: expand) {
                _ = types.matches(thing.types)
                try hold((try? TypeSelection(parsing: types.description, expand: { IRI(known: $0) }, limits: roomy)) != nil, "\(text) is written \(types), which is none")
            }
            if let text = parts[1], let scopes = try? ScopeQuery(parsing: text) {
                _ = scopes.matches([Scope("/a/b")].compactMap(\.self))
                try hold(try ScopeQuery(parsing: scopes.description, limits: roomy) == scopes, "\(text) is written \(scopes)")
            }
            if let text = parts[2] {
                _ = try? EntityFilter.ids(parsing: text)
                _ = try? DatasetSelection(parsing: text).apply(to: thing)
                _ = try? QueryExpression.attributeNames(parsing: text, expand: expand)
            }
            if let text = parts[3] {
                _ = (try? IDPattern(text))?.matches(thing.id)
                _ = (try? Pattern(text))?.matches("on the corner of 2 streets")
            }
            if parts[4] != nil || parts[5] != nil { _ = try? Projection(pick: parts[4], omit: parts[5], expand: expand).apply(to: thing) }
            if let text = parts[4] { _ = try? Projection(attrs: text, expand: expand).apply(to: thing) }
            if let text = parts[6] { _ = try? Ordering(parsing: text, orderFrom: parts[1], orderGeometry: parts[0], collation: parts[2], expand: expand).sorted([thing, thing]) }
            if let text = parts[6] { _ = try? Collation(parsing: text) }
        },
        FuzzEntry(
            "geo",
            tokens: [
                "near;maxDistance==100", "near;minDistance==1", "within", "contains", "intersects", "equals", "disjoint", "overlaps", "Point",
                "Polygon", "MultiPolygon", "LineString", "MultiPoint", "MultiLineString", "GeometryCollection", "[[", "]]", "180", "-90", "1e308",
                "coordinates", "type", "geometries",
            ]
        ) { bytes in
            let parts = lines(bytes, 4)
            if let query = try? GeoQuery.parsing(georel: parts[0], geometry: parts[1], coordinates: parts[2], geoproperty: parts[3], expand: expand) {
                _ = query.matches(thing)
                for other in geometries { _ = query.matches(other) }
            }
            guard let json = try? JSON(parsing: bytes), let geometry = try? Geometry(json), let prepared = try? PreparedGeometry(geometry) else { return }
            for other in geometries { _ = (prepared.intersects(other), prepared.distance(to: other), prepared.isWithin(other), prepared.overlaps(other)) }
        },
        FuzzEntry(
            "time",
            tokens: [
                "before", "after", "between", "2026-06-01T12:00:00Z", "observedAt", "+02:00", "P1Y2M3W4DT5H6M7S", "PT0.5S", "Europe/Paris",
                "9999-12-31T23:59:59.999999Z", "0000-01-01T00:00:00Z", "24:00:00", "2026-02-29",
            ]
        ) { bytes in
            let parts = lines(bytes, 5)
            if let query = try? TemporalQuery.parsing(timerel: parts[0], timeAt: parts[1], endTimeAt: parts[2], timeproperty: parts[3]) {
                _ = query.matches(Instant(seconds: 1_780_000_000))
            }
            for text in parts.compactMap(\.self) {
                if let instant = Instant(text) { try hold(Instant(instant.description) == instant, "\(text) is written \(instant)") }
                if let duration = PeriodDuration(text) {
                    try hold(PeriodDuration(duration.description) == duration, "\(text) is written \(duration)")
                    _ = duration.start(ofPeriod: 3, from: Instant(seconds: 1_780_000_000))
                    _ = duration.period(of: Instant(seconds: 1_790_000_000), from: Instant(seconds: 1_780_000_000))
                }
                if let zone = CivilZone(text) { _ = zone.text(Instant(seconds: 1_780_000_000)) }
                if let day = CivilDay(text), let zone = CivilZone("Europe/Paris") { _ = zone.start(ofDay: day) }
            }
        },
    ]

    private static let geometries: [Geometry] = [
        ["type": "Point", "coordinates": [3.8, 43.6]], ["type": "LineString", "coordinates": [[3, 43], [4, 44]]],
        ["type": "Polygon", "coordinates": [[[3, 43], [4, 43], [4, 44], [3, 43]]]],
    ].compactMap { (json: JSON) in try? Geometry(json) }
}
