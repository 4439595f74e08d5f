@testable import Series
import RandomEntities

/// Series of many kinds, by a seed: what sensors send, and what they should not.
enum RandomSeries {
    static func records(seed: UInt64, countMax: Int = 3000) -> [SampleRecord] {
        var chance = SplitMix(seed: seed)
        let count = Int.random(in: 1...countMax, using: &chance)
        let (step, jitter) = (Int64([1, 1000, 60_000_000, 3_600_000_000].randomElement(using: &chance)!), Int64([1, 1000, 1_500_000].randomElement(using: &chance)!))
        let unitCount = Int.random(in: 0...2, using: &chance)
        let valueKind = Int.random(in: 0...9, using: &chance)
        var time = Int64.random(in: -1_000_000_000_000...1_800_000_000_000_000, using: &chance)
        var records: [SampleRecord] = []
        for index in 0..<count {
            time += chance.next() % 100 == 0 ? 7 * step : step
            let observed = time + (jitter > 1 ? Int64.random(in: 0..<jitter, using: &chance) : 0)
            var record = SampleRecord(
                time: max(observed, records.last?.time ?? .min), late: Int64.random(in: 0...3, using: &chance) * 1_000_003,
                form: chance.next() % 50 == 0 ? 40 : 8, value: value(kind: valueKind, index, &chance),
                unit: unitCount == 0 ? nil : ["CEL", "KEL"][Int(chance.next() % UInt64(unitCount))],
                modified: chance.next() % 200 == 0 ? observed + 5 : nil,
                rest: chance.next() % 300 == 0 ? Array("{\"accuracy\":\(chance.next() % 4)}".utf8) : nil)
            if let last = records.last, !last.isBefore(record) { record.late = last.late + 1 }
            records.append(record)
        }
        return records
    }

    static func value(kind: Int, _ index: Int, _ chance: inout SplitMix) -> SampleValue {
        switch kind {
        case 0: .integer(Int64.random(in: 0...40, using: &chance))
        case 1: .number((Double.random(in: -20...40, using: &chance) * 10).rounded() / 10)
        case 2: chance.next() % 10 == 0 ? .integer(20) : .number((Double.random(in: 0...99, using: &chance) * 100).rounded() / 100)
        case 3: .number(Double(bitPattern: chance.next() & 0xFFEF_FFFF_FFFF_FFFF))
        case 4: .integer(Int64(bitPattern: chance.next()))
        case 5: [.number(-0.0), .number(0), .integer(0), .number(.leastNonzeroMagnitude), .number(1e308), .integer(.max), .integer(.min), .number(0.1 + 0.2)]
            .randomElement(using: &chance)!
        case 6: .text(["free", "taken", "défaut", ""].randomElement(using: &chance)!)
        case 7: chance.next() % 3 == 0 ? .document(Array("true".utf8)) : .integer(Int64(index))
        case 8: .number(Double(index) * 0.001 + 1e6)
        default: .document(Array("{\"coordinates\":[\(chance.next() % 1000),\(index)]}".utf8))
        }
    }
}

extension [SampleRecord] {
    /// The same to the last bit of each number.
    func isIdentical(to other: [SampleRecord]) -> Bool { self == other && zip(self, other).allSatisfy { $0.value.isIdentical(to: $1.value) } }
}
