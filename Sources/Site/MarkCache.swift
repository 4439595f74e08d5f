internal import CityModel
internal import Synchronization

/// Marks in memory, each until its entity has changed. When there are too many, all go: the next request reads what it
/// needs anew.
final class MarkCache: Sendable {
    private struct State {
        var signature: [String] = []
        var count = 0
        var marks: [MunicipalityName: [Int64: Known]] = [:]
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
    func known(_ entities: [(number: Int64, version: Int64)], in municipality: MunicipalityName, signature: [String]) -> [Known?] {
        state.withLock { state in
            guard state.signature == signature, let marks = state.marks[municipality] else { return Array(repeating: nil, count: entities.count) }
            return entities.map { entity in
                guard let known = marks[entity.number], known.version == entity.version else { return nil }
                return known
            }
        }
    }

    func keep(_ marks: [(number: Int64, known: Known)], in municipality: MunicipalityName, signature: [String]) {
        state.withLock { state in
            if state.signature != signature || state.count + marks.count > countMax { state = State(signature: signature) }
            guard marks.count <= countMax else { return }
            for (number, known) in marks {
                if state.marks[municipality, default: [:]].updateValue(known, forKey: number) == nil { state.count += 1 }
            }
        }
    }
}
