package import CityModel
package import OrderedCollections
internal import Query
internal import Store
internal import Synchronization
internal import Trust

/// An EntityMap (clauses 4.5.25 and 5.2.39): which entities a sequence of requests is about, fixed and in the order of the
/// query that made it, each with where it is held.
package struct EntityMap: Sendable {
    /// Where an entity is held. An entity of which several hold a part has several (clause 4.3.6.7).
    package enum Holder: Hashable, Sendable {
        case here
        case registration(IRI)
    }

    package struct Entry: Sendable {
        package let id: IRI
        package let holders: [Holder]
        package init(_ id: IRI, _ holders: [Holder] = [.here]) { (self.id, self.holders) = (id, holders) }
    }

    package let id: IRI
    package fileprivate(set) var expiresAt: Instant
    /// By position, which an offset counts. Nil where an entity was that matches no more: the others keep their positions, so
    /// that a page that is asked for later neither repeats nor leaves out any of them (clause 5.5.9.3).
    package fileprivate(set) var entries: [Entry?]
    /// The maps that context sources made for their part, by registration.
    package fileprivate(set) var linkedMaps: OrderedDictionary<IRI, IRI>
    /// Whether some of the entities are held elsewhere.
    package let isDistributed: Bool
    /// What the query that made it asked, as far as it decides which entities match; nil when nobody needs to know.
    package let queryKey: String?
    /// What an entity of the map has to match at any time; nil where only being in the map counts.
    let filter: EntityFilter?
    /// Who made it: to all others it is unknown.
    fileprivate let maker: ReadAccess

    init(
        id: IRI, expiresAt: Instant, entries: [Entry], linkedMaps: OrderedDictionary<IRI, IRI> = [:], queryKey: String? = nil,
        filter: EntityFilter?, maker: ReadAccess
    ) {
        (self.id, self.expiresAt, self.entries, self.linkedMaps) = (id, expiresAt, entries, linkedMaps)
        (self.queryKey, self.filter, self.maker) = (queryKey, filter, maker)
        isDistributed = entries.contains { $0.holders.contains { $0 != .here } }
    }
}

extension EntityMap {
    /// The entities that are still in it.
    package var ids: Set<IRI> { Set(entries.compactMap { $0?.id }) }

    /// - Parameter isKept: for each position.
    mutating func keep(where isKept: [Bool]) {
        for (position, isKept) in zip(entries.indices, isKept) where !isKept { entries[position] = nil }
    }
}

/// How many entity maps are kept and for how long.
package struct EntityMapLimits: Sendable {
    /// Maps of all municipalities together; where there is one more, one of the municipality that has most goes.
    package var countMax: Int
    /// Entities of one map.
    package var entityCountMax: Int
    /// Entities of all maps together.
    package var totalCountMax: Int
    package var lifetimeSecondsDefault: Double
    package var lifetimeSecondsMax: Double

    package init(
        countMax: Int = 1_000, entityCountMax: Int = 50_000, totalCountMax: Int = 500_000, lifetimeSecondsDefault: Double = 900,
        lifetimeSecondsMax: Double = 3_600
    ) {
        (self.countMax, self.entityCountMax, self.totalCountMax) = (countMax, entityCountMax, totalCountMax)
        (self.lifetimeSecondsDefault, self.lifetimeSecondsMax) = (lifetimeSecondsDefault, lifetimeSecondsMax)
    }
}

/// The entity maps of the installation. They are in memory, since reading must not write: whoever asks for one that is gone
/// gets a new one (clause 5.5.14), also after a restart.
final class EntityMapCollection: Sendable {
    private let shelf: Mutex<EntityMapShelf>

    init(limits: EntityMapLimits) { shelf = Mutex(EntityMapShelf(limits: limits)) }

    func withLock<Value: Sendable>(_ body: (inout EntityMapShelf) throws -> Value) rethrows -> Value { try shelf.withLock { try body(&$0) } }
}

struct EntityMapShelf: Sendable {
    private struct Held {
        var map: EntityMap
        var lastUse: Int64
    }

    private var held: [IRI: Held] = [:]
    private var useCount: Int64 = 0
    private var entityCount = 0
    private let limits: EntityMapLimits

    init(limits: EntityMapLimits) { self.limits = limits }

    mutating func put(_ map: EntityMap, at now: Instant) {
        removeExpired(at: now)
        while held.count >= limits.countMax || entityCount + map.entries.count > limits.totalCountMax, let next = nextToGo { remove(next) }
        useCount += 1
        entityCount += map.entries.count
        held[map.id] = Held(map: map, lastUse: useCount)
    }

    /// The one longest not used, of the municipality whose maps take most of the room: nobody pushes out those of others.
    private var nextToGo: IRI? {
        var shares: [MunicipalityName: Double] = [:]
        for held in held.values {
            shares[held.map.maker.municipality, default: 0] +=
                1 / Double(limits.countMax) + Double(held.map.entries.count) / Double(limits.totalCountMax)
        }
        guard let largest = shares.max(by: { ($0.value, $1.key.text) < ($1.value, $0.key.text) })?.key else { return nil }
        return held.filter { $0.value.map.maker.municipality == largest }.min { $0.value.lastUse < $1.value.lastUse }?.key
    }

    /// Nil when there is none, it has expired, or somebody else made it.
    mutating func map(_ id: IRI, _ access: ReadAccess, at now: Instant) -> EntityMap? {
        guard let map = held[id]?.map, map.isKnown(to: access) else { return nil }
        guard map.expiresAt > now else {
            remove(id)
            return nil
        }
        useCount += 1
        held[id]?.lastUse = useCount
        return map
    }

    mutating func setExpiry(_ id: IRI, _ expiresAt: Instant) { held[id]?.map.expiresAt = expiresAt }

    mutating func link(_ id: IRI, _ registration: IRI, to linked: IRI) { held[id]?.map.linkedMaps[registration] = linked }

    /// Takes out entities that match no more.
    mutating func removeEntries(at positions: [Int], of id: IRI) {
        for position in positions { held[id]?.map.entries[position] = nil }
    }

    mutating func remove(_ id: IRI) {
        guard let gone = held.removeValue(forKey: id) else { return }
        entityCount -= gone.map.entries.count
    }

    mutating func removeExpired(at now: Instant) {
        for (id, held) in held where held.map.expiresAt <= now { remove(id) }
    }
}

extension EntityMap {
    /// Nobody sees through a map what they may not see: one whose right became less does not know it any more either.
    fileprivate func isKnown(to access: ReadAccess) -> Bool {
        maker.municipality == access.municipality && maker.principal == access.principal
            && access.sight.includes(maker.sight)
    }
}
