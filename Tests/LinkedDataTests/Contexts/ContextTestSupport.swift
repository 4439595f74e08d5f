import CityModel
import Foundation
import LinkedData
import OrderedCollections
import Testing

/// Remote documents that do not exist anywhere but here. Counts how often each is loaded.
actor DocumentShelf {
    struct NotFound: Error {}

    private var documents: [String: JSON]
    private(set) var loadCounts: [String: Int] = [:]

    init(_ documents: [String: JSON] = [:]) { self.documents = documents }

    func document(at url: String) throws -> JSON {
        loadCounts[url, default: 0] += 1
        guard let document = documents[url] else { throw NotFound() }
        return document
    }

    func put(_ document: JSON, at url: String) { documents[url] = document }
}

extension ContextResolver {
    /// A resolver that finds `documents` and nothing else.
    static func finding(_ documents: [String: JSON] = [:], limits: ContextLimits = .init()) -> ContextResolver {
        ContextResolver(limits: limits) { url in
            guard let document = documents[url] else { throw DocumentShelf.NotFound() }
            return document
        }
    }
}

/// The context that `text`, the JSON of a `@context` value, describes.
func context(_ text: String, documents: [String: JSON] = [:], limits: ContextLimits = .init()) async throws -> Context {
    try await ContextResolver.finding(documents, limits: limits).resolve(JSON(parsing: text))
}

/// Files beside the project that only some machines have.
enum SharedData {
    static let directory = "../shared/data"
    static let hasCoreContexts = isThere("ngsi-ld-core-contexts")
    static let hasSmartDataModels = isThere("ngsi-ld-smart-data-models/_contexts")

    static func json(_ path: String) throws -> JSON {
        let bytes = try #require(FileManager.default.contents(atPath: "\(directory)/\(path)"), "no \(path)")
        return try JSON(parsing: bytes)
    }

    private static func isThere(_ path: String) -> Bool {
        let isThere = FileManager.default.fileExists(atPath: "\(directory)/\(path)")
        if !isThere { print("SKIPPED: tests that read \(directory)/\(path), which is not there") }
        return isThere
    }
}
