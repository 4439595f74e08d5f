import CityModel
import Foundation
import OrderedCollections
import Store
import Testing

/// What is committed goes from the log into the file without anybody who writes waiting for it.
@Suite struct CheckpointerTests {
    private static func size(_ path: String) -> Int { (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0 }

    /// More than SQLite's 1,000 pages of log from which they are moved.
    private static func write(_ numbers: Range<Int>, to file: MunicipalityFile) async throws {
        try await file.write { transaction in
            for number in numbers {
                let long = entity(number, attributes: [iri("text"): property(.string(String(repeating: "x", count: 100_000)))])
                try transaction.insert(long, provenance: .init(), at: noon)
            }
        }
    }

    @Test(.timeLimit(.minutes(10))) func `the log goes into the file though nobody writes any more, and begins anew when somebody does`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let path = try #require(FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }.first { $0.hasSuffix(MunicipalityFile.fileName) })
        let whole = "\(folder.path)/\(path)"
        try await Self.write(0..<50, to: file)
        while Self.size(whole) < 5_000_000 { await Task.yield() }
        let begun = try Self.beginning(whole + "-wal")
        var number = 50
        while try Self.beginning(whole + "-wal") == begun {
            try await file.write { [number] in try $0.insert(entity(number), provenance: .init(), at: noon) }
            number += 1
        }
        #expect(try await file.read { try $0.entityCount() } == number)
    }

    /// What another number stands in each time that a log begins.
    private static func beginning(_ path: String) throws -> Data? { try FileHandle(forReadingAtPath: path)?.read(upToCount: 32) }
}
