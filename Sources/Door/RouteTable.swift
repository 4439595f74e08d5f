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
        /// Few: looking through them takes less than hashing a segment.
        var literals: [(bytes: [UInt8], node: Int)] = []
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
            let bytes = Array(segment.utf8)
            if let next = isParameter ? nodes[current].parameter : nodes[current].literals.first(where: { $0.bytes == bytes })?.node {
                current = next
                continue
            }
            nodes.append(Node())
            if isParameter { nodes[current].parameter = nodes.count - 1 } else { nodes[current].literals.append((bytes, nodes.count - 1)) }
            current = nodes.count - 1
        }
        nodes[current].routes.append(route)
        nodes[current].parameterNames.append(names)
    }

    /// - Parameter path: as it came, without the query string.
    package func match(_ method: HTTPRequest.Method, _ path: Substring) -> Match {
        var path = path
        return path.withUTF8 { match(method, $0) }
    }

    private func match(_ method: HTTPRequest.Method, _ path: UnsafeBufferPointer<UInt8>) -> Match {
        var segments = Self.segments(of: path)[...]
        if segments.first?.isEmpty ?? false { segments.removeFirst() }
        let endsWithSlash = segments.count > 1 && segments.last?.isEmpty ?? false
        if segments.last?.isEmpty ?? false { segments.removeLast() }
        var values: [Segment] = []
        guard var node = find(segments, from: 0, &values) else { return .unknown }
        let wanted: HTTPRequest.Method = method == .head && !nodes[node].routes.contains { $0.method == .head } ? .get : method
        if endsWithSlash, nodes[node].routes.allSatisfy({ $0.method != wanted }), let longer = identifierNode(below: node, wanted) {
            node = longer
            values.append(path[path.endIndex...])
        }
        guard let index = nodes[node].routes.firstIndex(where: { $0.method == wanted }) else {
            return .otherMethods(nodes[node].routes.map(\.method))
        }
        var parameters: [String: String] = [:]
        for (name, value) in zip(nodes[node].parameterNames[index], values) {
            let text = String(decoding: value, as: UTF8.self)
            parameters[name] = PercentEncoding.decode(text[...]) ?? text
        }
        return .route(nodes[node].routes[index], pathParameters: parameters)
    }

    private typealias Segment = Slice<UnsafeBufferPointer<UInt8>>

    /// What stands before, between and after the slashes.
    private static func segments(of path: UnsafeBufferPointer<UInt8>) -> [Segment] {
        var segments: [Segment] = []
        segments.reserveCapacity(8)
        var start = path.startIndex
        for index in path.indices where path[index] == UInt8(ascii: "/") {
            segments.append(path[start..<index])
            start = index + 1
        }
        segments.append(path[start...])
        return segments
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

    private func find(_ segments: ArraySlice<Segment>, from node: Int, _ values: inout [Segment]) -> Int? {
        guard let segment = segments.first else { return nodes[node].routes.isEmpty ? nil : node }
        let literal = nodes[node].literals.first { $0.bytes.count == segment.count && $0.bytes.elementsEqual(segment) }?.node
        if let literal, let found = find(segments.dropFirst(), from: literal, &values) { return found }
        guard let parameter = nodes[node].parameter else { return nil }
        values.append(segment)
        if let found = find(segments.dropFirst(), from: parameter, &values) { return found }
        values.removeLast()
        return nil
    }
}
