/// The name of a municipality: the value of `NGSILD-Tenant` and the name of its folder.
/// 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `_` and `-`, beginning with a letter or digit.
public struct MunicipalityName: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let text: String

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

    public var description: String { text }
    public static func < (left: MunicipalityName, right: MunicipalityName) -> Bool { left.text < right.text }
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
