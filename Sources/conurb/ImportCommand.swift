import ArgumentParser
import AsyncHTTPClient
import CityModel
import Declarations
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Bring files into a municipality, as a source definition says.",
        discussion: """
            The same file can be imported again: what is known already stays as it is. Rejected records go to a file with the \
            reason in the last columns; the exit code is 2 when there are any.
            """)

    @OptionGroup var data: DataOption
    @OptionGroup var municipality: MunicipalityOption
    @Option(help: "The YAML file that defines the source.", completion: .file(extensions: ["yaml", "yml"])) var source: String
    @Option(help: "Where rejected records go. Default: SOURCE-rejected.csv here.", completion: .file()) var rejected: String?
    @Flag(help: "Make the municipality when it is not there. (The first one is made without being asked.)") var create = false
    @Argument(help: "The files.", completion: .file()) var files: [String]

    func run() async throws {
        var rejectedCount = 0
        try await reportingFailure {
            guard let definition = FileManager.default.contents(atPath: source) else {
                throw CommandFailure(description: "\(source) can't be read")
            }
            let streams = try files.map { try FileStream(path: $0) }
            let session = ImportSession(
                definition: definition, municipality: municipality.municipality, createsMunicipality: create,
                rejectedPath: rejected ?? Self.rejectedPath(of: source))
            rejectedCount = try await ControlClient.with(data.directory, creating: true) { client in try await session.run(streams, client) }
        }
        if rejectedCount > 0 { throw exitCodeFindings }
    }

    private static func rejectedPath(of source: String) -> String {
        (source as NSString).lastPathComponent.split(separator: ".").dropLast().joined(separator: ".") + "-rejected.csv"
    }
}

/// Declares the source, sends the files and shows what comes of it.
private struct ImportSession: Sendable {
    let definition: Data
    let municipality: String
    let createsMunicipality: Bool
    let rejectedPath: String

    /// - Returns: how many records were rejected.
    func run(_ files: [FileStream], _ client: ControlClient) async throws -> Int {
        let id = try identifier()
        try await createMunicipality(client)
        do {
            _ = try await client.json(
                .PUT, "/sources/\(id)", municipality: municipality, contentType: "application/yaml",
                body: .bytes(ByteBuffer(bytes: definition)))
        }
        let rejected = RejectedFile(path: rejectedPath)
        var total = Counts()
        for file in files { total += try await send(file, source: id, rejected, client) }
        try rejected.close()
        if files.count > 1 { print("all \(files.count) files: \(total.text)") }
        if total.rejected > 0 { tell("rejected records are in \(rejectedPath)") }
        return Int(total.rejected)
    }

    private func createMunicipality(_ client: ControlClient) async throws {
        let names = (try await client.json(.GET, "/municipalities").arrayValue ?? []).compactMap(\.stringValue)
        guard !names.contains(municipality) else { return }
        guard createsMunicipality || names.isEmpty else {
            let nearest = Spelling.nearest(to: municipality, in: names) ?? ""
            throw CommandFailure(description: "--municipality: there is no \(municipality); the nearest is \(nearest). With --create it is made")
        }
        _ = try await client.json(.PUT, "/municipalities/\(municipality)")
    }

