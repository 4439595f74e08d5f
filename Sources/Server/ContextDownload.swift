internal import AsyncHTTPClient
internal import Broker
internal import CityModel
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// Fetches JSON-LD context documents. Bounded in time and size, and kept away from private addresses unless allowed.
struct ContextDownload: Sendable {
    let client: HTTPClient
    let egress: EgressPolicy

    private static let byteCountMax = 4 << 20
    /// For the whole of a document, redirections and body included.
    private static let secondsMax = 5
    private static let redirectCountMax = 3

    func fetch(_ url: String) async throws -> DownloadedContext {
        // The client's own timeout ends with the head of an answer; a body that comes byte by byte would go on for ever.
        try await withThrowingTaskGroup(of: DownloadedContext.self) { group in
            group.addTask { try await follow(url) }
            group.addTask {
                try await Task.sleep(for: .seconds(Self.secondsMax))
                throw CityError.contextNotAvailable("\(url) was not had within \(Self.secondsMax) s")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    private func follow(_ url: String) async throws -> DownloadedContext {
        var url = url
        for _ in 0...Self.redirectCountMax {
            try await egress.check(url)
            var request = HTTPClientRequest(url: url)
            request.headers.add(name: "Accept", value: "application/ld+json, application/json;q=0.9")
            let response = try await client.execute(request, timeout: .seconds(Int64(Self.secondsMax)))
            if let target = Self.target(of: response, from: url) {
                url = target
                continue
            }
            guard response.status == .ok else { throw CityError.contextNotAvailable("\(url) answers \(response.status.code)") }
            let body = try await response.body.collect(upTo: Self.byteCountMax)
            let document: JSON
            do { document = try JSON(parsing: body.readableBytesView) } catch {
                throw CityError.badRequestData("@context: \(url) is not JSON")
            }
            return DownloadedContext(document: document, lifetimeSeconds: ContextLifetime.seconds(response.headers))
        }
        throw CityError.contextNotAvailable("\(url): too many redirections")
    }

    /// Where the document is instead: a redirection, or what a page that is no JSON names as its JSON-LD (JSON-LD 1.1 API,
    /// LoadDocumentCallback), as schema.org's does.
    private static func target(of response: HTTPClientResponse, from url: String) -> String? {
        var reference: String?
        if (301...308).contains(response.status.code) {
            reference = response.headers.first(name: "Location")
        } else if let type = response.headers.first(name: "Content-Type"), !type.contains("json") {
            reference = response.headers[canonicalForm: "Link"].map(String.init).lazy.compactMap(alternate).first
        }
        return reference.flatMap { URL(string: $0, relativeTo: URL(string: url)) }?.absoluteString
    }

    private static func alternate(_ link: String) -> String? {
        guard link.contains("alternate"), link.contains("application/ld+json"), let start = link.firstIndex(of: "<"),
            let end = link[start...].firstIndex(of: ">")
        else { return nil }
        return String(link[link.index(after: start)..<end])
    }
}

/// How long a downloaded document may be used (clause 6.3.16; RFC 9111, 4.2.1, for a cache that many share).
enum ContextLifetime {
    /// Nil where the origin does not say.
    static func seconds(_ headers: HTTPHeaders) -> Double? {
        let age = headers.first(name: "Age").flatMap(Double.init) ?? 0
        let directives = headers[canonicalForm: "Cache-Control"].map { $0.lowercased() }
        if directives.contains("no-store") || directives.contains("no-cache") { return 0 }
        for name in ["s-maxage=", "max-age="] {
            guard let directive = directives.first(where: { $0.hasPrefix(name) }) else { continue }
            let text = directive.dropFirst(name.count).trimmingCharacters(in: ["\""])
            return max(0, (Double(text) ?? 0) - age)
        }
        guard let expires = headers.first(name: "Expires") else { return nil }
        // What is no date, such as 0, is in the past (RFC 9111, 5.3).
        guard let expiry = date(expires) else { return 0 }
        let sent = headers.first(name: "Date").flatMap(date) ?? Date()
        return max(0, expiry.timeIntervalSince(sent) - age)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
    private static func date(_ text: String) -> Date? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.date(from: text)
    }
}
