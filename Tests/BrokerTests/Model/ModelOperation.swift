import CityModel
import LinkedData
import OrderedCollections
import RandomEntities

/// What a request says of attributes. Null takes one away.
struct ModelChange: Sendable {
    let attributes: Attributes
    /// Of the entity.
    let expiresAt: Instant?
    init(_ attributes: Attributes, expiresAt: Instant? = nil) { (self.attributes, self.expiresAt) = (attributes, expiresAt) }
    init(_ entity: Entity) { self.init(entity.attributes, expiresAt: entity.expiresAt) }
    var each: [(IRI, Attribute)] { attributes.flatMap { name, instances in instances.map { (name, $0) } } }

    func fragment(_ id: IRI? = nil) -> EntityFragment {
        var fragment = EntityFragment()
        (fragment.id, fragment.attributes, fragment.expiresAt) = (id, attributes, expiresAt)
        return fragment
    }
}

/// What an operation answered.
enum ModelResult: Hashable, Sendable {
    case done, refused
    /// But for these attributes.
    case partly([IRI])
    case batch(created: [IRI], changed: [IRI], errors: [IRI])
    /// History was added to, and whether there was none.
    case began(Bool)
}

/// One request to a municipality.
enum ModelOperation: Sendable {
    enum Batch: Hashable, Sendable { case create, upsert(replaces: Bool), update(overwriting: Bool), merge, delete }
    struct Entry: Sendable {
        let entity: Entity
        var id: IRI { entity.id }
    }

    case create(Entity, isPersonal: Bool)
    case replace(Entity)
    case append(ModelChange, IRI, overwriting: Bool)
    case update(ModelChange, IRI)
    case merge(ModelChange, IRI)
    case deleteAttribute(IRI, IRI, dataset: IRI?)
    case delete(IRI)
    case batch(Batch, [Entry])
    case addHistory(IRI, IRI, [Attribute])
    case deleteInstance(IRI, IRI, pick: Int)
    case replaceInstance(IRI, IRI, pick: Int, Attribute)
    case eraseSeries(IRI, IRI)
    case eraseHistory(IRI)
    /// Writes this and then fails.
    case failing(Entity)
    /// Takes away what has expired.
    case sweep

    /// What it may change.
    var ids: [IRI] {
        switch self {
        case .create(let entity, _), .replace(let entity), .failing(let entity): [entity.id]
        case .append(_, let id, _), .update(_, let id), .merge(_, let id), .deleteAttribute(_, let id, _), .delete(let id): [id]
        case .addHistory(let id, _, _), .deleteInstance(let id, _, _), .replaceInstance(let id, _, _, _), .eraseSeries(let id, _), .eraseHistory(let id): [id]
        case .batch(_, let entries): entries.map(\.id)
        case .sweep: []
        }
    }

    /// Whether nobody else changes what it changes.
    var isOwn: Bool { !ids.isEmpty && ids.allSatisfy { !$0.text.contains(ModelDraw.sharedName) } }

    static let watchedType = iri("Watched"), otherType = iri("Other")
    static let level = iri("level"), state = iri("state"), note = iri("note"), trace = iri("trace")
    static let dataset = IRI("urn:ngsi-ld:dataset:second")!
}

/// Draws the operations of one writer. Entities of all writers are changed in the order of the journal; what the journal does not tell (history that is
/// corrected) is done to the writer's own alone, so its order is that of the writer.
struct ModelDraw {
    private(set) var random: SplitMix
    private let writer: Int
    private var (drawnCount, expiryCount) = (0, 0)

    private static let sharedCount = 6
    static let sharedName = "shared"

    init(seed: UInt64, writer: Int) { (random, self.writer) = (SplitMix(seed: seed &* 1_000 &+ UInt64(writer)), writer) }

    static func id(_ name: String) -> IRI { IRI("urn:ngsi-ld:Thing:\(name)")! }
    /// The one of a writer that is personal, so sealed in the file.
    static func personal(_ writer: Int) -> IRI { id("person-\(writer)") }

