internal import CityModel
internal import OrderedCollections

/// An active context under construction: context processing and term creation of JSON-LD 1.1 API, sections 4.1 and 4.2, for
/// contexts whose remote documents are at hand. Call `add`, `addCore` and `reset` in the order of the `@context` array.
///
/// It deviates from JSON-LD where NGSI-LD does:
/// - Scoped contexts and `@propagate: false` are refused (ETSI GS CIM 009 clause 5.5.7).
/// - Names without a prefix fall into the core's default vocabulary where no `@vocab` is set, since the core is implicitly
///   present (clause 4.4). So `"speed": {"@type": "@id"}` is a definition.
/// - Core terms may be redefined: the core wins afterwards. Contexts in use do it all the time.
/// - A term may look like a compact IRI whose prefix no context defines and mean something else: Smart Data Models'
///   `open311:type` does.
struct ContextBuilder {
    private(set) var terms: [String: TermDefinition] = [:]
    /// The `@base` of the contexts so far, absolute.
    private(set) var base: String?
    private var vocabulary: String?
    private var termCount = 0
    private var textByteCount = 0
    private let limits: ContextLimits
    private let leniently: Set<String>

    /// Definitions that lean on each other (`a` is `b:x`, `b` is `c:y`) are followed this far.
    private static let chainLengthMax = 64

    /// - Parameter leniently: terms whose redefinition and whose scoped context are let pass: those of the core, which are
    ///   overridden afterwards.
    init(limits: ContextLimits, leniently: Set<String>) {
        self.limits = limits
        self.leniently = leniently
    }

    /// Processes one context object after those before it.
    /// - Parameter documentURL: the remote document it was found in; nil for a context in the request itself.
    /// - Throws: `CityError.badRequestData` that names the document and the term at fault.
    mutating func add(_ members: JSONObject, from documentURL: String?) throws(CityError) {
        var local = LocalContext(members: members, documentURL: documentURL)
        try checkCounts(adding: members.count, in: local)
        try readKeywords(&local)
        for name in members.keys where !LocalContext.keywords.contains(name) {
            try define(name, in: &local, chainLength: 0)
        }
    }

    /// The core context in front of a user's context: lends its terms, unprotected, and its `@vocab`.
    mutating func addCore() {
        terms.merge(CoreContext.terms.mapValues(\.unprotected)) { _, core in core }
        vocabulary = nil
    }

    /// A null in the `@context` array.
    mutating func reset() throws(CityError) {
        if let name = terms.first(where: { $0.value.isProtected })?.key {
            throw .badRequestData("@context: null would remove the protected term \"\(name)\".")
        }
        terms = [:]
        base = nil
        vocabulary = nil
    }

    private mutating func checkCounts(adding count: Int, in local: LocalContext) throws(CityError) {
        termCount += count
        if termCount > limits.termCountMax { throw local.fault("more than \(limits.termCountMax) terms.") }
    }
}

/// One context object while it is processed.
struct LocalContext {
    enum Progress { case underWay, done }

    let members: JSONObject
    /// Nil in the request itself.
    let documentURL: String?
    var progress: [String: Progress] = [:]
    /// `@protected` of the whole object.
    var isProtected = false

    static let keywords: Set<String> = [
        "@base", "@direction", "@import", "@language", "@propagate", "@protected", "@version", "@vocab",
    ]

    func awaits(_ name: String) -> Bool { members[name] != nil && progress[name] != .done }

    func fault(_ text: String) -> CityError {
        .badRequestData(documentURL.map { "@context \($0): \(text)" } ?? "@context: \(text)")
    }

    func fault(_ term: String, _ text: String) -> CityError { fault("term \"\(term)\": \(text)") }
}

extension TermDefinition {
    fileprivate var unprotected: TermDefinition {
        var copy = self
        copy.isProtected = false
        return copy
    }
}

// MARK: - Keywords of a context

extension ContextBuilder {
    private mutating func readKeywords(_ local: inout LocalContext) throws(CityError) {
        let members = local.members
        if let version = members["@version"], version.doubleValue != 1.1 { throw local.fault("@version must be the number 1.1.") }
        if let propagates = members["@propagate"], propagates != true {
            throw local.fault("@propagate must be true: an NGSI-LD context applies to the whole document.")
        }
        if let isProtected = members["@protected"] {
            guard let flag = isProtected.boolValue else { throw local.fault("@protected must be true or false.") }
            local.isProtected = flag
        }
        switch members["@language"] {
        case nil, .null, .string: break
        default: throw local.fault("@language must be a text or null.")
        }
        switch members["@direction"] {
        case nil, .null, "ltr", "rtl": break
        default: throw local.fault("@direction must be \"ltr\", \"rtl\" or null.")
        }
        try readBase(local)
        try readVocabulary(local)
    }

