public import CityModel

/// Where in an entity a query term or an ordering looks (clause 4.9, production Attribute):
/// `relationship{Type:attribute.subattribute[member.member]}`.
public struct AttributePath: Hashable, Sendable {
    /// A name as it was written and expanded.
    public struct Name: Hashable, Sendable {
        public let term: String
        public let iri: IRI
        /// What the term means where it stands for no attribute: on an entity, and at the end of a path. Found once, for it
        /// is asked for every entity.
        let entityMember: EntityMember?
        let attributeMember: AttributeMember?

        public init(term: String, iri: IRI) {
            self.term = term
            self.iri = iri
            entityMember = EntityMember(rawValue: term)
            attributeMember = AttributeMember(rawValue: term)
        }
    }

    /// A relationship to follow to other entities.
    public struct Hop: Hashable, Sendable {
        public let relationship: Name
        /// Only entities that have one of these types are considered; empty means any.
        public let types: [Name]

        public init(relationship: Name, types: [Name]) {
            self.relationship = relationship
            self.types = types
        }
    }

    /// One name of the trailing path in square brackets: a member of a compound value, or a language tag, or `*`.
    public struct Member: Hashable, Sendable {
        public let name: String
        /// Nil when the name is not one that an `@context` could expand.
        public let iri: IRI?

        public init(name: String, iri: IRI?) {
            self.name = name
            self.iri = iri
        }
    }

    public var hops: [Hop]
    /// The attribute of the entity; its `term` may be one of `EntityMember` instead.
    public var root: Name
    /// The attribute of the attribute, and so on; the last may be an `AttributeMember`.
    public var subattributes: [Name]
    public var members: [Member]

    public init(hops: [Hop] = [], root: Name, subattributes: [Name] = [], members: [Member] = []) {
        self.hops = hops
        self.root = root
        self.subattributes = subattributes
        self.members = members
    }

    /// Whether the path is the name of one attribute of the entity itself and nothing more.
    public var isPlain: Bool { hops.isEmpty && subattributes.isEmpty && members.isEmpty }

    /// The member of the entity that the path begins with when that is not an attribute.
    public var entityMember: EntityMember? { root.entityMember }
}

/// The members of an entity that are not attributes. The core `@context` protects these terms.
public enum EntityMember: String, CaseIterable, Hashable, Sendable {
    case id, type, scope, createdAt, modifiedAt, deletedAt, expiresAt
}

/// The members of an attribute that are neither its value nor attributes of it.
public enum AttributeMember: String, CaseIterable, Hashable, Sendable {
    case observedAt, createdAt, modifiedAt, deletedAt, expiresAt, unitCode, datasetId, valueType, objectType
}

extension AttributePath: CustomStringConvertible {
    /// The path in the query language.
    public var description: String {
        var text = ""
        for hop in hops {
            text += hop.relationship.term + "{"
            if !hop.types.isEmpty { text += hop.types.map(\.term).joined(separator: ",") + ":" }
        }
        text += ([root] + subattributes).map(\.term).joined(separator: ".")
        if !members.isEmpty { text += "[" + members.map(\.name).joined(separator: ".") + "]" }
        return text + String(repeating: "}", count: hops.count)
    }
}

/// Reads attribute paths.
struct AttributePathParser {
    let expand: NameExpansion

    func path(from scanner: inout TextScanner) throws(CityError) -> AttributePath {
        var hops: [AttributePath.Hop] = []
        var types: [AttributePath.Name] = []
        while true {
            let isInside = !hops.isEmpty
            let first = try name(from: &scanner, allowsPrefix: !isInside)
            if isInside, let found = try typeHint(startingWith: first, from: &scanner) {
                types = found
                try attach(types, to: &hops)
                continue
            }
            guard scanner.take("{") else {
                let path = try valuePath(startingWith: first, hops: hops, from: &scanner)
                for _ in hops { try scanner.expect("}") }
                return path
            }
            hops.append(.init(relationship: first, types: []))
            try scanner.check(depth: hops.count)
        }
    }

    private func attach(_ types: [AttributePath.Name], to hops: inout [AttributePath.Hop]) throws(CityError) {
        guard let last = hops.popLast() else { return }
        hops.append(.init(relationship: last.relationship, types: last.types + types))
    }

    /// `Type:` or `Type,Type:` inside braces; nil when `first` is an attribute's name.
    private func typeHint(
        startingWith first: AttributePath.Name, from scanner: inout TextScanner
    ) throws(CityError) -> [AttributePath.Name]? {
        var types = [first]
        while scanner.take(",") {
            try scanner.countNode()
            types.append(try name(from: &scanner, allowsPrefix: false))
        }
        if scanner.take(":") { return types }
        guard types.count == 1 else { throw scanner.failure("a list of types ends with a colon") }
        return nil
    }

    private func valuePath(
        startingWith root: AttributePath.Name, hops: [AttributePath.Hop], from scanner: inout TextScanner
    ) throws(CityError) -> AttributePath {
        var path = AttributePath(hops: hops, root: root)
        while scanner.next == ".", scanner.scalar(after: 1) != "." {
            _ = scanner.advance()
            try scanner.countNode()
            path.subattributes.append(try name(from: &scanner, allowsPrefix: hops.isEmpty))
        }
        guard scanner.take("[") else { return path }
        repeat {
            try scanner.countNode()
            path.members.append(try member(from: &scanner))
        } while scanner.take(".")
        try scanner.expect("]")
        if scanner.next == "[" { throw scanner.failure("a path has one pair of square brackets") }
        return path
    }

    private func name(from scanner: inout TextScanner, allowsPrefix: Bool) throws(CityError) -> AttributePath.Name {
        guard let first = scanner.next, first.isLetter else {
            throw scanner.failure("a name begins with a letter, not with \(scanner.nextInWords)")
        }
        var term = scanner.read(while: \.isNameScalar)
        if allowsPrefix, scanner.next == ":", scanner.scalar(after: 1)?.isLetter == true {
            _ = scanner.advance()
            term += ":" + scanner.read(while: \.isNameScalar)
        }
        // The core context protects these terms; some of them stand for JSON-LD keywords and expand to no IRI.
        if EntityMember(rawValue: term) != nil || AttributeMember(rawValue: term) != nil {
            return .init(term: term, iri: IRI(known: IRI.ngsildNamespace + term))
        }
        guard let iri = expand(term) else { throw scanner.failure("\(term) cannot be expanded to an attribute's name") }
        return .init(term: term, iri: iri)
    }

    private func member(from scanner: inout TextScanner) throws(CityError) -> AttributePath.Member {
        let name = scanner.read { $0 != "." && $0 != "]" && $0 != "[" && $0 != "\"" && $0.value > 0x1F }
        guard !name.isEmpty else { throw scanner.failure("the name of a member expected, not \(scanner.nextInWords)") }
        return .init(name: name, iri: name.unicodeScalars.allSatisfy(\.isNameScalar) ? expand(name) : nil)
    }
}
