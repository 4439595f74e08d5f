internal import CPROJ

/// Converts positions of one coordinate reference system to longitude and latitude in degrees (WGS 84), by PROJ.
/// Used from one thread at a time.
final class Projection {
    /// Nil when positions are longitudes and latitudes already.
    private let transformation: OpaquePointer?
    private let context: OpaquePointer?

    /// - Parameter crs: `EPSG:` and a number, or `CRS84`.
    /// - Returns: nil when PROJ does not know it.
    init?(crs: String) {
        if ["EPSG:4326", "CRS84", "OGC:CRS84"].contains(crs) {
            (transformation, context) = (nil, nil)
            return
        }
        // Only codes: PROJ would also take pipelines that name files.
        guard crs.hasPrefix("EPSG:"), (1...6).contains(crs.utf8.count - 5),
            crs.utf8.dropFirst(5).allSatisfy({ (48...57).contains($0) }),
            let context = proj_context_create()
        else { return nil }
        proj_log_level(context, PJ_LOG_NONE)
        guard let raw = proj_create_crs_to_crs(context, crs, "EPSG:4326", nil) else {
            proj_context_destroy(context)
            return nil
        }
        // East before north on both sides, whatever order the registry prescribes.
        let normalized = proj_normalize_for_visualization(context, raw)
        proj_destroy(raw)
        guard let normalized else {
            proj_context_destroy(context)
            return nil
        }
        (transformation, self.context) = (normalized, context)
    }

    deinit {
        if let transformation { proj_destroy(transformation) }
        if let context { proj_context_destroy(context) }
    }

    var isIdentity: Bool { transformation == nil }

    /// Longitude and latitude of a position, rounded to seven decimals (about a centimetre) unless they were given.
    /// Nil when the position lies outside what the system can express.
    func degrees(x: Double, y: Double) -> (longitude: Double, latitude: Double)? {
        guard let transformation else { return (x, y) }
        proj_errno_reset(transformation)
        let result = proj_trans(transformation, PJ_FWD, proj_coord(x, y, 0, .infinity))
        guard proj_errno(transformation) == 0, result.xy.x.isFinite, result.xy.y.isFinite else { return nil }
        return (Self.rounded(result.xy.x), Self.rounded(result.xy.y))
    }

    private static func rounded(_ degrees: Double) -> Double { (degrees * 1e7).rounded() / 1e7 }
}
