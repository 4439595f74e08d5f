internal import Broker
internal import CityModel
internal import Door
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Trust

/// `/live/entity` and `/live/history`.
extension SiteDoor {
    static let attributeCountMax = 40
    /// Targets of one relationship that are named.
    static let targetCountMax = 10

    func entityAnswer(_ request: DoorRequest) async throws -> Response {
        let parameters = LiveParameters(request: request)
        let catalogue = try await city.catalogue(request)
        let moment = try parameters.moment()
        let index = try city.municipalities(try requiredMunicipality(request), in: catalogue)[0]
        let access = catalogue.municipalities[index].access
        var live = try await broker.liveEntity(try parameters.identifier(), access, at: request.now)
        if let moment { live = try await past(live, at: moment, access, now: request.now) }
        let words = ValueText(language: language(request), clock: ClockText(zone: configuration.timeZone, language: language(request)))
        let panel = EntityPanel(door: self, catalogue: catalogue, municipality: index, words: words, now: request.now)
        return Answers.json(try await panel.json(live, at: moment), request)
    }

    func requiredMunicipality(_ request: DoorRequest) throws(CityError) -> String {
        guard let key = request.query["municipality"], !key.isEmpty else { throw .badRequestData("municipality: is missing") }
        return key
    }

    /// The entity with its observed attributes as they were at a moment.
    private func past(_ live: LiveEntity, at moment: Instant, _ access: ReadAccess, now: Instant) async throws -> LiveEntity {
        var entity = live.entity
        let observed = entity.attributes.keys.filter { entity.instance(of: $0)?.observedAt != nil }
        let questions = observed.map { PastQuestion(number: live.number, attribute: $0) }
        let values = try await broker.pastValues(questions, at: moment, access, now: now)
        for (name, past) in zip(observed, values) {
            guard var instance = entity.instance(of: name) else { continue }
            instance.value = past?.value ?? .null
            instance.observedAt = past?.at
            instance.unitCode = past?.unitCode ?? instance.unitCode
            entity.attributes[name] = [instance]
        }
        return LiveEntity(number: live.number, version: live.version, run: live.run, classification: live.classification, entity: entity)
    }

    func historyAnswer(_ request: DoorRequest) async throws -> Response {
        let parameters = LiveParameters(request: request)
        let catalogue = try await city.catalogue(request)
        let access = catalogue.municipalities[try city.municipalities(try requiredMunicipality(request), in: catalogue)[0]].access
        let id = try parameters.identifier()
        let interval = try parameters.interval(lengthMaxSeconds: 31 * 86_400)
        let count = try request.query.integer("points", in: 2...500) ?? 144
        let entity = try await broker.liveEntity(id, access, at: request.now).entity
        guard let key = request.query["attribute"], let attribute = Self.attribute(key, of: entity) else {
            throw CityError.resourceNotFound("attribute: the entity has no \((request.query["attribute"] ?? "").prefix(100))")
        }
        let points = try await broker.livePoints(of: id, attribute: attribute, in: interval, countMax: count, access, at: request.now)
        return Answers.json(
            ["points": .array(points.map { [.integer($0.at.milliseconds), .number(Self.rounded($0.value))] })], request)
    }

    /// Six significant digits or so: enough for a chart, and not the noise of an average.
    static func rounded(_ value: Double) -> Double {
        let scale = value.magnitude < 1 ? 1e6 : value.magnitude < 1000 ? 1e4 : 100
        return value.magnitude < 1e12 ? (value * scale).rounded() / scale : value
    }

    /// What pages call an attribute: its short name, or its IRI when two attributes of the entity have the same.
    static func key(_ attribute: IRI, of entity: Entity) -> String {
        let short = attribute.shortName
        return entity.attributes.keys.contains { $0 != attribute && $0.shortName == short } ? attribute.text : short
    }

    static func attribute(_ key: String, of entity: Entity) -> IRI? {
        entity.attributes.keys.first { $0.text == key } ?? entity.attributes.keys.first { $0.shortName == key }
    }
}

/// Puts one entity in words.
private struct EntityPanel {
    let door: SiteDoor
    let catalogue: Catalogue
    let municipality: Int
    let words: ValueText
    let now: Instant

    private var broker: Broker { door.broker }
    private var access: ReadAccess { catalogue.municipalities[municipality].access }
    /// Said in other places of the panel, or, of a report's kind, in the words beside it.
    private static let hidden: Set<String> = Set(Mark.nameTerms.prefix(1) + ["simulated", "dataProvider", "source", "service_code"])

