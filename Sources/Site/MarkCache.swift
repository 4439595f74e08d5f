internal import CityModel
internal import Synchronization

/// Marks in memory, each until its entity has changed. When there are too many, all go: the next request reads what it
/// needs anew.
final class MarkCache: Sendable {
    private struct State {
        var count = 0
        var marks: [Scene: [Int64: Known]] = [:]
    }

    /// What marks are made by: audiences that are shown the same types in the same way share them.
    private struct Scene: Hashable {
        let incarnation: UInt64
        let signature: [String]
    }

    /// What is known of an entity at a version: its mark, or that it has none.
    enum Known: Sendable {
        case mark(Mark)
        case none(version: Int64)

        var version: Int64 {
            switch self {
            case .mark(let mark): mark.version
            case .none(let version): version
            }
        }
    }

    private let state = Mutex(State())
    private let countMax: Int

    init(countMax: Int) { self.countMax = countMax }

    /// What is known of each, nil where nothing of this version is.
    func known(_ entities: [(number: Int64, version: Int64)], of incarnation: UInt64, signature: [String]) -> [Known?] {
        state.withLock { state in
            guard let marks = state.marks[Scene(incarnation: incarnation, signature: signature)] else {
                return Array(repeating: nil, count: entities.count)
            }
            return entities.map { entity in
                guard let known = marks[entity.number], known.version == entity.version else { return nil }
                return known
            }
        }
    }

    func keep(_ marks: [(number: Int64, known: Known)], of incarnation: UInt64, signature: [String]) {
        state.withLock { state in
            if state.count + marks.count > countMax { state = State() }
            guard marks.count <= countMax else { return }
            let scene = Scene(incarnation: incarnation, signature: signature)
            for (number, known) in marks {
                if state.marks[scene, default: [:]].updateValue(known, forKey: number) == nil { state.count += 1 }
            }
        }
    }
}
