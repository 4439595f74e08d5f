import CityModel
import Foundation
import LinkedData
import OrderedCollections
import Testing

/// The W3C's test vectors for expansion and compaction of JSON-LD 1.1, from a checkout of `w3c/json-ld-api` that the
/// environment variable JSON_LD_API names. Nothing of them is kept here.
enum JSONLDVectors {
    static let folder = ProcessInfo.processInfo.environment["JSON_LD_API"].map { $0 + "/tests/" }
    /// Where the vectors are published: their documents refer to each other from there.
    static let address = "https://w3c.github.io/json-ld-api/tests/"

    static let expansion = read("expand")
    static let compaction = read("compact")

    static let areThere: Bool = {
        let areThere = !expansion.isEmpty && !compaction.isEmpty
        if !areThere { print("SKIPPED: the W3C's vectors for JSON-LD; name a checkout of w3c/json-ld-api in JSON_LD_API") }
        return areThere
    }()

    private static func read(_ manifest: String) -> [JSONLDVector] {
        let entries = document("\(manifest)-manifest.jsonld")?["sequence"]?.arrayValue ?? []
        return entries.compactMap { JSONLDVector($0, manifest: manifest) }
    }

    static func document(_ path: String) -> JSON? {
        guard let folder, let bytes = FileManager.default.contents(atPath: folder + path) else { return nil }
        return try? JSON(parsing: bytes)
    }

    /// Finds the vectors' documents and no others.
    static func resolver() -> ContextResolver {
        ContextResolver { url in
            guard url.hasPrefix(address), let document = document(String(url.dropFirst(address.count))) else { throw DocumentShelf.NotFound() }
            return document
        }
    }
}

/// One entry of a manifest.
struct JSONLDVector: Sendable, CustomTestStringConvertible {
    /// Of the manifest and the entry, as in `expand#t0001`.
    let id: String
    let isOfVersion10: Bool
    /// What is expanded or compacted.
    let input: JSON
    /// The `@context` that it is processed with; nil where there is none.
    let context: JSON?
    /// What must come of it; nil where that is an error.
    let output: JSON?
    let errorCode: String?

    var testDescription: String { id }

    init?(_ entry: JSON, manifest: String) {
        guard let id = entry["@id"]?.stringValue, let path = entry["input"]?.stringValue, let input = JSONLDVectors.document(path) else { return nil }
        self.id = manifest + id
        self.input = input
        let options = entry["option"]
        isOfVersion10 = options?["specVersion"] == "json-ld-1.0" || options?["processingMode"] == "json-ld-1.0"
        let contextPath = entry["context"]?.stringValue ?? options?["expandContext"]?.stringValue
        let contextDocument = contextPath.flatMap(JSONLDVectors.document) ?? (input.arrayValue?.first ?? input)
        let base = options?["base"]?.stringValue ?? JSONLDVectors.address + (contextPath ?? path)
        context = contextDocument["@context"].map { Self.absolute($0, base: base) }
        output = entry["expect"]?.stringValue.flatMap(JSONLDVectors.document)
        errorCode = entry["expectErrorCode"]?.stringValue
    }

    /// The `@vocab` that the context sets last, where it is an IRI itself.
    var vocabulary: String? {
        let elements = context?.arrayValue ?? context.map { [$0] } ?? []
        return elements.compactMap { $0["@vocab"]?.stringValue }.last
    }

    /// References to other documents are relative to the vector's own; within a request they are absolute.
    private static func absolute(_ context: JSON, base: String) -> JSON {
        switch context {
        case .string(let reference): return .string(URLReference.resolve(reference, against: base) ?? reference)
        case .array(let elements): return .array(elements.map { absolute($0, base: base) })
        case .object(var members):
            if let reference = members["@import"]?.stringValue {
                members["@import"] = .string(URLReference.resolve(reference, against: base) ?? reference)
            }
            return .object(members)
        default: return context
        }
    }
}

/// The names of properties and types in a document.
struct DocumentNames {
    private(set) var found: Set<String> = []
    /// The keyword that a member's name is or stands for.
    private let keyword: (String) -> String?

    init(in document: JSON, keyword: @escaping (String) -> String? = { $0.hasPrefix("@") ? $0 : nil }) {
        self.keyword = keyword
        collect(document)
    }

    private mutating func collect(_ value: JSON) {
        switch value {
        case .array(let elements): elements.forEach { collect($0) }
        case .object(let members):
            if members.keys.contains(where: { keyword($0) == "@value" }) { return }
            for (name, member) in members {
                switch keyword(name) {
                case "@type": for type in member.arrayValue ?? [member] { if let type = type.stringValue { found.insert(type) } }
                case "@list", "@set": collect(member)
                case .some: break
                case nil where member == .null: break
                case nil:
                    found.insert(name)
                    collect(member)
                }
            }
        default: break
        }
    }
}
