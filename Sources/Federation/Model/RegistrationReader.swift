internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query

/// Reads a registration out of its stored document, in which names are expanded, and checks everything that clauses 5.2.9 and
/// 5.9.2.4 restrict.
struct RegistrationReader {
    private let members: JSONObject
    private let id: IRI

    static let infoCountMax = 100
    static let listCountMax = 1000

    init(_ document: JSONObject, id: IRI) { (members, self.id) = (document, id) }

    /// - Throws: `badRequestData` that names the member at fault.
    func registration() throws(CityError) -> Registration {
        for name in ["description", "registrationName", "contextSourceAlias", "tenant"] {
            if let text = try text(name), text.isEmpty { throw .badRequestData("\(name): an empty text") }
        }
        if let rate = try text("refreshRate"), PeriodDuration(rate) == nil {
            throw .badRequestData("refreshRate: \(rate.prefix(50)) is not a duration such as PT5M (ISO 8601)")
        }
        let mode = try mode()
        let registration = Registration(
            id: id, mode: mode, operations: try operations(mode), information: try InformationReader(members["information"]).information(),
            endpoint: try endpoint(), tenant: try text("tenant"), alias: try alias(),
            sourceInfo: try SourceInfoReader(members["contextSourceInfo"]).sourceInfo(), datasets: try datasets(), scopes: try scopes(),
            places: try places(), observationInterval: try interval("observationInterval"),
            managementInterval: try interval("managementInterval"), expiresAt: try moment(members["expiresAt"], "expiresAt"),
            management: try management(), properties: try properties())
        try check(registration)
        return registration
    }

    /// What the modes restrict (clauses 4.3.6.3 and 5.9.2.4).
    private func check(_ registration: Registration) throws(CityError) {
        switch registration.mode {
        case .exclusive:
            for info in registration.information {
                guard let entities = info.entities, entities.allSatisfy({ $0.id != nil }) else {
                    throw .badRequestData("information.entities: an exclusive registration names entities by their id (clause 4.3.6.3)")
                }
                guard info.attributes != nil else {
                    throw .badRequestData("information: an exclusive registration names attributes (clause 4.3.6.3)")
                }
            }
        case .auxiliary:
            guard registration.operations.isSubset(of: SourceOperation.retrieval) else {
                throw .badRequestData("operations: of an auxiliary source, retrieveEntity, queryEntity and retrieveOps (clause 5.9.2.4)")
            }
        case .inclusive, .redirect: break
        }
    }

