import ArgumentParser
import CityModel
import Foundation
import OrderedCollections
import Store

/// What the figures of others are held against, for scripts that measure at the door of a running server.
struct YardstickBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "yardstick", abstract: "Measure plain SQLite, or the disk, and say what the machine is.",
        discussion: """
            With DOCUMENTS, one a line: what SQLite itself takes to insert them in one transaction, flushed at its end. Without: what appending 4,096 bytes and \
            flushing them takes (the median of 101), and what the machine is. Prints one JSON object.
            """)

    @Argument(help: "A file with one document a line.", completion: .file()) var documents: String?
    @OptionGroup var place: BenchPlace

    func run() throws { print(JSON.object(try place.within { try measured($0) }).text) }

    private func measured(_ folder: String) throws -> JSONObject {
        guard let documents else {
            var members = BenchMachine().json
            members["flushMicroseconds"] = .number(try Yardstick.flushMicroseconds(at: folder + "/flush"))
            return members
        }
        guard let all = FileManager.default.contents(atPath: documents) else { throw ValidationError("DOCUMENTS: there is no file \(documents) that can be read") }
        let lines = all.split(separator: UInt8(ascii: "\n"))
        guard !lines.isEmpty else { throw ValidationError("DOCUMENTS: there is none in \(documents)") }
        let inserts = try Yardstick.insert(lines, at: folder + "/yardstick.sqlite")
        return [
            "documents": .integer(Int64(inserts.documentCount)), "seconds": .number(inserts.seconds), "processorSeconds": .number(inserts.processorSeconds),
        ]
    }
}

/// Where a benchmark writes.
struct BenchPlace: ParsableArguments {
    @Option(help: "A folder on the disk that is to be measured; what is written goes at the end. Default: the working directory", completion: .directory)
    var folder = "."

    func within<Result>(_ body: (String) throws -> Result) throws -> Result {
        let path = try make()
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    func within<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let path = try make()
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    private func make() throws -> String {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw ValidationError("--folder: there is no folder \(folder)")
        }
        let path = URL(filePath: folder).appending(path: "conurb-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }
}

extension JSON {
    /// On one line.
    var text: String {
        var writer = JSONWriter()
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
