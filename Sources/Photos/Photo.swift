/// What a picture that comes from outside may be.
package struct PhotoLimits: Hashable, Sendable {
    package var byteCountMax = 20_000_000
    /// Of the picture as it comes. Decoding takes up to twelve bytes for each while it lasts.
    package var pixelCountMax = 50_000_000
    /// The longer side of the picture as it is kept.
    package var sideMax = 1600

    package init() {}

    fileprivate func check(width: Int, height: Int) throws(PhotoFault) {
        // Sides have at most 31 bits, so the product has room.
        guard width * height <= pixelCountMax else { throw .tooManyPixels(width: width, height: height, pixelCountMax: pixelCountMax) }
    }
}

/// A picture that may be kept and shown: a JPEG that this program encoded itself from pixels, upright, of bounded size, with nothing in it but the picture.
package struct Photo: Hashable, Sendable {
    package let jpeg: [UInt8]
    package let width: Int
    package let height: Int

    private static let quality = 85

    /// Takes a picture apart and makes it anew. Its kind and size are read from its first bytes; only what passed the limits is decoded.
    ///
    /// It computes for up to some seconds and takes memory as `PhotoLimits` says: callers that serve others go through `PhotoWorkshop`.
    package static func prepared(from bytes: [UInt8], limits: PhotoLimits = PhotoLimits()) throws(PhotoFault) -> Photo {
        guard bytes.count <= limits.byteCountMax else { throw .tooManyBytes(byteCount: bytes.count, byteCountMax: limits.byteCountMax) }
        let kind = try PhotoKind(signatureOf: bytes)
        guard let (raster, orientation) = try decode(bytes, kind, limits), let photo = Photo(raster, orientation, sideMax: limits.sideMax) else {
            throw .damaged(kind)
        }
        return photo
    }

    /// The same picture with no side longer than `sideMax`, and at least one pixel each.
    package func thumbnail(sideMax: Int) throws(PhotoFault) -> Photo {
        guard let raster = Raster.decode(jpeg: jpeg), let photo = Photo(raster, .upright, sideMax: max(1, sideMax)) else { throw .damaged(.jpeg) }
        return photo
    }

    private static func decode(_ bytes: [UInt8], _ kind: PhotoKind, _ limits: PhotoLimits) throws(PhotoFault) -> (Raster, Orientation)? {
        switch kind {
        case .jpeg:
            let file = try JPEGFile(bytes)
            try limits.check(width: file.width, height: file.height)
            return Raster.decode(jpeg: file.picture).map { ($0, file.orientation) }
        case .png:
            let file = try PNGFile(bytes)
            try limits.check(width: file.width, height: file.height)
            return Raster.decode(png: file.picture).map { ($0, .upright) }
        case .webp:
            let file = try WebPFile(bytes)
            try limits.check(width: file.width, height: file.height)
            return Raster.decode(webp: file.picture).map { ($0, .upright) }
        }
    }

    /// Made smaller before it is turned: then there is less to turn.
    private init?(_ raster: Raster, _ orientation: Orientation, sideMax: Int) {
        guard let upright = raster.fitting(sideMax: sideMax)?.turned(orientation), let encoded = upright.jpeg(quality: Self.quality) else { return nil }
        // GD leaves a comment with its name.
        guard let file = try? JPEGFile(encoded) else { return nil }
        (jpeg, width, height) = (file.picture, upright.width, upright.height)
    }
}
