/// The name of a field: a column of a table, or a path into a JSON record such as `address.value.streetAddress`,
/// `lanes[0].count` or `["a.b"].c`. In GeoJSON a path starts at `properties`; `$.` starts it at the record itself.
public struct FieldName: Hashable, Sendable {
    public let text: String

    public init(_ text: String) { self.text = text }

    public enum Step: Hashable, Sendable {
        case member(String)
        case element(Int)
    }

    /// The most steps that a path may have.
    public static let stepCountMax = 32

    /// The path, or nil when the text is not one.
    public func steps(in format: SourceFormat) -> [Step]? {
        var path = Substring(text)
        var steps: [Step] = []
        if path.hasPrefix("$") {
            path.removeFirst()
            guard path.isEmpty || path.first == "." || path.first == "[" else { return nil }
            if path.first == "." { path.removeFirst() }
        } else if format == .geojson {
            steps.append(.member("properties"))
        }
        while !path.isEmpty {
            guard steps.count < Self.stepCountMax, let step = Self.nextStep(&path) else { return nil }
            steps.append(step)
        }
        return steps
    }

    private static func nextStep(_ path: inout Substring) -> Step? {
        if path.hasPrefix("[\"") {
            let rest = path.dropFirst(2)
            guard let end = rest.firstRange(of: "\"]") else { return nil }
            let name = String(rest[..<end.lowerBound])
            path = path[end.upperBound...]
            return dropDot(&path) ? .member(name) : nil
        }
        if path.first == "[" {
            guard let end = path.firstIndex(of: "]"), let index = Int(path[path.index(after: path.startIndex)..<end]), index >= 0
            else { return nil }
            path = path[path.index(after: end)...]
            return dropDot(&path) ? .element(index) : nil
        }
        let end = path.firstIndex { $0 == "." || $0 == "[" } ?? path.endIndex
        let name = String(path[..<end])
        path = path[end...]
        return !name.isEmpty && dropDot(&path) ? .member(name) : nil
    }

    /// Drops the dot between two steps; false when one stands at the end.
    private static func dropDot(_ path: inout Substring) -> Bool {
        guard path.first == "." else { return true }
        path.removeFirst()
        return !path.isEmpty
    }
}
