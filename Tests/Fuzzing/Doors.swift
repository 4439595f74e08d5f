import CityModel
import Door
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Server
import Store
import Synchronization
import Trust

/// Whole requests, as far as a door sees them: `GET /path?query` or `17 value ...?query` for the route of that number with values for what stands in its path,
/// then header fields, an empty line and the body. What is answered is no 5xx and no error that nobody knows.
extension FuzzEntry {
    static let doors = FuzzEntry(
        "door",
        tokens: [
            "GET ", "POST ", "PATCH ", "/ngsi-ld/v1/entities", "/open311/v2/requests.json", "/history", "/live/", "/data/", "?type=T", "&q=", "&attrs=", "&limit=", "&offset=", "&count=true",
            "&georel=near;maxDistance==10&geometry=Point&coordinates=[3,43]", "&timerel=between&timeAt=", "&options=", "&lang=", "&lastN=", "&aggrMethods=avg&aggrPeriodDuration=PT1H",
            "&every=PT1H&from=2026-01-01&until=2026-02-01", "&orderBy=", "&page=", "&bbox=", "&zoom=", "&municipality=alder", "&service_code=", "&start_date=", "&status=open", "&format=",
            "Content-Type: application/ld+json\n", "Content-Type: application/x-www-form-urlencoded\n", "Content-Type: multipart/form-data; boundary=b\n", "Accept: text/csv\n", "Accept-Language: ",
            "Prefer: ngsi-ld=1.5\n", "NGSILD-Tenant: alder\n", "Cookie: lang=fr; theme=dark\n", "If-None-Match: ", "Range: bytes=0-9\n", "Last-Event-ID: ", "\n\n", "{\"type\": \"Query\"}",
        ]
    ) { bytes in
        guard let server, let asked = AskedRequest(bytes, server.table) else { return }
        let broken = Mutex<String?>(nil)
        blocking {
            do {
                let response = try await asked.route.handler(asked.request)
                try await response.body.write(Sink())
                if response.status.code >= 500, response.status.code != 503 { broken.withLock { $0 = "\(asked.route.path) answers \(response.status)" } }
            } catch is Problem, is CancellationError {} catch CityError.internalFault(let detail) {
                broken.withLock { $0 = "\(asked.route.path): internal fault: \(detail)" }
            } catch is CityError {} catch StoreError.notFound, StoreError.alreadyExists {} catch {
                broken.withLock { $0 = "\(asked.route.path): \(type(of: error)): \(error)" }
            }
        }
        if let broken = broken.withLock({ $0 }) { throw Broken(broken) }
    }

    /// One that listens to nobody and sends nothing.
    private static let server: ConurbServer? = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "conurb-fuzz-\(UUID().uuidString)")
        var configuration = ServerConfiguration(dataDirectory: folder.path)
        configuration.isOpen = true
        return try? ConurbServer(configuration, logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
    }()

    private final class Sink: ResponseBodyWriter {
        func write(_ buffer: ByteBuffer) {}
        func finish(_ trailingHeaders: HTTPFields?) {}
    }
}

private struct AskedRequest {
    let route: Route
    let request: DoorRequest

    private static let now = Instant(seconds: 1_780_000_000)

    /// Nil for what is no request, and for those that go on for ever or would have something fetched.
    init?(_ bytes: [UInt8], _ table: RouteTable) {
        let whole = String(decoding: bytes, as: UTF8.self)
        guard !whole.replacing("https://uri.etsi.org/", with: "").contains("://") else { return nil }
        let end = bytes.indices.first { bytes[$0] == 10 && $0 + 1 < bytes.count && bytes[$0 + 1] == 10 } ?? bytes.count
        let head = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n"), body = ByteBuffer(bytes: bytes[min(end + 2, bytes.count)...])
        guard let first = head.first else { return nil }
        let sides = first.split(separator: "?", maxSplits: 1), words = (sides.first ?? "").split(separator: " ").map(String.init)
        guard let word = words.first, let query = try? QueryParameters(sides.count == 2 ? sides[1] : "") else { return nil }
        var (found, parameters) = (Route?.none, [String: String]())
        if let number = UInt(word) {
            let route = table.routes[Int(number % UInt(table.routes.count))]
            let names = route.parameters.filter { $0.place == .path }.map(\.name)
            for (place, name) in names.enumerated() { parameters[name] = place + 1 < words.count ? PercentEncoding.decode(words[place + 1][...]) ?? words[place + 1] : "nothing" }
            found = route
        } else if let method = HTTPRequest.Method(rawValue: word), words.count > 1, case .route(let route, let values) = table.match(method, words[1][...]) {
            (found, parameters) = (route, values)
        }
        guard let route = found, route.path != "/live/events", !route.path.hasPrefix("/municipalities") else { return nil }
        var headers = HTTPFields()
        for line in head.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let name = HTTPField.Name(String(parts[0])) else { continue }
            headers.append(HTTPField(name: name, value: parts[1].trimmingCharacters(in: .whitespaces)))
        }
        self.route = route
        request = DoorRequest(
            method: route.method, path: route.path, headers: headers, authority: "city.example", query: query, pathParameters: parameters, credential: .none, now: Self.now,
            content: route.body?.isStreamed ?? false ? .stream(RequestBody(buffer: body)) : .collected(body), logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
    }
}
