internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import OrderedCollections

/// How an answer is written: as the suffix of the path says.
enum Open311Format: String, CaseIterable, Sendable {
    case json, xml

    var mediaType: String {
        switch self {
        case .json: "application/json"
        case .xml: "text/xml"
        }
    }

    /// - Parameter name: the last part of a path, such as `pothole.json`.
    /// - Returns: nil where it does not end with a format.
    static func split(_ name: String) -> (name: String, format: Open311Format)? {
        guard let dot = name.lastIndex(of: "."), let format = Open311Format(rawValue: String(name[name.index(after: dot)...])) else { return nil }
        return (String(name[..<dot]), format)
    }
}

/// What is answered, in both formats: JSON leaves the outermost name away (the Spark convention).
struct Open311Answer: Sendable {
    let root: String
    let value: JSON
    var status = HTTPResponse.Status.ok

    func response(_ format: Open311Format) -> Response {
        let text =
            switch format {
            case .json: value.description
            case .xml: XMLDocument.text(root, value)
            }
        return Response(
            status: status, headers: [.contentType: format.mediaType + "; charset=utf-8", .cacheControl: "no-store"], body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// Writes JSON values as XML. The elements of an array are called after it, in the singular.
enum XMLDocument {
    private static let singulars = [
        "services": "service", "attributes": "attribute", "values": "value", "service_requests": "request", "errors": "error", "endpoints": "endpoint",
        "formats": "format", "service_request_updates": "request_update", "photos": "photo", "answers": "answer",
    ]

    static func text(_ root: String, _ value: JSON) -> String {
        var text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
        write(root, value, to: &text)
        return text + "\n"
    }

    /// - Parameter name: one of ours, or a field's identifier: letters, digits and `_`, a letter first.
    private static func write(_ name: String, _ value: JSON, to text: inout String) {
        if case .null = value {
            text += "<\(name)/>"
            return
        }
        text += "<\(name)>"
        switch value {
        case .null: break
        case .bool(let flag): text += flag ? "true" : "false"
        case .integer(let number): text += String(number)
        case .number(let number): text += number.description
        case .string(let said): escape(said, to: &text)
        case .array(let elements):
            let singular = singulars[name] ?? "value"
            for element in elements { write(singular, element, to: &text) }
        case .object(let members):
            for (name, member) in members { write(name, member, to: &text) }
        }
        text += "</\(name)>"
    }

    /// What XML 1.0 has no character for is left out (production Char).
    private static func escape(_ said: String, to text: inout String) {
        for scalar in said.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "\r": text += "&#13;"
            case "\t", "\n": text.unicodeScalars.append(scalar)
            default:
                let isCharacter = scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF
                // Allowed, and yet controls: what reads them shows nothing for them.
                if isCharacter, !(0x7F...0x9F).contains(scalar.value) { text.unicodeScalars.append(scalar) }
            }
        }
    }
}
