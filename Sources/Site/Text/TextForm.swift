internal import CityModel
internal import Crypto
internal import Door
internal import Foundation
internal import HTTPTypes
internal import Services

/// A report as somebody sends it who writes the names of its fields by hand: `place=43.61,3.88`, `surface=road`.
///
/// Names are those of the service's questions, and some more for what belongs to every report (`Reserved`); where a question is called as one of these it is
/// written `f.NAME`. A place is `latitude,longitude`, an address, or both, one after the other.
struct TextForm {
    enum Reserved: String, CaseIterable { case form, confirmed, municipality, lang }

    let parts: MultipartForm

    static let byteCountMax = 256 << 10
    private static let tokenCounts = 16...64
    private static let contactNames = ["contact.name", "contact.email", "contact.telephone"]

    /// - Throws: a problem for a body that is no form, or too large; `invalidRequest` for escapes that are no UTF-8.
    init(_ request: DoorRequest) async throws {
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }.lowercased()
        switch type {
        case MultipartForm.mediaType: parts = try await MultipartForm(request)
        case SiteDoor.formType:
            let text = String(decoding: try await request.wholeForm(byteCountMax: Self.byteCountMax), as: UTF8.self)
            parts = MultipartForm(try QueryParameters(text[...]).pairs.map { .init(name: $0.name, fileName: nil, mediaType: nil, bytes: Array($0.value.utf8)) })
        default:
            let detail = "Content-Type: \(SiteDoor.formType) or \(MultipartForm.mediaType), as curl sends them with -d and -F"
            throw Problem.own("unsupported-media-type", "Unsupported media type", status: 415, detail)
        }
    }

    init(_ parts: MultipartForm) { self.parts = parts }

    subscript(name: Reserved) -> String? { parts[name.rawValue].flatMap { $0.isEmpty ? nil : $0 } }

    /// By which name a question is answered.
    static func name(of field: String) -> String { Reserved(rawValue: field) == nil ? field : TypedReport.prefix + field }

    /// What was typed, for the same reading as that of the page's form. Names that are no questions stay, to be told of.
    /// - Throws: `badRequestData` for a name of the form that can't be one.
    func report(_ definition: ServiceDefinition, in municipality: MunicipalityName) throws(CityError) -> TypedReport {
        var typed = TypedReport(formToken: try token(definition, municipality))
        typed.isConfirmed = self[.confirmed] == "yes"
        typed.contact = (parts[Self.contactNames[0]] ?? "", parts[Self.contactNames[1]] ?? "", parts[Self.contactNames[2]] ?? "")
        for part in parts.parts where !Self.contactNames.contains(part.name) && Reserved(rawValue: part.name) == nil {
            let name = part.name.hasPrefix(TypedReport.prefix) ? String(part.name.dropFirst(TypedReport.prefix.count)) : part.name
            let text = String(decoding: part.bytes, as: UTF8.self)
            switch definition.field(name)?.kind {
            case .photo, .file: typed.uploads[name, default: []].append(part)
            case .place: Self.place(text, &typed)
            default: typed.texts[name, default: []].append(text)
            }
        }
        return typed
    }

    /// What has letters is an address or a name; else degrees.
    private static func place(_ text: String, _ typed: inout TypedReport) {
        if text.unicodeScalars.contains(where: { $0.properties.isAlphabetic }) {
            typed.place.address = text
            return
        }
        let sides = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        (typed.place.latitude, typed.place.longitude) = (String(sides[0]), sides.count == 2 ? String(sides[1]) : "")
    }

    /// The name of this one form: of the word that came with it and all that it says. So what is sent again is the same case, and who knows the word of another
    /// is not shown theirs.
    private func token(_ definition: ServiceDefinition, _ municipality: MunicipalityName) throws(CityError) -> String {
        guard let word = self[.form] else { return FormToken.random() }
        guard Self.tokenCounts.contains(word.utf8.count) else { throw .badRequestData("form: 16 to 64 characters are needed") }
        var hash = SHA256()
        for text in [municipality.text, definition.id.text] { hash.update(data: Self.framed(Array(text.utf8))) }
        for part in parts.parts where ![Reserved.confirmed, .lang].map(\.rawValue).contains(part.name) {
            hash.update(data: Self.framed(Array(part.name.utf8)))
            hash.update(data: Self.framed(part.bytes))
        }
        return "text:" + Base64Text.encode(Array(hash.finalize()))
    }

    /// With its length before it: no two lists of texts are the same bytes.
    private static func framed(_ bytes: [UInt8]) -> [UInt8] { withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { Array($0) } + bytes }
}
