public import CityModel

/// The `idPattern` parameter: a regular expression found anywhere in an entity's identifier (table 6.4.3.2-1).
public struct IDPattern: Hashable, Sendable {
    public let pattern: Pattern

    /// - Throws: `badRequestData` that says where the expression is wrong.
    public init(_ regex: String, parameter: String = "idPattern") throws(CityError) {
        do {
            pattern = try Pattern(regex)
        } catch {
            throw .badRequestData("\(parameter): \(error.reason)")
        }
    }

    public func matches(_ id: IRI) -> Bool { pattern.matches(id.text) }

    /// What every matching identifier begins with; nil when nothing can be said. For an index range.
    public var literalPrefix: String? { pattern.literalPrefix.flatMap { $0.isEmpty ? nil : $0 } }
}
