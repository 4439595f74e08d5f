internal import CityModel
internal import Door
internal import OrderedCollections

/// The body of `POST /entityOperations/query` and of `POST /temporal/entityOperations/query` (clause 5.2.23).
struct QueryBody {
    /// One for each element of `entities`, or one for none: an entity matches when it matches any of them.
    let alternatives: [FilterTerms]
    private let attrs: String?, pick: String?, omit: String?
    private let lang: String?, datasetID: String?
    private let join: String?, joinLevel: Int?, containedBy: [String]
    let orderBy: String?, orderFrom: String?, orderGeometry: String?, collation: String?
    let wantsEntityMap: Bool?, entityMapLifetime: String?
    /// What it says of time; nil for queries of current state.
    let temporal: TemporalTerms?

    private static let entitySelectorCountMax = 100

    init(_ json: JSON, isTemporal: Bool = false) throws(CityError) {
        guard case .object(let members) = json else { throw .badRequestData("the body is an object, not a \(json.kindName)") }
        guard members["type"] == "Query" else { throw .badRequestData("type: the body's type is Query") }
        for name in ["temporalQ", "aggrParams"] where members[name] != nil && !isTemporal {
            throw .badRequestData("\(name): is for queries of the temporal evolution only")
        }
        for name in members.keys where !Self.known.contains(name) { throw .badRequestData("\(name): a Query has no such member") }
        temporal = isTemporal ? try TemporalTerms(members) : nil
        attrs = try Self.list(members, "attrs")
        pick = try Self.list(members, "pick")
        omit = try Self.list(members, "omit")
        lang = try Self.text(members, "lang")
        datasetID = try Self.list(members, "datasetId")
        join = try Self.text(members, "join")
        joinLevel = members["joinLevel"]?.integerValue.map(Int.init)
        containedBy = try Self.list(members, "containedBy")?.split(separator: ",").map(String.init) ?? []
        if let entityMap = members["entityMap"], entityMap.boolValue == nil { throw .badRequestData("entityMap: true or false") }
        wantsEntityMap = members["entityMap"]?.boolValue
        entityMapLifetime = try Self.text(members, "entityMapLifetime")
        let ordering = (members["ordering"] ?? members["entityOrdering"])?.objectValue ?? members
        orderBy = try Self.list(ordering, "orderBy")
        orderFrom = ordering["orderFrom"].map { $0.stringValue ?? $0.description } ?? ordering["coordinates"]?.description
        let geometry = try Self.text(ordering, "geometry")
        orderGeometry = try Self.text(ordering, "orderGeometry") ?? geometry
        collation = try Self.text(ordering, "collation")
        alternatives = try Self.alternatives(members)
    }

    private static let known: Set<String> = [
        "@context", "type", "entities", "attrs", "pick", "omit", "q", "geoQ", "csf", "temporalQ", "aggrParams", "scopeQ", "lang", "containedBy",
        "join", "joinLevel", "datasetId", "expandValues", "jsonKeys", "entityMap", "entityMapLifetime", "ordering", "entityOrdering",
        "orderBy", "orderFrom", "orderGeometry", "collation", "splitEntities", "local",
    ]

    func readParameters(_ query: QueryParameters) -> ReadParameters {
        var parameters = ReadParameters(query)
        if let attrs { parameters.attrs = attrs }
        if let pick { parameters.pick = pick }
        if let omit { parameters.omit = omit }
        if let lang { parameters.language = lang }
        if let datasetID { parameters.datasetID = datasetID }
        if let join { parameters.join = join }
        if let joinLevel { parameters.joinLevel = joinLevel }
        if !containedBy.isEmpty { parameters.containedBy = containedBy }
        return parameters
    }

    private static func alternatives(_ members: JSONObject) throws(CityError) -> [FilterTerms] {
        var shared = FilterTerms()
        shared.q = try text(members, "q")
        shared.scopeQ = try text(members, "scopeQ")
        shared.csf = try text(members, "csf")
        shared.isSplit = members["splitEntities"]?.boolValue
        shared.expandValues = try list(members, "expandValues")?.split(separator: ",").map(String.init) ?? []
        if let geo = members["geoQ"] {
            guard let geoMembers = geo.objectValue else { throw .badRequestData("geoQ: an object, not a \(geo.kindName)") }
            shared.georel = try text(geoMembers, "georel")
            shared.geometry = try text(geoMembers, "geometry")
            shared.coordinates = geoMembers["coordinates"]
            shared.geoproperty = try text(geoMembers, "geoproperty")
        }
        guard let entities = members["entities"] else { return [shared] }
        guard case .array(let selectors) = entities else { throw .badRequestData("entities: an array, not a \(entities.kindName)") }
        guard selectors.count <= entitySelectorCountMax else { throw .badRequestData("entities: at most \(entitySelectorCountMax)") }
        var alternatives: [FilterTerms] = []
        for selector in selectors {
            guard case .object(let members) = selector else { throw .badRequestData("entities: its elements are objects") }
            var terms = shared
            terms.ids = try list(members, "id")
            // Identifiers say more than a pattern (clause 5.2.33).
            terms.idPattern = terms.ids == nil ? try text(members, "idPattern") : nil
            terms.type = try text(members, "type")
            guard terms.type != nil else { throw .badRequestData("entities.type: every selector names a type") }
            alternatives.append(terms)
        }
        return alternatives
    }

    static func text(_ members: JSONObject, _ name: String) throws(CityError) -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.stringValue else { throw .badRequestData("\(name): a text, not a \(value.kindName)") }
        return text
    }

    /// A text, or an array of texts joined with commas.
    static func list(_ members: JSONObject, _ name: String) throws(CityError) -> String? {
        guard let value = members[name] else { return nil }
        guard case .array(let elements) = value else { return try text(members, name) }
        var texts: [String] = []
        for element in elements {
            guard let text = element.stringValue else { throw .badRequestData("\(name): an array of texts") }
            texts.append(text)
        }
        guard !texts.isEmpty else { throw .badRequestData("\(name): an empty array (clause 5.2.23)") }
        return texts.joined(separator: ",")
    }
}
