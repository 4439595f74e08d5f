package import HTTPTypes

/// All routes, found by method and path. A trailing slash makes no difference; a literal segment is preferred to a
/// parameter.
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
        let segments = path.split(separator: "/")
        var values: [Substring] = []
        guard let node = find(segments[...], from: 0, &values) else { return .unknown }
        let wanted: HTTPRequest.Method = method == .head && !nodes[node].routes.contains { $0.method == .head } ? .get : method
        guard let index = nodes[node].routes.firstIndex(where: { $0.method == wanted }) else {
            return .otherMethods(nodes[node].routes.map(\.method))
        }
        var parameters: [String: String] = [:]
        for (name, value) in zip(nodes[node].parameterNames[index], values) { parameters[name] = PercentEncoding.decode(value) ?? String(value) }
        return .route(nodes[node].routes[index], pathParameters: parameters)
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
