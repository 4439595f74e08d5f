import Broker
import CityModel
import LinkedData
import OrderedCollections
import Store
import Subscriptions
import Testing

/// What a notification says (clause 5.8.6).
@Suite(.timeLimit(.minutes(10))) struct NotificationTests {
    private static let lamp = IRI("urn:ngsi-ld:Lamp:1")!

    private func document(_ members: String, _ notification: String, endpoint: String = "") -> String {
        #"{"type":"Subscription","entities":[{"type":"Lamp"}]"# + (members.isEmpty ? "" : "," + members)
            + #","notification":{"endpoint":{"uri":"http://a.example/""# + endpoint + "}" + (notification.isEmpty ? "" : "," + notification) + "}}"
    }

    /// A lamp with a level and a name, made before the subscription that is then created.
    private func city(_ members: String, _ notification: String, endpoint: String = "") async throws -> City {
        let city = try City()
        var entity = Entity(id: Self.lamp, types: [name("Lamp")])
        entity.attributes[name("level")] = [Attribute(kind: .property, value: 1, unitCode: "LUX")]
        entity.attributes[name("label")] = [Attribute(kind: .languageProperty, value: ["fr": "lampe", "en": "lamp"])]
        entity.attributes[name("pole")] = [Attribute(kind: .relationship, value: "urn:ngsi-ld:Pole:1")]
        entity.attributes[.location] = [Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [3.8, 43.6]])]
        var pole = Entity(id: IRI("urn:ngsi-ld:Pole:1")!, types: [name("Pole")])
        pole.attributes[name("height")] = [Attribute(kind: .property, value: 4)]
        for entity in [entity, pole] { try await city.broker.create(entity, city.access(), at: noon) }
        try await city.subscribe(document(members, notification, endpoint: endpoint))
        return city
    }

    private func update(_ city: City, _ term: String, _ attribute: Attribute) async throws {
        var fragment = EntityFragment()
        fragment.attributes[name(term)] = [attribute]
        _ = try await city.broker.update(fragment, of: Self.lamp, city.access(), at: noon.adding(seconds: 1))
    }

    private func told(_ city: City) async throws -> Received {
        let told = try await city.receivers.wait(for: 1)[0]
        try await city.close()
        return told
    }

    /// Clauses 5.3.1, 4.5.4, 5.2.14.
    @Test func `simplified, concise and normalized are what they are in answers`() async throws {
        for (format, level) in [("simplified", 7), ("keyValues", 7), ("concise", ["value": 7, "unitCode": "LUX"]),
            ("normalized", ["type": "Property", "value": 7, "unitCode": "LUX"])] as [(String, JSON)]
        {
            let city = try await city("", "\"format\":\"\(format)\"")
            try await update(city, "level", Attribute(kind: .property, value: 7, unitCode: "LUX"))
            #expect(try await told(city).data[0]["level"] == level)
        }
    }

    /// Clauses 5.2.12, 5.8.6.
    @Test func `only the watched attributes make a notification, and all are told`() async throws {
        let city = try await city(#""watchedAttributes":["level"]"#, "")
        try await update(city, "label", Attribute(kind: .languageProperty, value: ["fr": "réverbère"]))
        try await update(city, "level", Attribute(kind: .property, value: 7))
        let told = try await told(city)
        #expect(told.value("level") == 7)
        #expect(told.data[0]["label"]?["languageMap"]?["fr"] == "réverbère")
    }

    /// Clauses 5.2.14, 5.8.6.
    @Test func `with showChanges the value before stands beside the one now, where there was one`() async throws {
        let city = try await city("", #""showChanges":true"#)
        try await update(city, "label", Attribute(kind: .languageProperty, value: ["fr": "réverbère"]))
        let label = try await told(city).data[0]
        #expect(label["label"] == ["type": "LanguageProperty", "languageMap": ["fr": "réverbère"], "previousLanguageMap": ["fr": "lampe", "en": "lamp"]])
        #expect(label["level"]?["previousValue"] == nil)
    }

    /// Clause 5.8.6.
    @Test func `a deleted attribute is told as null, with what it was where changes are shown`() async throws {
        for (notification, expected) in [
            (#""format":"normalized""#, ["type": "Relationship", "object": "urn:ngsi-ld:null"]), (#""format":"simplified""#, "urn:ngsi-ld:null"),
            (#""format":"concise""#, "urn:ngsi-ld:null"),
            (#""showChanges":true"#, ["type": "Relationship", "object": "urn:ngsi-ld:null", "previousObject": "urn:ngsi-ld:Pole:1"]),
        ] as [(String, JSON)] {
            let city = try await city(#""notificationTrigger":["attributeDeleted"]"#, notification)
            try await city.broker.deleteAttribute(name("pole"), of: Self.lamp, city.access(), at: noon)
            #expect(try await told(city).data[0]["pole"] == expected, "\(notification)")
        }
    }

    /// Clause 5.8.6.
    @Test func `of several instances the one that is gone is told, and one null when none is left`() async throws {
        for (deletesAll, expected) in [
            (false, [["type": "Property", "value": 1], ["type": "Property", "value": "urn:ngsi-ld:null", "datasetId": "urn:x:d"]]),
            (true, ["type": "Property", "value": "urn:ngsi-ld:null"]),
        ] as [(Bool, JSON)] {
            let city = try await city(#""notificationTrigger":["attributeDeleted"]"#, "")
            try await update(city, "level", Attribute(kind: .property, value: 1))
            try await update(city, "level", Attribute(kind: .property, value: 2, datasetID: IRI("urn:x:d")))
            try await city.broker.deleteAttribute(
                name("level"), of: Self.lamp, datasetID: deletesAll ? nil : IRI("urn:x:d"), all: deletesAll, city.access(), at: noon)
            #expect(try await told(city).data[0]["level"] == expected)
        }
    }

    /// Clause 5.8.6.
    @Test func `of a deleted entity the time is told, and what it was only where changes are shown`() async throws {
        let plain = try await city(#""notificationTrigger":["entityDeleted"]"#, "")
        try await plain.broker.delete(Self.lamp, plain.access(), at: noon)
        #expect(try await told(plain).data == [["id": "urn:ngsi-ld:Lamp:1", "type": "Lamp", "deletedAt": .string(noon.description)]])

        let system = try await city(#""notificationTrigger":["entityDeleted"]"#, #""sysAttrs":true"#)
        try await system.broker.delete(Self.lamp, system.access(), at: noon)
        #expect(try await told(system).data[0].objectValue.map { Set($0.keys) } == ["id", "type", "createdAt", "modifiedAt", "deletedAt"])

        let changes = try await city(#""notificationTrigger":["entityDeleted"]"#, #""showChanges":true"#)
        try await changes.broker.delete(Self.lamp, changes.access(), at: noon)
        let lamp = try await told(changes).data[0]
        #expect(lamp["level"]?["value"] == "urn:ngsi-ld:null" && lamp["level"]?["previousValue"] == 1)
        #expect(lamp["label"]?["languageMap"] == ["@none": "urn:ngsi-ld:null"])
    }

    /// Clauses 5.2.12, 5.8.6.
    @Test func `creation and deletion are told to those who ask for them and to no others`() async throws {
        let city = try City()
        for trigger in ["entityCreated", "entityDeleted", "entityUpdated"] {
            try await city.subscribe(
                #"{"type":"Subscription","entities":[{"type":"Lamp"}],"notificationTrigger":["\#(trigger)"],"#
                    + #""notification":{"endpoint":{"uri":"http://\#(trigger).example/"}}}"#)
        }
        try await city.set(Self.lamp.text, level: 1)
        try await city.set(Self.lamp.text, level: 2)
        try await city.broker.delete(Self.lamp, city.access(), at: noon)
        let uris = try await city.receivers.wait(for: 3).map(\.uri)
        #expect(Set(uris) == ["http://entityCreated.example/", "http://entityDeleted.example/", "http://entityUpdated.example/"])
        try await city.close()
    }

    @Test func `queries, geo-queries and patterns decide which entities are told of (clauses 4.9, 4.10, 5.2.33)`() async throws {
        let near = #""geoQ":{"georel":"near;maxDistance==1000","geometry":"Point","coordinates":[3.8,43.6]}"#
        for (members, isTold) in [
            (#""q":"level>5""#, true), (#""q":"level>9""#, false), (near, true), (near.replacing("43.6", with: "44.6"), false),
            (#""entities":[{"type":"Lamp","idPattern":"Lamp:1$"}]"#, true), (#""entities":[{"type":"Lamp","idPattern":"Lamp:2$"}]"#, false),
            (#""entities":[{"type":"Lamp","id":"urn:ngsi-ld:Lamp:2"},{"type":"Lamp","id":"urn:ngsi-ld:Lamp:1"}]"#, true),
            (#""scopeQ":"/Mosson""#, false), (#""q":"pole{height}==4""#, true), (#""q":"pole{height}==5""#, false),
        ] as [(String, Bool)] {
            let city = try await city(members, "")
            try await city.subscribe(document("", "").replacing("a.example", with: "all.example"))
            try await update(city, "level", Attribute(kind: .property, value: 7))
            let received = try await city.receivers.wait(for: isTold ? 2 : 1)
            #expect(received.contains { $0.uri == "http://a.example/" } == isTold, "\(members)")
            try await city.close()
        }
    }

    /// Clauses 4.21, 5.2.14.
    @Test func `pick, omit, attributes and datasetId say what is told of an entity`() async throws {
        for (members, notification, expected) in [
            ("", #""pick":["id","level"]"#, ["id", "level"]), ("", #""omit":["label","pole","location"]"#, ["id", "type", "level"]),
            ("", #""attributes":["level"]"#, ["id", "type", "level"]), (#""datasetId":["urn:x:d"]"#, "", ["id", "type"]),
        ] as [(String, String, Set<String>)] {
            let city = try await city(members, notification)
            try await update(city, "level", Attribute(kind: .property, value: 7))
            #expect(try await told(city).data[0].objectValue.map { Set($0.keys) } == expected)
        }
    }

    @Test func `linked entities are told beside or within (clause 4.5.23)`() async throws {
        let flat = try await city("", #""join":"flat","format":"simplified""#)
        try await update(flat, "level", Attribute(kind: .property, value: 7))
        #expect(try await told(flat).data.map { $0["id"] } == ["urn:ngsi-ld:Lamp:1", "urn:ngsi-ld:Pole:1"])
        let inline = try await city("", #""join":"inline","format":"simplified""#)
        try await update(inline, "level", Attribute(kind: .property, value: 7))
        #expect(try await told(inline).data[0]["pole"]?["height"] == 4)
    }

    @Test func `lang chooses among languages (clause 4.15)`() async throws {
        let city = try await city(#""lang":"fr""#, "")
        try await update(city, "level", Attribute(kind: .property, value: 7))
        #expect(try await told(city).data[0]["label"] == ["type": "Property", "value": "lampe", "lang": "fr"])
    }

    /// Clause 5.2.15.
    @Test func `the media type decides where the context stands (clause 6.3.8)`() async throws {
        let linked = try await city("", "", endpoint: #","accept":"application/ld+json","receiverInfo":[{"key":"X-Key","value":"v"}]"#)
        try await update(linked, "level", Attribute(kind: .property, value: 7))
        let told = try await told(linked)
        #expect(told.notification["@context"] == .string(CoreContext.url))
        #expect(told.data[0]["@context"] == .string(CoreContext.url))
        #expect(told.headers["Link"] == nil)
        #expect(told.headers["X-Key"] == "v")

        let features = try await city("", #""format":"simplified""#, endpoint: #","accept":"application/geo+json""#)
        try await update(features, "level", Attribute(kind: .property, value: 7))
        let collection = try await self.told(features).notification["data"]
        #expect(collection?["type"] == "FeatureCollection")
        #expect(collection?["@context"] == .string(CoreContext.url))
        #expect(collection?["features"]?.arrayValue?[0]["geometry"]?["type"] == "Point")
        #expect(collection?["features"]?.arrayValue?[0]["properties"]?["level"] == 7)
    }

    /// Clauses 5.3.1, 5.8.6.
    @Test func `entities that change in one request are told of together`() async throws {
        let city = try City()
        try await city.subscribe(document("", ""))
        let entities = (1...5).map { number in
            Entity(id: IRI("urn:ngsi-ld:Lamp:\(number)")!, types: [name("Lamp")], attributes: [name("level"): [Attribute(kind: .property, value: 1)]])
        }
        _ = try await city.broker.createBatch(entities, city.access(), at: noon)
        #expect(try await told(city).data.count == 5)
    }
}