    private mutating func readBase(_ local: LocalContext) throws(CityError) {
        // JSON-LD ignores @base in remote documents.
        guard local.documentURL == nil, let value = local.members["@base"] else { return }
        switch value {
        case .null: base = nil
        case .string(let text):
            let resolved = IRI(text)?.text ?? base.flatMap { URLReference.resolve(text, against: $0) }
            guard let resolved, IRI(resolved) != nil else { throw local.fault("@base \"\(text)\" is not an absolute IRI.") }
            base = resolved
        default: throw local.fault("@base must be a text or null.")
        }
    }

    private mutating func readVocabulary(_ local: LocalContext) throws(CityError) {
        guard let value = local.members["@vocab"] else { return }
        switch value {
        case .null: vocabulary = nil
        case .string(let text):
            var nothingPending = LocalContext(members: [:], documentURL: local.documentURL)
            guard let resolved = try resolve(text, in: &nothingPending, chainLength: 0), IRI(resolved) != nil else {
                throw local.fault("@vocab \"\(text)\" is not an IRI.")
            }
            vocabulary = resolved
        default: throw local.fault("@vocab must be a text or null.")
        }
    }
}

// MARK: - Terms

extension ContextBuilder {
    private mutating func define(_ name: String, in local: inout LocalContext, chainLength: Int) throws(CityError) {
        switch local.progress[name] {
        case .done: return
        case .underWay: throw local.fault(name, "its definition leads back to itself.")
        case nil: break
        }
        guard chainLength < ContextBuilder.chainLengthMax else {
            throw local.fault(name, "more than \(ContextBuilder.chainLengthMax) definitions lean on each other.")
        }
        guard !name.isEmpty else { throw local.fault("a term must not be empty.") }
        guard let value = local.members[name] else { return }
        local.progress[name] = .underWay
        defer { local.progress[name] = .done }
        if JSONLDKeyword.all.contains(name) { return try defineTypeKeyword(name, value, in: local) }
        // Reserved for later versions of JSON-LD, which asks to ignore it.
        if JSONLDKeyword.hasForm(name) { return }
        var reader = TermReader(name: name, value: value, isProtected: local.isProtected)
        let written = try reader.read(in: local, allowsScopedContext: leniently.contains(name))
        guard let definition = try definition(written, in: &local, chainLength: chainLength) else { return }
        try store(definition, for: name, in: local)
    }

    /// Keywords cannot be defined, but `@type` may be told to be a set.
    private mutating func defineTypeKeyword(_ name: String, _ value: JSON, in local: LocalContext) throws(CityError) {
        guard name == "@type", let members = value.objectValue, !members.isEmpty,
            members.allSatisfy({ $0.key == "@protected" || ($0.key == "@container" && $0.value == "@set") })
        else { throw local.fault(name, "a keyword cannot be redefined.") }
        var definition = TermDefinition(meaning: .keyword(name), isProtected: members["@protected"]?.boolValue ?? local.isProtected)
        definition.coercion.containers = members["@container"] == nil ? [] : ["@set"]
        try store(definition, for: name, in: local)
    }

    private mutating func store(_ definition: TermDefinition, for name: String, in local: LocalContext) throws(CityError) {
        if let old = terms[name], old.isProtected, !leniently.contains(name) {
            guard definition.isSame(as: old) else { throw local.fault(name, "it is protected and cannot be redefined.") }
            return
        }
        textByteCount += name.utf8.count + (definition.iri?.text.utf8.count ?? 0)
        guard textByteCount <= limits.textByteCountMax else {
            throw local.fault("its names and IRIs have more than \(limits.textByteCountMax) bytes.")
        }
        terms[name] = definition
    }

