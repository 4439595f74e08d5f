import CityModel
import Foundation
import Sources

/// Places of the project and of the real data beside it.
enum Places {
    static let root: URL = {
        URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }()
    static let examples = root.appending(path: "examples/sources")
    static let data = root.deletingLastPathComponent().appending(path: "shared/data")

    static var hasData: Bool {
        let found = FileManager.default.fileExists(atPath: data.appending(path: "README.md").path)
        if !found { print("SKIPPED: ../shared/data is absent, so no real file is read by this test") }
        return found
    }

    static func text(_ url: URL) throws -> String { try String(contentsOf: url, encoding: .utf8) }

    static func example(_ name: String) throws -> SourceDefinition {
        try SourceDefinition(parsing: text(examples.appending(path: "\(name).yaml")))
    }
}

/// What a run over some bytes gave.
struct Run {
    var entities: [MappedRecord] = []
    var documents: [JSON] = []
    var report = ImportReport()
    var rejections: [Finding] { report.tallies.filter { $0.key.severity == .reject }.flatMap(\.value.first) }
}

/// Gives each term an address of its own, as a context would.
func expandForTest(_ term: String) -> IRI? { IRI("https://example.org/\(term)") }

func name(_ term: String) -> IRI { IRI(known: "https://example.org/\(term)") }

func run<Chunks: ChunkSource>(
    _ definition: SourceDefinition, _ chunks: Chunks, keeps: Bool = true, now: Instant = Instant(seconds: 1_400_000_000)
) throws -> Run {
    var reader = RecordReader(definition, chunks: chunks)
    var record = Record()
    var run = Run()
    var mapper: Mapper?
    while try reader.next(into: &record) {
        if mapper == nil { mapper = try Mapper(definition, columns: reader.columns, now: now, expand: expandForTest) }
        switch mapper?.map(record) {
        case .mapped(let mapped):
            if keeps { run.entities.append(mapped) }
            run.report.accept(flags: mapped.flags)
        case .document(let json, _, let flags):
            if keeps { run.documents.append(json) }
            run.report.accept(flags: flags)
        case .rejected(let finding): run.report.reject(finding)
        case nil: break
        }
    }
    return run
}

func run(_ yaml: String, _ text: String, chunkByteCount: Int = 7) throws -> Run {
    try run(SourceDefinition(parsing: yaml), MemoryChunks(Array(text.utf8), chunkByteCount: chunkByteCount))
}

/// A definition with the parts that every source needs and those that a test is about.
func yaml(format: String = "csv", entity: String = "id: 'urn:x:{id}', type: T", attributes: String = "{}", more: String = "")
    -> String
{
    """
    id: test
    title: Test
    classification: open
    format: \(format)
    entity: {\(entity)}
    attributes: \(attributes)
    \(more)
    """
}

/// The records of a text, each as its fields, or the fault in brackets.
func rows(_ text: [UInt8], chunkByteCount: Int = 3, options: String = "", encoding: String = "utf-8") throws -> [[String]] {
    let definition = try SourceDefinition(parsing: yaml(more: "encoding: \(encoding)\ncsv: {\(options)}"))
    var reader = RecordReader(definition, chunks: MemoryChunks(text, chunkByteCount: chunkByteCount))
    var record = Record()
    var rows: [[String]] = []
    while try reader.next(into: &record) {
        rows.append(record.fault.map { ["<\($0.ruleID)>"] } ?? (0..<record.row.count).map { record.row.text($0) ?? "" })
    }
    return rows
}

func rows(_ text: String, chunkByteCount: Int = 3, options: String = "") throws -> [[String]] {
    try rows(Array(text.utf8), chunkByteCount: chunkByteCount, options: options)
}

extension Entity {
    func value(_ term: String) -> JSON? { instance(of: name(term))?.value }
}
