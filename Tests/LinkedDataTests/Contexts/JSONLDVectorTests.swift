import CityModel
import LinkedData
import OrderedCollections
import Testing

/// What NGSI-LD takes from JSON-LD 1.1 (clauses 4.4, 5.5.7): contexts, and names that stand for IRIs.
@Suite(.enabled(if: JSONLDVectors.areThere)) struct JSONLDVectorTests {
    private static let namesThatExpand = JSONLDVectors.expansion.filter { $0.output != nil && LeftOutVectors.reason(for: $0) == nil }
    private static let namesThatCompact = JSONLDVectors.compaction.filter { $0.output != nil && LeftOutVectors.reason(for: $0) == nil }
    private static let invalid = (JSONLDVectors.expansion + JSONLDVectors.compaction).filter {
        $0.errorCode != nil && LeftOutVectors.reason(for: $0) == nil
    }

    /// Clauses 4.4, 5.5.7.
    @Test(arguments: namesThatExpand)
    func `names expand to the IRIs of the vector`(vector: JSONLDVector) async throws {
        let context = try await JSONLDVectors.resolver().resolve(vector.context)
        let names = DocumentNames(in: vector.input, keyword: context.keyword).found
        let vocabulary = vector.vocabulary.flatMap(context.expand)?.text
        // What no context defines is of the user's vocabulary, or dropped where there is none. In NGSI-LD it is of the core's.
        let expanded = names.compactMap { context.expand($0)?.text }.compactMap { iri in
            iri.hasPrefix(IRI.defaultContextNamespace) ? vocabulary.map { $0 + iri.dropFirst(IRI.defaultContextNamespace.count) } : iri
        }
        let expected = DocumentNames(in: try #require(vector.output)).found
        #expect(Set(expanded) == expected, "\(expanded.sorted()), not \(expected.sorted())")
    }

    /// Clauses 4.4, 5.5.7.
    @Test(arguments: namesThatCompact)
    func `IRIs compact to the names of the vector`(vector: JSONLDVector) async throws {
        let context = try await JSONLDVectors.resolver().resolve(vector.context)
        let compacted = DocumentNames(in: vector.input).found.map { IRI($0).map(context.compact) ?? $0 }
        let expected = DocumentNames(in: try #require(vector.output), keyword: context.keyword).found
        #expect(Set(compacted) == expected, "\(compacted.sorted()), not \(expected.sorted())")
    }

    /// Clause 5.5.7.
    @Test(arguments: (JSONLDVectors.expansion + JSONLDVectors.compaction).filter { LeftOutVectors.reason(for: $0) == LeftOutVectors.scopedContexts })
    func `a context that holds scoped contexts is refused`(vector: JSONLDVector) async throws {
        await #expect(throws: CityError.self) { try await JSONLDVectors.resolver().resolve(vector.context) }
    }

    /// Clauses 4.4, 5.5.7.
    @Test(arguments: invalid)
    func `a context that is invalid in the vector is refused`(vector: JSONLDVector) async throws {
        await #expect(throws: CityError.self) { try await JSONLDVectors.resolver().resolve(vector.context) }
    }

    @Test func `every vector runs or is left out for a reason that still holds`() {
        let vectors = JSONLDVectors.expansion + JSONLDVectors.compaction
        let known = Set(vectors.map(\.id))
        #expect(LeftOutVectors.byName.keys.filter { !known.contains($0) } == [])
        var counts: [String: Int] = [:]
        for vector in vectors { counts[LeftOutVectors.reason(for: vector) ?? "run", default: 0] += 1 }
        for (reason, count) in counts.sorted(by: { $0.value > $1.value }) { print("JSON-LD vectors: \(count) \(reason)") }
        #expect(vectors.count > 600)
    }
}
