import ArgumentParser
import Foundation
import Series

/// The benchmark's sensors and samples as CSV, for other databases: of several samples of one moment the last.
final class BenchSamples {
    private let sensors: FileHandle
    private let samples: FileHandle

    /// - Parameter folder: must be there; gets `sensors.csv` and `samples.csv`.
    init(folder: String) throws {
        func open(_ name: String, _ head: String) throws -> FileHandle {
            let path = (folder as NSString).appendingPathComponent(name)
            guard FileManager.default.createFile(atPath: path, contents: Data((head + "\n").utf8)), let handle = FileHandle(forWritingAtPath: path) else {
                throw ValidationError("--samples: \(path) can't be written")
            }
            try handle.seekToEnd()
            return handle
        }
        sensors = try open("sensors.csv", "sensor,kind,district,longitude,latitude")
        samples = try open("samples.csv", "sensor,time_ms,value")
    }

    func write(_ place: BenchCity.Place, _ kind: BenchSensor.Kind, _ records: [SampleRecord]) throws {
        try sensors.write(contentsOf: Data("\(place.number),\(kind.term),\(place.district),\(place.longitude),\(place.latitude)\n".utf8))
        var lines: [UInt8] = []
        lines.reserveCapacity(records.count * 28)
        for (index, record) in records.enumerated() {
            if index + 1 < records.count, records[index + 1].time == record.time { continue }
            let value =
                switch record.value {
                case .integer(let whole): "\(whole)"
                case .number(let number): "\(number)"
                case .text, .document: ""
                }
            lines += Array("\(place.number),\(record.time / 1000),\(value)\n".utf8)
        }
        try samples.write(contentsOf: Data(lines))
    }

    func close() throws {
        try sensors.close()
        try samples.close()
    }
}
