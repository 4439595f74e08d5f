internal import CityModel
internal import OrderedCollections

/// What one version of the core context changed against the version before it. Facts from annex B of the versions 1.3.1
/// to 1.9.1 of ETSI GS CIM 009.
struct CoreContextEdition: Sendable {
    let minorVersion: Int
    var removed: [String] = []
    let defined: [String: JSON]

    init(_ minorVersion: Int, removed: [String] = [], _ groups: [[String: JSON]]) {
        self.minorVersion = minorVersion
        self.removed = removed
        defined = groups.reduce(into: [:]) { all, group in all.merge(group) { _, new in new } }
    }
}

// MARK: - Notation

/// What the core context says about the values of a term.
private enum Coercion {
    case none, dateTime, identifier, vocabulary, json, list, identifierList, set, language, index

    var members: JSONObject {
        switch self {
        case .none: [:]
        case .dateTime: ["@type": "DateTime"]
        case .identifier: ["@type": "@id"]
        case .vocabulary: ["@type": "@vocab"]
        case .json: ["@type": "@json"]
        case .list: ["@container": "@list"]
        case .identifierList: ["@type": "@id", "@container": "@list"]
        case .set: ["@container": "@set"]
        case .language: ["@container": "@language"]
        case .index: ["@container": "@index"]
        }
    }
}

private func definition(_ iri: String, _ coercion: Coercion) -> JSON {
    var members = coercion.members
    if members.isEmpty { return .string(iri) }
    members["@id"] = .string(iri)
    return .object(members)
}

/// Terms, separated by spaces, that keep their name in the namespace.
private func same(_ names: String, _ coercion: Coercion = .none, in prefix: String = "ngsi-ld:") -> [String: JSON] {
    names.split(separator: " ").reduce(into: [:]) { terms, name in terms[String(name)] = definition(prefix + name, coercion) }
}

/// Terms whose name in the NGSI-LD namespace is another one: `value` is `hasValue`.
private func renamed(_ names: KeyValuePairs<String, String>, _ coercion: Coercion = .none) -> [String: JSON] {
    names.reduce(into: [:]) { terms, pair in terms[pair.key] = definition("ngsi-ld:" + pair.value, coercion) }
}

// MARK: - Facts

extension CoreContextEdition {
    /// Oldest first, without gaps.
    static let all: [CoreContextEdition] = [v3, v4, v5, v6, v7, v8, v9]

    private static let v3 = CoreContextEdition(3, [
        same("Attribute AttributeList ContextSourceNotification ContextSourceRegistration Date DateTime EntityType EntityTypeInfo"),
        same("EntityTypeList GeoProperty Notification Property Relationship Subscription TemporalProperty Time"),
        same("accept csf data detail endpoint entities entityCount error errors format geoQ geoproperty georel idPattern"),
        same("information isActive location managementInterval notification observationInterval observationSpace operationSpace"),
        same("q reason registrationName status subscriptionName temporalQ throttling timeInterval timeproperty timerel timesSent"),
        same("triggerReason unchanged unitCode updated uri"),
        same("Feature FeatureCollection GeometryCollection LineString MultiLineString MultiPoint MultiPolygon", in: "geojson:"),
        same("Point Polygon geometry properties", in: "geojson:"),
        same("bbox coordinates", .list, in: "geojson:"),
        same("features", .set, in: "geojson:"),
        same("description title", in: "http://purl.org/dc/terms/"),
        same("attributeList attributeName attributeNames attributeTypes attributes propertyNames", .vocabulary),
        same("relationshipNames typeList typeName typeNames watchedAttributes", .vocabulary),
        same("createdAt endAt endTimeAt expiresAt lastFailure lastNotification lastSuccess modifiedAt", .dateTime),
        same("notifiedAt observedAt startAt timeAt", .dateTime),
        same("datasetId entityId instanceId subscriptionId success tenant", .identifier),
        renamed(["value": "hasValue"]),
        renamed(["object": "hasObject"], .identifier),
        renamed(["objects": "hasObjects"], .identifierList),
        renamed(["values": "hasValues"], .list),
        namesWithoutNamespace,
    ])

