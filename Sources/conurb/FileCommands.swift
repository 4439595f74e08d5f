import ArgumentParser
import AsyncHTTPClient
import CityModel
import Foundation
import NIOCore
import NIOHTTP1

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Write a municipality to one file, while it is being used or not.")
    @OptionGroup var data: DataOption
    @OptionGroup var municipality: LedgerOption
    @Argument(help: "The file to write; it must not exist.", completion: .file()) var file: String

    func run() async throws {
        let (municipality, file) = (municipality.municipality, file)
        try await reportingFailure {
            guard !FileManager.default.fileExists(atPath: file) else { throw CommandFailure(description: "\(file) exists already") }
            // Written under another name first, so that a backup that breaks off is not taken for one.
            let partial = file + ".partial"
            try await ControlClient.with(data.directory) { client in
                try await client.send(.GET, "/municipalities/\(municipality)/backup") { response in
                    guard FileManager.default.createFile(atPath: partial, contents: nil), let handle = FileHandle(forWritingAtPath: partial)
                    else { throw CommandFailure(description: "\(partial) can't be written") }
                    for try await part in response.body { try handle.write(contentsOf: Data(part.readableBytesView)) }
                    try handle.synchronize()
                    try handle.close()
                }
            }
            try FileManager.default.moveItem(atPath: partial, toPath: file)
            tell("municipality \(municipality) was written to \(file)")
        }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in place as a municipality that is not there.")
    @OptionGroup var data: DataOption
    @OptionGroup var municipality: LedgerOption
    @Argument(help: "A file that `conurb backup` wrote.", completion: .file()) var file: String

    func run() async throws {
        let (municipality, file) = (municipality.municipality, file)
        try await reportingFailure {
            let answer = try await ControlClient.with(data.directory, creating: true) { client in
                let bytes = try FileStream(path: file)
                return try await client.send(
                    .PUT, "/municipalities/\(municipality)/backup", contentType: "application/vnd.sqlite3",
                    body: .stream(bytes, length: .unknown)
                ) { response in try JSON(parsing: try await response.body.collect(upTo: 1 << 16).readableBytesView) }
            }
            tell("municipality \(municipality) was restored from \(file)")
            let (erased, missing) = (answer["erased"]?.integerValue ?? 0, answer["keysMissing"]?.integerValue ?? 0)
            if erased > 0 { tell("left out: \(erased) entities of people whose keys were destroyed since") }
            if missing > 0 {
                tell("WARNING: \(missing) entities can't be read, because their keys are missing; put \(municipality).residents and \(municipality).key back")
            }
        }
    }
}

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that files are whole and that entities, indexes and journal agree.")
    @OptionGroup var data: DataOption
    @Option(help: "Only this municipality.") var municipality: String?

    func run() async throws {
        let wanted = municipality
        let count = try await reportingFailure {
            try await ControlClient.with(data.directory) { client in
                var faultCount = 0
                let all = try await client.json(.GET, "/municipalities").arrayValue?.compactMap(\.stringValue) ?? []
                for name in wanted.map({ [$0] }) ?? all + Self.installation(data.directory) {
                    let report: JSON
                    do { report = try await client.json(.POST, "/municipalities/\(name)/verification") } catch let failure as CommandFailure
                        where wanted == nil
                    {
                        // One that can't be read at all keeps none of the others from being looked at.
                        report = ["faults": [.string(failure.description)]]
                    }
                    faultCount += Self.tell(name, report)
                }
                return faultCount
            }
        }
        if count > 0 { throw exitCodeFindings }
    }

    /// - Returns: how many faults there are.
    private static func tell(_ name: String, _ report: JSON) -> Int {
        let faults = report["faults"]?.arrayValue ?? []
        let counts = ["entities", "changes", "instances", "acts"].map { "\(report[$0]?.integerValue ?? 0) \($0)" }.joined(separator: ", ")
        print("\(name): \(counts): \(faults.isEmpty ? "clean" : "\(faults.count) faults")")
        for fault in faults { print("  \(fault.stringValue ?? "")") }
        return faults.count
    }

    /// The installation's own file, once there is one.
    private static func installation(_ folder: String) -> [String] {
        let name = MunicipalityName.installation.text
        return FileManager.default.fileExists(atPath: "\(folder)/\(name)") ? [name] : []
    }
}

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the entities of a municipality to standard output, one JSON object a line (NGSI-LD).")
    @OptionGroup var data: DataOption
    @OptionGroup var municipality: MunicipalityOption

    func run() async throws {
        let path = "/municipalities/\(municipality.municipality)/entities.ndjson"
        try await reportingFailure {
            try await ControlClient.with(data.directory) { client in
                try await client.send(.GET, path) { response in
                    for try await part in response.body { FileHandle.standardOutput.write(Data(part.readableBytesView)) }
                }
            }
        }
    }
}

/// The bytes of a file, a part at a time.
struct FileStream: AsyncSequence, Sendable {
    let path: String
    let byteCount: Int
    var onRead: (@Sendable (Int) -> Void)?

    private static let partByteCount = 1 << 18

    init(path: String, onRead: (@Sendable (Int) -> Void)? = nil) throws {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let size = attributes?[.size] as? Int, FileManager.default.isReadableFile(atPath: path) else {
            throw CommandFailure(description: "\(path) can't be read")
        }
        (self.path, byteCount, self.onRead) = (path, size, onRead)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let stream: FileStream
        fileprivate var handle: FileHandle?

        mutating func next() async throws -> ByteBuffer? {
            if handle == nil { handle = FileHandle(forReadingAtPath: stream.path) }
            guard let part = try handle?.read(upToCount: FileStream.partByteCount), !part.isEmpty else { return nil }
            stream.onRead?(part.count)
            return ByteBuffer(bytes: part)
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self, handle: nil) }
}