    private mutating func chance(_ count: UInt64) -> Bool { random.next() % count == 0 }
    private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    private mutating func shared() -> IRI { Self.id("\(Self.sharedName)-\(below(Self.sharedCount))") }
    private mutating func own() -> IRI { chance(2) ? Self.personal(writer) : Self.id("own-\(writer)") }
    private var plainOwn: IRI { Self.id("own-\(writer)") }
    private mutating func any() -> IRI { chance(3) ? own() : shared() }

    /// The one of a writer whose history is thinned. Every other one is personal.
    static func aging(_ writer: Int) -> IRI { id("\(agingName)-\(writer)") }
    static func isAging(_ id: IRI) -> Bool { id.text.contains(agingName) }
    private static let agingName = "aging"
    static let writerCount = 4

    /// About what the clock says when the next operation is asked for.
    private var today: Int64 { noon.microseconds + Int64(drawnCount * Self.writerCount) * ModelRun.stepMicroseconds }

    /// Often soon over, mostly later. No two are the same, so it is known which expires first.
    private mutating func expiry() -> Instant {
        expiryCount += 1
        return Instant(microseconds: today + Int64(below(30)) * ModelRun.stepMicroseconds + Int64(expiryCount * Self.writerCount + writer))
    }

    /// An entity's type goes by its identifier: each second is watched.
    static func type(of id: IRI) -> IRI { id.text.utf8.last.map { $0 % 2 == 0 } ?? false ? ModelOperation.watchedType : ModelOperation.otherType }

    private mutating func value() -> JSON {
        switch random.next() % 6 {
        case 0: .string(["on", "off", ""][below(3)])
        case 1: ["x": .integer(Int64(below(3))), "y": chance(2) ? .string("on") : .bool(true)]
        case 2: .number(Double(below(40)) / 4)
        default: .integer(Int64(below(9)))
        }
    }

    private mutating func observation() -> Instant? { chance(3) ? noon.adding(seconds: -60 * Double(1 + below(12))) : nil }

    private mutating func attributes(nulls: Bool, mayExpire: Bool) -> Attributes {
        var attributes: Attributes = [:]
        for name in [ModelOperation.level, ModelOperation.state, ModelOperation.note] where !chance(3) {
            for dataset in [nil, ModelOperation.dataset] where dataset == nil ? !chance(5) : chance(4) {
                var instance = Attribute(kind: .property, value: value(), datasetID: dataset, observedAt: observation())
                if nulls, chance(4) { (instance.value, instance.observedAt) = (.string(Attribute.nullText), nil) }
                if mayExpire, !instance.isNull, chance(5) { instance.expiresAt = expiry() }
                if nulls, chance(6) { instance.value = ["x": .string(Attribute.nullText), "z": .integer(Int64(below(3)))] }
                attributes[name, default: []].append(instance)
            }
        }
        return attributes
    }

    private mutating func entity(_ id: IRI) -> Entity {
        var entity = Entity(id: id, types: [Self.type(of: id)], attributes: attributes(nulls: false, mayExpire: mayExpire(id)))
        if mayExpire(id), chance(5) { entity.expiresAt = expiry() }
        return entity
    }

    private mutating func change(_ id: IRI, nulls: Bool) -> ModelChange {
        ModelChange(attributes(nulls: nulls, mayExpire: mayExpire(id)), expiresAt: mayExpire(id) && chance(8) ? expiry() : nil)
    }

    /// Of an entity whose history is corrected nothing does: whether a sweeper came before would decide where an instance finds its place.
    private func mayExpire(_ id: IRI) -> Bool { id != plainOwn }

    mutating func next() -> ModelOperation {
        drawnCount += 1
        if chance(3) { return aging() }
        let id = any()
        switch random.next() % 34 {
        case 0...5: return .create(entity(id), isPersonal: id == Self.personal(writer))
        case 6, 7: return .replace(entity(id))
        case 8, 9: return .append(change(id, nulls: false), id, overwriting: chance(2))
        case 10, 11: return .update(change(id, nulls: true), id)
        case 12...16: return .merge(change(id, nulls: true), id)
        case 17: return .deleteAttribute([ModelOperation.level, ModelOperation.state][below(2)], own(), dataset: chance(3) ? ModelOperation.dataset : nil)
        case 18, 19: return .delete(id)
        case 20...24: return batch()
        case 25, 26: return .failing(entity(shared()))
        default: return historic()
        }
    }

