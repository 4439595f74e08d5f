package import CityModel

/// The parameters of a request's query string, decoded. Of a repeated name the last value counts.
package struct QueryParameters: Sendable {
    package private(set) var values: [String: String] = [:]
    /// In the order they came, decoded.
    package private(set) var pairs: [(name: String, value: String)] = []

    /// The most parameters of one request.
    package static let countMax = 100

    /// - Parameter query: what follows `?`, as it came.
    /// - Throws: `invalidRequest` for escapes that are no UTF-8 and for too many parameters.
    package init(_ query: Substring) throws(CityError) {
        for part in query.utf8.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            guard let name = PercentEncoding.decode(Substring(part[..<equals]), plusIsSpace: true),
                let value = PercentEncoding.decode(Substring(part[equals...].dropFirst()), plusIsSpace: true)
            else { throw .invalidRequest("the query string has an escape that is not UTF-8") }
            guard pairs.count < Self.countMax else { throw .invalidRequest("a request has at most \(Self.countMax) parameters") }
            values[name] = value
            pairs.append((name, value))
        }
    }

    /// None.
    package init() {}

    package mutating func append(_ name: String, _ value: String) {
        values[name] = value
        pairs.append((name, value))
    }

    /// Takes the parameters with these names for absent where they say nothing.
    package mutating func removeEmpty(_ names: Set<String>) {
        for name in names where values[name]?.isEmpty ?? false { values[name] = nil }
    }

    package subscript(name: String) -> String? { values[name] }

    /// - Throws: `invalidRequest` that names a parameter that is not among `known` (clause 6.3.20).
    package func check(known: @autoclosure () -> Set<String>, _ others: Set<String>...) throws(CityError) {
        guard !pairs.isEmpty else { return }
        let known = known()
        for (name, _) in pairs where !known.contains(name) && !others.contains(where: { $0.contains(name) }) { throw .invalidRequest("\(name): this operation has no such parameter") }
    }

    package func bool(_ name: String) throws(CityError) -> Bool? {
        switch values[name] {
        case nil: nil
        case "true": true
        case "false": false
        case let other?: throw .badRequestData("\(name): \(other) is neither true nor false")
        }
    }

    package func integer(_ name: String, in range: ClosedRange<Int>) throws(CityError) -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .badRequestData("\(name): \(text) is not a whole number between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    package func instant(_ name: String) throws(CityError) -> Instant? {
        guard let text = values[name] else { return nil }
        guard let instant = Instant(text) else {
            throw .badRequestData("\(name): \(text) is not a date and time such as 2026-01-31T12:00:00Z")
        }
        return instant
    }

    /// A list between commas.
    package func list(_ name: String) -> [String] {
        values[name]?.split(separator: ",").map { String($0).trimmingSpaces } ?? []
    }
}

/// Percent-encoding of URLs (RFC 3986, section 2.1).
package enum PercentEncoding {
    /// Nil when the decoded bytes are not UTF-8.
    package static func decode(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(digit), let low = rest.dropFirst().first.flatMap(digit) {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Encodes everything but unreserved characters, `:`, which entity identifiers are full of, and `*`.
    package static func encode(_ text: String) -> String {
        if text.utf8.allSatisfy(isKept) { return text }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isKept(byte) { bytes.append(byte) } else { bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isKept(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46, 95, 126, 58, 42: true
        default: false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}

extension String {
    package var trimmingSpaces: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
