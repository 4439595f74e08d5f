package import CityModel
internal import GRDB
internal import Series

/// Instances of one series on their way into history, in the order in which they came, small enough that hundreds of
/// thousands can be held.
package struct InstanceRun: Sendable {
    package let name: IRI
    package let datasetID: IRI?
    private(set) var entries: [Entry] = []

    struct Entry: Sendable {
        /// Its lateness is set when it is recorded; so is its moment, where nobody observed it.
        var sample: SampleRecord
        let expires: Int64?
        let tag: Int32
    }

    /// The tag of the instance that is its entity's own: it is recorded with the entity where it can't be packed.
    package static let currentTag = -1

    package init(name: IRI, datasetID: IRI?) { (self.name, self.datasetID) = (name, datasetID) }

    package var count: Int { entries.count }
    /// Of texts and documents, about.
    package private(set) var byteCount = 0

    /// - Parameter tag: of whoever asks what became of it.
    package mutating func append(_ instance: Attribute, _ classification: Classification, tag: Int) {
        let sample = SampleRecord(
            time: instance.observedAt?.microseconds ?? 0, form: Int64(InstanceForm(instance, classification).number),
            value: instance.value.sampleValue, unit: instance.unitCode, rest: InstanceRest.bytes(of: instance))
        byteCount += sample.byteCount
        entries.append(Entry(sample: sample, expires: instance.expiresAt?.microseconds, tag: Int32(tag)))
    }

    /// Takes out what was observed at a moment; nil stands for what nobody observed.
    package mutating func remove(observedAt moment: Instant?) {
        entries.removeAll { $0.form.isObserved ? $0.sample.time == moment?.microseconds : moment == nil }
    }
}

extension InstanceRun.Entry {
    var form: InstanceForm { InstanceForm(number: Int(sample.form)) }

    /// As it is recorded at a moment.
    func recorded(at now: Int64) -> SampleRecord {
        var sample = sample
        if !form.isObserved { sample.time = now }
        sample.late = now &- sample.time
        return sample
    }

    /// Whether it can lie in a chunk (`SealingRule`).
    var isSealable: Bool {
        guard expires == nil, !form.isDeletion, form.isObserved, sample.unit.map({ $0.utf8.count <= SealingPolicy.valueCountMax }) ?? true,
            sample.rest.map({ $0.count <= SealingPolicy.valueCountMax }) ?? true
        else { return false }
        switch sample.value {
        case .integer, .number: return true
        case .text(let text): return text.utf8.count <= SealingPolicy.valueCountMax
        case .document(let bytes): return bytes.count <= SealingPolicy.valueCountMax
        }
    }
}

extension JSON {
    /// Numbers and texts as themselves; everything else as JSON text, also a text with U+0000, where SQL's texts end.
    var sampleValue: SampleValue {
        switch self {
        case .integer(let value): return .integer(value)
        case .number(let value): return .number(value)
        case .string(let text) where !text.utf8.contains(0): return .text(text)
        default:
            var writer = JSONWriter()
            writer.write(self)
            return .document(writer.bytes)
        }
    }
}
