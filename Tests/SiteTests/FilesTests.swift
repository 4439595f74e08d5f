internal import Foundation
internal import Broker
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Testing
@testable internal import Site

@Suite struct FilesTests {
    @Test func `every file of the pages is part of the program, as it is`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/Site/Resources", directoryHint: .isDirectory)
        let walker = try #require(FileManager.default.enumerator(atPath: folder.path))
        var paths: [String] = []
        while let path = walker.nextObject() as? String {
            let url = folder.appending(path: path)
            guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
            paths.append(path)
            #expect(SiteFiles.bytes(path) == Array(try Data(contentsOf: url)), "\(path)")
        }
        #expect(paths.count > 30)
        let schemas = ["policy", "service", "source"]
        #expect(SiteFiles.paths == (paths + schemas.map { "schemas/\($0).json" }).sorted())
        for name in schemas {
            let schema = try Data(contentsOf: folder.appending(path: "../../../docs/schemas/\(name).schema.json").standardized)
            #expect(SiteFiles.bytes("schemas/\(name).json") == Array(schema))
        }
    }

    @Test(arguments: [
        ("css/base.css", "text/css; charset=utf-8"), ("js/map-page.js", "text/javascript; charset=utf-8"), ("icon.svg", "image/svg+xml"),
        ("leaflet/images/layers.png", "image/png"), ("text/en.json", "application/json"),
    ])
    func `a file has the media type of its ending`(path: String, type: String) {
        #expect(SiteFiles.mediaType(path) == type)
    }
}
