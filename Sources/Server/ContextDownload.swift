internal import AsyncHTTPClient
internal import CityModel
internal import NIOHTTP1
internal import Foundation
internal import NIOCore

/// Fetches JSON-LD context documents. Bounded in time and size, and kept away from private addresses unless allowed.
struct ContextDownload: Sendable {
    let client: HTTPClient
    let egress: EgressPolicy

    private static let byteCountMax = 4 << 20
    private static let timeout: TimeAmount = .seconds(5)
    private static let redirectCountMax = 3

    func fetch(_ url: String) async throws -> JSON {
        var url = url
        for _ in 0...Self.redirectCountMax {
            try await egress.check(url)
            var request = HTTPClientRequest(url: url)
            request.headers.add(name: "Accept", value: "application/ld+json, application/json;q=0.9")
            let response = try await client.execute(request, timeout: Self.timeout)
            if (301...308).contains(response.status.code), let location = response.headers.first(name: "Location"),
                let target = URL(string: location, relativeTo: URL(string: url))
            {
                url = target.absoluteString
                continue
            }
            guard response.status == .ok else { throw CityError.contextNotAvailable("\(url) answers \(response.status.code)") }
            let body = try await response.body.collect(upTo: Self.byteCountMax)
            do { return try JSON(parsing: body.readableBytesView) } catch {
                throw CityError.badRequestData("@context: \(url) is not JSON")
            }
        }
        throw CityError.contextNotAvailable("\(url): too many redirections")
    }
}
