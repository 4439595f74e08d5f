internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import OrderedCollections
internal import Query

/// What is answered, in each of the formats.
struct HistoryAnswer {
    let query: HistoryQuery
    let names: HistoryNames
    let answer: SeriesAnswer

    private var grid: PeriodGrid { query.question.grid }
    private var functions: [String] { query.question.functions.map(\.name) }
    private var periods: [String] {
        var periods: [String] = []
        query.zone.forEachText(of: Array(grid.bounds.dropLast())) { periods.append(String(decoding: $0, as: UTF8.self)) }
        return periods
    }

    func response(_ format: HistoryFormat) throws -> Response {
        var headers: HTTPFields = [.contentType: format.mediaType, .cacheControl: "no-store", .xContentTypeOptions: "nosniff", .vary: "Accept"]
        try checkSize(format)
        for dropped in answer.dropped { headers.append(HTTPField(name: .ngsildWarning, value: dropped.warning(names.short(dropped.attribute)))) }
        let bytes: [UInt8]
        switch format {
        case .json: bytes = json
        case .csv:
            headers[.contentType] = "text/csv; charset=utf-8; header=present"
            headers[.contentDisposition] = "attachment; filename=\"history.csv\""
            bytes = csv
        case .arrow:
            headers[.contentDisposition] = "attachment; filename=\"history.arrows\""
            bytes = arrow
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

// MARK: - Size

extension HistoryAnswer {
    private static let byteCountMax = 128 << 20
    /// Of a number and what separates it from the next.
    private static let numberByteCount = 20

    /// Rows repeat the words of their series; JSON says them once.
    private func checkSize(_ format: HistoryFormat) throws {
        let rowCount = grid.count
        let byteCount = answer.groups.reduce(0) { sum, group in
            let words = [group.key, group.name, group.attribute.text, group.datasetID?.text, group.unitCode].reduce(60) { $0 + ($1?.utf8.count ?? 0) }
            return sum + (format == .json ? words : words * rowCount) + rowCount * functions.count * Self.numberByteCount
        }
        guard byteCount <= Self.byteCountMax else {
            throw CityError.tooManyResults("limit: the answer would be larger than \(Self.byteCountMax >> 20) MiB; ask for fewer series, periods or functions")
        }
    }
}

// MARK: - JSON

extension HistoryAnswer {
    static let schema: JSON = [
        "type": "object", "required": ["from", "to", "zone", "periods", "series", "count"],
        "properties": [
            "from": ["type": "string", "format": "date-time"], "to": ["type": "string", "format": "date-time"], "zone": ["type": "string"],
            "every": ["type": "string"], "periods": ["type": "array", "items": ["type": "string", "format": "date-time"]],
            "count": ["type": "integer", "description": "all series or groups, also those beyond the limit"],
            "dropped": [
                "type": "array",
                "description": "times of which more would have been needed than is kept (retention); what it left open is null. Absent where nothing was",
                "items": [
                    "type": "object", "required": ["attribute", "from", "to", "kept"],
                    "properties": [
                        "attribute": ["type": "string"], "from": ["type": "string", "format": "date-time"], "to": ["type": "string", "format": "date-time"],
                        "kept": ["type": "string", "enum": ["hourly", "daily", "nothing"]],
                    ],
                ],
            ],
            "series": [
                "type": "array",
                "items": [
                    "type": "object", "required": ["key", "attribute", "seriesCount", "observationCount", "values"],
                    "properties": [
                        "key": ["type": ["string", "null"]], "name": ["type": "string"], "attribute": ["type": "string"],
                        "datasetId": ["type": "string"], "unitCode": ["type": "string"], "seriesCount": ["type": "integer"],
                        "observationCount": ["type": "integer"],
                        "values": [
                            "type": "object", "description": "for each function one value for each period",
                            "additionalProperties": ["type": "array", "items": ["type": ["number", "null"]]],
                        ],
                    ],
                ],
            ],
        ],
    ]

    /// Numbers and moments are many: they are written as they come.
    private var json: [UInt8] {
        var writer = JSONWriter(byteCapacity: answer.groups.count * (grid.count * functions.count * Self.numberByteCount / 2 + 250) + 1024)
        func member(_ name: StaticString, _ value: JSON) {
            writer.raw(name)
            writer.write(value)
        }
        member(#"{"from":"#, .string(query.zone.text(grid.interval.lowerBound)))
        member(#","to":"#, .string(query.zone.text(grid.interval.upperBound)))
        member(#","zone":"#, .string(query.zone.name))
        writer.raw(#","periods":["#)
        var isFirst = true
        query.zone.forEachText(of: Array(grid.bounds.dropLast())) { text in
            writer.raw(isFirst ? "\"" : ",\"")
            writer.raw(text)
            writer.raw("\"")
            isFirst = false
        }
        member(#"],"count":"#, .integer(Int64(answer.groupCount)))
        if let every = query.every { member(#","every":"#, .string(every)) }
        if !answer.dropped.isEmpty { member(#","dropped":"#, .array(answer.dropped.map(json))) }
        writer.raw(#","series":["#)
        for (index, group) in answer.groups.enumerated() {
            if index > 0 { writer.raw(",") }
            write(group, to: &writer)
        }
        writer.raw("]}")
        return writer.bytes
    }

    private func json(_ dropped: DroppedTime) -> JSON {
        [
            "attribute": .string(names.short(dropped.attribute)), "from": .string(query.zone.text(dropped.times.lowerBound)),
            "to": .string(query.zone.text(dropped.times.upperBound)), "kept": .string(dropped.keptName),
        ]
    }

    private func write(_ group: SeriesGroup, to writer: inout JSONWriter) {
        writer.raw(#"{"key":"#)
        if let key = group.key { writer.write(key) } else { writer.raw("null") }
        func member(_ name: StaticString, _ text: String?) {
            guard let text else { return }
            writer.raw(name)
            writer.write(text)
        }
        member(#","name":"#, group.name)
        member(#","attribute":"#, names.short(group.attribute))
        member(#","datasetId":"#, group.datasetID?.text)
        member(#","unitCode":"#, group.unitCode)
        writer.raw(#","seriesCount":"#)
        writer.write(Int64(group.seriesCount))
        writer.raw(#","observationCount":"#)
        writer.write(Int64(group.observationCount))
        writer.raw(#","values":{"#)
        for (index, (function, values)) in zip(functions, group.values).enumerated() {
            if index > 0 { writer.raw(",") }
            writer.write(function)
            writer.raw(":[")
            for (index, value) in values.enumerated() {
                if index > 0 { writer.raw(",") }
                if let value { writer.write(value) } else { writer.raw("null") }
            }
            writer.raw("]")
        }
        writer.raw("}}")
    }
}

// MARK: - Rows

extension HistoryAnswer {
    /// RFC 4180, UTF-8: one row for each period of each series.
    private var csv: [UInt8] {
        var bytes = CSVLine.bytes(["period", "key", "name", "attribute", "datasetId", "unitCode"] + functions)
        let periods = periods
        for group in answer.groups {
            let cells = [group.key ?? "", group.name ?? "", names.short(group.attribute), group.datasetID?.text ?? "", group.unitCode ?? ""]
            for (index, period) in periods.enumerated() {
                bytes += CSVLine.bytes([period] + cells + group.values.map { $0[index].map { JSON.number($0).description } ?? "" })
            }
        }
        return bytes
    }

    /// The same rows as columns.
    private var arrow: [UInt8] {
        let count = grid.count
        func repeated(_ value: (SeriesGroup) -> String?) -> [String?] { answer.groups.flatMap { Array(repeating: value($0), count: count) } }
        let starts = grid.bounds.dropLast().map { Optional($0.microseconds) }
        var columns: [ArrowColumn] = [
            ArrowColumn("period", .moments(answer.groups.flatMap { _ in starts }, zone: query.zone.name)), ArrowColumn("key", .texts(repeated(\.key))),
            ArrowColumn("name", .texts(repeated(\.name))), ArrowColumn("attribute", .texts(repeated { names.short($0.attribute) })),
            ArrowColumn("datasetId", .texts(repeated { $0.datasetID?.text })), ArrowColumn("unitCode", .texts(repeated(\.unitCode))),
        ]
        for (index, function) in functions.enumerated() { columns.append(ArrowColumn(function, .numbers(answer.groups.flatMap { $0.values[index] }))) }
        return ArrowStream.bytes(columns)
    }
}

extension HTTPField.Name {
    static let ngsildWarning = HTTPField.Name("NGSILD-Warning")!
}
