internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Services
package import Trust

/// What a member of staff has given names to: the queue narrowed in some way. In the order in which they were made.
package struct DeskViews: Hashable, Sendable {
    package static let countMax = 30
    /// In characters.
    package static let nameCountMax = 40
    package static let narrowingByteCountMax = 1000

    package struct View: Hashable, Sendable {
        package let id: Int
        package fileprivate(set) var name: String
        /// What the queue is narrowed to, as its address has it: `view=overdue&service=pothole`.
        package let narrowing: String
    }

    package private(set) var all: [View] = []
    private var openingID: Int?
    /// Identifiers are not used again: a form that is older than a view changes no other.
    private var nextID = 1

    package init() {}

    /// The one with which the desk opens, if one was chosen.
    package var opening: View? { all.first { $0.id == openingID } }
    /// What the queue is called when it is narrowed so; of two that are the same the first.
    package func view(narrowing: String) -> View? { all.first { $0.narrowing == narrowing } }
}

/// Why a view can't be kept as it was wanted.
package enum DeskViewFault: Error, Hashable, Sendable {
    case nameMissing
    case nameTooLong(countMax: Int)
    /// Another view of theirs has the name, whatever its case.
    case nameTaken
    case tooMany(countMax: Int)
    /// What it is narrowed to takes too much room.
    case tooNarrow
    case gone
}

extension DeskViews {
    package mutating func add(_ name: String, narrowing: String) throws(DeskViewFault) {
        let name = try checked(name, but: nil)
        guard narrowing.utf8.count <= Self.narrowingByteCountMax else { throw .tooNarrow }
        guard all.count < Self.countMax else { throw .tooMany(countMax: Self.countMax) }
        all.append(View(id: nextID, name: name, narrowing: narrowing))
        nextID += 1
    }

    package mutating func rename(_ id: Int, to name: String) throws(DeskViewFault) {
        let (name, index) = (try checked(name, but: id), try index(of: id))
        all[index].name = name
    }

    /// One that is gone already is as good as removed.
    package mutating func remove(_ id: Int) {
        all.removeAll { $0.id == id }
        if openingID == id { openingID = nil }
    }

    /// - Parameter id: of the view with which the desk opens from now on; nil: with what is open.
    package mutating func open(with id: Int?) throws(DeskViewFault) {
        if let id { _ = try index(of: id) }
        openingID = id
    }

    private func index(of id: Int) throws(DeskViewFault) -> Int {
        guard let index = all.firstIndex(where: { $0.id == id }) else { throw .gone }
        return index
    }

    private func checked(_ text: String, but id: Int?) throws(DeskViewFault) -> String {
        let name = SaidText.cleaned(text).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !name.isEmpty else { throw .nameMissing }
        guard name.count <= Self.nameCountMax, name.utf8.count <= Self.nameCountMax * 8 else { throw .nameTooLong(countMax: Self.nameCountMax) }
        guard all.allSatisfy({ $0.id == id || $0.name.lowercased() != name.lowercased() }) else { throw .nameTaken }
        return name
    }
}

// MARK: - As a municipality's file keeps them

extension DeskViews {
    /// Nil where there is nothing to keep.
    var json: JSON? {
        guard !all.isEmpty else { return nil }
        return [
            "next": .integer(Int64(nextID)), "opening": openingID.map { .integer(Int64($0)) } ?? .null,
            "views": .array(all.map { ["id": .integer(Int64($0.id)), "name": .string($0.name), "narrowing": .string($0.narrowing)] }),
        ]
    }

    init(_ json: JSON?) {
        for view in json?["views"]?.arrayValue ?? [] {
            guard let id = view["id"]?.integerValue, let name = view["name"]?.stringValue, let narrowing = view["narrowing"]?.stringValue else { continue }
            all.append(View(id: Int(id), name: name, narrowing: narrowing))
        }
        openingID = (json?["opening"]?.integerValue).map { Int($0) }
        nextID = Int(json?["next"]?.integerValue ?? 1)
    }
}

extension CaseDesk {
    package func views(_ signedIn: SignedIn) async throws -> DeskViews { DeskViews(try await broker.deskViews(signedIn)) }

    /// - Throws: what `change` throws; nothing is changed then.
    package func changeViews(_ signedIn: SignedIn, _ change: @escaping @Sendable (inout DeskViews) throws -> Void) async throws {
        try await broker.changeDeskViews(signedIn) { kept in
            var views = DeskViews(kept)
            try change(&views)
            return views.json
        }
    }
}
