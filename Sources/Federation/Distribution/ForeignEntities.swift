internal import Broker
internal import Trust
internal import CityModel
internal import Foundation
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store

/// Entities that a source answered, read and held to what its registration says of it: nothing that was not registered comes
/// from it (clause 4.3.6.1).
struct ForeignEntities: Sendable {
    var entities: [Entity] = []
    /// Those of which rules do not show everything.
    var narrowed: Set<IRI> = []
    /// How many there are at the source.
    var count: Int?
    /// Whether it may have more than it answered.
    var isCut = false
    /// Whether nothing is known of what it has.
    var hasFailed = false
    /// The map that it used to answer.
    var entityMap: IRI?
    /// Its own, and those that it hands on of sources behind it.
    var warnings: [SourceWarning] = []

    init(warnings: [SourceWarning] = []) { self.warnings = warnings }
    init(failed warning: SourceWarning) { (hasFailed, warnings) = (true, [warning]) }
}

extension ForeignEntities {
    fileprivate mutating func add(_ entity: Entity, _ source: MatchedSource, _ sight: Sight) {
        guard let seen = sight.seen(elsewhere: entity, source.registration.classification) else { return }
        if sight.ruling != nil, seen != entity { narrowed.insert(entity.id) }
        entities.append(seen)
    }

    /// Leaves out what was found by something that is not shown: of an entity that is narrowed, conditions hold of what is left.
    mutating func hold(_ query: DistributedQuery) {
        guard !narrowed.isEmpty, !query.isSplit else { return }
        entities.removeAll { narrowed.contains($0.id) && !query.filter.matches($0) }
    }
}

extension EntityMap {
    /// The map that an answer names: the identifier at the end of its location.
    static func reference(_ headers: [(name: String, value: String)]) -> IRI? {
        let text = headers.first { $0.name.lowercased() == "ngsild-entitymap" }?.value
        return text?.split(separator: "/").last?.removingPercentEncoding.flatMap { IRI($0) }
    }
}

extension Federation {
    private static let contextCountMax = 4
    /// More than any source has: what is counted together stays a number.
    static let countMax = 1 << 40

    /// - Parameter isMany: whether it has to be an array. One entity may be answered alone or, where it was queried, in an array.
    /// - Parameter limit: what was asked for; what a source answers beyond it is not looked at.
    func read(_ reply: SourceReply, of source: MatchedSource, isMany: Bool, limit: Int, _ origin: Origin) async -> ForeignEntities {
        let id = source.registration.id
        switch reply {
        case .timedOut: return ForeignEntities(failed: SourceWarning(.noResponse, id, "no response in time"))
        case .failed(let reason): return ForeignEntities(failed: SourceWarning(reason == Self.tooLarge ? .invalid : .noResponse, id, reason))
        case .answer(404, let headers, _, _): return ForeignEntities(warnings: SourceWarning.handedOn(headers, id))
        case .answer(200, let headers, let body, let context), .answer(201, let headers, let body, let context):
            do {
                let elements = try Self.elements(body, isMany: isMany)
                // In JSON a context has no place in the body (clause 6.3.5).
                let isLinkedData = headers.contains { $0.name.lowercased() == "content-type" && $0.value.hasPrefix("application/ld+json") }
                var foreign = ForeignEntities(warnings: SourceWarning.handedOn(headers, id))
                foreign.isCut = elements.count >= limit
                var contexts: [JSON: Context] = [:]
                for element in elements.prefix(limit) {
                    let context = isLinkedData ? try await self.context(of: element, context, &contexts, origin) : context
                    let entity = try EntityReader(context: context, purpose: .foreign).fragment(element).entity()
                    if let kept = source.kept(entity, at: origin.asker.now) { foreign.add(kept, source, origin.access.sight) }
                }
                foreign.entityMap = EntityMap.reference(headers)
                foreign.count = Self.count(headers, origin)
                return foreign
            } catch {
                return ForeignEntities(failed: SourceWarning(.invalid, id, "the answer is no valid NGSI-LD"))
            }
        case .answer(let status, _, _, _): return ForeignEntities(failed: SourceWarning(.errorResponse, id, "the source answers \(status)"))
        }
    }

    /// How many entities a source says that it has; nil where some may be hidden by rules.
    static func count(_ headers: [(name: String, value: String)], _ origin: Origin) -> Int? {
        guard origin.access.sight.ruling == nil else { return nil }
        return headers.first { $0.name.lowercased() == "ngsild-results-count" }.flatMap { Int($0.value) }.map { min(max($0, 0), countMax) }
    }

    /// What `SendToSource` says of an answer that is larger than it may be.
    package static let tooLarge = "the answer is too large"

    static func elements(_ body: [UInt8], isMany: Bool) throws -> [JSON] {
        let json = try JSONParser(depthMax: 64).parse(body)
        if !isMany { return json.arrayValue ?? [json] }
        guard let elements = json.arrayValue else { throw CityError.sourceFailed("no array") }
        return elements
    }

    /// In JSON the names are those of the context that went along with the request; JSON-LD brings its own.
    /// - Parameter known: those that the answer has named so far.
    func context(of element: JSON, _ context: Context, _ known: inout [JSON: Context], _ origin: Origin) async throws -> Context {
        guard let own = element["@context"], own != context.answered else { return context }
        if let known = known[own] { return known }
        guard known.count < Self.contextCountMax else { throw CityError.sourceFailed("more than \(Self.contextCountMax) contexts in one answer") }
        let read = try await self.context(own, origin)
        known[own] = read
        return read
    }
}

extension MatchedSource {
    /// What is registered of an entity; nil when nothing is, or it has expired.
    fileprivate func kept(_ entity: Entity, at now: Instant) -> Entity? {
        guard admits(entity.id, types: entity.types), entity.expiresAt.map({ now < $0 }) ?? true else { return nil }
        var kept = entity
        kept.attributes = entity.attributes.filter { covers($0.key, of: entity.id, types: entity.types) }
        return kept
    }
}
