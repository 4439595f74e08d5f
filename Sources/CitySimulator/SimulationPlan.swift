/// What metropolis to make. The same plan gives the same metropolis and the same life, on every machine.
public struct SimulationPlan: Hashable, Sendable {
    public static let municipalityCounts = 8...60
    public static let sensorCounts = 0...100_000

    /// Chooses the geography, the names and everything that happens by chance.
    public var seed: UInt64
    /// Values outside `municipalityCounts` are taken as the nearest border.
    public var municipalityCount: Int {
        didSet { municipalityCount = Self.clamp(municipalityCount, to: Self.municipalityCounts) }
    }
    /// How many things report values: stations, detectors, meters, lamps, containers, car parks, docks and buses.
    /// Areas, roads, stops, lines, residents' reports and incidents come on top. Values outside `sensorCounts` are
    /// taken as the nearest border.
    public var sensorCount: Int {
        didSet { sensorCount = Self.clamp(sensorCount, to: Self.sensorCounts) }
    }

    public init(seed: UInt64 = 1, municipalityCount: Int = 8, sensorCount: Int = 1500) {
        self.seed = seed
        self.municipalityCount = Self.clamp(municipalityCount, to: Self.municipalityCounts)
        self.sensorCount = Self.clamp(sensorCount, to: Self.sensorCounts)
    }

    private static func clamp(_ number: Int, to range: ClosedRange<Int>) -> Int {
        min(max(number, range.lowerBound), range.upperBound)
    }
}
