public import CityModel
internal import OrderedCollections

/// Which members of an entity, and of the entities linked to it, are answered (clause 4.21: `pick`, `omit`; and `attrs`).
public struct Projection: Hashable, Sendable {
    /// The members that one parameter lists.
    struct Members: Hashable, Sendable {
        var entityMembers: Set<EntityMember> = []
        /// For each attribute what is listed in braces after it; nil when there are no braces.
        var attributes: [IRI: Members?] = [:]

        /// How many pairs of braces stand inside one another.
        var linkDepth: Int { attributes.values.compactMap { $0.map { $0.linkDepth + 1 } }.max() ?? 0 }
    }

    private var pick: Members?
    private var omit: Members?
    /// Whether `pick` came from `attrs`, which leaves the members that are not attributes alone.
    private var isAttrs = false

    /// Everything is kept.
    public static let everything = Projection()
    private init() {}

    /// - Parameters: the texts of the request's parameters; nil when absent. Lists out of a body are joined with commas.
    /// - Throws: `badRequestData` that names the parameter, also when `attrs` comes with another, or when `pick` and `omit`
    ///   name the same member.
    public init(
        attrs: String? = nil, pick: String? = nil, omit: String? = nil, expand: @escaping NameExpansion,
        limits: QueryLimits = .standard
    ) throws(CityError) {
        if attrs != nil, pick != nil || omit != nil { throw .badRequestData("attrs: cannot come with pick or omit") }
        func parse(_ text: String?, _ parameter: String) throws(CityError) -> Members? {
            guard let text else { return nil }
            var parser = ProjectionParser(
                scanner: try TextScanner(text, parameter: parameter, limits: limits), expand: expand,
                allowsEntityMembers: parameter != "attrs")
            return try parser.whole()
        }
        self.pick = try parse(attrs ?? pick, attrs == nil ? "pick" : "attrs")
        self.omit = try parse(omit, "omit")
        isAttrs = attrs != nil
        try checkDisjoint()
    }

    private func checkDisjoint() throws(CityError) {
        guard let pick, let omit else { return }
        if let member = pick.entityMembers.intersection(omit.entityMembers).min(by: { $0.rawValue < $1.rawValue }) {
            throw .badRequestData("omit: \(member.rawValue) is also in pick")
        }
        for case (let name, .none) in omit.attributes where pick.attributes[name] != nil {
            throw .badRequestData("omit: \(name) is also in pick")
        }
    }
}

extension Projection {
    /// How many relationships the projection follows at most, one after another; above 0 it needs `join`.
    public var linkDepth: Int { max(pick?.linkDepth ?? 0, omit?.linkDepth ?? 0) }

    /// The attributes that are listed to be kept; nil when all are kept but those of `omit`. For `attrs`, an entity must
    /// have one of them to be selected (table 6.4.3.2-1).
    public var listedAttributes: [IRI]? { pick.map { $0.attributes.keys.sorted() } }

    /// Whether an entity is shown only with an attribute that is listed (`attrs`).
    public var isAttributesOnly: Bool { isAttrs }

    public func keeps(_ member: EntityMember) -> Bool {
        if let pick, !isAttrs, !pick.entityMembers.contains(member) { return false }
        return !(omit?.entityMembers.contains(member) ?? false)
    }

    public var keepsID: Bool { keeps(.id) }
    public var keepsTypes: Bool { keeps(.type) }
    public var keepsScopes: Bool { keeps(.scope) }

    /// Whether the attribute is kept. One that `omit` lists with braces is: the braces speak of the linked entity.
    public func keeps(_ attribute: IRI) -> Bool {
        if let pick, pick.attributes[attribute] == nil { return false }
        if let omit, case .some(.none) = omit.attributes[attribute] { return false }
        return true
    }

    /// What applies to the entities that a kept relationship points at: what stands in braces after it, else everything.
    public func linked(_ relationship: IRI) -> Projection {
        var inner = Projection()
        inner.pick = pick?.attributes[relationship] ?? nil
        inner.omit = omit?.attributes[relationship] ?? nil
        return inner
    }

