internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import LinkedData
internal import Query

/// How a request wants temporal evolutions to be written (clauses 6.3.7, 6.3.11, 6.3.12).
struct TemporalRepresentation {
    let mediaType: Representation.MediaType
    /// `simplified` stands for `temporalValues`.
    let format: RepresentationFormat
    let includesSystemMembers: Bool
    let selection: EvolutionSelection
    /// Whether an entity is wanted only when it has one of the attributes of the projection (`attrs`).
    let requiresListed: Bool
    let languages: LanguagePreference?
    let version: PreferredVersion?
    let context: Context
}

extension NGSILDDoor {
    /// - Parameter isBody: whether the terms come from a body, where naming `aggrMethods` is enough to aggregate.
    func temporalRepresentation(
        _ request: DoorRequest, context: Context, terms: TemporalTerms, parameters: ReadParameters, isBody: Bool = false
    ) throws -> TemporalRepresentation {
        let mediaType = try accepted(request, offers: Self.jsonTypes)
        let options = try TemporalOptions(parameters)
        let aggregation = try terms.aggregation()
        let aggregates = options.isAggregated || (isBody && options.format == nil && terms.namesMethods)
        if aggregates, aggregation == nil { throw CityError.badRequestData("aggrMethods: aggregatedValues needs methods (clause 6.3.12)") }
        let projection = try Projection(attrs: parameters.attrs, pick: parameters.pick, omit: parameters.omit, expand: context.expand)
        try Self.check(projection, linkDepthMax: 0)
        let datasets = try parameters.datasetID.map { text throws(CityError) in try DatasetSelection(parsing: text) }
        return TemporalRepresentation(
            mediaType: Representation.MediaType(rawValue: mediaType) ?? .json, format: options.format ?? .normalized,
            includesSystemMembers: options.includesSystemMembers,
            selection: EvolutionSelection(
                temporal: try terms.query(), lastN: terms.lastN, projection: projection, datasets: datasets,
                aggregation: aggregates ? aggregation : nil),
            requiresListed: parameters.attrs != nil,
            languages: try parameters.language.map { text throws(CityError) in try LanguagePreference(text) },
            version: PreferredVersion(request.headers[values: .prefer]), context: context)
    }
}

/// The options of operations that read histories; `format` wins over `options` (clause 6.3.12).
private struct TemporalOptions {
    private(set) var format: RepresentationFormat?
    private(set) var isAggregated = false
    private(set) var includesSystemMembers = false

    init(_ parameters: ReadParameters) throws(CityError) {
        var named: Set<String> = []
        for option in parameters.options {
            if option == "sysAttrs" { includesSystemMembers = true } else { named.insert(try Self.checked(option, parameter: "options")) }
        }
        if let format = parameters.format { named = [try Self.checked(format, parameter: "format")] }
        guard named.count <= 1 else { throw .badRequestData("options: only one of \(Self.formats.keys.sorted().joined(separator: ", "))") }
        guard let name = named.first else { return }
        format = Self.formats[name]
        isAggregated = name == "aggregatedValues"
    }

    private static let formats: [String: RepresentationFormat] = [
        "normalized": .normalized, "concise": .concise, "temporalValues": .simplified, "aggregatedValues": .normalized,
    ]

    private static func checked(_ name: String, parameter: String) throws(CityError) -> String {
        guard formats[name] != nil else { throw .invalidRequest("\(parameter): \(name) is none of \(formats.keys.sorted().joined(separator: ", "))") }
        return name
    }
}
