import CityModel
import Federation
import LinkedData
import OrderedCollections
import Synchronization
import Subscriptions

/// JSON, and what NGSI-LD says in it.
extension FuzzEntry {
    static let documents: [FuzzEntry] = [
        FuzzEntry("json", tokens: ["null", "true", "1e308", "-0", "0.1", "9223372036854775807", "\\u0000", "\\ud83d\\ude00", "\\ud800"], isJSON: true) { bytes in
            guard let json = try? JSON(parsing: bytes) else { return }
            var writer = JSONWriter()
            writer.write(json)
            try hold(try JSON(parsing: writer.bytes) == json, "read again it is another value: \(writer.text)")
        },
        FuzzEntry("entity", tokens: names, isJSON: true) { bytes in
            guard let json = try? JSON(parsing: bytes) else { return }
            for purpose in [EntityReader.Purpose.update, .merge, .foreign] { _ = try? EntityReader(context: Context.core, purpose: purpose).fragment(json) }
            _ = try? EntityReader(context: Context.core, purpose: .update).attributeFragment(json, path: "level")
            guard let entity = try? EntityReader(context: Context.core, purpose: .content).fragment(json).entity() else { return }
            for format in RepresentationFormat.allCases {
                var writer = JSONWriter()
                EntityWriter(names: ContextNames(context: .core, includesSystemMembers: true), format: format).write(entity, to: &writer)
                // The whole form of what was concise is deeper; the store reads it so.
                let written = try JSONParser(depthMax: 512).parse(writer.bytes)
                guard format == .normalized else { continue }
                let again = try EntityReader(context: Context.core, purpose: .content).fragment(written).entity()
                try hold(again.hasSameContent(as: entity), "\(entity)\nread again is\n\(again)")
            }
        },
        FuzzEntry("temporal", tokens: names + ["deletedAt", "instanceId"], isJSON: true) { bytes in
            guard let json = try? JSON(parsing: bytes) else { return }
            for purpose in [EntityReader.Purpose.temporal, .foreignEvolution] { _ = try? EntityReader(context: Context.core, purpose: purpose).temporalFragment(json) }
            _ = try? EntityReader(context: Context.core, purpose: .temporal).temporalInstance(json, path: "level")
        },
        FuzzEntry(
            "context",
            tokens: [
                "@context", "@id", "@type", "@vocab", "@base", "@version", "@container", "@language", "@protected", "@prefix", "@import", "@reverse",
                "@none", "@nest", "@propagate", "1.1", "https://example.org/", "ex:", "level", "null",
            ], isJSON: true
        ) { bytes in
            guard let json = try? JSON(parsing: bytes) else { return }
            let context = Mutex<Context?>(nil)
            blocking {
                let resolver = ContextResolver { url in
                    guard url.hasSuffix("known") else { throw CityError.contextNotAvailable(url) }
                    return ["@context": ["level": "https://example.org/level", "ex": "https://example.org/"]]
                }
                let found = try? await resolver.resolve(json["@context"] ?? json)
                context.withLock { $0 = found }
            }
            guard let context = context.withLock({ $0 }) else { return }
            for name in ["level", "ex:level", "type", "@id", "name", ""] {
                guard let iri = context.expand(name) else { continue }
                let short = context.compact(iri)
                try hold(context.expand(short) == iri, "\(name) is \(iri), which is written \(short), which is \(String(describing: context.expand(short)))")
            }
        },
        FuzzEntry(
            "subscription",
            tokens: names + [
                "entities", "idPattern", "notification", "endpoint", "uri", "accept", "watchedAttributes", "notificationTrigger", "q", "geoQ",
                "scopeQ", "throttling", "timeInterval", "mqtt://a/b", "http://127.0.0.1/", "receiverInfo", "notifierInfo", "splitEntities",
                "information", "propertyNames", "relationshipNames", "mode", "operations", "contextSourceInfo", "management", "registrationName",
                "observationInterval", "exclusive", "conurb:alder",
            ], isJSON: true
        ) { bytes in
            guard let json = try? JSON(parsing: bytes), let members = json.objectValue else { return }
            let given = SubscriptionBody.given(members)
            try? SubscriptionBody.checkUTC(given)
            let noon = Instant(seconds: 1_780_000_000)
            let body = SubscriptionBody(document: given, names: NameTable(), contextURL: CoreContext.url, createdAt: noon, modifiedAt: noon)
            if (try? body.subscription()) != nil { try hold((try? SubscriptionBody(body.json).subscription()) != nil, "it can't be read from what is stored of it") }
            _ = try? RegistrationDocument(json).registration(IRI(known: "urn:ngsi-ld:ContextSourceRegistration:1"))
        },
    ]

    private static let names = [
        "id", "type", "Property", "Relationship", "GeoProperty", "LanguageProperty", "VocabProperty", "ListProperty", "ListRelationship", "JsonProperty", "value", "object",
        "objectType", "languageMap", "vocab", "valueList", "objectList", "json", "datasetId", "observedAt", "unitCode", "valueType", "expiresAt", "createdAt", "modifiedAt", "scope",
        "location", "urn:ngsi-ld:null", "@value", "@type", "@none", "@set", "en", "Point", "coordinates", "Polygon", "urn:ngsi-ld:T:1", "2026-06-01T12:00:00Z", "/a/b",
    ]
}

extension Entity {
    fileprivate func hasSameContent(as other: Entity) -> Bool {
        id == other.id && types == other.types && scopes == other.scopes && expiresAt == other.expiresAt && attributes.keys == other.attributes.keys
            && attributes.allSatisfy { name, instances in
                guard let others = other.attributes[name], others.count == instances.count else { return false }
                return zip(instances, others).allSatisfy { $0.hasSameContent(as: $1) }
            }
    }
}