    /// Versions 1.3, 1.4, 1.6, 1.7 and 1.8 write these two without the namespace, so they fall to `@vocab` there.
    private static let namesWithoutNamespace: [String: JSON] = same("attributeCount attributeDetails", in: "")

    private static let v4 = CoreContextEdition(4, [
        same("attrs"),
        same("avg distinctCount max min stddev sum sumsq totalCount", .list),
    ])

    private static let v5 = CoreContextEdition(5, [
        same("LanguageProperty attributeCount attributeDetails lang scope scopeQ"),
        renamed(["languageMap": "hasLanguageMap"], .language),
    ])

    private static let v6 = CoreContextEdition(6, [
        namesWithoutNamespace,
        same("cacheDuration contextSourceInfo cooldown localOnly management mode notUpdated notificationTrigger notifierInfo"),
        same("operations receiverInfo refreshRate registrationId showChanges sysAttrs timeout timesFailed"),
        same("deletedAt", .dateTime),
        renamed(["key": "hasKey", "previousValue": "hasPreviousValue"]),
        renamed(["languageMaps": "hasLanguageMaps", "objects": "hasObjects"], .list),
        renamed(["previousLanguageMap": "hasPreviousLanguageMap"], .language),
        renamed(["previousObject": "hasPreviousObject"], .identifier),
    ])

    private static let v7 = CoreContextEdition(7, [
        same("VocabularyProperty"),
        renamed(["dataset": "hasDataset"], .index),
        renamed(["previousVocab": "hasPreviousVocab", "vocab": "hasVocab"], .vocabulary),
        renamed(["vocabs": "hasVocabs"], .list),
    ])

    private static let v8 = CoreContextEdition(8, removed: ["VocabularyProperty"], [
        same("ContextSourceIdentity JsonProperty ListProperty ListRelationship VocabProperty"),
        same("contextSourceAlias contextSourceUptime entity join linkedMaps"),
        same("contextSourceExtras", .json),
        same("contextSourceTimeAt", .dateTime),
        same("entityList jsons", .list),
        renamed(["containedBy": "isContainedBy", "entityMap": "hasEntityMap", "joinLevel": "hasJoinLevel"]),
        renamed(["json": "hasJSON", "previousJson": "hasPreviousJson"], .json),
        renamed(["objectList": "hasObjectList", "objectsLists": "hasObjectsLists"], .list),
        renamed(["previousObjectList": "hasPreviousObjectList", "previousValueList": "hasPreviousValueList"], .list),
        renamed(["valueList": "hasValueList", "valueLists": "hasValueLists"], .list),
        renamed(["objectType": "hasObjectType"], .vocabulary),
    ])

    private static let v9 = CoreContextEdition(9, removed: ["objectsLists"], [
        same("EntityMap ExecutionResultDetails Snapshot SnapshotNotification aggrMethods aggrParams aggrPeriodDuration"),
        same("attributeCount attributeDetails collation expandValues jsonKeys jsonldContext lastN ngsildConformance omit ordering"),
        same("pick resultStatus snapshotId snapshotLifetime snapshotPriority snapshotStatus"),
        same("lastUsedAt", .dateTime),
        same("orderBy snapshotQueries snapshotQueriesDetails snapshotTemporalQueries snapshotTemporalQueriesDetails", .list),
        same("problemDetails", .json),
        same("langString", in: "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
        renamed(["entityMapLifetime": "hasEntityMapLifetime", "splitEntities": "hasSplitEntities"]),
        renamed(["entityMap": "hasEntityMap"], .index),
        renamed(["objectLists": "hasObjectLists"], .list),
        renamed(["valueType": "hasValueType"], .vocabulary),
        ["ngsildproof": proof],
    ])

    /// The only core term with a context of its own. That context takes no part in the processing here: it concerns the
    /// members of one attribute, which the representation knows by name.
    private static let proof: JSON = [
        "@id": "ngsi-ld:ngsildproof",
        "@context": [
            [
                "entityIdSealed": "ngsi-ld:entityIdSealed",
                "entityTypeSealed": definition("ngsi-ld:entityTypeSealed", .vocabulary),
            ],
            "https://w3id.org/security/data-integrity/v2",
        ],
    ]
}
