internal import CityModel
package import Services

/// Why a file that somebody sends is not taken.
package enum SentFileFault: Error, Hashable, Sendable {
    case tooLarge(byteCountMax: Int)
    /// By its first bytes it is none of these.
    case wrongType([String])
    /// What was found in it, as the scanner calls it.
    case harmful(String)
    /// Whether it is harmful nobody can say at the moment.
    case notScanned
}

/// What somebody who looks at files says of one.
package enum FileVerdict: Hashable, Sendable {
    case clean
    case harmful(String)
    case unknown
}

package typealias FileScan = @Sendable (_ bytes: [UInt8]) async -> FileVerdict

/// Files of residents that are no photos: a file is what its first bytes say, whatever it is called.
extension CaseDesk {
    /// - Parameter name: as whoever sends it calls it.
    package func file(_ bytes: [UInt8], called name: String, for field: ServiceField) async throws(SentFileFault) -> NewAttachment {
        guard case .file(let mediaTypes, _) = field.kind else { throw .wrongType([]) }
        guard bytes.count <= limits.fileByteCountMax else { throw .tooLarge(byteCountMax: limits.fileByteCountMax) }
        guard let type = FileSignature.mediaType(of: bytes, among: mediaTypes) else { throw .wrongType(mediaTypes) }
        // What nobody has looked at is not kept, not even for later: staff open what residents send.
        switch await scan?(bytes) ?? .clean {
        case .clean: break
        case .harmful(let found): throw .harmful(found)
        case .unknown: throw .notScanned
        }
        let name = SaidText.cleaned(name).filter { $0 != "/" && $0 != "\\" && $0 != "\n" && $0 != "\t" }
        return NewAttachment(field: field.id, mediaType: type, name: String(name.suffix(120)), bytes: bytes)
    }
}

/// What a file is by its first bytes.
enum FileSignature {
    private static let known: [(type: String, begins: [UInt8])] = [
        ("application/pdf", Array("%PDF-".utf8)), ("image/png", [0x89, 0x50, 0x4E, 0x47]), ("image/jpeg", [0xFF, 0xD8, 0xFF]),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", [0x50, 0x4B, 3, 4]),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", [0x50, 0x4B, 3, 4]), ("application/vnd.oasis.opendocument.text", [0x50, 0x4B, 3, 4]),
        ("application/vnd.oasis.opendocument.spreadsheet", [0x50, 0x4B, 3, 4]),
    ]

    /// One of `types` that the bytes begin as; plain text where nothing in it is none.
    static func mediaType(of bytes: [UInt8], among types: [String]) -> String? {
        for (type, begins) in known where types.contains(type) && bytes.starts(with: begins) { return type }
        let isText = !bytes.isEmpty && !bytes.contains(0) && String(validating: bytes, as: UTF8.self) != nil
        return isText ? types.first { $0 == "text/plain" || $0 == "text/csv" } : nil
    }
}
