internal import Cases
internal import CityModel
internal import Door
internal import Foundation
internal import Photos
internal import Services

/// Photos and files of a form, made safe or refused with what is wrong.
struct UploadReading {
    let prepare: @Sendable ([UInt8]) async throws(PhotoFault) -> (jpeg: [UInt8], thumbnail: [UInt8])
    let language: Language

    static let fileByteCountMax = 10_000_000
    static let smallSide = 320

    /// - Returns: what can be taken, and for each field with something that can't what is wrong with it.
    func read(_ typed: TypedReport, kept form: MultipartForm, _ definition: ServiceDefinition) async -> (taken: [String: [NewAttachment]], faults: [String: String]) {
        var (taken, faults): ([String: [NewAttachment]], [String: String]) = ([:], [:])
        for field in definition.fields where field.isUploaded {
            let sent = (typed.uploads[field.id] ?? []) + form.texts(TypedReport.prefix + field.id + ".kept").compactMap { Self.part($0, field.id) }
            for part in sent.prefix(Self.partCountMax) {
                do throws(UploadFault) { taken[field.id, default: []].append(try await attachment(part, field)) } catch { faults[field.id] = error.text }
            }
        }
        return (taken, faults)
    }

    private static let partCountMax = 20
    private struct UploadFault: Error { let text: String }

    /// A photo or file that the page kept: it is looked at anew, for it was elsewhere meanwhile.
    private static func part(_ kept: String, _ field: String) -> MultipartForm.Part? {
        let parts = kept.split(separator: ";", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64Text.decode(String(parts[2])) else { return nil }
        return MultipartForm.Part(name: field, fileName: String(parts[1]), mediaType: String(parts[0]), bytes: bytes)
    }

    private func attachment(_ part: MultipartForm.Part, _ field: ServiceField) async throws(UploadFault) -> NewAttachment {
        if case .file(let mediaTypes, _) = field.kind { return try file(part, field, mediaTypes) }
        return try await photo(part, field.id)
    }

    private func photo(_ part: MultipartForm.Part, _ field: String) async throws(UploadFault) -> NewAttachment {
        do throws(PhotoFault) {
            let photo = try await prepare(part.bytes)
            return NewAttachment(field: field, mediaType: "image/jpeg", bytes: photo.jpeg, small: photo.thumbnail)
        } catch {
            throw UploadFault(text: language.text("report.reasons.photo.\(error.textName)"))
        }
    }

    private func file(_ part: MultipartForm.Part, _ field: ServiceField, _ mediaTypes: [String]) throws(UploadFault) -> NewAttachment {
        guard part.bytes.count <= Self.fileByteCountMax else {
            throw UploadFault(text: language.text("report.reasons.fileTooLarge", ["number": language.count(Self.fileByteCountMax / 1_000_000)]))
        }
        guard let type = FileSignature.mediaType(of: part.bytes, among: mediaTypes) else {
            throw UploadFault(text: language.text("report.reasons.fileType", ["types": mediaTypes.joined(separator: ", ")]))
        }
        let name = SaidText.cleaned(part.fileName ?? "").filter { $0 != "/" && $0 != "\\" && $0 != "\n" && $0 != "\t" }
        return NewAttachment(field: field.id, mediaType: type, name: String(name.suffix(120)), bytes: part.bytes)
    }
}

/// What a file is by its first bytes, whatever it is called.
enum FileSignature {
    private static let known: [(type: String, begins: [UInt8])] = [
        ("application/pdf", Array("%PDF-".utf8)), ("image/png", [0x89, 0x50, 0x4E, 0x47]), ("image/jpeg", [0xFF, 0xD8, 0xFF]),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", [0x50, 0x4B, 3, 4]),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", [0x50, 0x4B, 3, 4]), ("application/vnd.oasis.opendocument.text", [0x50, 0x4B, 3, 4]),
    ]

    /// One of `types` that the bytes begin as; plain text where nothing in it is none.
    static func mediaType(of bytes: [UInt8], among types: [String]) -> String? {
        for (type, begins) in known where types.contains(type) && bytes.starts(with: begins) { return type }
        let isText = !bytes.isEmpty && !bytes.contains(0) && String(validating: bytes, as: UTF8.self) != nil
        return isText ? types.first { $0 == "text/plain" || $0 == "text/csv" } : nil
    }
}

/// Base64 of RFC 4648, section 4, with padding.
enum Base64Text {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
    static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { [UInt8]($0) } }
}
