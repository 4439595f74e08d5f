internal import CityModel
internal import OrderedCollections

/// Reads the geometry of a geo-property and brings it to longitude and latitude.
struct GeometryReader {
    private enum Place {
        case point(x: FieldReader, y: FieldReader, unknown: [GeometryExpression.Position])
        case wkt(FieldReader)
        case geoJSON(FieldReader)
        case labelPoint(FieldReader)
    }
    private let place: Place
    private let projection: Projection
    private let crs: String
    private let numbers: NumberReader
    /// A point at 0, 0: its copies share the names of its members.
    private static let emptyPoint: JSONObject = ["type": "Point", "coordinates": []]

    init(_ expression: GeometryExpression, _ scheme: RecordScheme, _ projection: Projection) throws(SourceError) {
        self.projection = projection
        crs = scheme.definition.crs
        numbers = NumberReader(format: scheme.definition.numbers)
        switch expression {
        case .point(let x, let y, let unknown):
            place = .point(x: try FieldReader(x, scheme), y: try FieldReader(y, scheme), unknown: unknown)
        case .wkt(let field): place = .wkt(try FieldReader(field, scheme))
        case .geoJSON(let field): place = .geoJSON(try FieldReader(field, scheme))
        case .labelPoint(let field): place = .labelPoint(try FieldReader(field, scheme))
        }
    }

    func geometry(_ record: borrowing Record) -> Outcome<JSON> {
        switch place {
        case .point(let x, let y, let unknown): return point(record, x, y, unknown)
        case .wkt(let reader):
            let value = reader.value(record)
            if value.isMissing { return .missing }
            guard let bytes = value.bytes, let (type, coordinates) = WKTReader.geometry(bytes) else {
                return invalid("not well-known text of a point, line or polygon", reader.name)
            }
            return checked(type, coordinates, reader.name) { .value($0.json) }
        case .geoJSON(let reader): return geoJSON(record, reader) { .value($0.json) }
        case .labelPoint(let reader):
            return geoJSON(record, reader) { geometry in
                guard let (longitude, latitude) = LabelPoint.point(in: geometry) else {
                    return invalid("a label point is that of a polygon, not of a \(geometry.kind.rawValue)", reader.name)
                }
                return Self.point(longitude, latitude)
            }
        }
    }

    private func point(
        _ record: borrowing Record, _ xReader: FieldReader, _ yReader: FieldReader, _ unknown: [GeometryExpression.Position]
    ) -> Outcome<JSON> {
        let xValue = xReader.value(record)
        let yValue = yReader.value(record)
        switch (xValue.isMissing, yValue.isMissing) {
        case (true, true): return .missing
        case (true, false): return invalid("the other coordinate is there and this one is missing", xReader.name)
        case (false, true): return invalid("the other coordinate is there and this one is missing", yReader.name)
        case (false, false): break
        }
        guard let x = number(xValue) else { return invalid("\(shown(xValue.text ?? "")) is not a number", xReader.name) }
        guard let y = number(yValue) else { return invalid("\(shown(yValue.text ?? "")) is not a number", yReader.name) }
        if unknown.contains(where: { $0.x == x && $0.y == y }) {
            return .invalid(
                Fault(ruleID: FindingID.unknownPosition, field: xReader.name, reason: "\(x), \(y) stands for an unknown position"))
        }
        guard let (longitude, latitude) = projection.degrees(x: x, y: y) else {
            return invalid("\(x), \(y) is no position of the coordinate reference system", xReader.name)
        }
        guard (-180...180).contains(longitude) else {
            return invalid("longitude \(longitude) is not within -180 and 180", xReader.name)
        }
        guard (-90...90).contains(latitude) else { return invalid("latitude \(latitude) is not within -90 and 90", yReader.name) }
        return Self.point(longitude, latitude)
    }

    private static func point(_ longitude: Double, _ latitude: Double) -> Outcome<JSON> {
        var point = emptyPoint
        point.values[1] = .array([.number(longitude), .number(latitude)])
        return .value(.object(point))
    }

    private func number(_ value: FieldValue) -> Double? {
        if case .json(let json) = value, let number = json.doubleValue { return number }
        return value.bytes.flatMap(numbers.double)
    }

    private func geoJSON(
        _ record: borrowing Record, _ reader: FieldReader, _ result: (Geometry) -> Outcome<JSON>
    ) -> Outcome<JSON> {
        var json: JSON
        switch reader.value(record) {
        case .missing: return .missing
        case .json(let value): json = value
        case .text(let bytes):
            guard let parsed = try? JSON(parsing: bytes) else { return invalid("not JSON", reader.name) }
            json = parsed
        }
        // A geometry may also come as a text that holds JSON.
        if let text = json.stringValue {
            guard let parsed = try? JSON(parsing: text) else { return invalid("not JSON", reader.name) }
            json = parsed
        }
        guard let type = json["type"]?.stringValue, let coordinates = json["coordinates"] else {
            return invalid("a GeoJSON geometry has type and coordinates", reader.name)
        }
        return checked(type, coordinates, reader.name, result)
    }

    private func checked(
        _ type: String, _ coordinates: JSON, _ field: String, _ result: (Geometry) -> Outcome<JSON>
    ) -> Outcome<JSON> {
        guard let degrees = projected(coordinates, depthMax: 4) else {
            return invalid("the coordinates are not all positions of \(crs)", field)
        }
        do throws(Geometry.Invalid) { return result(try Geometry(typeName: type, coordinates: degrees)) } catch {
            return invalid(error.reason, field)
        }
    }

    /// The coordinates with every position in degrees; nil when one cannot be had.
    private func projected(_ json: JSON, depthMax: Int) -> JSON? {
        guard !projection.isIdentity else { return json }
        guard case .array(let elements) = json, depthMax > 0 else { return nil }
        if elements.count >= 2, let x = elements[0].doubleValue, let y = elements[1].doubleValue {
            guard let (longitude, latitude) = projection.degrees(x: x, y: y) else { return nil }
            return .array([.number(longitude), .number(latitude)] + elements.dropFirst(2))
        }
        var result: [JSON] = []
        result.reserveCapacity(elements.count)
        for element in elements {
            guard let degrees = projected(element, depthMax: depthMax - 1) else { return nil }
            result.append(degrees)
        }
        return .array(result)
    }

    private func invalid(_ reason: String, _ field: String) -> Outcome<JSON> {
        .invalid(Fault(ruleID: FindingID.geometry, field: field, reason: reason))
    }
}
