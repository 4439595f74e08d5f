internal import CityModel
internal import OrderedCollections

/// A term definition as it is written in a context, checked for shape, its IRIs not yet expanded.
struct WrittenTerm {
    enum Identifier { case absent, null, reverse(String), text(String) }

    let name: String
    /// What the term's `@id` says, or the text that is the whole definition.
    var identifier = Identifier.absent
    /// Written as a mere text.
    var isSimple = false
    /// `@prefix`.
    var isPrefix: Bool?
    var isProtected = false
    /// The type is not yet expanded.
    var coercion = TermCoercion()

    /// The name contains a colon (not first or last) or a slash, so that it reads as an IRI itself.
    var hasIRIForm: Bool { name.utf8.contains(UInt8(ascii: "/")) || name.utf8.dropFirst().dropLast().contains(UInt8(ascii: ":")) }
}

/// Reads the value of a member of a context object.
struct TermReader {
    private var term: WrittenTerm
    private let value: JSON

    init(name: String, value: JSON, isProtected: Bool) {
        term = WrittenTerm(name: name, isProtected: isProtected)
        self.value = value
    }

    mutating func read(in local: LocalContext, allowsScopedContext: Bool) throws(CityError) -> WrittenTerm {
        switch value {
        case .null: term.identifier = .null
        case .string(let text):
            term.identifier = text == term.name ? .absent : .text(text)
            term.isSimple = true
        case .object(let members):
            if members["@context"] != nil, !allowsScopedContext {
                throw local.fault(term.name, "scoped contexts are not allowed in NGSI-LD.")
            }
            for (key, member) in members { try read(key, member, in: local) }
            if members["@reverse"] != nil { try checkReverse(members, in: local) }
            try checkContainers(in: local)
        default: throw local.fault(term.name, "its definition must be a text, an object or null.")
        }
        return term
    }

    private mutating func read(_ key: String, _ value: JSON, in local: LocalContext) throws(CityError) {
        switch key {
        case "@id": try readIdentifier(value, in: local)
        case "@type": try readType(value, in: local)
        case "@container": try readContainers(value, in: local)
        case "@prefix":
            guard let flag = value.boolValue else { throw local.fault(term.name, "@prefix must be true or false.") }
            guard !term.hasIRIForm else { throw local.fault(term.name, "@prefix needs a name without colon and slash.") }
            term.isPrefix = flag
        case "@protected":
            guard let flag = value.boolValue else { throw local.fault(term.name, "@protected must be true or false.") }
            term.isProtected = flag
        case "@language", "@direction":
            guard value == .null || value.stringValue != nil else { throw local.fault(term.name, "\(key) must be a text or null.") }
            term.coercion.others[key] = value
        case "@index", "@nest":
            guard let text = value.stringValue else { throw local.fault(term.name, "\(key) must be a text.") }
            guard !JSONLDKeyword.all.contains(text) || (key == "@nest" && text == "@nest") else {
                throw local.fault(term.name, "\(key) must not be the keyword \(text).")
            }
            term.coercion.others[key] = value
        case "@reverse":
            guard let text = value.stringValue else { throw local.fault(term.name, "@reverse must be a text.") }
            term.identifier = .reverse(text)
            term.coercion.others[key] = value
        case "@context": break
        default: throw local.fault(term.name, "\"\(key)\" is unknown in a term definition.")
        }
    }

    private mutating func readIdentifier(_ value: JSON, in local: LocalContext) throws(CityError) {
        switch value {
        case .null: term.identifier = .null
        case .string(let text): term.identifier = text == term.name ? .absent : .text(text)
        default: throw local.fault(term.name, "@id must be a text or null.")
        }
    }

    private mutating func readType(_ value: JSON, in local: LocalContext) throws(CityError) {
        guard let type = value.stringValue else { throw local.fault(term.name, "@type must be a text.") }
        if JSONLDKeyword.hasForm(type) && !["@id", "@vocab", "@json", "@none"].contains(type) || type.utf8.starts(with: "_:".utf8) {
            throw local.fault(term.name, "@type \"\(type)\" is not an IRI, @id, @vocab, @json or @none.")
        }
        term.coercion.type = type
    }

    private mutating func readContainers(_ value: JSON, in local: LocalContext) throws(CityError) {
        let known: Set<String> = ["@graph", "@id", "@index", "@language", "@list", "@set", "@type"]
        let texts = value == .null ? [] : value.arrayValue?.map(\.stringValue) ?? [value.stringValue]
        let containers = Set(texts.compactMap { $0 })
        let isListWithOthers = containers.contains("@list") && containers.count > 1
        guard !texts.contains(nil), containers.isSubset(of: known), !isListWithOthers else {
            throw local.fault(term.name, "@container \(value) is not a container of JSON-LD.")
        }
        term.coercion.containers = containers
    }

    /// What a container says has to go with the rest of the definition (JSON-LD 1.1 API, section 4.2.2).
    private func checkContainers(in local: LocalContext) throws(CityError) {
        if term.coercion.others["@index"] != nil, !term.coercion.containers.contains("@index") {
            throw local.fault(term.name, "@index needs the container @index.")
        }
        if term.coercion.containers.contains("@type"), let type = term.coercion.type, type != "@id", type != "@vocab" {
            throw local.fault(term.name, "the container @type needs the type @id or @vocab.")
        }
    }

    private mutating func checkReverse(_ members: JSONObject, in local: LocalContext) throws(CityError) {
        guard members["@id"] == nil, members["@nest"] == nil else {
            throw local.fault(term.name, "@reverse excludes @id and @nest.")
        }
        guard term.coercion.containers.isSubset(of: ["@set", "@index"]) else {
            throw local.fault(term.name, "@reverse allows only the containers @set and @index.")
        }
    }
}
