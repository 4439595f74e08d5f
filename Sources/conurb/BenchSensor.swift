import Series

/// A sensor that measures once a minute, made of a seed: what it says of each minute, with the gaps, jitter, late deliveries
/// and repetitions of real ones.
struct BenchSensor {
    /// What there is in a city, by how its numbers run.
    enum Kind: CaseIterable {
        case temperature, particulates, nitrogenDioxide, count, parking, energy, noise, waste

        /// What entities of the kind are called.
        var term: String { "\(self)".prefix(1).uppercased() + "\(self)".dropFirst() }
    }

    /// When what a sensor says is written down.
    enum Recording {
        /// As soon as it is there: each sample for itself, to the microsecond.
        case eachAlone
        /// With what it said before, once an hour.
        case hourly
    }

    let kind: Kind
    private let recording: Recording
    private let hasJitter: Bool
    private var chance: BenchChance
    private var level: Double
    private var minute = 0

    /// 2026-01-01T00:00:00Z.
    static let start: Int64 = 1_767_225_600_000_000
    private static let minuteMicroseconds: Int64 = 60_000_000

    init(kind: Kind, number: Int, seed: UInt64, recording: Recording) {
        (self.kind, self.recording, hasJitter) = (kind, recording, number % 2 == 1)
        chance = BenchChance(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(number))
        level = kind == .parking ? 250 : kind == .energy ? 18_000 : 0
    }

    /// What it says of the next minutes, in order of time.
    mutating func records(minutes: Int) -> [SampleRecord] {
        var records: [SampleRecord] = []
        for _ in 0..<minutes {
            defer { minute += 1 }
            let value = next()
            guard chance.unit() >= 0.01 else { continue }
            let jitter = hasJitter ? Int64(chance.unit() * 1500) * 1000 : 0
            let time = Self.start + Int64(minute) * Self.minuteMicroseconds + jitter
            var record = SampleRecord(time: time, late: lateness(of: time), form: 8, value: value, unit: nil)
            records.append(record)
            if chance.unit() < 0.001 {
                record.late += 1_000_000
                records.append(record)
            }
        }
        return records
    }

    private mutating func lateness(of time: Int64) -> Int64 {
        switch recording {
        case .eachAlone: return Int64(50_000 + chance.unit() * 400_000) + (chance.unit() < 0.005 ? 900_000_000 : 0)
        case .hourly:
            let hour = 60 * Self.minuteMicroseconds
            return hour - time % hour + 2_000_000 + (chance.unit() < 0.005 ? hour : 0)
        }
    }

    private mutating func next() -> SampleValue {
        let day = Double(minute % 1440) / 1440
        let wave = BenchChance.wave(day)
        switch kind {
        case .temperature:
            level += 0.03 * chance.normal() - level * 0.002
            return Self.decimal(14 + 5 * wave + level + 0.05 * chance.normal(), 10)
        case .particulates:
            level += 0.1 * chance.normal() - level * 0.01
            return Self.decimal(max(0, 12 + 4 * wave + 3 * level + 0.4 * chance.normal()), 10)
        case .nitrogenDioxide:
            level += 0.2 * chance.normal() - level * 0.01
            return Self.decimal(max(0, 25 + 10 * wave + 3 * level + 0.3 * chance.normal()), 100)
        case .count: return .integer(Int64(max(0, 12 + 10 * wave + 3.3 * chance.normal())))
        case .parking:
            level = min(500, max(0, level + (chance.unit() < 0.4 ? (wave + 0.2 * chance.normal()).rounded() : 0)))
            return .integer(Int64(level))
        case .energy:
            level += 0.02 + 0.008 * wave + 0.002 * chance.unit()
            return Self.decimal(level, 1000)
        case .noise:
            level += 0.6 * chance.normal() - level * 0.2
            return Self.decimal(58 + 6 * wave + level, 10)
        case .waste:
            level = level > 96 ? 4 : level + (chance.unit() < 0.02 ? 1 : 0)
            return .integer(Int64(level))
        }
    }

    private static func decimal(_ number: Double, _ scale: Double) -> SampleValue { .number((number * scale).rounded() / scale) }
}

/// Chance that depends on its seed alone.
struct BenchChance {
    var state: UInt64

    /// Uniform in `0..<1`.
    mutating func unit() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53
    }

    /// Of mean 0 and deviation 1, nearly: twelve uniform ones together.
    mutating func normal() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + unit() } }

    /// A day's course from -1 to 1 without a library: a parabola up and one down.
    static func wave(_ part: Double) -> Double {
        let half = part < 0.5 ? part * 2 : part * 2 - 1
        return (part < 0.5 ? -1 : 1) * 4 * half * (1 - half)
    }
}
