public import CityModel
public import OrderedCollections

/// What a run of a source did. Memory is bounded: of each rule only the first findings are kept.
public struct ImportReport: Hashable, Sendable {
    public struct Tally: Hashable, Sendable {
        public private(set) var count = 0
        /// The first findings, in order.
        public private(set) var first: [Finding] = []

        mutating func add(_ finding: Finding, countMax: Int) {
            count += 1
            if first.count < countMax { first.append(finding) }
        }
    }

    /// How many findings of a rule are kept.
    public var findingCountMax: Int
    /// Records that changed or created an entity or its history.
    public private(set) var acceptedCount = 0
    /// Records that said what was known already.
    public private(set) var unchangedCount = 0
    public private(set) var rejectedCount = 0
    /// Accepted or unchanged records that broke a rule of severity `flag`.
    public private(set) var flaggedCount = 0
    /// By the id of the rule, in order of first occurrence. A rule that both rejected and flagged has two entries.
    public private(set) var tallies: OrderedDictionary<Key, Tally> = [:]

    public struct Key: Hashable, Sendable {
        public var ruleID: String
        public var severity: Severity
    }

    public init(findingCountMax: Int = 10) { self.findingCountMax = findingCountMax }

    public var recordCount: Int { acceptedCount + unchangedCount + rejectedCount }

    /// Counts a record that was stored, or that changed nothing.
    public mutating func accept(flags: [Finding], isUnchanged: Bool = false) {
        if isUnchanged { unchangedCount += 1 } else { acceptedCount += 1 }
        if !flags.isEmpty { flaggedCount += 1 }
        for finding in flags { tally(finding) }
    }

    /// Counts a record that was refused.
    public mutating func reject(_ finding: Finding) {
        rejectedCount += 1
        tally(finding)
    }

    private mutating func tally(_ finding: Finding) {
        let key = Key(ruleID: finding.ruleID, severity: finding.severity)
        tallies[key, default: Tally()].add(finding, countMax: findingCountMax)
    }
}

extension ImportReport {
    /// The report as a JSON object: counts, and for each rule its severity, count and first findings.
    public var json: JSON { json { $0.json } }

    /// The same as it is kept where what is imported is personal: what was found wrong with a value repeats it.
    public var jsonWithoutValues: JSON {
        json { finding in
            var finding = finding
            finding.reason = "not kept, for the source is personal"
            return finding.json
        }
    }

    private func json(_ write: (Finding) -> JSON) -> JSON {
        [
            "records": .integer(Int64(recordCount)), "accepted": .integer(Int64(acceptedCount)),
            "unchanged": .integer(Int64(unchangedCount)), "rejected": .integer(Int64(rejectedCount)),
            "flagged": .integer(Int64(flaggedCount)),
            "rules": .array(
                tallies.map { key, tally in
                    [
                        "id": .string(key.ruleID), "severity": .string(key.severity.rawValue),
                        "count": .integer(Int64(tally.count)),
                        "first": .array(tally.first.map(write)),
                    ]
                }),
        ]
    }
}

extension Finding {
    var json: JSON { ["line": .integer(Int64(line)), "field": .string(field), "reason": .string(reason)] }
}

extension ImportReport: CustomStringConvertible {
    /// The report as lines for people.
    public var description: String {
        var lines = ["\(recordCount) records: \(acceptedCount) accepted, \(unchangedCount) unchanged, \(rejectedCount) rejected"]
        for (key, tally) in tallies {
            let word = key.severity == .reject ? "rejected" : "flagged"
            lines.append("  \(key.ruleID): \(tally.count) \(word)")
            for finding in tally.first {
                let field = finding.field.isEmpty ? "" : "\(finding.field): "
                lines.append("    line \(finding.line): \(field)\(finding.reason)")
            }
            if tally.count > tally.first.count { lines.append("    and \(tally.count - tally.first.count) more") }
        }
        return lines.joined(separator: "\n")
    }
}
