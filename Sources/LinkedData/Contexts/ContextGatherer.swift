internal import CityModel
internal import OrderedCollections

/// The contexts that a `@context` value consists of, in the order of processing, with all documents at hand.
struct GatheredContexts: Sendable {
    enum Step: Sendable {
        /// A null: forget what came before.
        case reset
        /// A core context.
        case core
        /// A context object, `@import` already merged in. `documentURL` is nil for one in the request itself.
        case object(JSONObject, documentURL: String?)
    }

    var steps: [Step] = []
    /// The documents that were needed.
    var urls: Set<String> = []
}

/// Walks a `@context` value and fetches the documents that it refers to, directly and through others.
struct ContextGatherer: Sendable {
    private(set) var gathered = GatheredContexts()
    private let limits: ContextLimits
    private let document: @Sendable (String) async throws(CityError) -> JSON
    private var documentCount = 0
    /// The documents that led to the current place, the first one first.
    private var trail: [String] = []
    /// Arrays around the current place, in its document.
    private var arrayDepth = 0

    init(limits: ContextLimits, document: @escaping @Sendable (String) async throws(CityError) -> JSON) {
        self.limits = limits
        self.document = document
    }

    /// Appends the steps for a `@context` value in the document that the trail ends at.
    mutating func gather(_ value: JSON) async throws(CityError) {
        switch value {
        case .null: gathered.steps.append(.reset)
        case .string(let reference): try await gather(reference: reference)
        case .array(let elements):
            arrayDepth += 1
            guard arrayDepth <= limits.nestingDepthMax else {
                throw fault("arrays nest more than \(limits.nestingDepthMax) deep.")
            }
            for element in elements { try await gather(element) }
            arrayDepth -= 1
        case .object(let members):
            gathered.steps.append(.object(try await merged(members), documentURL: trail.last))
        case .bool, .integer, .number:
            throw fault("a context must be a text, an object or an array of them, not a \(value.kindName).")
        }
    }

    private mutating func gather(reference: String) async throws(CityError) {
        let url = try absolute(reference)
        if CoreContext.isKnown(url) { return gathered.steps.append(.core) }
        let content = try await content(of: url)
        guard trail.count < limits.nestingDepthMax else {
            throw fault("documents refer to documents more than \(limits.nestingDepthMax) deep.")
        }
        let arrayDepthOutside = arrayDepth
        arrayDepth = 0
        trail.append(url)
        try await gather(content)
        trail.removeLast()
        arrayDepth = arrayDepthOutside
    }

    /// JSON-LD 1.1: the members of an imported context come first, those of the importing one win.
    private mutating func merged(_ members: JSONObject) async throws(CityError) -> JSONObject {
        guard let value = members["@import"] else { return members }
        guard let reference = value.stringValue else { throw fault("@import must be a text.") }
        let url = try absolute(reference)
        guard let imported = try await content(of: url).objectValue, imported["@import"] == nil else {
            throw fault("@import \(url): what is imported must be one object without @import.")
        }
        var result = imported.merging(members) { _, own in own }
        result["@import"] = nil
        return result
    }

    /// The `@context` member of the document at `url`.
    private mutating func content(of url: String) async throws(CityError) -> JSON {
        if let core = CoreContext.document(for: url)?["@context"] { return core }
        guard !trail.contains(url) else { throw fault("the document \(url) refers to itself, directly or through others.") }
        documentCount += 1
        guard documentCount <= limits.documentCountMax else {
            throw fault("more than \(limits.documentCountMax) documents are referred to.")
        }
        gathered.urls.insert(url)
        guard let content = try await document(url)["@context"] else {
            throw fault("the document \(url) is not a JSON object with a member @context.")
        }
        return content
    }

    private func absolute(_ reference: String) throws(CityError) -> String {
        let url = trail.last.flatMap { URLReference.resolve(reference, against: $0) } ?? reference
        guard IRI(url) != nil else { throw fault("\"\(reference)\" is not an absolute URL.") }
        return url
    }

    private func fault(_ text: String) -> CityError {
        .badRequestData(trail.last.map { "@context \($0): \(text)" } ?? "@context: \(text)")
    }
}