    /// The entity with what is kept of it. The identifier and the types stay, for an entity needs them: whoever writes it
    /// asks `keepsID` and `keepsTypes`. Nil when nothing is left to write, and for `attrs` when no listed attribute is there.
    public func apply(to entity: Entity) -> Entity? {
        guard pick != nil || omit != nil else { return entity }
        var result = entity
        result.attributes = entity.attributes.filter { keeps($0.key) }
        if !keeps(.scope) { result.scopes = [] }
        if !keeps(.createdAt) { result.createdAt = nil }
        if !keeps(.modifiedAt) { result.modifiedAt = nil }
        if !keeps(.expiresAt) { result.expiresAt = nil }
        if isAttrs { return result.attributes.isEmpty ? nil : result }
        let isEmpty = result.attributes.isEmpty && result.scopes.isEmpty && !keepsID && !keepsTypes
            && (pick == nil || (result.createdAt == nil && result.modifiedAt == nil && result.expiresAt == nil))
        return isEmpty ? nil : result
    }
}

/// Which instances of attributes are answered (clause 4.5.5, parameter `datasetId`).
public struct DatasetSelection: Hashable, Sendable {
    /// Nil stands for the default instance.
    public let datasets: Set<IRI?>

    /// - Throws: `badRequestData` that names `datasetId`.
    public init(parsing text: String, limits: QueryLimits = .standard) throws(CityError) {
        var datasets: Set<IRI?> = []
        guard text.utf8.count <= limits.byteCountMax else { throw .tooComplexQuery("datasetId: \(text.utf8.count) bytes") }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            if part == "@none" {
                datasets.insert(nil)
            } else {
                guard let iri = IRI(String(part)) else { throw .badRequestData("datasetId: \(part) is not a URI or @none") }
                datasets.insert(iri)
            }
        }
        self.datasets = datasets
    }

    /// The entity with only the selected instances; attributes without any are gone.
    public func apply(to entity: Entity) -> Entity {
        var result = entity
        result.attributes = entity.attributes.compactMapValues { instances in
            let kept = instances.filter { datasets.contains($0.datasetID) }
            return kept.isEmpty ? nil : kept
        }
        return result
    }
}

/// Reads `name,name{name|name}`.
private struct ProjectionParser {
    var scanner: TextScanner
    let expand: NameExpansion
    let allowsEntityMembers: Bool

    mutating func whole() throws(CityError) -> Projection.Members {
        let members = try members(depth: 0)
        guard scanner.isAtEnd else { throw scanner.failure("a comma expected, not \(scanner.nextInWords)") }
        return members
    }

    private mutating func members(depth: Int) throws(CityError) -> Projection.Members {
        try scanner.check(depth: depth)
        var members = Projection.Members()
        repeat {
            scanner.skipSpaces()
            try scanner.countNode()
            try addMember(to: &members, depth: depth)
            scanner.skipSpaces()
        } while scanner.take(",") || scanner.take("|")
        return members
    }

    private mutating func addMember(to members: inout Projection.Members, depth: Int) throws(CityError) {
        let name = scanner.read { !",|{} ".unicodeScalars.contains($0) }
        guard let first = name.unicodeScalars.first else { throw scanner.failure("a name expected, not \(scanner.nextInWords)") }
        // Full IRIs may hold anything else; short names only what clause 4.6.2 gives them.
        let isName = first.isLetter && (name.contains(":") || name.unicodeScalars.allSatisfy(\.isNameScalar))
        let member = EntityMember(rawValue: name)
        guard isName, member == nil || allowsEntityMembers else { throw scanner.failure("\(name) is not an attribute's name") }
        if let member {
            members.entityMembers.insert(member)
            return
        }
        guard let iri = expand(name) else { throw scanner.failure("\(name) cannot be expanded") }
        guard scanner.take("{") else {
            members.attributes[iri] = .some(nil)
            return
        }
        let inner = try self.members(depth: depth + 1)
        try scanner.expect("}")
        members.attributes[iri] = .some(inner)
    }
}
