package import CityModel

/// What became of a case that was closed.
package enum CaseOutcome: Hashable, Sendable {
    /// The step of its service that it ended in, or one of `CaseStep`.
    case step(String)
    /// Of one that knows no steps, as those of other systems: what was said at the end, in its first words.
    case said(String)
    /// Of one that knows no steps, nothing was said.
    case unsaid
    /// All that are too many to be told apart.
    case other
}

/// What was said in public as a case was closed.
package struct ClosingAnswer: Hashable, Sendable {
    package let reference: String?
    package let code: String
    package let closedAt: Instant
    package let outcome: CaseOutcome
    /// The first words of it.
    package let text: String

    package static let textCountMax = 600

    /// The newest first, in an order of their own where several were closed at one moment.
    static func isBefore(_ left: ClosingAnswer, _ right: ClosingAnswer) -> Bool {
        (right.closedAt, left.reference ?? "", left.text) < (left.closedAt, right.reference ?? "", right.text)
    }
}

/// The last answers of some cases, so many and no more.
struct LastAnswers: Hashable, Sendable {
    static let countMax = 10
    private(set) var all: [ClosingAnswer] = []

    /// Whether one of this moment may be among them: most are not, and need not be made.
    func takes(_ closedAt: Instant) -> Bool { all.count < Self.countMax || all.last.map { closedAt >= $0.closedAt } ?? true }

    mutating func add(_ answer: ClosingAnswer) {
        if all.count == Self.countMax, let last = all.last, !ClosingAnswer.isBefore(answer, last) { return }
        let place = all.firstIndex { ClosingAnswer.isBefore(answer, $0) } ?? all.endIndex
        all.insert(answer, at: place)
        if all.count > Self.countMax { all.removeLast() }
    }

    mutating func add(_ others: LastAnswers) { for answer in others.all { add(answer) } }
}

/// How many cases ended how. Of what was said in words of one's own the most frequent are told apart in the end, the rest are taken together: nothing is lost.
struct OutcomeCounts: Sendable {
    private(set) var counts: [CaseOutcome: Int] = [:]

    /// Steps of one service and district.
    static let stepCountMax = 100
    /// Sentences that are told apart in an answer.
    static let saidCountMax = 12

    /// - Parameter room: sentences that may still be told apart; less one where this is a new one.
    mutating func add(_ outcome: CaseOutcome, room: inout Int) {
        guard counts[outcome] == nil else { return counts[outcome, default: 0] += 1 }
        switch outcome {
        case .said where room <= 0: return counts[.other, default: 0] += 1
        case .said: room -= 1
        case .step where counts.count >= Self.stepCountMax + Self.saidCountMax && stepCount >= Self.stepCountMax: return counts[.other, default: 0] += 1
        case .step, .unsaid, .other: break
        }
        counts[outcome] = 1
    }

    private var stepCount: Int { counts.keys.count { if case .step = $0 { true } else { false } } }

    mutating func add(_ others: OutcomeCounts) { counts.merge(others.counts, uniquingKeysWith: +) }

    /// With the most frequent sentences, those that come as often in the order of their letters.
    var shortened: [CaseOutcome: Int] {
        let said = counts.compactMap { outcome, count in if case .said(let text) = outcome { (text: text, count: count) } else { nil } }
        var shortened = counts
        for (text, count) in said.sorted(by: { ($1.count, $0.text) < ($0.count, $1.text) }).dropFirst(Self.saidCountMax) {
            shortened[.said(text)] = nil
            shortened[.other, default: 0] += count
        }
        return shortened
    }
}

extension CountedCase {
    /// Scalars of a sentence by which cases are told apart.
    static let outcomeCountMax = 200

    /// Nil for a case that is open.
    package var outcome: CaseOutcome? {
        guard isClosed else { return nil }
        if let step, !step.isEmpty { return .step(step) }
        let words = said.map(Self.firstWords) ?? ""
        return words.isEmpty ? .unsaid : .said(words)
    }

    /// With single blanks. Scalar by scalar, for finding where letters end takes longer than all else that is done with a case.
    private static func firstWords(_ text: String) -> String {
        var (words, count, isAfterBlank) = ("", 0, false)
        for scalar in text.unicodeScalars {
            if scalar.properties.isWhitespace {
                isAfterBlank = count > 0
                continue
            }
            // A blank is there only with what stands behind it.
            guard count + (isAfterBlank ? 1 : 0) < outcomeCountMax else { break }
            if isAfterBlank {
                words.unicodeScalars.append(" ")
                count += 1
            }
            words.unicodeScalars.append(scalar)
            (count, isAfterBlank) = (count + 1, false)
        }
        return words
    }

    /// What was said as it was closed or after that; what was said before was about something else.
    var closingAnswer: ClosingAnswer? {
        guard let outcome, let closedAt, let said, !said.allSatisfy(\.isWhitespace), saidAt.map({ $0 >= closedAt }) ?? true else { return nil }
        return ClosingAnswer(reference: reference, code: code, closedAt: closedAt, outcome: outcome, text: String(said.prefix(ClosingAnswer.textCountMax)))
    }
}
