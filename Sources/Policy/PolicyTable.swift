package import CityModel
internal import OrderedCollections

/// A table of decisions that somebody expects of a policy, so that a change of rules shows what it changes.
package struct PolicyTable: Sendable {
    package struct Case: Sendable {
        package let name: String
        package let line: Int
        package let question: Question
        let expected: Expectation
    }

    /// What a case expects; what is nil is not looked at.
    struct Expectation: Sendable {
        var decision: Verdict.Decision
        var rules: [String]?
        var shows: [(text: String, name: IRI)] = []
        var hides: [(text: String, name: IRI)] = []
        /// By attribute; 0 metres is exact.
        var places: [(text: String, name: IRI, metres: Int)] = []
        /// By attribute; an empty text is exact.
        var periods: [(text: String, name: IRI, precision: Precision)] = []
        var entityCountMin: Int?
    }

    package let cases: [Case]

    /// What is wrong with each case, in words; no words where a case holds.
    /// - Parameter now: the moment that cases mean which name none.
    package func outcomes(of policies: Policies, now: Instant) -> [(case: Case, faults: [String])] {
        cases.map { ($0, $0.expected.faults(of: $0.question.verdict(of: policies, now: now))) }
    }
}

extension PolicyTable.Expectation {
    fileprivate func faults(of verdict: Verdict) -> [String] {
        var faults: [String] = []
        if verdict.decision != decision { faults.append("expected \(decision.rawValue), found \(verdict.summary)") }
        if let rules, rules != verdict.rules {
            faults.append("expected the rules \(rules.listed), found \(verdict.rules.listed)")
        }
        for (text, name) in shows where verdict.access(to: name) == .hidden { faults.append("\(text) is hidden") }
        for (text, name) in hides where verdict.access(to: name) != .hidden { faults.append("\(text) is shown") }
        for (text, name, metres) in places {
            let found = verdict.access(to: name).precision.map { $0.placeMetres ?? 0 }
            if found != metres { faults.append("places of \(text): expected \(metres) m, found \(found.map { "\($0) m" } ?? "nothing")") }
        }
        for (text, name, wanted) in periods where verdict.access(to: name).precision?.period != wanted.period {
            faults.append("moments of \(text) are told with another precision")
        }
        if let entityCountMin, verdict.entityCountMin != entityCountMin {
            faults.append("expected figures over at least \(entityCountMin), found \(verdict.entityCountMin.map(String.init) ?? "no figures alone")")
        }
        return faults
    }
}

extension AttributeAccess {
    package var precision: Precision? {
        switch self {
        case .hidden: nil
        case .shown(let precision), .aggregated(_, let precision): precision
        }
    }
}

extension Verdict {
    /// A verdict in one word, as tables of tests write it.
    package enum Decision: String, CaseIterable, Hashable, Sendable { case permit, refuse, aggregates }

    package var decision: Decision {
        switch self {
        case .hidden: .refuse
        case .visible: .permit
        case .aggregatesOnly: .aggregates
        }
    }

    /// The smallest number of entities that some permit for figures asks for, where there are only such; else nil.
    package var entityCountMin: Int? {
        guard case .aggregatesOnly(let view) = self else { return nil }
        return view.layers.compactMap(\.entityCountMin).min()
    }

    /// The decision and the rules that made it, in one line.
    package var summary: String {
        switch self {
        case .hidden(.nothingPermits): "refuse (no rule permits it)"
        case .hidden(.forbidden(let rule)): "refuse (\(rule))"
        case .visible: "permit (\(rules.listed))"
        case .aggregatesOnly: "only figures over at least \(entityCountMin ?? 0) (\(rules.listed))"
        }
    }
}

extension [String] {
    fileprivate var listed: String { isEmpty ? "none" : joined(separator: ", ") }
}
