internal import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
internal import Subscriptions

/// A snapshot as its maker describes it and as it is answered (clause 5.2.41): the body of a `SnapshotRecord`.
struct SnapshotDocument {
    /// The members that were given and are kept, in their form.
    private(set) var given: JSONObject
    /// The context that the queries' names are read with.
    let context: JSON?
    var queryDetails: [JSON] = []
    var evolutionDetails: [JSON] = []

    private static let settable = ["snapshotLifetime", "snapshotPriority", "endpoint", "receiverInfo"]
    private static let queryMembers = ["snapshotQueries", "snapshotTemporalQueries"]
    /// Passed over in what is given (table 5.2.41-2).
    private static let outputOnly: Set<String> = [
        "snapshotStatus", "snapshotQueriesDetails", "snapshotTemporalQueriesDetails", "createdAt", "modifiedAt", "expiresAt", "lastUsedAt",
    ]
    /// What queries for snapshots can be about.
    static let members = Set(["id", "type"] + settable + queryMembers).union(outputOnly)
    static let queryCountMax = 20
    static let priorityDefault = 5

    /// A new one.
    /// - Parameter source: the one that it is a clone of, whose queries it has (clause 5.16.2).
    /// - Throws: `badRequestData` that names the member.
    init(creating members: JSONObject, _ context: Context, cloneOf source: SnapshotDocument? = nil) throws(CityError) {
        guard members["type"] == "Snapshot" else { throw .badRequestData("type: a snapshot's type is Snapshot") }
        given = [:]
        self.context = source == nil ? context.answered : source?.context
        try Self.checkNames(members)
        for name in Self.settable { given[name] = members[name] }
        if let source {
            for name in Self.queryMembers {
                guard members[name] == nil else { throw .badRequestData("\(name): a clone has the queries of its original") }
                given[name] = source.given[name]
            }
            (queryDetails, evolutionDetails) = (source.queryDetails, source.evolutionDetails)
        } else {
            for name in Self.queryMembers { given[name] = try members[name].map { value throws(CityError) in try Self.queryList(value, name) } }
            guard Self.queryMembers.contains(where: { given[$0] != nil }) else {
                throw .badRequestData("snapshotQueries: a snapshot has these or snapshotTemporalQueries")
            }
        }
        try check()
    }

    init(_ body: JSON) {
        given = body["given"]?.objectValue ?? [:]
        context = body["context"]
        queryDetails = body["queryDetails"]?.arrayValue ?? []
        evolutionDetails = body["evolutionDetails"]?.arrayValue ?? []
    }

    var json: JSON {
        var members: JSONObject = ["given": .object(given), "queryDetails": .array(queryDetails), "evolutionDetails": .array(evolutionDetails)]
        members["context"] = context
        return .object(members)
    }

    /// Puts the members of a fragment in the place of those that were; null takes one away (clauses 5.16.4.4 and 5.5.8).
    mutating func update(with fragment: JSONObject, id: String) throws(CityError) {
        if let type = fragment["type"], type != "Snapshot" { throw .badRequestData("type: a snapshot's type is Snapshot") }
        if let other = fragment["id"], other != .string(id) { throw .badRequestData("id: a snapshot's id can't be changed") }
        try Self.checkNames(fragment)
        for name in Self.queryMembers where fragment[name] != nil { throw .badRequestData("\(name): a snapshot's queries can't be changed") }
        for name in Self.settable {
            guard let value = fragment[name] else { continue }
            given[name] = value == .null || value == .string(Attribute.nullText) ? nil : value
        }
        try check()
    }

    private static func checkNames(_ members: JSONObject) throws(CityError) {
        for name in members.keys where name != "@context" && !Self.members.contains(name) {
            throw .badRequestData("\(name): a Snapshot has no such member")
        }
    }

    private static func queryList(_ value: JSON, _ name: String) throws(CityError) -> JSON {
        guard let queries = value.arrayValue, !queries.isEmpty else { throw .badRequestData("\(name): an array of queries") }
        guard queries.count <= queryCountMax else { throw .badRequestData("\(name): at most \(queryCountMax) queries") }
        return value
    }

