internal import CityModel
internal import LinkedData
internal import OrderedCollections

/// What is gathered: an entity as it is now, or its evolution.
protocol Gathered: Sendable { var id: IRI { get } }
extension Entity: Gathered {}
extension TemporalEntity: Gathered {}

/// What this broker (at place 0) and the sources answered to a query, and what comes of it.
struct Gathering<Part: Gathered> {
    private struct Answer {
        var entities: OrderedDictionary<IRI, Part> = [:]
        /// Whether the source has more than it answered.
        var isCut = false
        var count = 0
    }

    private var answers: [Answer]
    private let isAuxiliary: [Bool]
    private let now: Instant
    /// Identifiers that something which is open to everybody names.
    private var open: Set<IRI> = []

    init(_ matching: Matching, at now: Instant) {
        isAuxiliary = [false] + matching.sources.map { $0.registration.mode == .auxiliary }
        answers = Array(repeating: Answer(), count: isAuxiliary.count)
        self.now = now
    }

    /// - Parameter open: those of the entities that everybody may know of.
    mutating func add(_ entities: [Part], at place: Int, isCut: Bool, count: Int?, open: some Sequence<IRI>) {
        self.open.formUnion(open)
        answers[place].entities = OrderedDictionary(entities.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        (answers[place].isCut, answers[place].count) = (isCut, max(count ?? 0, entities.count))
    }

    mutating func complete(_ entities: [Part], at place: Int) {
        for entity in entities where answers[place].entities[entity.id] == nil { answers[place].entities[entity.id] = entity }
    }

    var isCut: Bool { answers.contains { $0.isCut } }

    /// Entities by their place in the answers; at the same place, by that of the source.
    var order: [IRI] { order(upTo: .max) }

    /// The same as far as the answers go to a place.
    func order(upTo rankCount: Int) -> [IRI] {
        var order: OrderedSet<IRI> = []
        for rank in 0..<min(answers.map(\.entities.count).max() ?? 0, rankCount) {
            for answer in answers where rank < answer.entities.count { order.append(answer.entities.elements[rank].key) }
        }
        return Array(order)
    }

    var count: Int {
        let known = answers.reduce(0) { $0 + $1.entities.count }
        return max(order.count, answers.reduce(0) { $0 + $1.count } - (known - order.count))
    }

    /// The entities of a page that a source may have more of; nil when it answered all it has.
    func missing(of page: [IRI], at place: Int) -> Set<IRI>? {
        guard answers[place].isCut else { return nil }
        let missing = Set(page.filter { answers[place].entities[$0] == nil })
        return missing.isEmpty ? nil : missing
    }

    /// Whether a source on the web may be told that there is such an entity.
    func isOpen(_ id: IRI) -> Bool { open.contains(id) }

    /// What the sources have of an entity, but for this broker, those that only supplement last.
    private func foreign(_ id: IRI) -> [(part: Part, isAuxiliary: Bool)] {
        [false, true].flatMap { wanted in
            answers.indices.dropFirst().compactMap { place in
                isAuxiliary[place] == wanted ? answers[place].entities[id].map { ($0, wanted) } : nil
            }
        }
    }
}

extension Gathering<Entity> {
    func entity(_ id: IRI) -> Entity? {
        var merge = EntityMerge(answers[0].entities[id], at: now)
        for (part, isAuxiliary) in foreign(id) { if isAuxiliary { merge.supplement(part) } else { merge.add(part) } }
        return merge.entity
    }
}

extension Gathering<TemporalEntity> {
    func entity(_ id: IRI) -> TemporalEntity? {
        var merge = EvolutionMerge(answers[0].entities[id])
        for (part, isAuxiliary) in foreign(id) { if isAuxiliary { merge.supplement(part) } else { merge.add(part) } }
        return merge.entity
    }
}
