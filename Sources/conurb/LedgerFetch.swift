import ArgumentParser
import AsyncHTTPClient
import Foundation
import Ledger
import NIOCore
import NIOHTTP1

extension LedgerCommand {
    /// For who looks at a ledger from outside: `verify` then needs the folder alone.
    struct Fetch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "fetch", abstract: "Fetch a ledger, or any log of C2SP tlog-tiles, into a folder.",
            discussion: "What is there already is not fetched again. The checkpoint that was there is kept as checkpoint.SIZE, and `verify` holds the new one against it.")
        @Argument(help: "The log's address, such as https://city.example/ledger/montpellier.") var address: String
        @Argument(help: "The folder.", completion: .directory) var folder: String

        func run() async throws {
            try await reportingFailure {
                let copy = LogCopy(address: String(address[...(address.lastIndex { $0 != "/" } ?? address.startIndex)]), folder: folder)
                let size = try await copy.fetch()
                tell("\(size) leaves are in \(folder)")
            }
        }
    }
}

/// A log that is copied into files of the same paths.
private struct LogCopy {
    let address: String
    let folder: String

    private static let byteCountMax = 256 * (2 + 65_535)

    /// - Returns: how many leaves the log says to have. Nothing is verified here.
    func fetch() async throws -> Int64 {
        let bytes = try await get("checkpoint")
        let size = try Self.size(bytes)
        for tile in Tile.all(ofTreeOf: size) {
            let path = "tile/\(tile.path)"
            if !FileManager.default.fileExists(atPath: "\(folder)/\(path)") { try write(try await get(path), path) }
        }
        // Last, so that a copy that breaks off is still that of the checkpoint before.
        if let before = FileManager.default.contents(atPath: "\(folder)/checkpoint") {
            let older = try Self.size(Array(before))
            if older != size { try write(Array(before), "checkpoint.\(older)") }
        }
        try write(bytes, "checkpoint")
        return size
    }

    private static func size(_ checkpoint: [UInt8]) throws -> Int64 {
        do throws(LedgerError) { return try Checkpoint(parsing: SignedNote(parsing: checkpoint).text).head.size } catch {
            throw CommandFailure(description: "the checkpoint is none: \(error)")
        }
    }

    private func get(_ path: String) async throws -> [UInt8] {
        do {
            let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: "\(address)/\(path)"), timeout: .seconds(60))
            guard response.status == .ok else { throw CommandFailure(description: "\(address)/\(path): \(response.status)") }
            return Array(try await response.body.collect(upTo: Self.byteCountMax).readableBytesView)
        } catch let failure as CommandFailure {
            throw failure
        } catch { throw CommandFailure(description: "\(address)/\(path): \(error)") }
    }

    private func write(_ bytes: [UInt8], _ path: String) throws {
        let target = URL(filePath: "\(folder)/\(path)")
        do {
            try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: target, options: .atomic)
        } catch { throw CommandFailure(description: "\(target.path) can't be written") }
    }
}
