internal import CityModel
internal import Door
internal import Hummingbird

/// The parts that the descriptions of several NGSI-LD operations share.
extension NGSILDDoor {
    static let provision = "NGSI-LD provision"
    static let consumption = "NGSI-LD consumption"
    static let batch = "NGSI-LD batch operations"
    static let discovery = "NGSI-LD discovery"
    static let temporalProvision = "NGSI-LD temporal provision"
    static let temporalConsumption = "NGSI-LD temporal consumption"
    static let contextsTag = "JSON-LD contexts"
    static let subscriptionsTag = "NGSI-LD subscriptions"
    static let entityMapsTag = "NGSI-LD entity maps"
    static let snapshotsTag = "NGSI-LD snapshots"

    static let common: [Route.Parameter] = [
        .init("NGSILD-Tenant", in: .header, "The municipality; the standard one where absent"),
        .init("Link", in: .header, "The JSON-LD context that names are read and written with"),
    ]
    static let snapshotHeader = Route.Parameter(
        "NGSILD-Snapshot", in: .header, "The snapshot to read instead of the current state", schema: ["type": "string", "format": "uri"])
    static let idParameter = Route.Parameter("entityId", in: .path, "The entity's identifier", schema: ["type": "string", "format": "uri"])
    static let attributeParameter = Route.Parameter("attrId", in: .path, "An attribute's name or IRI")
    static let typeParameter = Route.Parameter("type", in: .query, "A selection of types: an entity that it does not match is not found")
    static let localParameter = Route.Parameter("local", in: .query, "Only what is held here", schema: ["type": "boolean"])

    static let datasetParameters: [Route.Parameter] = [
        .init("deleteAll", in: .query, "Delete every instance", schema: ["type": "boolean"]),
        .init("datasetId", in: .query, "Delete the instance with this datasetId", schema: ["type": "string", "format": "uri"]),
    ]

    static func names(_ parameters: [Route.Parameter]) -> Set<String> {
        Set(parameters.filter { $0.place == .query }.map(\.name))
    }

    static func optionsParameter(_ summary: String) -> Route.Parameter { .init("options", in: .query, summary) }

    static let mergeParameters: [Route.Parameter] = [
        optionsParameter("keyValues, concise or normalized: the form of the fragment"),
        .init("format", in: .query, "The form of the fragment"),
        .init("observedAt", in: .query, "The observedAt of merged attributes that have one", schema: ["type": "string", "format": "date-time"]),
        .init("lang", in: .query, "The language of bare texts that are merged into language properties"), typeParameter, localParameter,
    ]

    static let readParameters: [Route.Parameter] = [
        .init("attrs", in: .query, "Attributes to answer, of which an entity has at least one (deprecated; use pick)"),
        .init("pick", in: .query, "Members to answer"), .init("omit", in: .query, "Members to leave out"),
        .init("format", in: .query, "normalized, concise or simplified", schema: ["type": "string", "enum": ["normalized", "concise", "simplified", "keyValues"]]),
        optionsParameter("sysAttrs; keyValues, concise or normalized"), .init("lang", in: .query, "Wanted languages, as in Accept-Language"),
        .init("datasetId", in: .query, "Instances to answer; @none is the default instance"),
        .init("geometryProperty", in: .query, "The attribute that becomes a GeoJSON feature's geometry"),
        .init("join", in: .query, "Answer linked entities too", schema: ["type": "string", "enum": ["flat", "inline", "@none"]]),
        .init("joinLevel", in: .query, "How many relationships to follow one after another", schema: ["type": "integer", "minimum": 1]),
        .init("containedBy", in: .query, "Entities met before, not to be followed again"), localParameter,
        .init("Prefer", in: .header, "ngsi-ld=1.x: the version that the answer is for; body=json: GeoJSON without @context"), snapshotHeader,
    ]

    static let filterParameters: [Route.Parameter] = [
        .init("id", in: .query, "Identifiers, between commas"), .init("idPattern", in: .query, "A regular expression for identifiers"),
        .init("type", in: .query, "Types: A,B or (A;B)|C"), .init("q", in: .query, "A query over attribute values (clause 4.9)"),
        .init("scopeQ", in: .query, "A query over scopes (clause 4.19)"),
        .init("georel", in: .query, "near;maxDistance==…, within, contains, intersects, equals, disjoint, overlaps (clause 4.10)"),
        .init("geometry", in: .query, "The reference geometry's GeoJSON type"),
        .init("coordinates", in: .query, "The reference geometry's GeoJSON coordinates"),
        .init("geoproperty", in: .query, "The attribute that is compared; location where absent"),
        .init("expandValues", in: .query, "Attributes whose values are names to be expanded"),
        .init("csf", in: .query, "What must hold of the context sources that are asked"), .init("jsonKeys", in: .query, "Attributes whose values are plain JSON"),
    ]

    static let pageParameters: [Route.Parameter] = [
        .init("splitEntities", in: .query, "Whether entities lie in parts at several sources, to be put together before they are filtered", schema: ["type": "boolean"]),
        .init("limit", in: .query, "Entities of a page", schema: ["type": "integer", "minimum": 0]),
        .init("offset", in: .query, "Entities to skip", schema: ["type": "integer", "minimum": 0]),
        .init("count", in: .query, "Whether to count all matches, in NGSILD-Results-Count", schema: ["type": "boolean"]),
        .init("orderBy", in: .query, "Members to order by, each with ;asc, ;desc, ;dist-asc or ;dist-desc"),
        .init("orderFrom", in: .query, "Coordinates that distances are measured from"),
        .init("orderGeometry", in: .query, "Their geometry type"), .init("collation", in: .query, "How texts are ordered"),
    ]

