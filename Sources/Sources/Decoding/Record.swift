public import CityModel

/// One record of a source: a row of a table or a JSON value. Use one again for the next record to save its memory.
public struct Record: Sendable {
    /// The line on which the record begins, counted from 1.
    public internal(set) var line = 0
    /// Where the record begins in the decoded, unpacked text.
    public internal(set) var byteOffset = 0
    /// The fields of a table. For a JSON record that is not well-formed, its text as the only field.
    public internal(set) var row = Row()
    /// The value of a JSON record; null for tables.
    public internal(set) var json = JSON.null
    /// What the decoder found wrong; such a record cannot be mapped.
    public internal(set) var fault: Fault?

    public struct Fault: Hashable, Sendable {
        /// One of `FindingID`.
        public var ruleID: String
        public var reason: String
    }

    public init() {}
}

/// The fields of one row, unquoted, UTF-8, in one array of bytes.
public struct Row: Sendable {
    var bytes: [UInt8] = []
    /// For each field where it ends.
    var ends: [Int] = []

    public var count: Int { ends.count }

    /// The bytes of a field; nil when the row is too short to have it.
    public subscript(index: Int) -> ArraySlice<UInt8>? {
        guard index < ends.count else { return nil }
        return bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    public func text(_ index: Int) -> String? { self[index].map { String(decoding: $0, as: UTF8.self) } }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }
}

/// What a decoder accepts at most.
public struct RecordLimits: Hashable, Sendable {
    /// Bytes of one record in UTF-8.
    public var recordByteCountMax = 16 << 20
    /// Columns of a table.
    public var fieldCountMax = 4096

    public init() {}
}
