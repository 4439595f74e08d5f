internal import CityModel

/// Turns the bytes of a source, as they arrive, into records. Feed it and take records until there are none, finish it
/// and take the rest. Its memory is bounded by the largest piece fed and the largest record, not by the amount of data.
public struct RecordDecoder {
    /// The names of the columns of a table, once its header has been read.
    public private(set) var columns: [String]?

    private let definition: SourceDefinition
    private var input: TextInput
    // One of the three is there.
    private var csv: CSVScanner?
    private var json: JSONScanner?
    private var lines: LineScanner?
    private let parser = ParserBox()
    private var text: [UInt8] = []
    private var position = 0
    /// Where `text` begins in the whole text.
    private var offset = 0
    private var isFinished = false
    private var hasEnded = false

    public init(_ definition: SourceDefinition, limits: RecordLimits = RecordLimits()) {
        self.definition = definition
        input = TextInput(definition.format.isTabular ? definition.encoding : .utf8)
        switch definition.format {
        case .csv, .tsv: csv = CSVScanner(definition.csv, limits: limits)
        case .ndjson: lines = LineScanner(limits: limits)
        case .geojson, .json, .ngsild: json = JSONScanner(path: definition.recordsPath, limits: limits)
        }
        if definition.format.isTabular, !definition.csv.hasHeader { columns = definition.csv.columns }
    }

    /// Takes the next bytes of the source.
    public mutating func feed(_ bytes: [UInt8]) { input.push(bytes) }

    /// Says that there are no more bytes.
    public mutating func finish() {
        isFinished = true
        input.finish()
    }

    /// Fills `record` with the next record.
    /// - Returns: false when there is none: feed more, or the end once `finish` was called.
    /// - Throws: `SourceError.input` when nothing more can be read.
    public mutating func next(into record: inout Record) throws(SourceError) -> Bool {
        while try nextRaw(into: &record) {
            if definition.format.isTabular {
                if columns == nil {
                    columns = try Header(definition.csv).columns(record)
                    continue
                }
                checkWidth(&record)
            } else {
                parse(&record)
            }
            return true
        }
        if isFinished, definition.format.isTabular, columns == nil {
            throw .input(line: 1, reason: "the file has no header")
        }
        return false
    }

    private mutating func nextRaw(into record: inout Record) throws(SourceError) -> Bool {
        while true {
            record.fault = nil
            if position < text.count, try scan(into: &record) { return true }
            offset += text.count
            text.removeAll(keepingCapacity: true)
            position = 0
            guard try input.pull(into: &text) else {
                guard isFinished, !hasEnded else { return false }
                hasEnded = true
                return try finishScanner(into: &record)
            }
        }
    }

    private mutating func scan(into record: inout Record) throws(SourceError) -> Bool {
        if let found = try csv?.scan(text, from: &position, offset: offset, into: &record) { return found }
        if let found = try json?.scan(text, from: &position, offset: offset, into: &record) { return found }
        return try lines?.scan(text, from: &position, offset: offset, into: &record) ?? false
    }

    private mutating func finishScanner(into record: inout Record) throws(SourceError) -> Bool {
        try json?.finish()
        if let found = try csv?.finish(into: &record) { return found }
        return lines?.finish(into: &record) ?? false
    }

    private func checkWidth(_ record: inout Record) {
        guard record.fault == nil, let columns, record.row.count != columns.count else { return }
        let isShort = record.row.count < columns.count
        if isShort ? definition.csv.missingFields == .null : definition.csv.extraFields == .ignore { return }
        record.fault = .init(
            ruleID: FindingID.fields, reason: "the row has \(record.row.count) fields and the table \(columns.count) columns")
    }

    private func parse(_ record: inout Record) {
        do throws(JSONError) {
            record.json = try parser.parser.parse(record.row.bytes)
            if case .object = record.json { return }
            record.fault = .init(ruleID: FindingID.syntax, reason: "a record is a JSON object, not a \(record.json.kindName)")
        } catch {
            record.json = .null
            switch error {
            case .malformed(let reason): record.fault = .init(ruleID: FindingID.syntax, reason: "not JSON: \(reason)")
            case .tooDeep(let depthMax):
                record.fault = .init(ruleID: FindingID.syntax, reason: "JSON nests deeper than \(depthMax)")
            }
        }
    }
}

/// Lets the copyable decoder hold the parser, which is not. The parser keeps no state between texts.
private final class ParserBox {
    let parser = JSONParser()
}