    /// Nil when JSON-LD asks to ignore the definition.
    private mutating func definition(
        _ written: WrittenTerm, in local: inout LocalContext, chainLength: Int
    ) throws(CityError) -> TermDefinition? {
        let name = written.name
        var definition = TermDefinition(meaning: .nothing, isProtected: written.isProtected)
        definition.coercion = written.coercion
        if let type = written.coercion.type, !JSONLDKeyword.all.contains(type) {
            definition.coercion.type = try resolve(type, in: &local, chainLength: chainLength + 1)
        }
        let resolved: String
        switch written.identifier {
        case .null: return definition
        case .reverse(let text):
            guard let iri = try resolve(text, in: &local, chainLength: chainLength + 1) else { return nil }
            guard IRI(iri) != nil || iri.utf8.starts(with: "_:".utf8) else { throw local.fault(name, "@reverse \"\(text)\" is not an IRI.") }
            return definition
        case .text(let text) where JSONLDKeyword.hasForm(text) && !JSONLDKeyword.all.contains(text): return nil
        case .text(let text):
            guard let result = try resolve(text, in: &local, chainLength: chainLength + 1) else { return definition }
            resolved = result
            if written.hasIRIForm { try checkIRIForm(written, resolved, in: &local, chainLength: chainLength) }
        case .absent:
            resolved = try impliedIRI(name, by: .anyTerm, in: &local, chainLength: chainLength)
        }
        definition.meaning = try meaning(resolved, of: written, in: local)
        if written.isPrefix == true, case .keyword = definition.meaning {
            throw local.fault(name, "a keyword's alias cannot be a prefix.")
        }
        if written.isPrefix ?? (written.isSimple && !written.hasIRIForm && ContextBuilder.endsInDelimiter(resolved)) {
            definition.prefix = resolved
        }
        return definition
    }

    private func meaning(_ resolved: String, of written: WrittenTerm, in local: LocalContext) throws(CityError) -> TermMeaning {
        if resolved == "@context" { throw local.fault(written.name, "@context can have no alias.") }
        if JSONLDKeyword.all.contains(resolved) { return .keyword(resolved) }
        // Blank nodes and IRIs with impossible characters: the term loads, and whoever uses it is told.
        return IRI(resolved).map(TermMeaning.iri) ?? .nothing
    }

    /// A term that reads as an IRI must mean that IRI, unless it is only its own text that it reads as.
    private mutating func checkIRIForm(
        _ written: WrittenTerm, _ resolved: String, in local: inout LocalContext, chainLength: Int
    ) throws(CityError) {
        let expected = try impliedIRI(written.name, by: .prefixes, in: &local, chainLength: chainLength)
        let isUnknownPrefix = expected == written.name && !expected.contains("://")
        guard expected == resolved || isUnknownPrefix else {
            throw local.fault(written.name, "it reads as \(expected) and cannot be \(resolved).")
        }
    }

    /// What may stand before the colon of a name. Of a term's own name any term may; everywhere else it must be a prefix
    /// (JSON-LD 1.1 API, sections 4.2.2 and 5.2.2).
    private enum Prefixes { case anyTerm, prefixes }

    /// What a term without `@id` stands for: a compact IRI, an absolute IRI, or a name in the vocabulary.
    private mutating func impliedIRI(
        _ name: String, by prefixes: Prefixes, in local: inout LocalContext, chainLength: Int
    ) throws(CityError) -> String {
        try resolvePrefixed(name, by: prefixes, in: &local, chainLength: chainLength + 1) ?? (currentVocabulary + name)
    }

    private var currentVocabulary: String { vocabulary ?? IRI.defaultContextNamespace }
}

// MARK: - IRI expansion

extension ContextBuilder {
    /// IRI expansion relative to the vocabulary while terms are still being defined. Nil for a name without meaning.
    private mutating func resolve(
        _ text: String, in local: inout LocalContext, chainLength: Int
    ) throws(CityError) -> String? {
        if JSONLDKeyword.all.contains(text) { return text }
        if JSONLDKeyword.hasForm(text) { return nil }
        if local.awaits(text) { try define(text, in: &local, chainLength: chainLength) }
        switch terms[text]?.meaning {
        case .iri(let iri): return iri.text
        case .keyword(let keyword): return keyword
        case .nothing: return nil
        case nil: return try resolvePrefixed(text, in: &local, chainLength: chainLength) ?? (currentVocabulary + text)
        }
    }

    /// A compact or absolute IRI or a blank node; nil for a plain name.
    private mutating func resolvePrefixed(
        _ text: String, by prefixes: Prefixes = .prefixes, in local: inout LocalContext, chainLength: Int
    ) throws(CityError) -> String? {
        guard let (prefixText, suffix) = text.splitAtColon() else { return nil }
        let prefix = String(prefixText)
        if prefix == "_" || suffix.utf8.starts(with: "//".utf8) { return text }
        if local.awaits(prefix) { try define(prefix, in: &local, chainLength: chainLength) }
        if let replacement = terms[prefix]?.prefix { return replacement + suffix }
        if prefixes == .anyTerm, let iri = terms[prefix]?.iri { return iri.text + suffix }
        return IRI(text) != nil || text.isBareScheme ? text : nil
    }

    /// Whether the text ends in a general delimiter of RFC 3986, so that a simple term for it is a prefix.
    private static func endsInDelimiter(_ text: String) -> Bool { text.utf8.last.map(":/?#[]@".utf8.contains) ?? false }
}
