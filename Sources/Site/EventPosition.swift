internal import CityModel

/// Where a reader stands in the journals of several municipalities, as one text: for each municipality a hash of its name
/// and the number of the last change seen, both in base 36. A municipality that is renamed or new is simply not in it.
struct EventPosition: Hashable, Sendable {
    /// Change numbers by the hash of the municipality's name.
    private(set) var numbers: [UInt32: Int64] = [:]

    /// Longer texts are refused; it is the length that the pages may count on.
    static let byteCountMax = 2000
    /// Municipalities that one position can hold.
    static let countMax = 100

    init() {}

    /// Nil for a text that is no position.
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= Self.byteCountMax else { return nil }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: ":", omittingEmptySubsequences: false)
            guard sides.count == 2, let hash = UInt32(sides[0], radix: 36), let number = Int64(sides[1], radix: 36), number >= 0 else { return nil }
            numbers[hash] = number
        }
    }

    var text: String {
        numbers.sorted { $0.key < $1.key }.map { "\(String($0.key, radix: 36)):\(String($0.value, radix: 36))" }.joined(separator: ",")
    }

    subscript(municipality: String) -> Int64? {
        get { numbers[Self.hash(municipality)] }
        set { numbers[Self.hash(municipality)] = newValue }
    }

    /// FNV-1a, 32 bits.
    private static func hash(_ name: String) -> UInt32 {
        name.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }
}
