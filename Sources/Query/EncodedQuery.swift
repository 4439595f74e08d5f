public import CityModel
internal import Foundation

extension QueryExpression {
    /// Parses a `q` that stands in the body of a request. Clause 4.9 asks for percent-encoding where a query is part of a URI;
    /// clients (ngsildclient) encode it here as well. An encoded operator is no query and an encoded quotation mark begins no value, so
    /// a text that is no query as it stands is tried once more decoded; one that is a query is never decoded.
    /// - Throws: as the initializer for a text that is not encoded, about the text as it stands.
    public init(
        parsingBody text: String, expand: @escaping NameExpansion, expandValues: Set<IRI> = [], limits: QueryLimits = .standard
    ) throws(CityError) {
        func decoded() -> QueryExpression? {
            guard let decoded = text.removingPercentEncoding, decoded != text else { return nil }
            return try? QueryExpression(parsing: decoded, expand: expand, expandValues: expandValues, limits: limits)
        }
        if Self.hasEncodedQuotes(text), let query = decoded() {
            self = query
            return
        }
        do throws(CityError) {
            try self.init(parsing: text, expand: expand, expandValues: expandValues, limits: limits)
        } catch {
            guard case .badRequestData = error, let query = decoded() else { throw error }
            self = query
        }
    }

    /// Whether a value begins with an encoded quotation mark, as neither a quoted text nor a URI does, where none is written plainly.
    private static func hasEncodedQuotes(_ text: String) -> Bool {
        !text.contains("\"") && ["=%22", ">%22", "<%22", ",%22", "..%22"].contains { text.contains($0) }
    }
}
