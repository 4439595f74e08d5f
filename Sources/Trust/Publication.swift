package import CityModel
internal import OrderedCollections
package import Store

/// That what was not open is open from now on, once for each run of a source, or for each request.
extension WriteTransaction {
    /// Records what the transaction released. To be called at its end by whoever may have lowered a classification.
    /// - Parameter run: the import that did so.
    package func recordReleases(run: Int64?, _ access: WriteAccess, at now: Instant) throws {
        guard !released.isEmpty else { return }
        let source = try run.flatMap { try importRun($0)?.source }
        let key = ReleaseKey(run: run)
        if run != nil, uses.knows(key, at: now) { return }
        var details: JSONObject = ["entities": .array(released.prefix(Self.releasedCountMax).map { .string($0.text) }), "count": .integer(Int64(released.count))]
        if let run { (details["run"], details["source"]) = (.integer(run), source.map(JSON.string)) }
        // Of a run this is its first part; the report of the run says how many there were.
        try record(Act(.published, source ?? "", details: .object(details)), access.reading, at: now)
        if run != nil { onCommit { [uses] in uses.note([key], at: now) } }
    }

    private static var releasedCountMax: Int { 100 }
}

private struct ReleaseKey: Hashable { let run: Int64? }
