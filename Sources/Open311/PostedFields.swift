internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import OrderedCollections
internal import Services

/// What a form says, whichever way it is written: URL-encoded as the standard has it, with files, or as JSON.
struct PostedFields: Sendable {
    private(set) var texts: [(name: String, value: String)] = []
    private(set) var files: [MultipartForm.Part] = []

    static let formType = "application/x-www-form-urlencoded"
    static let jsonType = "application/json"
    static let mediaTypes = [formType, MultipartForm.mediaType, jsonType]
    /// Fields of one form.
    static let countMax = 500

    init(_ texts: [(name: String, value: String)], files: [MultipartForm.Part] = []) { (self.texts, self.files) = (texts, files) }

    /// - Throws: `Open311Fault`, a problem for a body that is too large or of another type, `CityError`.
    init(_ request: DoorRequest, byteCountMax: Int) async throws {
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }.lowercased()
        switch type {
        case MultipartForm.mediaType:
            let form = try await MultipartForm(request)
            files = form.parts.filter { $0.fileName != nil && !$0.bytes.isEmpty }
            texts = try form.parts.filter { $0.fileName == nil }.map { ($0.name, try Self.text($0.bytes)) }
        case Self.jsonType: texts = try Self.texts(ofJSON: try await request.bytes(countMax: byteCountMax))
        case Self.formType: texts = try QueryParameters(Substring(try Self.text(try await request.bytes(countMax: byteCountMax)))).pairs
        default:
            throw Open311Fault(status: 400, [.init(code: 415, description: "Content-Type: one of \(Self.mediaTypes.joined(separator: ", ")) is needed")])
        }
        guard texts.count <= Self.countMax else { throw Open311Fault(400, "the form has more than \(Self.countMax) fields") }
    }

    private static func text(_ bytes: [UInt8]) throws(Open311Fault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Open311Fault(400, "the form is not UTF-8") }
        return text
    }

    /// The members of an object; attributes stand in `attribute`, as an object, or as in a form.
    static func texts(ofJSON bytes: [UInt8]) throws(Open311Fault) -> [(name: String, value: String)] {
        guard let members = (try? JSON(parsing: bytes))?.objectValue else { throw Open311Fault(400, "the body is not a JSON object") }
        var texts: [(name: String, value: String)] = []
        for (name, value) in members {
            if name == "attribute" || name == "attributes", let attributes = value.objectValue {
                for (code, value) in attributes { texts += try Self.values(value, "attribute[\(code)]") }
            } else { texts += try Self.values(value, name) }
        }
        return texts
    }

    private static func values(_ value: JSON, _ name: String) throws(Open311Fault) -> [(name: String, value: String)] {
        switch value {
        case .null: return []
        case .string(let text): return [(name, text)]
        case .bool(let flag): return [(name, flag ? "true" : "false")]
        case .integer(let number): return [(name, String(number))]
        case .number(let number): return [(name, number.description)]
        case .array(let elements):
            var texts: [(name: String, value: String)] = []
            for element in elements {
                guard element.arrayValue == nil, element.objectValue == nil else { throw Open311Fault(400, "\(name.prefix(100)): a list of texts and numbers is needed") }
                texts += try values(element, name)
            }
            return texts
        case .object: throw Open311Fault(400, "\(name.prefix(100)): a text or a number is needed")
        }
    }

    /// The last that is not empty.
    subscript(name: String) -> String? { texts.last { $0.name == name && !$0.value.isEmpty }?.value }

    /// What `attribute[CODE]` and `attribute[CODE][]` say, by code.
    var attributes: [String: [String]] {
        var attributes: [String: [String]] = [:]
        for (name, value) in texts {
            guard let code = Self.code(name) else { continue }
            attributes[code, default: []].append(value)
        }
        return attributes
    }

    private static func code(_ name: String) -> String? {
        guard name.hasPrefix("attribute["), let end = name.firstIndex(of: "]") else { return nil }
        let rest = name[name.index(after: end)...]
        guard rest.isEmpty || rest == "[]" else { return nil }
        return String(name[name.index(name.startIndex, offsetBy: 10)..<end])
    }

    /// All values of a name, also where it is written as a list.
    func all(_ name: String) -> [String] { texts.filter { ($0.name == name || $0.name == name + "[]") && !$0.value.isEmpty }.map(\.value) }

    /// The question of a service that a file of some name answers: `media` the first one for photos, else the first for files; `attribute[CODE]` the one of that
    /// code.
    static func field(ofFile name: String, _ definition: ServiceDefinition) -> ServiceField? {
        if name == "media" || name == "media[]" { return definition.photoField ?? definition.fields.first { if case .file = $0.kind { true } else { false } } }
        return code(name).flatMap { code in definition.field(code).flatMap { $0.isUploaded ? $0 : nil } }
    }
}

extension DoorRequest {
    /// A body that arrives, within a limit.
    fileprivate func bytes(countMax: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        guard case .stream(let stream) = content else { return Array(body.readableBytesView.prefix(countMax)) }
        for try await var part in stream {
            guard bytes.count + part.readableBytes <= countMax else {
                throw Open311Fault(status: 400, [.init(code: 413, description: "the form has more than \(countMax) bytes")])
            }
            bytes += part.readBytes(length: part.readableBytes) ?? []
        }
        return bytes
    }
}
