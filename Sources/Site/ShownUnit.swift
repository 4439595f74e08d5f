/// What a number is shown in. People read a share of one in percent, so it is multiplied before.
struct ShownUnit: Hashable, Sendable {
    let symbol: String?
    let factor: Double

    /// Attributes that the Smart Data Models give as a share of one, without a unit or with the unit "one".
    private static let shares: Set<String> = ["relativeHumidity", "occupancy", "fillingLevel", "illuminanceLevel"]

    /// - Parameter symbol: of the attribute's unit code; nil or empty without one.
    init(symbol: String?, of attribute: String) {
        let isShare = Self.shares.contains(attribute) && symbol ?? "" == ""
        (self.symbol, factor) = isShare ? ("%", 100) : (symbol, 1)
    }
}
