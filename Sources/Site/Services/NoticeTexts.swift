package import Cases
package import Photos

/// The words of notices, of the language files.
extension SiteDoor {
    package var noticeNames: NoticeNames {
        let (languages, site) = (languages, configuration.name)
        @Sendable func text(_ path: String, _ code: String) -> String { (languages[code] ?? languages.fallback).text(path) }
        return NoticeNames(
            municipality: { _ in site }, subject: { text("notice.\($0).subject", $1) }, text: { text("notice.\($0).text", $1) },
            footer: { text("notice.footer", $0) }, step: { text("case.steps.\($0)", $1) })
    }

    /// A photo that somebody sent, made safe, and the picture of it for lists. Pictures are prepared one after the other, whichever way they came in.
    package func prepare(photo bytes: [UInt8]) async throws(PhotoFault) -> (jpeg: [UInt8], thumbnail: [UInt8]) {
        let photo = try await workshop.prepare(bytes)
        return (photo.jpeg, try await workshop.run { () throws(PhotoFault) in try photo.thumbnail(sideMax: UploadReading.smallSide) }.jpeg)
    }
}
