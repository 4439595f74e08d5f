import CityModel
import Foundation
import OrderedCollections
import Server

/// What a figure was taken on, and with what.
struct BenchMachine {
    let coreCount = ProcessInfo.processInfo.processorCount
    let memoryByteCount = ProcessInfo.processInfo.physicalMemory
    /// As the kernel calls it; empty where it does not say.
    let processor: String
    let kernel: String

    init() {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        processor = lines.first { $0.hasPrefix("model name") }?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces) ?? ""
        // Without what a distribution adds to it.
        kernel = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?.prefix { $0 != "-" && $0 != "\n" }.description ?? ""
    }

    var text: String { "\(coreCount) cores (\(processor)), \(Int((Double(memoryByteCount) / 1_073_741_824).rounded())) GiB, Linux \(kernel)" }

    var json: JSONObject {
        [
            "version": .string("conurb \(Version.current)"), "cores": .integer(Int64(coreCount)), "processor": .string(processor),
            "memoryBytes": .integer(Int64(memoryByteCount)), "kernel": .string(kernel),
        ]
    }
}
