internal import CityModel
internal import Crypto
internal import Door
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Synchronization

/// Scripts, styles and Leaflet, read once at start, and each compressed when it is first asked for. Their address holds a hash of their contents, so that
/// they can be kept for good by whoever has them.
struct Assets: Sendable {
    final class File: Sendable {
        let type: String
        let bytes: ByteBuffer
        private let known = Mutex<ByteBuffer??>(nil)

        init(_ path: String, _ bytes: [UInt8]) { (type, self.bytes) = (SiteFiles.mediaType(path), ByteBuffer(bytes: bytes)) }

        /// Compressed; nil where that would hardly make it smaller.
        var packed: ByteBuffer? {
            known.withLock { known in
                if let known { return known }
                let isWorthIt = type != "image/png" && bytes.readableBytes >= Gzip.byteCountMin
                let packed = isWorthIt ? Gzip.compress(Array(bytes.readableBytesView), level: 9).map { ByteBuffer(bytes: $0) } : nil
                known = .some(packed)
                return packed
            }
        }
    }

    /// A hash of all contents.
    let version: String
    private let files: [String: File]

    /// Leaflet's own files that the pages use.
    private static let leafletPaths = [
        "leaflet.esm.min.js", "leaflet.css", "images/layers.png", "images/layers-2x.png", "images/marker-icon.png",
        "images/marker-icon-2x.png", "images/marker-shadow.png",
    ]

    /// - Parameter leafletDirectory: files that are not there are not served; the pages but the map work without.
    init(leafletDirectory: String) {
        var contents: [(path: String, bytes: [UInt8])] = SiteFiles.paths
            .filter { $0.hasPrefix("css/") || $0.hasPrefix("js/") || $0 == "icon.svg" }
            .compactMap { path in SiteFiles.bytes(path).map { (path, $0) } }
        let leaflet = URL(filePath: leafletDirectory, directoryHint: .isDirectory)
        for path in Self.leafletPaths {
            guard let data = try? Data(contentsOf: leaflet.appending(path: path)) else { continue }
            contents.append(("leaflet/" + path, Array(data)))
        }
        var hash = SHA256()
        var files: [String: File] = [:]
        for (path, bytes) in contents {
            hash.update(data: Array("\(path) \(bytes.count)\n".utf8))
            hash.update(data: bytes)
            files[path] = File(path, bytes)
        }
        self.files = files
        version = hash.finalize().prefix(8).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }

    /// The address that paths within the assets follow.
    var base: String { "/assets/\(version)" }

    subscript(path: String) -> File? { files[path] }

    /// The modules of the map's scripts without the one that it begins with, for preloading.
    static let modules: [String] = SiteFiles.paths.filter { $0.hasPrefix("js/") }
        .map { String($0.dropFirst(3).dropLast(3)) }
        .filter { !["map-page", "table-page", "text-page"].contains($0) && !$0.hasPrefix("explore-") }
}

extension SiteDoor {
    var assetRoutes: [Route] {
        let file = Route.Answer(200, "The file", mediaTypes: ["text/css", "text/javascript", "image/svg+xml", "image/png"])
        let parameters: [Route.Parameter] = [.init("version", in: .path, "A hash of the contents"), .init("file", in: .path, "The file's name")]
        let folder = Route.Parameter("folder", in: .path, "css, js or leaflet")
        return [
            Route(.get, "/assets/{version}/{file}", "A file of the pages", tag: Self.pagesTag, parameters: parameters, responses: [file]) {
                try asset([try $0.pathParameter("file")], $0)
            },
            Route(
                .get, "/assets/{version}/{folder}/{file}", "A file of the pages", tag: Self.pagesTag, parameters: parameters + [folder],
                responses: [file]
            ) { try asset([try $0.pathParameter("folder"), try $0.pathParameter("file")], $0) },
            Route(
                .get, "/assets/{version}/{folder}/images/{file}", "A file of the pages", tag: Self.pagesTag,
                parameters: parameters + [folder], responses: [file]
            ) { try asset([try $0.pathParameter("folder"), "images", try $0.pathParameter("file")], $0) },
            schemaRoute("schemas/policy.json", "The JSON Schema of policies, purposes and tests of policies"),
            schemaRoute("schemas/service.json", "The JSON Schema of digital services"),
            schemaRoute("schemas/source.json", "The JSON Schema of source definitions"),
        ]
    }

    private func schemaRoute(_ path: String, _ summary: String) -> Route {
        Route(
            .get, "/\(path)", summary, tag: Self.pagesTag,
            responses: [.init(200, "The schema", mediaTypes: ["application/schema+json"], schema: ["type": "object"])]
        ) { Answers.body(SiteFiles.bytes(path) ?? [], type: "application/schema+json", $0, headers: [.cacheControl: "max-age=3600"]) }
    }

    /// An old version answers with what there is now, which nobody may keep: a page that was open during an upgrade works on.
    private func asset(_ path: [String], _ request: DoorRequest) throws -> Response {
        guard let file = assets[path.joined(separator: "/")] else {
            throw CityError.resourceNotFound("there is no file \(path.joined(separator: "/"))")
        }
        let isCurrent = try request.pathParameter("version") == assets.version
        let tag = "\"\(assets.version)\""
        var headers: HTTPFields = [
            .contentType: file.type, .xContentTypeOptions: "nosniff", .vary: "Accept-Encoding", .eTag: tag,
            .cacheControl: isCurrent ? "public, max-age=31536000, immutable" : "no-cache",
        ]
        if request.headers[.ifNoneMatch].map({ $0.contains(tag) }) ?? false {
            return Response(status: .notModified, headers: headers)
        }
        guard Gzip.isAccepted(request.headers), let packed = file.packed else {
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: file.bytes))
        }
        headers[.contentEncoding] = "gzip"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: packed))
    }
}
