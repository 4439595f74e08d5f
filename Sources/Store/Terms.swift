package import CityModel
internal import GRDB
internal import Synchronization

/// Numbers for the IRIs that name types and attributes, so that documents and indexes hold small integers.
///
/// The whole table is kept in memory: it grows with the vocabulary of a municipality, not with its data. Readers look
/// numbers up while the writer adds new ones; a number that a rolled-back write had added is taken back by `forget`, those of a
/// transaction that failed as a whole by `reload`.
package final class TermTable: Sendable {
    private struct State {
        var numbers: [IRI: Int64] = [:]
        var names: [Int64: IRI] = [:]
        var next: Int64 = 1
    }

    private let state = Mutex(State())
    private let takings = Atomic(0)

    /// Grows whenever names lost their numbers, which others may get then: who keeps numbers looks whether it has.
    var revision: Int { takings.load(ordering: .acquiring) }

    /// The most distinct names of types and attributes that one municipality may use.
    package static let countMax = 100_000

    init(_ db: Database) throws { try reload(db) }

    /// Takes what the file says for what is there, after a transaction that did not come to be.
    func reload(_ db: Database) throws {
        let rows = try RowCursor(db, "SELECT id, iri FROM term", [])
        var read = State()
        while let row = try rows.next() {
            let number = try row.decode(Int64.self, atIndex: 0)
            let name = IRI(known: try row.decode(String.self, atIndex: 1))
            read.numbers[name] = number
            read.names[number] = name
            read.next = max(read.next, number + 1)
        }
        state.withLock { $0 = read }
        takings.add(1, ordering: .releasing)
    }

    package func number(of name: IRI) -> Int64? { state.withLock { $0.numbers[name] } }
    package func name(of number: Int64) -> IRI? { state.withLock { $0.names[number] } }
    package func names(where isWanted: (IRI) -> Bool) -> Set<IRI> { state.withLock { Set($0.names.values.filter(isWanted)) } }
    /// All names by number, as of now.
    var names: [Int64: IRI] { state.withLock { $0.names } }

    /// The number of a name, which is added when it is new. Only the writer calls this.
    /// - Returns: whether the name was new, so that the caller can `forget` it should its transaction fail.
    func intern(_ name: IRI, in db: Database) throws -> (number: Int64, isNew: Bool) {
        if let known = number(of: name) { return (known, false) }
        let number = try state.withLock { state throws in
            guard state.names.count < TermTable.countMax else {
                throw CityError.tooManyResults("a municipality has at most \(TermTable.countMax) names of types and attributes")
            }
            return state.next
        }
        try db.cachedStatement(sql: "INSERT INTO term (id, iri) VALUES (?, ?)").execute(arguments: [number, name.text])
        state.withLock { state in
            state.numbers[name] = number
            state.names[number] = name
            state.next = number + 1
        }
        return (number, true)
    }

    /// Takes back names whose transaction was rolled back.
    func forget(_ names: [IRI]) {
        guard !names.isEmpty else { return }
        defer { takings.add(1, ordering: .releasing) }
        state.withLock { state in
            for name in names {
                guard let number = state.numbers.removeValue(forKey: name) else { continue }
                state.names[number] = nil
                state.next = min(state.next, number)
            }
        }
    }
}
