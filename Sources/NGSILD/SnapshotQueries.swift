internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import LinkedData
internal import OrderedCollections
internal import Query

/// The queries of a snapshot (clause 5.2.23 within 5.2.41): which entities, and what of them, whatever their form.
enum SnapshotQueries {
    /// A query, and what context sources are asked of it: nil where it is for this broker alone.
    struct Read {
        var query: SnapshotQuery
        let distributed: DistributedQuery?
    }

    /// The same of a temporal query.
    struct ReadEvolution {
        var query: SnapshotEvolutionQuery
        let distributed: DistributedEvolutionQuery?
    }

    /// - Throws: `badRequestData` also for a temporal query.
    static func query(_ json: JSON, _ context: Context) throws -> Read {
        let query = try QueryBody(json)
        let (projection, datasets, requiresListed) = try selection(query, context)
        let filter = try query.filter { terms in
            try NGSILDDoor.filter(
                terms, context: context, projection: projection, requiresListed: requiresListed, linkDepthMax: 0,
                isLocal: try isLocal(json, terms))
        }
        let frozen = SnapshotQuery(filter: filter, view: EntityView(projection: projection, datasets: datasets, context: context))
        let attributes = requiresListed ? projection.listedAttributes.map { Set($0) } : nil
        return Read(query: frozen, distributed: try distributed(query, json, filter, attributes, datasets, context))
    }

    /// - Throws: `badRequestData` also for a query without temporal query.
    static func evolutionQuery(_ json: JSON, _ context: Context) throws -> ReadEvolution {
        let query = try QueryBody(json, isTemporal: true)
        guard let terms = query.temporal, let temporal = try terms.query() else {
            throw CityError.badRequestData("snapshotTemporalQueries.temporalQ: is missing")
        }
        let (projection, datasets, requiresListed) = try selection(query, context)
        let filter = try query.evolutionFilter { terms in
            try NGSILDDoor.filter(
                terms, context: context, projection: projection, requiresListed: requiresListed, linkDepthMax: 0,
                isLocal: try isLocal(json, terms))
        }
        let selection = EvolutionSelection(temporal: temporal, lastN: terms.lastN, projection: projection, datasets: datasets)
        let attributes = requiresListed ? projection.listedAttributes.map { Set($0) } : nil
        let distributed = try distributed(query, json, filter, attributes, datasets, context).map {
            // Limits are for what one answer holds.
            DistributedEvolutionQuery($0, selection, limits: EvolutionLimits(), isOrdered: query.orderBy != nil)
        }
        return ReadEvolution(query: SnapshotEvolutionQuery(filter: filter, selection: selection), distributed: distributed)
    }

    /// - Parameter attributes: those that an entity has at least one of; nil for all.
    /// - Returns: nil where the query is for this broker alone.
    private static func distributed(
        _ query: QueryBody, _ json: JSON, _ filter: EntityFilter, _ attributes: Set<IRI>?, _ datasets: DatasetSelection?, _ context: Context
    ) throws -> DistributedQuery? {
        guard json["local"]?.boolValue != true, let first = query.alternatives.first, first.type != "*" else { return nil }
        var specification = SourceSpecification(filter)
        specification.sourceFilter = try first.csf.map { text throws(CityError) in
            try QueryExpression(parsing: text, expand: context.expand, parameter: "csf")
        }
        specification.datasets = datasets?.datasets
        var distributed = DistributedQuery(
            specification: specification, filter: filter, attributes: attributes, offset: 0, limit: 0, wantsCount: false)
        distributed.isSplit = first.isSplit ?? false
        distributed.conditions = first.conditions
        distributed.datasetID = try query.readParameters(QueryParameters("")).datasetID
        return distributed
    }

    private static func selection(
        _ query: QueryBody, _ context: Context
    ) throws(CityError) -> (Projection, DatasetSelection?, requiresListed: Bool) {
        let parameters = try query.readParameters(QueryParameters(""))
        let projection = try Projection(attrs: parameters.attrs, pick: parameters.pick, omit: parameters.omit, expand: context.expand)
        let datasets = try parameters.datasetID.map { text throws(CityError) in try DatasetSelection(parsing: text) }
        return (projection, datasets, parameters.attrs != nil)
    }

    private static func isLocal(_ json: JSON, _ terms: FilterTerms) throws(CityError) -> Bool {
        let local = json["local"]?.boolValue
        guard terms.type == "*" else { return local ?? false }
        guard local != false else { throw .badRequestData("local: type=* is possible in the local scope only") }
        return true
    }
}
