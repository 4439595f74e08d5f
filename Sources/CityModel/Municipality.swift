/// The name of a municipality: the value of `NGSILD-Tenant` and the name of its folder.
/// 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `_` and `-`, beginning with a letter or digit. It may stand for a snapshot of the
/// municipality instead, which no text does.
public struct MunicipalityName: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let text: String
    /// Which of its snapshots the name stands for (clause 5.5.15); nil for the municipality itself.
    public private(set) var snapshot: Int64?

    public init?(_ text: String) {
        let utf8 = text.utf8
        guard (1...64).contains(utf8.count), let first = utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "_"),
            utf8.allSatisfy({
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            })
        else { return nil }
        self.text = text
    }

    private init(known text: String) { self.text = text }

    /// The one that requests without `NGSILD-Tenant` speak to (clause 4.14).
    public static let standard = MunicipalityName(known: "default")

    /// The installation as a whole: its folder holds nothing but the ledger of what was done to municipalities. No municipality can
    /// have this name.
    public static let installation = MunicipalityName(known: "_installation")

    /// What stands for a snapshot of the municipality, by the snapshot's number.
    public func snapshot(_ number: Int64) -> MunicipalityName {
        var name = self
        name.snapshot = number
        return name
    }

    /// The municipality itself, also for a snapshot of it.
    public var city: MunicipalityName { MunicipalityName(known: text) }

    public var description: String { snapshot.map { "\(text), snapshot \($0)" } ?? text }
    public static func < (left: MunicipalityName, right: MunicipalityName) -> Bool {
        (left.text, left.snapshot ?? 0) < (right.text, right.snapshot ?? 0)
    }
}

/// Who may see a thing, from everyone to nearly nobody. Declared by a source and carried by what it feeds.
public enum Classification: String, CaseIterable, Hashable, Sendable, Comparable {
    case open, internalUse = "internal", partner, personal, special

    /// The number stored for the case; never renumbered.
    public var rank: Int {
        switch self {
        case .open: 0
        case .internalUse: 1
        case .partner: 2
        case .personal: 3
        case .special: 4
        }
    }

    public init?(rank: Int) {
        guard let match = Classification.allCases.first(where: { $0.rank == rank }) else { return nil }
        self = match
    }

    public static func < (left: Classification, right: Classification) -> Bool { left.rank < right.rank }
}
