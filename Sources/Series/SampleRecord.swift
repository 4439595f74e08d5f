/// What an instance of a series was.
package enum SampleValue: Hashable, Sendable {
    case integer(Int64)
    case number(Double)
    case text(String)
    /// Anything else, as the bytes that its owner gave it.
    case document([UInt8])

    /// The same number of the same kind to the last bit; `==` takes -0 for 0.
    package func isIdentical(to other: SampleValue) -> Bool {
        switch (self, other) {
        case (.number(let left), .number(let right)): left.bitPattern == right.bitPattern
        default: self == other
        }
    }
}

/// One instance of a series as it goes into a chunk and comes out of it. Times are in microseconds since 1970.
package struct SampleRecord: Hashable, Sendable {
    package var time: Int64
    /// How long after it was recorded.
    package var late: Int64
    /// What its owner says of it in a number.
    package var form: Int64
    package var value: SampleValue
    package var unit: String?
    package var modified: Int64?
    package var rest: [UInt8]?

    package init(
        time: Int64, late: Int64 = 0, form: Int64 = 0, value: SampleValue, unit: String? = nil, modified: Int64? = nil, rest: [UInt8]? = nil
    ) {
        (self.time, self.late, self.form, self.value) = (time, late, form, value)
        (self.unit, self.modified, self.rest) = (unit, modified, rest)
    }

    /// Chunks hold records in this order.
    package func isBefore(_ other: SampleRecord) -> Bool { (time, late) < (other.time, other.late) }
}
