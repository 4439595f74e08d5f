import CityModel
import Photos
import Series
import Sources

/// Files that come from elsewhere: tables, records, pictures; and chunks of history, which may come back damaged.
extension FuzzEntry {
    /// What reads a file, by the first byte of an input.
    private static let readers: [SourceDefinition] = [
        "format: csv", "format: csv\nencoding: windows-1252\nnumbers: {decimal: ','}\nnulls: ['0', '.']\ncsv: {separator: ';', quote: \"'\"}", "format: tsv", "format: ndjson",
        "format: json", "format: geojson", "format: csv\ncsv: {header: false, columns: [id, b, c, d, lat, lon]}",
    ].compactMap { format in
        let location = format.hasSuffix("geojson") ? "{geometry: true}" : format.hasSuffix("ndjson") ? "{wkt: b}" : "{point: {x: lon, y: lat}}"
        return try? SourceDefinition(
            parsing: """
                id: test
                title: Test
                classification: open
                \(format)
                entity: {id: 'urn:x:{id}', type: T}
                attributes:
                  location: \(location)
                  name: b
                  level: {field: c, as: number, unit: CEL}
                  at: {field: d, as: dateTime}
                  day: {field: d, as: date, format: '%d/%m/%Y'}
                rules:
                  - {id: once, field: id, unique: true}
                  - {id: plausible, field: c, range: {min: 0, max: 50}, severity: flag}
                """)
    }

    static let files: [FuzzEntry] = [
        FuzzEntry(
            "records",
            tokens: [
                "id,b,c,d,lat,lon\n", "\"", "\"\"", "\r\n", ";", "\t", "{\"id\": 1}", "{\"type\": \"FeatureCollection\", \"features\": [",
                "\"geometry\":", "\"properties\":", "]}", "\u{feff}", "POINT (3 43)", "\u{1f}\u{8b}", "PK\u{3}\u{4}", "1.000,5", "12/31/2026 11:59 PM",
            ]
        ) { bytes in
            try hold(readers.count == 7, "a definition of this entry is at fault")
            guard let first = bytes.first else { return }
            let definition = readers[Int(first) % readers.count]
            // In parts of which each ends somewhere else.
            for chunkByteCount in [7, 64 << 10] {
                var (reader, record, mapper) = (RecordReader(definition, chunks: MemoryChunks(Array(bytes.dropFirst()), chunkByteCount: chunkByteCount)), Record(), Mapper?.none)
                do throws(SourceError) {
                    while try reader.next(into: &record) {
                        if mapper == nil { mapper = try Mapper(definition, columns: reader.columns, now: Instant(seconds: 1_780_000_000)) { IRI("https://example.org/" + $0) } }
                        _ = mapper?.map(record)
                    }
                } catch { _ = error.description }
            }
        },
        FuzzEntry("photo") { bytes in
            var limits = PhotoLimits()
            limits.pixelCountMax = 100_000
            guard let photo = try? Photo.prepared(from: bytes, limits: limits) else { return }
            try hold(max(photo.width, photo.height) <= limits.sideMax && !photo.jpeg.isEmpty, "\(photo.width) × \(photo.height)")
        },
        FuzzEntry("chunk") { bytes in
            let records = records(bytes.dropFirst(4))
            guard !records.isEmpty, let encoded = try? ChunkEncoder.encode(records) else { return }
            try hold(try Chunk(encoded).records() == records, "other records than were packed")
            // One byte that is another, under a checksum that is right.
            var damaged = encoded
            damaged[(Int(bytes[0]) << 8 | Int(bytes[1])) % encoded.count] ^= bytes[2]
            damaged[Int(bytes[3]) % encoded.count] ^= bytes[2] >> 4
            let checksum = damaged.dropLast(8).withUnsafeBytes { Checksum.of($0) }
            damaged.replaceSubrange((damaged.count - 8)..., with: withUnsafeBytes(of: checksum.littleEndian) { Array($0) })
            guard let chunk = try? Chunk(damaged), let found = try? chunk.records() else { return }
            try hold(found.count == chunk.count, "\(found.count) records of \(chunk.count)")
        },
    ]
}

extension FuzzEntry {
    /// A series as eight bytes after another tell it.
    private static func records(_ bytes: ArraySlice<UInt8>) -> [SampleRecord] {
        var records: [SampleRecord] = []
        for start in stride(from: bytes.startIndex, to: bytes.endIndex - 7, by: 8) {
            let part = Array(bytes[start..<(start + 8)])
            let number = Int64(bitPattern: part.reduce(0) { $0 << 8 | UInt64($1) })
            let value: SampleValue =
                switch part[0] % 5 {
                case 0: .integer(number)
                case 1: .number(Double(number >> 20) / 64)
                case 2: .text(String(decoding: part[4...], as: UTF8.self))
                case 3: .document(Array("[\(part[7])]".utf8))
                default: .integer(Int64(part[7]))
                }
            let last = records.last?.time ?? 0
            var record = SampleRecord(
                time: last &+ Int64(part[1]) << Int64(part[2] % 40), late: Int64(part[3]), form: part[4] % 8 == 0 ? 40 : 8, value: value,
                unit: part[5] % 4 == 0 ? "CEL" : nil, modified: part[6] % 16 == 0 ? last &+ 5 : nil, rest: part[6] % 16 == 1 ? [123, 125] : nil)
            if let last = records.last, !last.isBefore(record) { (record.time, record.late) = (last.time, last.late &+ 1) }
            records.append(record)
        }
        return records
    }
}
