internal import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
package import Query

/// What sources are asked of histories (clauses 6.18, 6.19 and 6.24): instances in full, of the interval and the last ones that are
/// wanted. Aggregates are made of all that is put together, and are not asked for.
extension MatchedSource {
    /// The evolution of one entity.
    func retrieval(
        of id: IRI, _ selection: EvolutionSelection, attributes wanted: Set<IRI>?, _ context: Context
    ) -> Forward {
        var query = selection.terms.compactMap { name, value in value.stringValue.map { (name, $0) } ?? (name, value.description) }
        if let attributes = narrowed(wanted) { query.append(("attrs", attributes.map(context.compact).sorted().joined(separator: ","))) }
        if let datasets = selection.datasets { query.append(("datasetId", datasets.text)) }
        query.append(("options", "sysAttrs"))
        return Forward(.get, "temporal/entities/" + URLText.encode(id.text), query: query)
    }

    /// A query. What one query string can't say goes by POST.
    /// - Parameter limit: nil where a map of its entities is wanted, and none of them.
    func forward(
        _ query: DistributedEvolutionQuery, ids: Set<IRI>?, limit: Int?, _ context: Context, _ original: Context
    ) -> Forward {
        let selectors = query.query.specification.selectors.isEmpty ? [.init()] : query.query.specification.selectors
        let asBatch = selectors.count > 1
        var forward = forward(query.query, selectors, ids: ids, limit: limit, asBatch: asBatch, context, original)
        guard asBatch else {
            forward.path = limit == nil ? "temporal/entityMaps" : "temporal/entities"
            forward.query += query.selection.terms.map { ($0.name, $0.value.parameterText) }
            return forward
        }
        forward.path = limit == nil ? "temporal/entityMaps" : "temporal/entityOperations/query"
        if case .object(var body)? = forward.body {
            body["temporalQ"] = .object(JSONObject(uniqueKeysWithValues: query.selection.terms.map { ($0.name, $0.value) }))
            forward.body = .object(body)
        }
        return forward
    }
}

extension EvolutionSelection {
    /// Clause 5.2.21. An aggregate is made of all instances, of which `lastN` says nothing.
    fileprivate var terms: [(name: String, value: JSON)] {
        var terms: [(String, JSON)] = []
        if let temporal {
            switch temporal.relation {
            case .before(let moment)?: terms += [("timerel", "before"), ("timeAt", .string(moment.description))]
            case .after(let moment)?: terms += [("timerel", "after"), ("timeAt", .string(moment.description))]
            case .between(let start, let end)?:
                terms += [("timerel", "between"), ("timeAt", .string(start.description)), ("endTimeAt", .string(end.description))]
            case nil: break
            }
            terms.append(("timeproperty", .string(temporal.property.rawValue)))
        }
        if let lastN, aggregation == nil { terms.append(("lastN", .integer(Int64(lastN)))) }
        return terms
    }
}

extension DatasetSelection {
    package var text: String { datasets.map { $0?.text ?? "@none" }.sorted().joined(separator: ",") }
}
