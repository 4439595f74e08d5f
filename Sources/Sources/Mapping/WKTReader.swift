internal import CityModel

/// Reads well-known text (OGC 06-103r4, clause 7) as the `type` and `coordinates` of GeoJSON: points, lines, polygons and
/// collections of one kind, with or without Z.
struct WKTReader {
    private var rest: ArraySlice<UInt8>

    /// Nil when the text is not such a geometry.
    static func geometry(_ text: ArraySlice<UInt8>) -> (type: String, coordinates: JSON)? {
        var reader = WKTReader(rest: text)
        guard let (type, depth) = types[reader.word()] else { return nil }
        reader.skipSpaces()
        if reader.rest.first.map({ $0 & 0xDF == UInt8(ascii: "Z") }) == true { _ = reader.word() }
        // MULTIPOINT is written with and without brackets around each point.
        guard let coordinates = type == "MultiPoint" ? reader.points() : reader.nested(depth: depth) else { return nil }
        reader.skipSpaces()
        return reader.rest.isEmpty ? (type, coordinates) : nil
    }

    /// By the name, GeoJSON's name and how many brackets enclose a list of positions.
    private static let types: [String: (String, Int)] = [
        "POINT": ("Point", 0), "LINESTRING": ("LineString", 1), "POLYGON": ("Polygon", 2), "MULTIPOINT": ("MultiPoint", 1),
        "MULTILINESTRING": ("MultiLineString", 2), "MULTIPOLYGON": ("MultiPolygon", 3),
    ]

    private mutating func nested(depth: Int) -> JSON? {
        guard take("(") else { return nil }
        if depth == 0 {
            guard let position = position(), take(")") else { return nil }
            return position
        }
        var elements: [JSON] = []
        repeat {
            guard let element = depth == 1 ? position() : nested(depth: depth - 1) else { return nil }
            elements.append(element)
        } while take(",")
        return take(")") ? .array(elements) : nil
    }

    private mutating func points() -> JSON? {
        guard take("(") else { return nil }
        var points: [JSON] = []
        repeat {
            let isBracketed = take("(")
            guard let point = position(), !isBracketed || take(")") else { return nil }
            points.append(point)
        } while take(",")
        return take(")") ? .array(points) : nil
    }

    private mutating func position() -> JSON? {
        var numbers: [JSON] = []
        while numbers.count < 4 {
            skipSpaces()
            let digits = rest.prefix { (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }
            if digits.isEmpty { break }
            guard let number = NumberReader(format: NumberFormat()).json(digits) else { return nil }
            numbers.append(number)
            rest.removeFirst(digits.count)
        }
        return (2...3).contains(numbers.count) ? .array(numbers) : nil
    }

    private mutating func word() -> String {
        skipSpaces()
        let letters = rest.prefix { (65...90).contains($0 & 0xDF) }
        rest.removeFirst(letters.count)
        return String(decoding: letters.prefix(20), as: UTF8.self).uppercased()
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        skipSpaces()
        guard let byte = rest.first, UInt32(byte) == scalar.value else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func skipSpaces() {
        while let byte = rest.first, byte <= 0x20 { rest.removeFirst() }
    }
}
