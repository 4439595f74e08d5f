public import CityModel

/// What can be wrong with a sensor.
public enum FaultKind: String, CaseIterable, Hashable, Sendable {
    /// Nothing is reported.
    case gap
    /// Every value stays as it was when the fault began; `observedAt` goes on.
    case stuck
    /// The primary value moves away from the truth, the further the longer.
    case drift
    /// About every second report has a primary value far from the truth.
    case spike
}

/// A fault that a sensor has: the truth that work on data quality can be measured against.
public struct Fault: Hashable, Sendable {
    public let kind: FaultKind
    public let municipality: MunicipalityName
    public let entityID: IRI
    /// The attribute that drifts or spikes; nil when all are concerned.
    public let attribute: IRI?
    public let start: Instant
    /// The first moment without it.
    public let end: Instant
}

/// When which sensor is faulty. Each sensor has at most one short fault a day (UTC) and at most one drift a week; both
/// are drawn by hash, so that any moment can be asked about directly. A short fault ends on the day it began, a drift
/// in the week it began.
package struct FaultSchedule {
    /// Probability per sensor and day, for kinds of sensor that can have the fault.
    package static let gapPerDay = 0.02, stuckPerDay = 0.01, spikePerDay = 0.015
    /// Probability per sensor and week.
    package static let driftPerWeek = 0.03

    package struct Spell: Equatable {
        package let kind: FaultKind
        package let start: Int64, end: Int64
        /// -1...1: chooses direction and size.
        let size: Double
    }

    let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    /// The short fault of a sensor on a day.
    package func short(_ sensor: Int, _ possible: [FaultKind], day: Int64) -> Spell? {
        let bits = Chance.hash(seed &+ 1, Int64(sensor), day)
        let drawn = Chance.unit(bits)
        let kind: FaultKind
        switch drawn {
        case ..<Self.gapPerDay: kind = .gap
        case ..<(Self.gapPerDay + Self.stuckPerDay): kind = .stuck
        case ..<(Self.gapPerDay + Self.stuckPerDay + Self.spikePerDay): kind = .spike
        default: return nil
        }
        guard possible.contains(kind) else { return nil }
        var random = SplitMix64(seed: bits)
        let hours = kind == .gap ? random.within(0.5, 8) : kind == .stuck ? random.within(2, 12) : random.within(1, 3)
        let length = Int64(hours * 60) * 60
        let start = day * 86400 + Int64(random.unit() * Double(86400 - length) / 60) * 60
        return Spell(kind: kind, start: start, end: start + length, size: random.within(-1, 1))
    }

    /// The drift of a sensor in a week; weeks begin on Monday.
    package func drift(_ sensor: Int, _ possible: [FaultKind], week: Int64) -> Spell? {
        guard possible.contains(.drift) else { return nil }
        let bits = Chance.hash(seed &+ 2, Int64(sensor), week)
        guard Chance.unit(bits) < Self.driftPerWeek else { return nil }
        var random = SplitMix64(seed: bits)
        let length = Int64(random.within(36, 96)) * 3600
        let start = (week * 7 - 3) * 86400 + Int64(random.unit() * Double(7 * 86400 - length) / 3600) * 3600
        return Spell(kind: .drift, start: start, end: start + length, size: random.within(-1, 1))
    }

    package static func week(ofDay day: Int64) -> Int64 { (day + 3 - Int64(CityTime.weekday(day))) / 7 }

    /// The short fault that is on at a moment.
    func shortActive(_ sensor: Int, _ possible: [FaultKind], at seconds: Int64) -> Spell? {
        guard let spell = short(sensor, possible, day: CityTime.day(of: seconds)), spell.start <= seconds, seconds < spell.end else {
            return nil
        }
        return spell
    }

    func driftActive(_ sensor: Int, _ possible: [FaultKind], at seconds: Int64) -> Spell? {
        guard let spell = drift(sensor, possible, week: Self.week(ofDay: CityTime.day(of: seconds))), spell.start <= seconds,
            seconds < spell.end
        else { return nil }
        return spell
    }
}
