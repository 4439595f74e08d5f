public import CityModel
internal import Foundation

extension QueryExpression {
    /// Parses a `q` that stands in the body of a request. Clause 4.9 asks for percent-encoding where a query is part of a URI;
    /// clients (ngsildclient) encode it here as well. An encoded operator is no query, so a text that is none as it stands is
    /// tried once more decoded; one that is a query is never decoded.
    /// - Throws: as the initializer for a text that is not encoded, about the text as it stands.
    public init(
        parsingBody text: String, expand: @escaping NameExpansion, expandValues: Set<IRI> = [], limits: QueryLimits = .standard
    ) throws(CityError) {
        do throws(CityError) {
            try self.init(parsing: text, expand: expand, expandValues: expandValues, limits: limits)
        } catch {
            guard case .badRequestData = error, let decoded = text.removingPercentEncoding, decoded != text,
                let query = try? QueryExpression(parsing: decoded, expand: expand, expandValues: expandValues, limits: limits)
            else { throw error }
            self = query
        }
    }
}
