/// Why a picture was not taken. The descriptions are English sentences for logs and tools; pages have their own words.
package enum PhotoFault: Error, Hashable, Sendable {
    /// There are no bytes: most often nothing was chosen.
    case empty
    /// The file is larger than is taken. A smaller copy of the picture is.
    case tooManyBytes(byteCount: Int, byteCountMax: Int)
    /// The picture says of itself that it has more pixels than are decoded. Nothing of it was decoded.
    case tooManyPixels(width: Int, height: Int, pixelCountMax: Int)
    /// The bytes do not begin like any picture that is taken, whatever the file is called.
    case unknownKind
    /// A HEIC, HEIF or AVIF picture, as phones make them. The phone can be told to send JPEG.
    case heic
    /// Several pictures that move. A still one is taken.
    case moving
    /// It begins like a picture of this kind and can't be read to its end: cut off, changed on its way, or made to do harm.
    case damaged(PhotoKind)
    /// As many pictures as may wait already do. The same one is taken later.
    case busy
}

extension PhotoFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "The file is empty."
        case .tooManyBytes(let byteCount, let byteCountMax): "The picture has \(byteCount) bytes; at most \(byteCountMax) are taken."
        case .tooManyPixels(let width, let height, let pixelCountMax): "The picture has \(width) × \(height) pixels; at most \(pixelCountMax) are taken."
        case .unknownKind: "The file is no picture of a kind that is taken. \(Self.taken)"
        case .heic: "HEIC pictures can't be read. \(Self.taken) A phone makes JPEG when its camera is set to the most compatible format."
        case .moving: "Moving pictures are not taken, only still ones."
        case .damaged(let kind): "The \(kind.rawValue) picture is damaged or not complete."
        case .busy: "Too many pictures are being prepared at this moment."
        }
    }

    private static let taken = PhotoKind.allCases.map(\.rawValue).joined(separator: ", ") + " are taken."
}
