internal import CSiteFiles

/// The files of `Resources` and the published schemas, which are part of the program (target `CSiteFiles`).
enum SiteFiles {
    private static let all: [String: [UInt8]] = {
        var files: [String: [UInt8]] = [:]
        for index in 0..<conurb_site_file_count() {
            let file = conurb_site_file_at(index)
            guard let path = file.path, let bytes = file.bytes else { continue }
            files[String(cString: path)] = Array(UnsafeBufferPointer(start: bytes, count: file.count))
        }
        return files
    }()

    /// In order of their names.
    static var paths: [String] { all.keys.sorted() }

    /// - Parameter path: within `Resources`, such as `js/dom.js`, or `schemas/source.json`.
    static func bytes(_ path: String) -> [UInt8]? { all[path] }

    static func text(_ path: String) -> String? { bytes(path).map { String(decoding: $0, as: UTF8.self) } }

    /// The media type that a file's ending stands for.
    static func mediaType(_ path: String) -> String {
        switch path.split(separator: ".").last {
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        case "json", "map": "application/json"
        case "png": "image/png"
        default: "application/octet-stream"
        }
    }
}
