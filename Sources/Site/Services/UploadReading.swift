internal import Cases
internal import CityModel
internal import Door
internal import Foundation
internal import Photos
internal import Services

/// Photos and files of a form, made safe or refused with what is wrong.
struct UploadReading {
    let prepare: @Sendable ([UInt8]) async throws(PhotoFault) -> (jpeg: [UInt8], thumbnail: [UInt8])
    let desk: CaseDesk
    let language: Language

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
        if case .file = field.kind { return try await file(part, field) }
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

    private func file(_ part: MultipartForm.Part, _ field: ServiceField) async throws(UploadFault) -> NewAttachment {
        do throws(SentFileFault) { return try await desk.file(part.bytes, called: part.fileName ?? "", for: field) } catch {
            throw UploadFault(text: words(error))
        }
    }

    private func words(_ fault: SentFileFault) -> String {
        switch fault {
        case .tooLarge(let byteCountMax): language.text("report.reasons.fileTooLarge", ["number": language.count(byteCountMax / 1_000_000)])
        case .wrongType(let types): language.text("report.reasons.fileType", ["types": types.joined(separator: ", ")])
        case .harmful(let found): language.text("report.reasons.fileHarmful", ["name": String(found.prefix(100))])
        case .notScanned: language.text("report.reasons.fileNotScanned")
        }
    }
}

/// Base64 of RFC 4648, section 4, with padding.
enum Base64Text {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
    static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { [UInt8]($0) } }
}
