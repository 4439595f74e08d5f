internal import CityModel
internal import HTTPTypes
internal import Broker
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Testing
@testable internal import Site

@Suite struct AssetTests {
    @Test(arguments: [
        ("js/map-page.js", "text/javascript; charset=utf-8"), ("css/map.css", "text/css; charset=utf-8"), ("icon.svg", "image/svg+xml"),
    ])
    func `a file is served with its type and for good`(path: String, type: String) async throws {
        let installation = try Installation()
        let (response, body) = try await installation.get("\(installation.door.assets.base)/\(path)")
        #expect(response.headers[.contentType] == type)
        #expect(response.headers[.cacheControl] == "public, max-age=31536000, immutable")
        #expect(response.headers[.contentEncoding] == nil)
        #expect(body == SiteFiles.bytes(path))
        let tag = try #require(response.headers[.eTag])
        #expect(try await installation.get("\(installation.door.assets.base)/\(path)", [.ifNoneMatch: tag]).response.status == .notModified)
    }

    @Test func `text is sent gzipped to who accepts it`() async throws {
        let installation = try Installation()
        let path = "\(installation.door.assets.base)/js/map-page.js"
        let (response, body) = try await installation.get(path, [.acceptEncoding: "br, gzip;q=0.8"])
        #expect(response.headers[.contentEncoding] == "gzip")
        #expect(body.starts(with: [0x1F, 0x8B]))
        #expect(body.count < (SiteFiles.bytes("js/map-page.js")?.count ?? 0) / 2)
        #expect(try await installation.get(path, [.acceptEncoding: "gzip;q=0"]).response.headers[.contentEncoding] == nil)
    }

    @Test func `an old version is not kept`() async throws {
        let installation = try Installation()
        #expect(try await installation.get("/assets/0123456789abcdef/css/base.css").response.headers[.cacheControl] == "no-cache")
    }

    @Test(arguments: ["map.mustache", "text/en.json", "js/nothing.js", "leaflet/leaflet.js"])
    func `templates, texts and unknown files are not served`(path: String) async throws {
        let installation = try Installation()
        await #expect(throws: CityError.self) { try await installation.get("\(installation.door.assets.base)/\(path)") }
    }
}