    private mutating func batch() -> ModelOperation {
        let kind: ModelOperation.Batch =
            [.create, .upsert(replaces: true), .upsert(replaces: false), .update(overwriting: true), .update(overwriting: false), .merge, .delete][below(7)]
        // What is personal is made by itself. Some are in a batch twice.
        let ids = (0..<(1 + below(6))).map { _ in chance(4) ? plainOwn : shared() }
        return .batch(kind, ids.map { ModelOperation.Entry(entity: entity($0)) })
    }

    private mutating func historic() -> ModelOperation {
        let name = chance(3) ? ModelOperation.level : ModelOperation.trace
        let instance = Attribute(kind: .property, value: value(), observedAt: observation())
        switch random.next() % 12 {
        case 0, 1: return .deleteInstance(plainOwn, name, pick: below(100))
        case 2, 3: return .replaceInstance(plainOwn, name, pick: below(100), instance)
        case 4: return chance(3) ? .eraseHistory(plainOwn) : .eraseSeries(plainOwn, name)
        default:
            let more = (0..<below(5)).map { _ in Attribute(kind: .property, value: value(), observedAt: observation()) }
            return .addHistory(plainOwn, ModelOperation.trace, [instance] + more)
        }
    }

    // MARK: What grows old

    /// A number of today or of the days before, each of few moments, or a text of a moment that no number has: where both are of one moment it is not known
    /// any more which of them took the place of which.
    private mutating func aged() -> Attribute {
        // Of the days before often a moment that was told of already.
        let minutes = chance(3) ? 20 * below(6) : chance(2) ? 20 * below(216) : 240 * below(18)
        let grid: Int64 = 60_000_000 * (minutes % 240 == 0 ? 240 : 20)
        let moment = Instant(microseconds: today / grid * grid - Int64(minutes) * 60_000_000)
        if chance(6) { return Attribute(kind: .property, value: .string(["on", "off"][below(2)]), observedAt: moment.adding(seconds: 0.5)) }
        return Attribute(kind: .property, value: chance(2) ? .integer(Int64(below(50)) - 9) : .number(Double(below(400)) / 4), observedAt: chance(8) ? nil : moment)
    }

    /// Where all history may be erased nothing expires: the journal does not tell whether a sweeper came before or after.
    private var mayErase: Bool { writer % 2 == 0 }

    private mutating func agingAttributes() -> Attributes {
        var attributes: Attributes = [ModelOperation.level: [aged()]]
        if chance(4) {
            var second = aged()
            second.datasetID = ModelOperation.dataset
            attributes[ModelOperation.level]?.append(second)
        }
        if !mayErase, chance(3) {
            var note = aged()
            note.expiresAt = expiry()
            attributes[ModelOperation.note] = [note]
        }
        return attributes
    }

    private mutating func aging() -> ModelOperation {
        let id = Self.aging(writer), name = chance(2) ? ModelOperation.level : ModelOperation.trace
        switch random.next() % 24 {
        case 0...3: return .create(Entity(id: id, types: [Self.type(of: id)], attributes: agingAttributes()), isPersonal: writer % 2 == 0)
        case 4...7: return .append(ModelChange(agingAttributes()), id, overwriting: true)
        case 8...10: return .merge(ModelChange(agingAttributes()), id)
        case 11: return .merge(ModelChange([ModelOperation.level: [Attribute(kind: .property, value: .string(Attribute.nullText))]]), id)
        case 12: return .delete(id)
        case 13, 14: return .deleteInstance(id, name, pick: below(100))
        case 15, 16: return .replaceInstance(id, name, pick: below(100), aged())
        case 17: return mayErase && chance(3) ? .eraseHistory(id) : .eraseSeries(id, name)
        default: return .addHistory(id, name, (0...below(8)).map { _ in aged() })
        }
    }
}
