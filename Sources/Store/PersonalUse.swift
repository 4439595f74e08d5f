package import CityModel
internal import Synchronization

/// What a read showed of data about people, to be accounted for before it is answered. What is not personal costs one comparison.
package struct ShownPersonal: Hashable, Sendable {
    /// Entities that were shown, by number.
    package private(set) var numbers: Set<Int64> = []
    /// Whether figures were shown of several entities together, some of them personal.
    package var hasFigures = false

    package init() {}

    package var isEmpty: Bool { numbers.isEmpty && !hasFigures }

    package mutating func add(_ number: Int64) { numbers.insert(number) }
}

/// One entity that is accounted for.
package struct UsedEntity: Hashable, Sendable {
    /// Whom it is about; empty where it is about nobody who is known.
    package let subject: String
    package let id: IRI

    package init(subject: String, id: IRI) { (self.subject, self.id) = (subject, id) }
}

/// What is accounted for of one answer.
package struct PersonalUse: Hashable, Sendable {
    package var entities: [UsedEntity] = []
    package var hasFigures = false

    package static let none = PersonalUse()

    package init(entities: [UsedEntity] = [], hasFigures: Bool = false) { (self.entities, self.hasFigures) = (entities, hasFigures) }

    package var isEmpty: Bool { entities.isEmpty && !hasFigures }

    package mutating func add(_ other: PersonalUse) {
        entities += other.entities
        hasFigures = hasFigures || other.hasFigures
    }
}

extension Classification {
    /// Whether what is classified so is about people.
    package var isPersonal: Bool { self >= .personal }
}

extension ReadSnapshot {
    /// Says that an entity, or some of its past, is in the answer.
    package func show(_ number: Int64, _ classification: Classification) {
        if classification.isPersonal { shown.add(number) }
    }

    package func show(_ stored: StoredEntity) { show(stored.number, stored.classification) }

    /// What the read showed until now, with whom it is about.
    package func personalUse() throws -> PersonalUse {
        guard !shown.isEmpty else { return .none }
        return PersonalUse(entities: try shown.numbers.sorted().flatMap(usedEntity), hasFigures: shown.hasFigures)
    }

    /// - Returns: one for each person whom it is about.
    package func usedEntity(_ number: Int64) throws -> [UsedEntity] {
        let sql = "SELECT iri FROM main.entity WHERE id = ?1 UNION ALL SELECT iri FROM main.past WHERE id = ?1"
        guard let id = try row(sql, [number]).map({ IRI(known: try $0.decode(String.self, atIndex: 0)) }) else { return [] }
        let subjects = try subjects(of: number)
        return subjects.isEmpty ? [UsedEntity(subject: "", id: id)] : subjects.map { UsedEntity(subject: $0, id: id) }
    }
}

/// What was accounted for within the hour, so that a page that refreshes is one act and not hundreds. Each municipality's own; when it is
/// full, all is forgotten and recorded again.
package final class UseMemory: Sendable {
    private let state = Mutex(State())
    private let countMax: Int

    private struct State {
        var hour: Int64 = .min
        var known: Set<Int> = []
    }

    package init(countMax: Int = 100_000) { self.countMax = countMax }

    /// The hour in which a moment lies.
    package static func hour(of moment: Instant) -> Int64 { moment.microseconds / 3_600_000_000 }

    package func knows(_ key: some Hashable, at moment: Instant) -> Bool {
        let (hash, hour) = (key.hashValue, Self.hour(of: moment))
        return state.withLock { $0.hour == hour && $0.known.contains(hash) }
    }

    package func note(_ keys: [some Hashable], at moment: Instant) {
        let (hashes, hour) = (keys.map(\.hashValue), Self.hour(of: moment))
        state.withLock { state in
            if state.hour != hour || state.known.count + hashes.count > countMax { state = State(hour: hour) }
            guard hashes.count <= countMax else { return }
            state.known.formUnion(hashes)
        }
    }

    /// After somebody's data was erased, nothing says any more that it was recorded.
    package func forget() { state.withLock { $0 = State() } }
}
