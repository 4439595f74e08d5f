internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import Testing

struct RouteTableTests {
    private static let identifier = Route.Parameter("entityId", in: .path, "", schema: ["type": "string", "format": "uri"])
    private static let name = Route.Parameter("attrId", in: .path, "")

    private static func route(_ method: HTTPRequest.Method, _ path: String, _ parameters: [Route.Parameter] = []) -> Route {
        Route(method, path, "", tag: "", parameters: parameters, responses: []) { _ in Response(status: .ok) }
    }

    private let table = RouteTable([
        route(.get, "/v1/entities"), route(.post, "/v1/entities"), route(.get, "/v1/entities/{entityId}", [identifier]),
        route(.patch, "/v1/entities/{entityId}", [identifier]), route(.get, "/v1/entities/special"),
        route(.patch, "/v1/entities/{entityId}/attrs", [identifier]),
        route(.delete, "/v1/entities/{entityId}/attrs/{attrId}", [identifier, name]),
    ])

    /// The path of the route that is found and its parameters; nil when there is none with this method.
    private func match(_ method: HTTPRequest.Method, _ path: Substring) -> (path: String, parameters: [String: String])? {
        guard case .route(let route, let parameters) = table.match(method, path) else { return nil }
        return (route.path, parameters)
    }

    @Test(arguments: [
        (HTTPRequest.Method.get, "/v1/entities", "/v1/entities", [:]),
        (.get, "/v1/entities/", "/v1/entities", [:]),
        (.head, "/v1/entities", "/v1/entities", [:]),
        (.get, "/v1/entities/urn:x:1", "/v1/entities/{entityId}", ["entityId": "urn:x:1"]),
        (.get, "/v1/entities/urn%3Ax%3A%C3%A9", "/v1/entities/{entityId}", ["entityId": "urn:x:é"]),
        (.get, "/v1/entities/https%3A%2F%2Fa.example%2F1", "/v1/entities/{entityId}", ["entityId": "https://a.example/1"]),
        (.get, "/v1/entities/special", "/v1/entities/special", [:]),
        (.delete, "/v1/entities/urn:x:1/attrs/speed", "/v1/entities/{entityId}/attrs/{attrId}", ["entityId": "urn:x:1", "attrId": "speed"]),
    ])
    func `a path finds its route and its parameters, decoded`(
        method: HTTPRequest.Method, path: String, route: String, parameters: [String: String]
    ) throws {
        let found = try #require(match(method, path[...]))
        #expect(found.path == route)
        #expect(found.parameters == parameters)
    }

    @Test(arguments: [
        (HTTPRequest.Method.patch, "/v1/entities//attrs", "/v1/entities/{entityId}/attrs"),
        (.patch, "/v1/entities//attrs/", "/v1/entities/{entityId}/attrs"),
        (.delete, "/v1/entities//attrs/speed", "/v1/entities/{entityId}/attrs/{attrId}"),
        (.patch, "/v1/entities/", "/v1/entities/{entityId}"),
    ])
    func `a missing identifier is an empty one, which the handler can refuse`(method: HTTPRequest.Method, path: String, route: String) throws {
        let found = try #require(match(method, path[...]))
        #expect(found.path == route)
        #expect(found.parameters["entityId"] == "")
    }

    @Test(arguments: [
        (HTTPRequest.Method.delete, "/v1/entities/urn:x:1/attrs/", [HTTPRequest.Method.patch]), (.put, "/v1/entities", [.get, .post]),
        (.patch, "/v1/entities", [.get, .post]), (.put, "/v1/entities/urn:x:1", [.get, .patch]),
    ])
    func `a known path with another method says which it knows`(
        method: HTTPRequest.Method, path: String, known: [HTTPRequest.Method]
    ) throws {
        guard case .otherMethods(let methods) = table.match(method, path[...]) else {
            Issue.record("found or unknown")
            return
        }
        #expect(methods == known)
    }

    @Test(arguments: ["/", "", "/v1", "/v2/entities", "/v1/entities/a/b", "//v1/entities", "/v1//entities", "/v1/entities/a/attrs/b/c"])
    func `what is no path of a route is unknown`(path: String) {
        guard case .unknown = table.match(.get, path[...]) else {
            Issue.record("found")
            return
        }
    }
}
