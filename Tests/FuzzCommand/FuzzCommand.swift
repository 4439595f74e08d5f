#if !LIBFUZZER
    import Foundation
    import Fuzzing

    /// Goes through the entries for as long as it is told, each as long as the others: `fuzz SECONDS [ENTRY...]`. What breaks is said with its input in base64; what
    /// makes the program trap, or takes longer than an input may, is left in a file (`LastInput`). `CONURB_FUZZ_SEED` repeats a run.
    @main enum FuzzCommand {
        private static let shownCountMax = 5
        /// What takes longer is shown: somebody may want to know why.
        private static let secondsShownMin = 0.5

        /// What the program has computed for, in all its threads: what others do on the machine is no part of it.
        private static var processorSeconds: Double {
            var time = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }

        static func main() throws {
            let arguments = Array(CommandLine.arguments.dropFirst())
            guard let seconds = arguments.first.flatMap(Double.init) else {
                print("usage: fuzz SECONDS [ENTRY...]\nentries: \(FuzzEntry.all.map(\.name).joined(separator: " "))")
                exit(2)
            }
            let names = Set(arguments.dropFirst())
            let entries = FuzzEntry.all.filter { names.isEmpty || names.contains($0.name) }
            let seed = ProcessInfo.processInfo.environment["CONURB_FUZZ_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...UInt64.max)
            var brokenCount = 0
            for entry in entries { brokenCount += try run(entry, for: .seconds(seconds / Double(entries.count)), seed) }
            exit(brokenCount == 0 ? 0 : 1)
        }

        private static func run(_ entry: FuzzEntry, for duration: Duration, _ seed: UInt64) throws -> Int {
            let corpus = try entry.corpus(), end = ContinuousClock.now + duration
            var (mutator, count, slowest, brokenCount) = (Mutator(entry, corpus: corpus, seed: seed), 0, (seconds: 0.0, bytes: [UInt8]()), 0)
            while ContinuousClock.now < end {
                let bytes = count < corpus.count ? corpus[count] : mutator.next()
                LastInput.note(entry.name, bytes)
                let start = processorSeconds
                do { try entry.run(bytes) } catch {
                    brokenCount += 1
                    if brokenCount <= shownCountMax { print("\(entry.name): \("\(error)".prefix(2000))\n  \(Data(bytes).base64EncodedString())") }
                }
                if processorSeconds - start > slowest.seconds { slowest = (processorSeconds - start, bytes) }
                count += 1
            }
            LastInput.end()
            print("\(entry.name): \(count) inputs from seed \(seed), \(brokenCount) broken, the slowest took \(Int(slowest.seconds * 1000)) ms of a processor")
            if slowest.seconds > secondsShownMin { print("  \(Data(slowest.bytes).base64EncodedString())") }
            return brokenCount
        }
    }
#endif
