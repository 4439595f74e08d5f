public import CityModel

/// How large a query may be before it is refused. A refusal names the parameter and the limit.
public struct QueryLimits: Hashable, Sendable {
    /// UTF-8 bytes of one parameter's text.
    public var byteCountMax = 8192
    /// Terms, operators and listed values of one tree.
    public var nodeCountMax = 256
    /// Parentheses or braces inside one another.
    public var depthMax = 32
    /// Positions of a reference geometry.
    public var positionCountMax = 10_000

    public init() {}

    public static let standard = QueryLimits()
}

/// Expands the short name of an attribute, type or vocabulary value with the request's `@context`; nil when the text
/// cannot be a name. Full IRIs expand to themselves.
public typealias NameExpansion = (String) -> IRI?
