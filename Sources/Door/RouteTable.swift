internal import CityModel
package import HTTPTypes

/// All routes, found by method and path. A trailing slash makes no difference; a literal segment is preferred to a
/// parameter. An empty segment stands for a parameter whose value is missing, so that its handler can say so: within the
/// path (`/entities//attrs`), and at its end where only the longer path knows the method and needs an identifier
/// (`PATCH /entities/`).
package struct RouteTable: Sendable {
    package enum Match: Sendable {
        case route(Route, pathParameters: [String: String])
        /// The path is known, with these methods.
        case otherMethods([HTTPRequest.Method])
        case unknown
    }

    private struct Node: Sendable {
        var literals: [Substring: Int] = [:]
        var parameter: Int?
        var routes: [Route] = []
        /// Names of the path's parameters for each route, in order.
        var parameterNames: [[String]] = []
    }

    package let routes: [Route]
    private var nodes: [Node] = [Node()]

    /// Of two routes with the same method and path the first is reached.
    package init(_ routes: [Route]) {
        self.routes = routes
        for route in routes { insert(route) }
    }

    private mutating func insert(_ route: Route) {
        var current = 0
        var names: [String] = []
        for segment in route.path.split(separator: "/") {
            let isParameter = segment.hasPrefix("{")
            if isParameter { names.append(String(segment.dropFirst().dropLast())) }
            let next = isParameter ? nodes[current].parameter : nodes[current].literals[segment]
            if let next {
                current = next
                continue
            }
            nodes.append(Node())
            if isParameter { nodes[current].parameter = nodes.count - 1 } else { nodes[current].literals[segment] = nodes.count - 1 }
            current = nodes.count - 1
        }
        nodes[current].routes.append(route)
        nodes[current].parameterNames.append(names)
    }

    /// - Parameter path: as it came, without the query string.
    package func match(_ method: HTTPRequest.Method, _ path: Substring) -> Match {
        var segments = path.split(separator: "/", omittingEmptySubsequences: false)[...]
        if segments.first?.isEmpty ?? false { segments.removeFirst() }
        let endsWithSlash = segments.count > 1 && segments.last?.isEmpty ?? false
        if segments.last?.isEmpty ?? false { segments.removeLast() }
        var values: [Substring] = []
        guard var node = find(segments, from: 0, &values) else { return .unknown }
        let wanted: HTTPRequest.Method = method == .head && !nodes[node].routes.contains { $0.method == .head } ? .get : method
        if endsWithSlash, nodes[node].routes.allSatisfy({ $0.method != wanted }), let longer = identifierNode(below: node, wanted) {
            node = longer
            values.append("")
        }
        guard let index = nodes[node].routes.firstIndex(where: { $0.method == wanted }) else {
            return .otherMethods(nodes[node].routes.map(\.method))
        }
        var parameters: [String: String] = [:]
        for (name, value) in zip(nodes[node].parameterNames[index], values) { parameters[name] = PercentEncoding.decode(value) ?? String(value) }
        return .route(nodes[node].routes[index], pathParameters: parameters)
    }

    /// Whether the route of a request reads its body as it arrives.
    package func streams(_ request: HTTPRequest) -> Bool {
        guard case .route(let route, _) = match(request.method, (request.path ?? "/").prefix { $0 != "?" }) else { return false }
        return route.body?.isStreamed ?? false
    }

    /// The node for one more parameter, when it is the identifier of a thing and a route with the method ends there.
    private func identifierNode(below node: Int, _ method: HTTPRequest.Method) -> Int? {
        guard let child = nodes[node].parameter, let index = nodes[child].routes.firstIndex(where: { $0.method == method }) else { return nil }
        let name = nodes[child].parameterNames[index].last
        let isIdentifier = nodes[child].routes[index].parameters.contains { $0.name == name && $0.schema["format"] == "uri" }
        return isIdentifier ? child : nil
    }

    private func find(_ segments: ArraySlice<Substring>, from node: Int, _ values: inout [Substring]) -> Int? {
        guard let segment = segments.first else { return nodes[node].routes.isEmpty ? nil : node }
        if let literal = nodes[node].literals[segment], let found = find(segments.dropFirst(), from: literal, &values) { return found }
        guard let parameter = nodes[node].parameter else { return nil }
        values.append(segment)
        if let found = find(segments.dropFirst(), from: parameter, &values) { return found }
        values.removeLast()
        return nil
    }
}
