internal import Broker
internal import CityModel
internal import Door
internal import LinkedData
internal import Trust

/// Names of types and attributes as a request has them: by its context; else the one name of the municipality's data that ends
/// so, for people do not know vocabularies.
struct HistoryNames: Sendable {
    private let context: Context
    private let types: [IRI]
    private let attributes: [IRI]

    init(_ request: DoorRequest, _ contexts: ContextLibrary, _ broker: Broker, _ access: ReadAccess) async throws {
        if let url = try LinkHeader.contextURL(request.headers) {
            context = try await contexts.context(.string(url), in: access.municipality)
        } else {
            context = .core
        }
        (types, attributes) = try await broker.vocabulary(access)
    }

    func type(_ name: String, _ parameter: String) throws(CityError) -> IRI { try resolve(name, among: types, parameter, "type") }
    func attribute(_ name: String, _ parameter: String) throws(CityError) -> IRI { try resolve(name, among: attributes, parameter, "attribute") }

    /// For the terms of a query.
    var expansion: @Sendable (String) -> IRI? {
        { [self] name in (try? resolve(name, among: attributes, "q", "attribute")) ?? context.expand(name) }
    }

    func short(_ name: IRI) -> String {
        let compacted = context.compact(name)
        return compacted == name.text ? Self.ending(name) : compacted
    }

    private func resolve(_ name: String, among known: [IRI], _ parameter: String, _ kind: String) throws(CityError) -> IRI {
        guard let expanded = context.expand(name) else { throw .badRequestData("\(parameter): \(name.prefix(100)) is no \(kind)'s name") }
        if known.contains(expanded) { return expanded }
        let alike = known.filter { Self.ending($0) == name }
        guard alike.count < 2 else {
            throw .badRequestData("\(parameter): \(name.prefix(100)) may be \(alike.prefix(5).map(\.text).joined(separator: " or ")); name one whole")
        }
        // Of what is past alone the names stand in no list.
        return alike.first ?? expanded
    }

    private static func ending(_ name: IRI) -> String { String(name.lastWord) }
}
