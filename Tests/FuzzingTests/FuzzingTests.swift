import Fuzzing
import Foundation
import Testing

/// Every parser that meets the outside, with inputs that nobody would write. `make fuzz` goes on for longer.
@Suite(.serialized) struct FuzzingTests {
    private static let countPerEntry = 400
    private static let timePerEntry = Duration.milliseconds(400)

    /// Where the program traps here, `CONURB_FUZZ_SEED=1 fuzz 10 ENTRY` leaves the input in a file.
    @Test(arguments: FuzzEntry.all.map(\.name))
    func `whatever the bytes, they are read or refused, and what is written of them says the same`(name: String) throws {
        let entry = try #require(FuzzEntry.all.first { $0.name == name })
        let corpus = try entry.corpus()
        #expect(!corpus.isEmpty)
        for (number, bytes) in corpus.enumerated() { Self.run(entry, bytes, "corpus \(number)") }
        var mutator = Mutator(entry, corpus: corpus, seed: 1)
        let end = ContinuousClock.now + Self.timePerEntry
        for number in 0..<Self.countPerEntry where ContinuousClock.now < end { Self.run(entry, mutator.next(), "seed 1, input \(number)") }
    }

    private static func run(_ entry: FuzzEntry, _ bytes: [UInt8], _ what: String) {
        do { try entry.run(bytes) } catch { Issue.record("\(entry.name), \(what): \(error)\n\(Data(bytes).base64EncodedString())") }
    }
}
