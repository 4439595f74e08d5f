internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import NIOCore
internal import OrderedCollections
internal import Query
internal import Store
internal import Trust

/// How a request wants entities to be written (clauses 6.3.4, 6.3.7, 6.3.11, 6.3.15).
struct Representation {
    enum MediaType: String, CaseIterable {
        case json = "application/json"
        case linkedData = "application/ld+json"
        case geoJSON = "application/geo+json"
    }

    let mediaType: MediaType
    let format: RepresentationFormat
    let includesSystemMembers: Bool
    let projection: Projection
    /// Whether an entity is wanted only when it has one of the attributes of the projection (`attrs`).
    let requiresListed: Bool
    let datasets: DatasetSelection?
    let languages: LanguagePreference?
    /// The attribute that becomes a feature's geometry.
    let geometryProperty: IRI
    /// The name under which the request asked for it.
    let geometryName: String
    /// Whether GeoJSON leaves the context to the `Link` header (`Prefer: body=json`).
    let isGeoJSONWithoutContext: Bool
    let join: Join?
    /// The version of NGSI-LD that the request prefers (clause 4.3.6.8).
    let version: PreferredVersion?
    let context: Context

    /// What is shown of an entity.
    var view: EntityView {
        EntityView(projection: projection, datasets: datasets, languages: languages, version: version, context: context)
    }

    /// Whether documents can be copied as they are stored, whole or their values.
    var isAsStored: Bool {
        mediaType != .geoJSON && format != .concise && projection == .everything && datasets == nil && languages == nil && join == nil
            && !(version?.asksForLess ?? false)
    }
}

extension NGSILDDoor {
    static let representationParameters: Set<String> = [
        "attrs", "pick", "omit", "options", "format", "lang", "datasetId", "geometryProperty", "join", "joinLevel", "containedBy", "local",
    ]

    /// - Throws: a 406 problem when nothing that the operation offers is accepted.
    func representation(_ request: DoorRequest, context: Context, parameters: ReadParameters? = nil) throws -> Representation {
        let parameters = parameters ?? ReadParameters(request.query)
        let mediaType = try accepted(request, offers: Representation.MediaType.allCases.map(\.rawValue))
        let options = try readOptions(parameters)
        if let name = parameters.geometryProperty, mediaType != Representation.MediaType.geoJSON.rawValue {
            throw CityError.badRequestData("geometryProperty: \(name) needs Accept: application/geo+json")
        }
        let geometryName = parameters.geometryProperty ?? "location"
        let projection = try Projection(attrs: parameters.attrs, pick: parameters.pick, omit: parameters.omit, expand: context.expand)
        let join = try join(parameters)
        try Self.check(projection, linkDepthMax: join?.level ?? 0)
        return Representation(
            mediaType: Representation.MediaType(rawValue: mediaType) ?? .json, format: options.format,
            includesSystemMembers: options.includesSystemMembers, projection: projection,
            requiresListed: parameters.attrs != nil, datasets: try parameters.datasetID.map { text throws(CityError) in try DatasetSelection(parsing: text) },
            languages: try parameters.language.map { text throws(CityError) in try LanguagePreference(text) },
            geometryProperty: context.expand(geometryName) ?? .location, geometryName: geometryName,
            isGeoJSONWithoutContext: request.headers[.prefer]?.contains("body=json") ?? false,
            join: join, version: PreferredVersion(request.headers[values: .prefer]), context: context)
    }

    /// The media type among `offers` that the request prefers.
    func accepted(_ request: DoorRequest, offers: [String]) throws(Problem) -> String {
        guard let chosen = Acceptance.choose(request.headers[.accept], offers: offers) else {
            throw .own("not-acceptable", "Not acceptable", status: 406, "Accept: this resource comes as \(offers.joined(separator: ", "))")
        }
        return chosen
    }

    private func readOptions(_ parameters: ReadParameters) throws(CityError) -> (format: RepresentationFormat, includesSystemMembers: Bool) {
        var format: RepresentationFormat?
        var includesSystemMembers = parameters.includesSystemMembers
        for option in parameters.options {
            switch option {
            case "sysAttrs": includesSystemMembers = true
            case "normalized", "concise", "simplified", "keyValues":
                let wanted = Self.format(option)
                guard format == nil || format == wanted else {
                    throw .badRequestData("options: only one of normalized, concise and simplified")
                }
                format = wanted
            default: throw .invalidRequest("options: \(option) is not an option of this operation")
            }
        }
        if let text = parameters.format {
            guard let wanted = Self.format(text) else {
                throw .invalidRequest("format: \(text) is none of normalized, concise, simplified, keyValues")
            }
            format = wanted
        }
        return (format ?? .normalized, includesSystemMembers)
    }

    private static func format(_ text: String) -> RepresentationFormat? {
        text == "keyValues" ? .simplified : RepresentationFormat(rawValue: text)
    }

    private func join(_ parameters: ReadParameters) throws(CityError) -> Join? {
        guard let text = parameters.join, text != "@none" else {
            guard parameters.joinLevel == nil else { throw .badRequestData("joinLevel: needs join") }
            return nil
        }
        guard let kind = Join.Kind(rawValue: text) else { throw .badRequestData("join: \(text) is none of flat, inline and @none") }
        let level = parameters.joinLevel ?? 1
        guard (1...limits.joinLevelMax).contains(level) else {
            throw .badRequestData("joinLevel: \(level) is not between 1 and \(limits.joinLevelMax)")
        }
        var containedBy: Set<IRI> = []
        for id in parameters.containedBy {
            guard let iri = IRI(id) else { throw .badRequestData("containedBy: \(id) is not a URI") }
            containedBy.insert(iri)
        }
        return Join(kind: kind, level: level, containedBy: containedBy)
    }
}

extension QueryParameters {
    /// How NGSIv2 asks for what `count=true` asks for. Clients that speak both say it here too (filip, ngsildclient).
    static let countOption = "count"

    /// Whether all results are to be counted (clause 6.3.13).
    func wantsCount() throws(CityError) -> Bool { try bool("count") ?? list("options").contains(Self.countOption) }
}

/// The parameters of reading operations, from a query string or from the body of `POST /entityOperations/query`.
struct ReadParameters {
    var attrs: String?, pick: String?, omit: String?
    var options: [String] = []
    var format: String?
    var includesSystemMembers = false
    var language: String?
    var datasetID: String?
    var geometryProperty: String?
    var join: String?
    var joinLevel: Int?
    var containedBy: [String] = []

    init(_ query: QueryParameters) {
        (attrs, pick, omit) = (query["attrs"], query["pick"], query["omit"])
        (options, format) = (query.list("options").filter { $0 != QueryParameters.countOption }, query["format"])
        (language, datasetID, geometryProperty) = (query["lang"], query["datasetId"], query["geometryProperty"])
        (join, joinLevel, containedBy) = (query["join"], query["joinLevel"].map { Int($0) ?? -1 }, query.list("containedBy"))
    }
}