    private func check() throws(CityError) {
        if let value = given["snapshotPriority"] {
            guard let priority = value.integerValue, (1...10).contains(priority) else {
                throw .badRequestData("snapshotPriority: a whole number from 1 to 10")
            }
        }
        if let value = given["snapshotLifetime"] {
            guard let lifetime = value.stringValue.flatMap({ PeriodDuration($0) }), !lifetime.isWholeRange else {
                throw .badRequestData("snapshotLifetime: a duration such as PT10M")
            }
        }
        _ = try endpoint
    }

    // MARK: - What the members say

    var priority: Int { given["snapshotPriority"]?.integerValue.map(Int.init) ?? Self.priorityDefault }
    var queries: [JSON] { given["snapshotQueries"]?.arrayValue ?? [] }
    var evolutionQueries: [JSON] { given["snapshotTemporalQueries"]?.arrayValue ?? [] }

    /// When a snapshot that is to live so long from now would expire; nil where it does not say.
    func wantedExpiry(from now: Instant) -> Instant? {
        given["snapshotLifetime"]?.stringValue.flatMap { PeriodDuration($0) }?.start(ofPeriod: 1, from: now)
    }

    /// Who is told what becomes of it.
    /// - Throws: `badRequestData` for what is no HTTP endpoint, and for headers that a receiver can't set.
    var endpoint: Endpoint? {
        get throws(CityError) {
            guard let uri = given["endpoint"] else {
                guard given["receiverInfo"] == nil else { throw .badRequestData("receiverInfo: needs an endpoint") }
                return nil
            }
            var members: JSONObject = ["uri": uri]
            members["receiverInfo"] = given["receiverInfo"]
            do throws(CityError) {
                let endpoint = try Endpoint(members)
                guard endpoint.binding == .http else { throw .badRequestData("notification.endpoint.uri: http or https") }
                return endpoint
            } catch .badRequestData(let detail) {
                let own = detail.replacing("notification.endpoint.uri", with: "endpoint").replacing("notification.endpoint.", with: "")
                throw .badRequestData(own)
            }
        }
    }

    func answer(_ record: SnapshotRecord) -> JSON {
        var members: JSONObject = ["id": .string(record.id), "type": "Snapshot"]
        members.merge(given) { own, _ in own }
        members["snapshotPriority"] = .integer(Int64(record.priority))
        members["snapshotStatus"] = .string(record.status.rawValue)
        if !queryDetails.isEmpty { members["snapshotQueriesDetails"] = .array(queryDetails) }
        if !evolutionDetails.isEmpty { members["snapshotTemporalQueriesDetails"] = .array(evolutionDetails) }
        members["createdAt"] = .string(record.createdAt.description)
        members["modifiedAt"] = .string(record.modifiedAt.description)
        members["expiresAt"] = .string(record.expiresAt.description)
        members["lastUsedAt"] = .string(record.lastUsedAt.description)
        return .object(members)
    }

    /// What its endpoint is told (clauses 5.16.6 and 5.3.4).
    func notification(_ record: SnapshotRecord, id: String, at now: Instant) -> JSON {
        var members: JSONObject = [
            "id": .string("urn:ngsi-ld:SnapshotNotification:" + id), "type": "SnapshotNotification", "snapshotId": .string(record.id),
            "snapshotStatus": .string(record.status.rawValue), "snapshotPriority": .integer(Int64(record.priority)),
            "expiresAt": .string(record.expiresAt.description), "notifiedAt": .string(now.description),
        ]
        if !queryDetails.isEmpty { members["snapshotQueriesDetails"] = .array(queryDetails) }
        if !evolutionDetails.isEmpty { members["temporalSnapshotQueriesDetails"] = .array(evolutionDetails) }
        return .object(members)
    }
}

extension SnapshotRecord {
    var document: SnapshotDocument { SnapshotDocument(body) }

    /// The snapshot as an entity that a query of clause 4.9 can be held against (clause 5.16.7).
    func asEntity() -> Entity {
        var entity = Entity(id: IRI(known: id), types: [IRI(known: IRI.ngsildNamespace + "Snapshot")])
        (entity.createdAt, entity.modifiedAt, entity.expiresAt) = (createdAt, modifiedAt, expiresAt)
        for (name, value) in document.answer(self).objectValue ?? [:] where !["id", "type", "createdAt", "modifiedAt", "expiresAt"].contains(name) {
            entity.attributes[SnapshotRecord.member(name)] = [Attribute(kind: .property, value: value)]
        }
        return entity
    }

    static func member(_ name: String) -> IRI { IRI(known: IRI.ngsildNamespace + name) }
}
