import CityModel
import Door
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OrderedCollections
@testable import Server
import Store
import Testing
import Trust

/// `/openapi.json` as the server answers it, against the table that the server routes by.
@Suite struct DescriptionTests {
    /// What a test needs of a server that listens to nobody.
    private func withServer(_ body: (RouteTable, JSON) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "conurb-server-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let server = try ConurbServer(ServerConfiguration(dataDirectory: folder.path), logger: Logger(label: "test"))
        do {
            try await body(server.table, try await Self.document(server.table))
        } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }

    private static func document(_ table: RouteTable) async throws -> JSON {
        guard case .route(let route, _) = table.match(.get, "/openapi.json") else { throw CityError.resourceNotFound("openapi.json") }
        let request = DoorRequest(
            method: .get, path: route.path, headers: [:], authority: nil, query: try QueryParameters(""), pathParameters: [:], credential: .none,
            now: .now, content: .collected(ByteBuffer()), logger: Logger(label: "test"))
        let sink = Sink()
        try await (try await route.handler(request)).body.write(sink)
        return try JSON(parsing: Array(sink.buffer.readableBytesView))
    }

    private final class Sink: ResponseBodyWriter {
        var buffer = ByteBuffer()
        func write(_ buffer: ByteBuffer) { self.buffer.writeImmutableBuffer(buffer) }
        func finish(_ trailingHeaders: HTTPFields?) {}
    }

    @Test func `every route that is served is described with its parameters, bodies, answers and errors`() async throws {
        try await withServer { table, document in
            #expect(table.routes.count > 50)
            for route in table.routes {
                let name: Comment = "\(route.method) \(route.path)"
                let operation = try #require(document["paths"]?[route.path]?[route.method.rawValue.lowercased()], name)
                let described = (operation["parameters"]?.arrayValue ?? []).map { "\($0["in"]?.stringValue ?? "") \($0["name"]?.stringValue ?? "")" }
                #expect(described == route.parameters.map { "\($0.place.rawValue) \($0.name)" }, name)
                let mediaTypes = operation["requestBody"]?["content"]?.objectValue.map { Set($0.keys) }
                #expect(mediaTypes == route.body.map { Set($0.mediaTypes) }, name)
                let statuses = Set(operation["responses"]?.objectValue?.keys ?? [])
                #expect(statuses.isSuperset(of: route.responses.map { String($0.status) }), name)
                #expect(statuses.contains("401") && statuses.contains("default"), name)
                if route.body != nil { #expect(statuses.contains("415"), name) }
                if !route.parameters.isEmpty { #expect(statuses.contains("400") || route.parameters.allSatisfy { $0.place == .header }, name) }
            }
        }
    }

    @Test func `no operation is described that is not served, and none twice`() async throws {
        try await withServer { table, document in
            let served = table.routes.map { "\($0.method.rawValue.lowercased()) \($0.path)" }
            #expect(Set(served).count == served.count, "of two routes with the same method and path the second is never reached")
            let described = (document["paths"]?.objectValue ?? [:]).flatMap { path, operations in
                (operations.objectValue ?? [:]).keys.map { "\($0) \(path)" }
            }
            #expect(Set(described) == Set(served))
        }
    }

    @Test func `pages for terminals are described as saying what is wrong in text too, and what has no length as saying nothing`() async throws {
        try await withServer { table, document in
            for route in table.routes {
                let responses = document["paths"]?[route.path]?[route.method.rawValue.lowercased()]?["responses"]
                let types = Set(responses?["401"]?["content"]?.objectValue?.keys.elements ?? [])
                #expect(types == Set(["application/problem+json"]).union(route.path.hasPrefix("/text") ? ["text/plain"] : []), "\(route.path)")
                #expect(responses?["411"]?["content"] == nil)
            }
        }
    }

    @Test func `every parameter in a path is described`() async throws {
        try await withServer { table, _ in
            for route in table.routes {
                let inPath = route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
                #expect(Set(inPath) == Set(route.parameters.filter { $0.place == .path }.map(\.name)), "\(route.method) \(route.path)")
            }
        }
    }
}
