import Foundation

/// A parser that meets bytes from outside, with what has to hold whatever the bytes are. It reads or refuses, by an error of its own type; that nothing traps, hangs
/// or takes memory without end is what fuzzing is for.
package struct FuzzEntry: Sendable {
    package let name: String
    /// Pieces that this format is made of, which no mutation finds by itself.
    package let tokens: [String]
    /// Whether inputs are JSON, so that they can be mutated as trees too.
    package let isJSON: Bool
    package let run: @Sendable ([UInt8]) throws -> Void

    package init(_ name: String, tokens: [String] = [], isJSON: Bool = false, _ run: @escaping @Sendable ([UInt8]) throws -> Void) {
        (self.name, self.tokens, self.isJSON, self.run) = (name, tokens, isJSON, run)
    }

    /// Such as a text that says something else once it was written and read again.
    package struct Broken: Error, CustomStringConvertible {
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    /// Every entry there is.
    package static let all: [FuzzEntry] = documents + languages + declarations + files + messages + [doors]

    /// Inputs to begin with, which we wrote; some were added because they once broke something.
    package func corpus() throws -> [[UInt8]] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "corpora/\(name)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.sorted { $0.lastPathComponent < $1.lastPathComponent }.map { [UInt8](try Data(contentsOf: $0)) }
    }
}

/// Fails where a parser's property does not hold.
func hold(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw FuzzEntry.Broken(what()) }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// The lines of an input, for parsers that take several texts; missing ones are nil, and so are empty ones.
func lines(_ bytes: [UInt8], _ count: Int) -> [String?] {
    let parts = bytes.split(separator: 10, maxSplits: count - 1, omittingEmptySubsequences: false).map { $0.isEmpty ? nil : text(Array($0)) }
    return parts + Array(repeating: nil, count: count - parts.count)
}
