internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query

extension MatchedSource {
    /// A query as the source is to get it: no wider than its registration (clause 4.3.6.1).
    /// - Parameter ids: only these entities.
    /// - Parameter limit: nil where no entities are asked for.
    /// - Parameter asBatch: by POST.
    func forward(
        _ query: DistributedQuery, _ selectors: [SourceSpecification.Selector], ids: Set<IRI>?, limit: Int?, asBatch: Bool, _ context: Context,
        _ original: Context
    ) -> Forward {
        let narrow = selectors.map { narrowed($0, to: ids) }
        var members: [(name: String, value: JSON)] = []
        // Of split entities the source gives what it has.
        if let attributes = narrowed(query.isSplit ? nil : query.attributes) {
            members.append(("attrs", .array(attributes.map(context.compact).sorted().map(JSON.string))))
        }
        if !query.isSplit {
            members += query.conditions.map { ($0.name, context.key == original.key ? $0.value : renamed($0.name, $0.value, context, original)) }
        }
        if let datasetID = query.datasetID { members.append(("datasetId", .array(datasetID.split(separator: ",").map { .string(String($0)) }))) }
        var parameters: [(name: String, value: String)] = []
        if let limit { parameters += [("options", "sysAttrs"), ("limit", String(limit))] }
        if query.wantsCount, limit != nil { parameters.append(("count", "true")) }
        if asBatch { return Forward(.post, "entityOperations/query", query: parameters, body: body(narrow, members, context)) }
        return Forward(.get, "entities", query: (narrow.first ?? .init()).terms(context) + members.map { ($0.name, $0.value.parameterText) } + parameters)
    }

    /// - Returns: the selector as far as it is registered.
    func narrowed(_ selector: SourceSpecification.Selector, to ids: Set<IRI>?) -> SourceSpecification.Selector {
        var narrow = selector
        narrow.types = typeSelection(selector.types)
        let registered = information.flatMap { $0.entities ?? [] }
        let isByEntity = information.allSatisfy { $0.entities != nil }
        if let wanted = ids ?? selector.ids {
            narrow.ids = wanted.filter { admits($0, types: []) }
        } else if isByEntity, registered.allSatisfy({ $0.id != nil }) {
            narrow.ids = Set(registered.compactMap(\.id).filter { id in selector.idPattern?.matches(id) ?? true })
        } else if isByEntity, selector.idPattern == nil, registered.count == 1 {
            narrow.idPattern = registered[0].idPattern
        }
        return narrow
    }

    private func body(
        _ selectors: [SourceSpecification.Selector], _ members: [(name: String, value: JSON)], _ context: Context
    ) -> JSON {
        var body: JSONObject = ["type": "Query"]
        let entities: [JSON] = selectors.compactMap { selector in
            var entity: JSONObject = [:]
            for (name, value) in selector.terms(context) { entity[name] = .string(value) }
            if let ids = selector.ids, ids.count > 1 { entity["id"] = .array(ids.map(\.text).sorted().map(JSON.string)) }
            return entity["type"] == nil ? nil : .object(entity)
        }
        if !entities.isEmpty { body["entities"] = .array(entities) }
        var geo: JSONObject = [:]
        for (name, value) in members {
            if ["georel", "geometry", "coordinates", "geoproperty"].contains(name) { geo[name] = value } else { body[name] = value }
        }
        if !geo.isEmpty { body["geoQ"] = .object(geo) }
        return .object(body)
    }

    /// A condition in the names of another context (clause 4.3.6.6).
    func renamed(_ name: String, _ value: JSON, _ context: Context, _ original: Context) -> JSON {
        guard let text = value.stringValue else { return value }
        switch name {
        case "q":
            guard let query = try? QueryExpression(parsing: text, expand: original.expand) else { return value }
            return .string(query.renamed(context.compact).description)
        case "geoproperty": return original.expand(text).map { .string(context.compact($0)) } ?? value
        default: return value
        }
    }
}

extension SourceSpecification.Selector {
    /// As parameters.
    func terms(_ context: Context) -> [(name: String, value: String)] {
        var terms: [(String, String)] = []
        if let types { terms.append(("type", types.text(context.compact))) }
        if let ids {
            terms.append(("id", ids.map(\.text).sorted().joined(separator: ",")))
        } else if let idPattern {
            terms.append(("idPattern", idPattern.pattern.text))
        }
        return terms
    }
}

extension QueryExpression {
    func renamed(_ name: (IRI) -> String) -> QueryExpression {
        switch self {
        case .and(let operands): .and(operands.map { $0.renamed(name) })
        case .or(let operands): .or(operands.map { $0.renamed(name) })
        case .term(let term): .term(QueryTerm(path: term.path.renamed(name), condition: term.condition))
        }
    }
}

extension AttributePath {
    fileprivate func renamed(_ name: (IRI) -> String) -> AttributePath {
        func renamed(_ old: Name) -> Name { Name(term: name(old.iri), iri: old.iri) }
        return AttributePath(
            hops: hops.map { Hop(relationship: renamed($0.relationship), types: $0.types.map(renamed)) }, root: renamed(root),
            subattributes: subattributes.map(renamed), members: members)
    }
}

extension JSON {
    /// As a parameter of a query string: lists with commas, texts as they are, all else as JSON.
    var parameterText: String {
        if let text = stringValue { return text }
        if let elements = arrayValue, elements.allSatisfy({ $0.stringValue != nil }) { return elements.compactMap(\.stringValue).joined(separator: ",") }
        return description
    }
}