    func json(_ live: LiveEntity, at moment: Instant?) async throws -> JSON {
        let entity = live.entity
        let place = catalogue.municipalities[municipality]
        let entry = catalogue.entry(types: entity.types).map { catalogue.entries[$0] }
        let type = entry?.shortName ?? entity.types.first?.shortName ?? ""
        return [
            "municipality": ["key": .string(place.key), "name": .string(place.name)], "id": .string(entity.id.text),
            "type": ["key": .string(entry?.key ?? type), "label": .string(words.language.type(type))],
            "name": .string(words.language.name(Mark.name(of: entity), id: entity.id.text, type: type)), "position": Mark.position(of: entity)?.json ?? .null,
            "at": moment.map { .integer($0.milliseconds) } ?? .null,
            "changedAt": (entity.modifiedAt ?? entity.createdAt).map { .integer($0.milliseconds) } ?? .null, "simulated": .bool(isSimulated(entity)),
            "scope": .array(entity.scopes.prefix(10).map { .array($0.levels.map { .string(Self.spaced(String($0))) }) }),
            "attributes": try await attributes(live, entry), "source": try await source(live),
        ]
    }

    private func isSimulated(_ entity: Entity) -> Bool {
        let name = entity.attributes.keys.first { $0.shortName == "simulated" }
        return name.flatMap { entity.instance(of: $0)?.value.boolValue } ?? false
    }

    /// Scopes cannot hold spaces; data writes `_` and `-` for them.
    private static func spaced(_ level: String) -> String { level.replacing("_", with: " ") }

    private func attributes(_ live: LiveEntity, _ entry: Catalogue.Entry?) async throws -> JSON {
        let entity = live.entity
        let type = entry?.shortName ?? entity.types.first?.shortName ?? ""
        let main = entry?.scale?.attribute
        let shown = entity.attributes.keys.filter { name in
            guard let instance = entity.attributes[name]?.first else { return false }
            return instance.kind != .geoProperty && !Self.hidden.contains(name.shortName)
        }
        let ordered = (shown.filter { $0 == main } + shown.filter { $0 != main }).prefix(SiteDoor.attributeCountMax)
        let numeric = ordered.filter { entity.attributes[$0]?.first?.value.doubleValue != nil }
        let past = try await broker.haveHistory(numeric.map { PastQuestion(number: live.number, attribute: $0) }, access, at: now)
        let withHistory = Set(zip(numeric, past).filter(\.1).map(\.0))
        var rows: [JSON] = []
        for name in ordered {
            guard let instance = entity.instance(of: name) ?? entity.attributes[name]?.first else { continue }
            var row: JSONObject = [
                "key": .string(SiteDoor.key(name, of: entity)), "label": .string(words.language.attribute(name.shortName, of: type)),
                "observedAt": instance.observedAt.map { .integer($0.milliseconds) } ?? .null, "history": .bool(withHistory.contains(name)),
            ]
            try await value(instance, name, &row)
            rows.append(.object(row))
        }
        return .array(rows)
    }

    private func value(_ instance: Attribute, _ name: IRI, _ row: inout JSONObject) async throws {
        row["value"] = .null
        if instance.kind.isRelationship { return try await relationship(instance, &row) }
        guard instance.kind == .property, ValueText.isScalar(instance.value) else {
            if let line = words.line(instance, of: name) { row["text"] = .string(line) }
            return
        }
        row["value"] = instance.value
        if instance.value.doubleValue != nil {
            let unit = door.languages.unit(instance.unitCode, of: name.shortName)
            (row["unit"], row["factor"]) = (.string(unit.symbol ?? ""), .number(unit.factor))
        }
    }

    /// A relationship to one entity that is here leads there; anything else is named.
    private func relationship(_ instance: Attribute, _ row: inout JSONObject) async throws {
        let targets = instance.targets.prefix(SiteDoor.targetCountMax).compactMap { IRI($0) }
        var names: [String] = []
        for target in targets {
            let found = try await find(target)
            let type = found?.entity.types.first?.shortName
            let name = type.map { words.language.name(found.flatMap { Mark.name(of: $0.entity) }, id: target.text, type: $0) } ?? target.text
            names.append(name)
            if targets.count == 1, let found {
                row["entity"] = ["municipality": .string(catalogue.municipalities[found.municipality].key), "id": .string(target.text), "name": .string(name)]
            }
        }
        if row["entity"] == nil, !names.isEmpty { row["text"] = .string(words.language.list(names)) }
    }

    /// An entity of this municipality or, failing that, of another one.
    private func find(_ id: IRI) async throws -> (municipality: Int, entity: Entity)? {
        let others = catalogue.municipalities.indices.filter { $0 != municipality }
        for index in [municipality] + others {
            let found = try await broker.liveEntities([id], catalogue.municipalities[index].access, at: now)
            if let entity = found.first?.entity { return (index, entity) }
        }
        return nil
    }

    private func source(_ live: LiveEntity) async throws -> JSON {
        if let run = live.run, let lineage = try await broker.lineage(ofRun: run, access) {
            let shown = ShownSource(id: lineage.run.source, municipality: access.municipality.text, definition: lineage.definition)
            return shown.lineage(lineage.run)
        }
        let names = ["source", "dataProvider"]
        let name = live.entity.attributes.keys.first { names.contains($0.shortName) }.flatMap { live.entity.instance(of: $0)?.value.stringValue }
        guard let name else { return .null }
        return ["name": .string(String(name.prefix(200))), "anchor": .null, "steward": .null, "licence": .null, "attribution": .null]
    }
}
