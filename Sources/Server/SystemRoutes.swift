internal import CityModel
internal import Door
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Store

/// What operators and their tools ask: is it alive, is it ready, how busy is it, what can it do.
struct SystemDoor: Sendable {
    let store: Store
    let metrics: ServerMetrics
    let isReady: @Sendable () -> Bool
    let waitingEndpointCount: @Sendable () -> Int
    let passedOverCount: @Sendable () -> Int

    private static let tag = "Operation"

    var routes: [Route] {
        [
            Route(
                .get, "/health", "Whether the process lives", tag: Self.tag, responses: [.init(200, "It does", mediaTypes: ["application/json"])]
            ) { _ in Self.json(["status": "alive"]) },
            Route(
                .get, "/ready", "Whether requests are served", tag: Self.tag,
                responses: [.init(200, "They are", mediaTypes: ["application/json"]), .init(503, "Not yet, or not any more")], handler: ready),
            Route(
                .get, "/metrics", "Figures for Prometheus", tag: Self.tag, responses: [.init(200, "Figures", mediaTypes: ["text/plain"])],
                handler: figures),
            Route(
                .get, "/version", "The program's version", tag: Self.tag,
                responses: [.init(200, "The version", mediaTypes: ["application/json"])]
            ) { _ in Self.json(["name": "conurb", "version": .string(Version.current), "ngsi-ld": "1.9.1"]) },
        ]
    }

    private func ready(_ request: DoorRequest) throws -> Response {
        guard isReady() else { throw Problem.own("not-ready", "Not ready", status: 503, nil) }
        return Self.json(["status": "ready"])
    }

    private func figures(_ request: DoorRequest) throws -> Response {
        let text = metrics.text(gauges: [
            ("conurb_municipalities", "Municipalities of the installation.", try store.municipalities().count),
            ("conurb_open_files", "Municipalities whose files are open.", store.openFileCount),
            ("conurb_notified_endpoints_waiting", "Endpoints that notifications wait for.", waitingEndpointCount()),
            ("conurb_notifications_passed_over", "Changes, subscriptions and registrations that were left out, for they could not be read.", passedOverCount()),
            ("process_resident_memory_bytes", "Resident memory size in bytes.", Self.residentByteCount),
        ])
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"], body: .init(byteBuffer: .init(string: text)))
    }

    private static var residentByteCount: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    static func json(_ value: JSON) -> Response {
        Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: .init(string: value.description)))
    }
}

/// The program's version.
package enum Version {
    package static let current = "0.1.0"
}