    /// The source's identifier, which stands in its definition as a line of its own. The server parses the definition in
    /// earnest and says what is wrong with it.
    private func identifier() throws -> String {
        for line in String(decoding: definition, as: UTF8.self).split(separator: "\n") where line.hasPrefix("id:") {
            let value = line.dropFirst(3).prefix { $0 != "#" }.trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\"'"))
            if !value.isEmpty { return value }
        }
        throw CommandFailure(description: "the definition has no line that begins with id:")
    }

    private func send(_ file: FileStream, source: String, _ rejected: RejectedFile, _ client: ControlClient) async throws -> Counts {
        let progress = Progress(file: file)
        var body = file
        body.onRead = { progress.sent($0) }
        let stream = body
        let report: JSON = try await client.send(
            .POST, "/sources/\(source)/data", municipality: municipality, contentType: "application/octet-stream",
            accept: "application/x-ndjson", body: .stream(stream, length: .known(Int64(file.byteCount)))
        ) { response in
            var report = JSON.null
            var rest: [UInt8] = []
            for try await part in response.body {
                rest += Array(part.readableBytesView)
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = try JSON(parsing: rest[..<end])
                    rest.removeSubrange(...end)
                    if let header = line["header"]?.stringValue { try rejected.begin(header) }
                    if let row = line["rejected"]?.stringValue { try rejected.add(row) }
                    if let counts = line["progress"] { progress.show(counts) }
                    if let whole = line["report"] { report = whole }
                }
            }
            return report
        }
        progress.end()
        guard report != .null else { throw CommandFailure(description: "\(file.path): the run broke off") }
        print(Self.text(report, file: file.path))
        if let failure = report["failure"]?.stringValue { throw CommandFailure(description: "\(file.path): \(failure)") }
        return Counts(report)
    }

    /// What became of the records of one file or of several.
    private struct Counts {
        var records: Int64 = 0, accepted: Int64 = 0, unchanged: Int64 = 0, rejected: Int64 = 0

        init() {}

        init(_ report: JSON) {
            func count(_ name: String) -> Int64 { report[name]?.integerValue ?? 0 }
            (records, accepted, unchanged, rejected) = (count("records"), count("accepted"), count("unchanged"), count("rejected"))
        }

        static func += (left: inout Counts, right: Counts) {
            left.records += right.records
            left.accepted += right.accepted
            left.unchanged += right.unchanged
            left.rejected += right.rejected
        }

        var text: String { "\(records) records: \(accepted) accepted, \(unchanged) unchanged, \(rejected) rejected" }
    }

    private static func text(_ report: JSON, file: String) -> String {
        var lines: [String] = []
        for rule in report["rules"]?.arrayValue ?? [] {
            let verb = rule["severity"] == "reject" ? "rejected" : "flagged"
            lines.append("  \(rule["id"]?.stringValue ?? ""): \(rule["count"]?.integerValue ?? 0) \(verb)")
            for finding in rule["first"]?.arrayValue ?? [] {
                let field = finding["field"]?.stringValue ?? ""
                lines.append("    line \(finding["line"]?.integerValue ?? 0): \(field.isEmpty ? "" : field + ": ")\(finding["reason"]?.stringValue ?? "")")
            }
        }
        lines.append("\(file): \(Counts(report).text)")
        return lines.joined(separator: "\n")
    }
}

/// The file of rejected records, made when there is a first one.
private final class RejectedFile: Sendable {
    private let path: String
    private let handle = Mutex<FileHandle?>(nil)

    init(path: String) { self.path = path }

    /// Writes the header above the first row; further files of the same source have the same.
    func begin(_ header: String) throws {
        try handle.withLock { handle in
            guard handle == nil else { return }
            guard FileManager.default.createFile(atPath: path, contents: nil) else { throw CommandFailure(description: "\(path) can't be written") }
            handle = FileHandle(forWritingAtPath: path)
            try handle?.write(contentsOf: Data(header.utf8))
        }
    }

    func add(_ row: String) throws { try handle.withLock { try $0?.write(contentsOf: Data(row.utf8)) } }

    func close() throws { try handle.withLock { try $0?.close() } }
}

/// A line on the terminal that says how far a file is: rows, rows a second, rejected, time left.
private final class Progress: Sendable {
    private let byteCount: Int
    private let start = ContinuousClock.now
    private let sentByteCount = Mutex(0)

    init(file: FileStream) { byteCount = file.byteCount }

    func sent(_ count: Int) { sentByteCount.withLock { $0 += count } }

    func show(_ counts: JSON) {
        guard StandardError.isTerminal else { return }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let share = Double(sentByteCount.withLock { $0 }) / Double(max(byteCount, 1))
        let records = counts["records"]?.integerValue ?? 0
        let rate = Int(Double(records) / max(seconds, 0.001))
        let left = share > 0.01 ? "\(Int(seconds / share * (1 - share))) s left" : "…"
        StandardError.write("\r\u{1B}[K\(records) records, \(rate)/s, \(counts["rejected"]?.integerValue ?? 0) rejected, \(left)")
    }

    func end() { if StandardError.isTerminal { StandardError.write("\r\u{1B}[K") } }
}