    static let entityMapHeader = Route.Parameter(
        "NGSILD-EntityMap", in: .header, "The EntityMap to use: its location or identifier", schema: ["type": "string", "format": "uri-reference"])
    static let entityMapParameters: [Route.Parameter] = [
        .init("entityMap", in: .query, "Whether to say where the EntityMap is that was used, and to make one", schema: ["type": "boolean"]),
        .init("entityMapLifetime", in: .query, "How long a new EntityMap should live, such as PT10M", schema: ["type": "string", "format": "duration"]),
        entityMapHeader,
    ]

    static let temporalParameters: [Route.Parameter] = [
        .init("timerel", in: .query, "before, after or between", schema: ["type": "string", "enum": ["before", "after", "between"]]),
        .init("timeAt", in: .query, "The moment of before and after, and where between begins", schema: ["type": "string", "format": "date-time"]),
        .init("endTimeAt", in: .query, "Where between ends; itself excluded", schema: ["type": "string", "format": "date-time"]),
        .init(
            "timeproperty", in: .query, "The timestamp that is meant; observedAt where absent",
            schema: ["type": "string", "enum": ["observedAt", "createdAt", "modifiedAt", "deletedAt"]]),
        .init("lastN", in: .query, "Only the most recent instances of each attribute, so many", schema: ["type": "integer", "minimum": 1]),
        .init("aggrMethods", in: .query, "avg, distinctCount, max, min, stddev, sum, sumsq, totalCount, between commas; for aggregatedValues"),
        .init("aggrPeriodDuration", in: .query, "The length of a period, such as PT1H or P1M; the whole range where absent"),
    ]

    static let temporalReadParameters: [Route.Parameter] = [
        .init("attrs", in: .query, "Attributes to answer, of which an entity has at least one (deprecated; use pick)"),
        .init("pick", in: .query, "Members to answer"), .init("omit", in: .query, "Members to leave out"),
        .init(
            "format", in: .query, "How instances are written",
            schema: ["type": "string", "enum": ["normalized", "concise", "temporalValues", "aggregatedValues"]]),
        optionsParameter("sysAttrs; normalized, concise, temporalValues or aggregatedValues"),
        .init("lang", in: .query, "Wanted languages, as in Accept-Language"),
        .init("datasetId", in: .query, "Instances to answer; @none is the default instance"), localParameter,
        .init("Prefer", in: .header, "ngsi-ld=1.x: the version that the answer is for"), snapshotHeader,
    ] + entityMapParameters

    static let temporalPageParameters: [Route.Parameter] = [
        .init("limit", in: .query, "Entities of a page", schema: ["type": "integer", "minimum": 0]),
        .init("offset", in: .query, "Entities to skip", schema: ["type": "integer", "minimum": 0]),
        .init("count", in: .query, "Whether to count all matches, in NGSILD-Results-Count", schema: ["type": "boolean"]),
        .init("orderBy", in: .query, "id, with ;asc or ;desc"), .init("collation", in: .query, "How texts are ordered"),
        .init("splitEntities", in: .query, "Whether entities lie in parts at several sources, to be put together before they are filtered", schema: ["type": "boolean"]),
    ]

    private static let entity: JSON = ["$ref": "#/components/schemas/Entity"]
    static let entityBody = Route.Body(jsonTypes, schema: entity)
    static let fragmentBody = Route.Body(jsonTypes + ["application/merge-patch+json"], schema: ["type": "object"])
    static let entitiesBody = Route.Body(jsonTypes, schema: ["type": "array", "minItems": 1, "items": entity])
    static let identifiersBody = Route.Body(
        jsonTypes, schema: ["type": "array", "minItems": 1, "items": ["type": "string", "format": "uri"]])

    static let created = Route.Answer(201, "Created; Location says where")
    static let createdMany = Route.Answer(
        201, "Created, with the identifiers", mediaTypes: ["application/json"],
        schema: ["type": "array", "items": ["type": "string", "format": "uri"]])
    static let noContent = Route.Answer(204, "Done")
    static let conflict = Route.Answer(409, "It exists already", mediaTypes: ["application/problem+json"], schema: ["$ref": "#/components/schemas/Problem"])
    static let partial = Route.Answer(
        207, "Some attributes were left as they are", mediaTypes: ["application/json"], schema: ["$ref": "#/components/schemas/UpdateResult"])
    static let partialBatch = Route.Answer(
        207, "Some entries failed", mediaTypes: ["application/json"], schema: ["$ref": "#/components/schemas/BatchOperationResult"])
    static let oneEntity = Route.Answer(200, "The entity", mediaTypes: jsonTypes + ["application/geo+json"], schema: entity)
    static let manyEntities = Route.Answer(
        200, "The entities", mediaTypes: jsonTypes + ["application/geo+json"], schema: ["type": "array", "items": entity])
    static let manyEntitiesOfNewMap = Route.Answer(
        201, "The entities, of an EntityMap that was made for them; NGSILD-EntityMap says where it is",
        mediaTypes: jsonTypes + ["application/geo+json"], schema: ["type": "array", "items": entity])
    static let temporalBody = Route.Body(jsonTypes, schema: entity)
    static let oneEvolution = Route.Answer(200, "The temporal evolution", mediaTypes: jsonTypes, schema: entity)
    static let manyEvolutions = Route.Answer(
        200, "The temporal evolutions", mediaTypes: jsonTypes, schema: ["type": "array", "items": entity])
    static let partOfEvolutions = Route.Answer(
        206, "As much as one answer holds; Content-Range says which part of the time range it is", mediaTypes: jsonTypes)
}
