import CZlib
import CityModel
import Foundation
import Sources
import Testing

/// The city publishes its sous-quartiers twice: as GeoJSON in degrees and as a shapefile in Lambert-93. Bringing the second to
/// degrees must give the first.
@Suite(.enabled(if: Places.hasData))
struct ShapefileTests {
    @Test func `Lambert-93 corners of the sous-quartiers become those of the GeoJSON`() throws {
        let folder = Places.data.appending(path: "geo-montpellier")
        let archive = try [UInt8](Data(contentsOf: folder.appending(path: "montpellier-sous-quartiers-shapefile.zip")))
        let shapes = try polygons(inShapefile: #require(unpacked(fileEnding: ".shp", of: archive)))
        let geojson = try JSON(parsing: [UInt8](Data(contentsOf: folder.appending(path: "montpellier-sous-quartiers.geojson"))))
        let expected = geojson["features"]?.arrayValue?.map { feature in
            feature["geometry"]?["coordinates"]?.arrayValue?.first?.arrayValue ?? []
        }
        #expect(shapes.count == 31)
        #expect(expected?.count == 31)
        for (shape, corners) in zip(shapes, expected ?? []) {
            let text = "{\"id\":1,\"g\":{\"type\":\"LineString\",\"coordinates\":\(shape.description)}}"
            let run = try run(
                yaml(format: "ndjson", attributes: "{a: {geometry: g}}", more: "crs: EPSG:2154"), text, chunkByteCount: 9999)
            let found = run.entities.first?.entity.value("a")?["coordinates"]?.arrayValue ?? []
            try #require(found.count == corners.count)
            for (one, other) in zip(found, corners) {
                let (one, other) = (one.arrayValue ?? [], other.arrayValue ?? [])
                for axis in 0...1 {
                    // Seven decimals are kept.
                    #expect(abs((one[axis].doubleValue ?? 0) - (other[axis].doubleValue ?? 99)) <= 0.6e-7)
                }
            }
        }
    }

    /// The first ring of each polygon (ESRI Shapefile Technical Description, 1998).
    private func polygons(inShapefile bytes: [UInt8]) -> [[[Double]]] {
        var polygons: [[[Double]]] = []
        var offset = 100
        while offset + 8 < bytes.count {
            let contentByteCount = 2 * Int(UInt32(bigEndian: load(bytes, offset + 4)))
            let content = offset + 8
            let partCount = Int(load(bytes, content + 36) as UInt32)
            let pointCount = Int(load(bytes, content + 40) as UInt32)
            let firstEnd = partCount > 1 ? Int(load(bytes, content + 48) as UInt32) : pointCount
            let points = content + 44 + 4 * partCount
            polygons.append(
                (0..<firstEnd).map { point in
                    [0, 8].map { Double(bitPattern: load(bytes, points + 16 * point + $0)) }
                })
            offset = content + contentByteCount
        }
        return polygons
    }

    /// The file of a ZIP archive whose name ends so (APPNOTE 4.3), unpacked.
    private func unpacked(fileEnding suffix: String, of archive: [UInt8]) -> [UInt8]? {
        var offset = archive.indices.dropLast(4).last { archive[$0...].starts(with: [0x50, 0x4B, 0x05, 0x06]) }
            .map { Int(load(archive, $0 + 16) as UInt32) }
        while let entry = offset, archive[entry...].starts(with: [0x50, 0x4B, 0x01, 0x02]) {
            let packedCount = Int(load(archive, entry + 20) as UInt32)
            let count = Int(load(archive, entry + 24) as UInt32)
            let nameCount = Int(load(archive, entry + 28) as UInt16)
            let extraCount = Int(load(archive, entry + 30) as UInt16)
            let commentCount = Int(load(archive, entry + 32) as UInt16)
            if String(decoding: archive[(entry + 46)..<(entry + 46 + nameCount)], as: UTF8.self).hasSuffix(suffix) {
                let local = Int(load(archive, entry + 42) as UInt32)
                let start = local + 30 + Int(load(archive, local + 26) as UInt16) + Int(load(archive, local + 28) as UInt16)
                return inflated(Array(archive[start..<(start + packedCount)]), count: count)
            }
            offset = entry + 46 + nameCount + extraCount + commentCount
        }
        return nil
    }

    private func inflated(_ packed: [UInt8], count: Int) -> [UInt8]? {
        var packed = packed
        var stream = z_stream()
        guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        var code = Z_OK
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { output, initializedCount in
            packed.withUnsafeMutableBufferPointer { input in
                (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
                (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
                code = inflate(&stream, Z_FINISH)
            }
            initializedCount = output.count - Int(stream.avail_out)
        }
        return code == Z_STREAM_END ? bytes : nil
    }

    private func load<Number: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int) -> Number {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
    }
}
