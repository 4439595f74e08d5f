package import CityModel
internal import Hummingbird
internal import HTTPTypes
internal import NIOCore

/// A form as browsers send it with files (`multipart/form-data`, RFC 7578). It is read whole, within limits, since what it says is checked as a whole.
package struct MultipartForm: Sendable {
    package struct Part: Sendable {
        package let name: String
        /// What the file is called where it comes from; nil for what is no file.
        package let fileName: String?
        /// As whoever sent it says, which may be wrong.
        package let mediaType: String?
        package let bytes: [UInt8]

        package init(name: String, fileName: String?, mediaType: String?, bytes: [UInt8]) {
            (self.name, self.fileName, self.mediaType, self.bytes) = (name, fileName, mediaType, bytes)
        }
    }

    package struct Limits: Sendable {
        package var byteCountMax = 30_000_000
        package var partCountMax = 200
        package init() {}
    }

    package let parts: [Part]

    /// One that came in another form.
    package init(_ parts: [Part]) { self.parts = parts }

    package static let mediaType = "multipart/form-data"
    private static let headerByteCountMax = 4096

    /// - Throws: a problem for a body that is no such form, or exceeds the limits.
    package init(_ request: DoorRequest, limits: Limits = .init()) async throws {
        guard let boundary = request.headers[.contentType].flatMap(Self.boundary) else {
            throw Problem.own("unsupported-media-type", "Unsupported media type", status: 415, "Content-Type: \(Self.mediaType) with its boundary")
        }
        try self.init(try await request.wholeForm(byteCountMax: limits.byteCountMax), boundary: boundary, limits: limits)
    }

    /// The parameter of the media type that parts are told apart by (RFC 2046, section 5.1.1: 1 to 70 characters).
    static func boundary(_ contentType: String) -> String? {
        guard contentType.lowercased().hasPrefix(mediaType) else { return nil }
        let found = parameter("boundary", of: contentType)
        return found.flatMap { (1...70).contains($0.utf8.count) ? $0 : nil }
    }

    /// - Throws: `badRequestData`.
    package init(_ bytes: [UInt8], boundary: String, limits: Limits = .init()) throws(CityError) {
        let mark = Array("\r\n--\(boundary)".utf8)
        // The first has no line before it.
        var place = bytes.starts(with: mark.dropFirst(2)) ? 0 - 2 : Self.find(mark, in: bytes, from: 0) ?? bytes.count
        guard place < bytes.count else { throw .badRequestData("form: it has no parts") }
        var parts: [Part] = []
        while true {
            place += mark.count
            guard place + 2 <= bytes.count else { throw Self.broken }
            if bytes[place] == UInt8(ascii: "-"), bytes[place + 1] == UInt8(ascii: "-") { break }
            guard bytes[place] == 13, bytes[place + 1] == 10, let end = Self.find(mark, in: bytes, from: place) else { throw Self.broken }
            guard parts.count < limits.partCountMax else { throw .badRequestData("form: it has more than \(limits.partCountMax) parts") }
            parts.append(try Self.part(bytes[(place + 2)..<max(place + 2, end)]))
            place = end
        }
        self.parts = parts
    }

    private static var broken: CityError { .badRequestData("form: it is not whole") }

    private static func part(_ bytes: ArraySlice<UInt8>) throws(CityError) -> Part {
        let gap = Array("\r\n\r\n".utf8)
        let limit = min(bytes.endIndex, bytes.startIndex + headerByteCountMax)
        guard let end = find(gap, in: Array(bytes[..<limit]), from: 0) else { throw broken }
        let head = String(decoding: bytes[bytes.startIndex..<(bytes.startIndex + end)], as: UTF8.self)
        var (name, fileName, mediaType): (String?, String?, String?)
        for line in head.split(whereSeparator: { $0 == "\r\n" || $0 == "\n" }) {
            guard let colon = line.firstIndex(of: ":") else { throw broken }
            let value = String(line[line.index(after: colon)...])
            switch line[..<colon].lowercased() {
            case "content-disposition": (name, fileName) = (parameter("name", of: value), parameter("filename", of: value))
            case "content-type": mediaType = value.split(separator: ";").first.map { part in String(part.drop { $0 == " " }) }
            default: break
            }
        }
        guard let name else { throw .badRequestData("form: a part has no name") }
        return Part(name: name, fileName: fileName, mediaType: mediaType, bytes: Array(bytes[(bytes.startIndex + end + gap.count)...]))
    }

    /// A parameter of a header field, with or without quotes. Browsers write `"` within as `%22` (RFC 7578, section 2; WHATWG).
    private static func parameter(_ name: String, of field: String) -> String? {
        var rest = field[...]
        while let semicolon = rest.firstIndex(of: ";") {
            rest = rest[rest.index(after: semicolon)...].drop { $0 == " " }
            guard rest.lowercased().hasPrefix("\(name)=") else { continue }
            let value = rest.dropFirst(name.count + 1)
            guard value.first == "\"" else { return String(value.prefix { $0 != ";" && $0 != " " }) }
            return String(value.dropFirst().prefix { $0 != "\"" }).replacing("%22", with: "\"").replacing("%0D", with: "\r").replacing("%0A", with: "\n")
        }
        return nil
    }

    /// Where a sequence of bytes begins; nil where it does not stand.
    private static func find(_ mark: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard let first = mark.first, bytes.count >= mark.count else { return nil }
        var place = start
        let last = bytes.count - mark.count
        while place <= last, let next = bytes[place...last].firstIndex(of: first) {
            if bytes[next..<(next + mark.count)].elementsEqual(mark) { return next }
            place = next + 1
        }
        return nil
    }
}

extension MultipartForm {
    /// The texts of the parts that are no files, by name, in their order.
    package func texts(_ name: String) -> [String] {
        parts.filter { $0.name == name && $0.fileName == nil }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    package subscript(name: String) -> String? { texts(name).first }

    /// The files of a name. A field that was left empty sends one without name and bytes.
    package func files(_ name: String) -> [Part] { parts.filter { $0.name == name && $0.fileName != nil && !($0.bytes.isEmpty && $0.fileName == "") } }
}

extension DoorRequest {
    /// The body of a form, read to its end.
    /// - Throws: a problem for one that is too large.
    package func wholeForm(byteCountMax: Int) async throws -> [UInt8] {
        guard case .stream(let stream) = content else { return Array(body.readableBytesView) }
        var bytes: [UInt8] = []
        for try await var part in stream {
            guard bytes.count + part.readableBytes <= byteCountMax else {
                throw Problem.own("content-too-large", "Content too large", status: 413, "the form has more than \(byteCountMax) bytes")
            }
            bytes += part.readBytes(length: part.readableBytes) ?? []
        }
        return bytes
    }
}
