package import CityModel
internal import Query

/// What a definition says of a case: who handles it, until when, and where it may go.
extension ServiceDefinition {
    /// Who handles a case.
    /// - Parameter district: the name of the district that its place lies in; nil where that is not known.
    package func department(for answers: ServiceAnswers, district: String?) -> String {
        let rule = departments.first { rule in
            (rule.condition.map(answers.meets) ?? true) && (rule.districts.isEmpty || district.map(rule.districts.contains) == true)
        }
        // The last one of a definition that was read always applies.
        return rule?.department ?? departments.last?.department ?? ""
    }

    /// What counts for a case; nil: it has no target.
    package func target(for answers: ServiceAnswers) -> TargetRule? { targets.first { $0.condition.map(answers.meets) ?? true } }

    /// By when a case has to be answered and closed; nil where there is no target, or none within 10 years.
    package func deadlines(for answers: ServiceAnswers, since moment: Instant) -> (answer: Instant?, close: Instant?) {
        guard let target = target(for: answers) else { return (nil, nil) }
        return (target.answer.flatMap { calendar.due(after: moment, $0) }, target.close.flatMap { calendar.due(after: moment, $0) })
    }

    // MARK: Steps

    package enum TransitionFault: Error, Hashable, Sendable {
        case unknownStep(String)
        /// - Parameter next: where the case may go instead.
        case notNext(next: [String])
        /// Whoever brings a case there says something to the resident.
        case answerMissing
    }

    /// The step that a case comes to.
    /// - Parameter hasAnswer: whether something is said to the resident with it.
    package func transition(from: String, to: String, hasAnswer: Bool) throws(TransitionFault) -> ServiceStep {
        guard let current = step(from) else { throw .unknownStep(from) }
        guard let target = step(to) else { throw .unknownStep(to) }
        guard current.next.contains(to) else { throw .notNext(next: current.next) }
        guard hasAnswer || !target.needsAnswer else { throw .answerMissing }
        return target
    }

    package enum ReopeningFault: Error, Hashable, Sendable {
        case notClosed
        /// What is closed stays closed.
        case neverPossible
        case tooLate(since: Instant)
    }

    /// The step that a case comes to when the resident opens it again.
    package func reopening(from: String, closedAt: Instant, now: Instant) throws(ReopeningFault) -> ServiceStep {
        guard step(from)?.phase == .closed else { throw .notClosed }
        guard let reopening, let target = step(reopening.step), let end = reopeningEnd(closedAt: closedAt) else { throw .neverPossible }
        guard now < end else { throw .tooLate(since: end) }
        return target
    }

    /// Until when a case that was closed at a moment may be opened again: the end of the day that is so many days after that one, in the calendar's zone. Nil: never.
    package func reopeningEnd(closedAt: Instant) -> Instant? {
        guard let reopening else { return nil }
        let zone = CivilZone(calendar.zone) ?? .utc
        return zone.start(ofDay: CivilDay(number: zone.day(of: closedAt).number + reopening.withinDays + 1))
    }
}
