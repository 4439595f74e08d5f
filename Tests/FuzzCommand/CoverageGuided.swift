#if LIBFUZZER
    import Foundation
    import Fuzzing

    /// The same entries for libFuzzer, which keeps what reaches new code (`scripts/fuzz --guided`). `CONURB_FUZZ_ENTRY` names the entry.
    private let entry: FuzzEntry = {
        let name = ProcessInfo.processInfo.environment["CONURB_FUZZ_ENTRY"] ?? ""
        guard let entry = FuzzEntry.all.first(where: { $0.name == name }) else {
            print("CONURB_FUZZ_ENTRY: one of \(FuzzEntry.all.map(\.name).joined(separator: " "))")
            exit(2)
        }
        return entry
    }()

    @_silgen_name("LLVMFuzzerMutate") private func mutate(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ countMax: Int) -> Int

    @_cdecl("LLVMFuzzerTestOneInput") public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        do { try entry.run(Array(UnsafeBufferPointer(start: bytes, count: count))) } catch { fatalError("\(entry.name): \(error)") }
        return 0
    }

    /// Each second time as the format asks for, else as libFuzzer does.
    @_cdecl("LLVMFuzzerCustomMutator") public func customMutator(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ countMax: Int, _ seed: UInt32) -> Int {
        guard seed % 2 == 0 else { return mutate(bytes, count, countMax) }
        var mutator = Mutator(entry, corpus: [Array(UnsafeBufferPointer(start: bytes, count: count))], seed: UInt64(seed))
        let made = mutator.next().prefix(countMax)
        for (place, byte) in made.enumerated() { bytes[place] = byte }
        return max(1, made.count)
    }
#endif