    private func mode() throws(CityError) -> Registration.Mode {
        guard let text = try text("mode") else { return .inclusive }
        guard let mode = Registration.Mode(rawValue: text) else {
            throw .badRequestData("mode: \(text.prefix(50)) is none of \(Registration.Mode.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return mode
    }

    private func operations(_ mode: Registration.Mode) throws(CityError) -> Set<SourceOperation> {
        guard let value = members["operations"] else { return mode == .auxiliary ? SourceOperation.retrieval : SourceOperation.federation }
        var operations: Set<SourceOperation> = []
        for name in try Self.texts(value, "operations") {
            guard let named = SourceOperation.named(name) else { throw .badRequestData("operations: \(name.prefix(50)) is no operation (clause 4.20)") }
            operations.formUnion(named)
        }
        return operations
    }

    private func endpoint() throws(CityError) -> SourceEndpoint {
        guard let text = try text("endpoint") else { throw .badRequestData("endpoint: is missing") }
        if text.hasPrefix("conurb:") {
            let name = text.dropFirst("conurb:".count)
            guard let municipality = MunicipalityName(String(name)) else {
                throw .badRequestData("endpoint: \(name.prefix(80)) is not a municipality's name")
            }
            let tenant = try self.text("tenant")
            guard tenant == nil || tenant == municipality.text else { throw .badRequestData("tenant: the endpoint says \(municipality)") }
            return .municipality(municipality)
        }
        guard IRI(text) != nil, text.utf8.count <= 2048, let colon = text.firstIndex(of: ":"),
            ["http", "https"].contains(text[..<colon].lowercased()), text[colon...].hasPrefix("://"), text[colon...].count > 3,
            !text.contains("?"), !text.contains("#"), !text[colon...].dropFirst(3).prefix(while: { $0 != "/" }).contains("@")
        else { throw .badRequestData("endpoint: \(text.prefix(200)) is neither an http address nor conurb: and a municipality's name") }
        return .web(String(text[...(text.lastIndex { $0 != "/" } ?? text.startIndex)]))
    }

    /// A pseudonym (RFC 7230, section 5.7.1): a token, or a host with a port.
    private func alias() throws(CityError) -> String? {
        guard let alias = try text("contextSourceAlias") else { return nil }
        guard alias.utf8.count <= 512, alias.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ",") }) else {
            throw .badRequestData("contextSourceAlias: \(alias.prefix(100)) is not a pseudonym (RFC 7230)")
        }
        return alias
    }

    private func datasets() throws(CityError) -> Set<IRI?>? {
        guard let value = members["datasetId"] else { return nil }
        return try DatasetSelection(parsing: Self.texts(value, "datasetId").joined(separator: ",")).datasets
    }

    private func scopes() throws(CityError) -> [Scope] {
        guard let value = members["scope"] else { return [] }
        var scopes: [Scope] = []
        for text in try Self.texts(value, "scope") {
            guard let scope = Scope(text) else { throw .badRequestData("scope: \(text.prefix(100)) is not a scope such as /Region/Town") }
            scopes.append(scope)
        }
        return scopes
    }

    private func places() throws(CityError) -> [IRI: Geometry] {
        var places: [IRI: Geometry] = [:]
        for (name, property) in [("location", IRI.location), ("observationSpace", .observationSpace), ("operationSpace", .operationSpace)] {
            guard let value = members[name] else { continue }
            do throws(Geometry.Invalid) { places[property] = try Geometry(value) } catch { throw .badRequestData("\(name): \(error.reason)") }
        }
        return places
    }

    private func interval(_ name: String) throws(CityError) -> TimeInterval? {
        guard let value = members[name] else { return nil }
        guard let start = try moment(value["startAt"], name + ".startAt") else { throw .badRequestData("\(name).startAt: is missing") }
        let end = try moment(value["endAt"], name + ".endAt")
        guard end.map({ $0 >= start }) ?? true else { throw .badRequestData("\(name).endAt: lies before startAt") }
        return TimeInterval(start: start, end: end)
    }

    private func management() throws(CityError) -> Management {
        var management = Management()
        // Deployed clients say localOnly beside the management information; it means the same there.
        management.isLocalOnly = try bool(members["localOnly"], "localOnly")
        guard let value = members["management"] else { return management }
        guard let given = value.objectValue else { throw .badRequestData("management: an object, not a \(value.kindName)") }
        if given["localOnly"] != nil { management.isLocalOnly = try bool(given["localOnly"], "management.localOnly") }
        management.timeoutSeconds = try milliseconds(given, "timeout")
        management.cooldownSeconds = try milliseconds(given, "cooldown")
        if let cache = given["cacheDuration"] {
            guard let duration = cache.stringValue.flatMap(PeriodDuration.init), !duration.isWholeRange else {
                throw .badRequestData("management.cacheDuration: a duration such as PT5M (ISO 8601)")
            }
            management.cacheSeconds = Double(duration.months) * 2_592_000 + Double(duration.microseconds) / 1_000_000
        }
        return management
    }

    private func milliseconds(_ members: JSONObject, _ name: String) throws(CityError) -> Double? {
        guard let value = members[name] else { return nil }
        guard let milliseconds = value.doubleValue, milliseconds > 0, milliseconds <= 86_400_000 else {
            throw .badRequestData("management.\(name): milliseconds, above 0 and at most a day")
        }
        return milliseconds / 1000
    }

    /// Members of table 5.2.9-1 that can be asked of too.
    private static let describing = ["endpoint", "registrationName", "description", "mode", "operations", "tenant", "contextSourceAlias", "refreshRate"]

    /// All that clause 5.2.9 does not know, and what describes the source: its properties.
    private func properties() throws(CityError) -> Entity {
        var entity = Entity(id: id, types: [], scopes: try scopes())
        let reader = EntityReader(context: WholeNames(), purpose: .content)
        for name in Self.describing {
            if let property = Context.core.expand(name), let value = members[name] { entity.attributes[property] = [Attribute(kind: .property, value: value)] }
        }
        for (name, value) in members where !RegistrationDocument.known.contains(name) {
            guard let property = IRI(name) else { throw .badRequestData("\(name): is not a property's name") }
            entity.attributes[property] = try reader.instances(value, path: name)
        }
        return entity
    }

    // MARK: - Kinds of members

    private func text(_ name: String) throws(CityError) -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.stringValue else { throw .badRequestData("\(name): a text, not a \(value.kindName)") }
        return text
    }

    private func bool(_ value: JSON?, _ name: String) throws(CityError) -> Bool {
        guard let value else { return false }
        guard let flag = value.boolValue else { throw .badRequestData("\(name): true or false, not a \(value.kindName)") }
        return flag
    }

    private func moment(_ value: JSON?, _ name: String) throws(CityError) -> Instant? {
        guard let value else { return nil }
        guard let moment = value.stringValue.flatMap({ Instant($0) }) else {
            throw .badRequestData("\(name): \(value) is not a date and time (clause 4.6.3)")
        }
        return moment
    }

    static func texts(_ value: JSON, _ name: String) throws(CityError) -> [String] {
        let texts = (value.arrayValue ?? [value]).compactMap(\.stringValue)
        guard !texts.isEmpty, texts.count == value.arrayValue?.count ?? 1, texts.count <= listCountMax else {
            throw .badRequestData("\(name): an array of 1 to \(listCountMax) texts")
        }
        return texts
    }
}

/// The names in a stored document, which are whole already.
private struct WholeNames: NameReading {
    func expand(_ name: String) -> IRI? { IRI(name) }
    func expandIdentifier(_ text: String) -> String? { nil }
}
