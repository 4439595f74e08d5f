package import CityModel
internal import OrderedCollections

/// How many cases there were, how fast they went and how they ended: by service, by district, and by both.
package struct CaseFigures: Hashable, Sendable {
    /// Cases of one service; of all where `code` is nil.
    package struct Service: Hashable, Sendable {
        package let code: String?
        /// As its first case says it.
        package let name: String
        package let whole: CaseFigure
        /// By name; those of no district at the end, under nil.
        package let districts: [(name: String?, figure: CaseFigure)]
        /// What was said last as cases were closed, the newest first.
        package let answers: [ClosingAnswer]

        package static func == (left: Service, right: Service) -> Bool {
            left.code == right.code && left.name == right.name && left.whole == right.whole && left.answers == right.answers
                && left.districts.elementsEqual(right.districts) { $0.name == $1.name && $0.figure == $1.figure }
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(code)
            hasher.combine(whole)
        }
    }

    package let all: Service
    /// By name.
    package let services: [Service]
    package func service(_ code: String) -> Service? { services.first { $0.code == code } }
}

/// Figures of some cases.
package struct CaseFigure: Hashable, Sendable {
    /// Fewer cases than these tell how long single ones took: nothing is said of times then.
    package static let durationCountMin = 3

    /// How long it took until they were closed, in seconds.
    package struct Durations: Hashable, Sendable {
        package let median: Double
        /// Nine of ten did not take longer.
        package let ninetieth: Double
    }

    package var count = 0
    package var closedCount = 0
    package var openCount: Int { count - closedCount }
    /// Of the closed ones those that were done, not declined. An imported case that does not say so is in neither.
    package var doneCount = 0
    /// Cases whose target tells something: closed ones that had a target, and open ones of which it is over.
    package var judgedCount = 0
    package var withinTargetCount = 0
    /// Of the cases that count for times; nil where they are too few.
    package var durations: Durations?
    /// How long the cases that had a target were allowed to take, in seconds: the median.
    package var target: Double?
    /// Of the closed cases; together they are as many.
    package var outcomes: [CaseOutcome: Int] = [:]
    /// Under an empty name those that came in by ways that are too many to be told apart.
    package var channels: [String: Int] = [:]
    package init() {}

    /// From 0 to 1; nil where nothing can be said.
    package var shareWithinTarget: Double? { judgedCount > 0 ? Double(withinTargetCount) / Double(judgedCount) : nil }
    package var isFew: Bool { durations == nil }
}

/// What of a case its figures rest on.
package struct CountedCase: Hashable, Sendable {
    package static let attributes: Set<IRI> = [
        CaseTerm.serviceCode, CaseTerm.serviceName, CaseTerm.district, CaseTerm.neighbourhood, CaseTerm.status, CaseTerm.step, CaseTerm.isDone, CaseTerm.requestedAt,
        CaseTerm.updatedAt, CaseTerm.closedAt, CaseTerm.expectedAt, CaseTerm.channel, CaseTerm.answer, CaseTerm.reference,
    ]

    package var code: String
    package var name: String
    package var district: String?
    package var requestedAt: Instant
    package var expectedAt: Instant?
    /// Nil: it is open.
    package var closedAt: Instant?
    package var isClosed: Bool
    package var isDone: Bool?
    package var step: String?
    package var channel: String?
    package var reference: String?
    /// The last that was said in public, and when; of an imported case that is not known.
    package var said: String?
    package var saidAt: Instant?

    package init(
        code: String, name: String, district: String? = nil, requestedAt: Instant, expectedAt: Instant? = nil, closedAt: Instant? = nil, isClosed: Bool? = nil,
        isDone: Bool? = nil, step: String? = nil, channel: String? = nil, reference: String? = nil, said: String? = nil, saidAt: Instant? = nil
    ) {
        (self.code, self.name, self.district, self.requestedAt) = (code, name, district, requestedAt)
        (self.expectedAt, self.closedAt, self.isClosed, self.isDone) = (expectedAt, closedAt, isClosed ?? (closedAt != nil), isDone)
        (self.step, self.channel, self.reference, self.said, self.saidAt) = (step, channel, reference, said, saidAt)
    }

    /// Nil for a case that says not when it came or what it is about. One that was imported may not say when it was closed: then it was when it changed last.
    package init?(_ entity: Entity) {
        guard let code = entity.text(CaseTerm.serviceCode) ?? entity.text(CaseTerm.serviceName), let requestedAt = entity.moment(CaseTerm.requestedAt) else { return nil }
        let isClosed = entity.text(CaseTerm.status) == "closed"
        let district = entity.text(CaseTerm.district) ?? entity.text(CaseTerm.neighbourhood)
        self.init(
            code: code, name: entity.text(CaseTerm.serviceName) ?? code, district: district.flatMap { $0.isEmpty ? nil : $0 }, requestedAt: requestedAt,
            expectedAt: entity.moment(CaseTerm.expectedAt), closedAt: isClosed ? entity.moment(CaseTerm.closedAt) ?? entity.moment(CaseTerm.updatedAt) : nil, isClosed: isClosed,
            isDone: entity.instance(of: CaseTerm.isDone)?.value.boolValue, step: entity.text(CaseTerm.step), channel: entity.text(CaseTerm.channel),
            reference: entity.text(CaseTerm.reference), said: entity.text(CaseTerm.answer), saidAt: entity.instance(of: CaseTerm.answer)?.observedAt)
    }

    /// Whether somebody else goes on with it: its own end tells nothing of how fast things are done.
    fileprivate var isElsewhere: Bool { step == CaseStep.merged || step == CaseStep.transferred }

    /// Seconds until it was closed. Nil where it was not, was declined, or is told of with another; and where it says that it was closed before it came.
    fileprivate var duration: Double? {
        guard let closedAt, !isElsewhere, isDone != false, closedAt >= requestedAt else { return nil }
        return requestedAt.seconds(to: closedAt)
    }

    fileprivate var target: Double? {
        guard let expectedAt, expectedAt >= requestedAt else { return nil }
        return requestedAt.seconds(to: expectedAt)
    }
}

extension Instant {
    fileprivate func seconds(to end: Instant) -> Double { Double(end.microseconds - microseconds) / 1_000_000 }
}

/// Folds cases into figures. Holds 16 bytes of each at most, one sum for each service and district, and so many sentences and answers as its bounds say.
package struct CaseFiguresFold: Sendable {
    private struct Key: Hashable {
        let code: String
        let district: String?
    }

    private struct Sums {
        var figure = CaseFigure()
        var outcomes = OutcomeCounts()
        var durations: [Double] = []
        var targets: [Double] = []
    }

    /// Open cases are late or not by this moment.
    private let now: Instant
    private var sums: [Key: Sums] = [:]
    private var names: [String: String] = [:]
    private var answers: [String: LastAnswers] = [:]
    private var sentenceRoom = sentenceCountMax

    /// Services times districts that are told apart.
    package static let groupCountMax = 20_000
    /// Channels in each.
    private static let channelCountMax = 50
    /// Sentences in all of them.
    private static let sentenceCountMax = 50_000
    /// Services of which answers are kept: those that came first.
    private static let answeringCountMax = 500

    package init(at now: Instant) { self.now = now }

    /// - Throws: `tooManyResults` where there are more services and districts than can be told apart.
    package mutating func add(_ one: CountedCase) throws(CityError) {
        let key = Key(code: one.code, district: one.district)
        if sums[key] == nil, sums.count >= Self.groupCountMax {
            throw .tooManyResults("figures: more than \(Self.groupCountMax) pairs of a service and a district; choose a shorter time")
        }
        names[one.code, default: one.name] = names[one.code] ?? one.name
        Self.count(one, in: &sums[key, default: Sums()], sentenceRoom: &sentenceRoom, at: now)
        guard let closedAt = one.closedAt, answers[one.code]?.takes(closedAt) ?? (answers.count < Self.answeringCountMax), let answer = one.closingAnswer else { return }
        answers[one.code, default: LastAnswers()].add(answer)
    }

    private static func count(_ one: CountedCase, in sums: inout Sums, sentenceRoom: inout Int, at now: Instant) {
        sums.figure.count += 1
        if one.isClosed { sums.figure.closedCount += 1 }
        if one.isClosed, one.isDone == true { sums.figure.doneCount += 1 }
        if let outcome = one.outcome { sums.outcomes.add(outcome, room: &sentenceRoom) }
        if let channel = one.channel { increment(&sums.figure.channels, channel) }
        if let duration = one.duration { sums.durations.append(duration) }
        guard let target = one.target, let expectedAt = one.expectedAt, !one.isElsewhere else { return }
        sums.targets.append(target)
        if let closedAt = one.closedAt {
            sums.figure.judgedCount += 1
            if closedAt <= expectedAt { sums.figure.withinTargetCount += 1 }
        } else if !one.isClosed, expectedAt < now {
            sums.figure.judgedCount += 1
        }
    }

    private static func increment(_ counts: inout [String: Int], _ word: String) {
        let isTold = counts[word] != nil || counts.count < channelCountMax
        counts[isTold ? word : "", default: 0] += 1
    }

    package var figures: CaseFigures {
        let byCode = Dictionary(grouping: sums.keys, by: \.code)
        let services = byCode.map { code, keys in service(code, names[code] ?? code, keys.map { ($0.district, [$0]) }, answers[code] ?? .init()) }
        let byDistrict = Dictionary(grouping: sums.keys, by: \.district)
        let lastAnswers = answers.values.reduce(into: LastAnswers()) { $0.add($1) }
        return CaseFigures(
            all: service(nil, "", byDistrict.map { ($0.key, $0.value) }, lastAnswers),
            services: services.sorted { ($0.name, $0.code ?? "") < ($1.name, $1.code ?? "") })
    }

    private func service(_ code: String?, _ name: String, _ parts: [(district: String?, keys: [Key])], _ answers: LastAnswers) -> CaseFigures.Service {
        let districts = parts.map { (name: $0.district, figure: figure(of: $0.keys)) }.sorted { left, right in
            guard let first = left.name, let second = right.name else { return left.name != nil }
            return first < second
        }
        return CaseFigures.Service(code: code, name: name, whole: figure(of: parts.flatMap(\.keys)), districts: districts, answers: answers.all)
    }

    private func figure(of keys: [Key]) -> CaseFigure {
        var whole = Sums()
        for key in keys {
            guard let part = sums[key] else { continue }
            whole.figure.count += part.figure.count
            whole.figure.closedCount += part.figure.closedCount
            whole.figure.doneCount += part.figure.doneCount
            whole.figure.judgedCount += part.figure.judgedCount
            whole.figure.withinTargetCount += part.figure.withinTargetCount
            whole.outcomes.add(part.outcomes)
            whole.figure.channels.merge(part.figure.channels, uniquingKeysWith: +)
            whole.durations += part.durations
            whole.targets += part.targets
        }
        whole.figure.outcomes = whole.outcomes.shortened
        whole.durations.sort()
        whole.targets.sort()
        if whole.durations.count >= CaseFigure.durationCountMin {
            whole.figure.durations = .init(median: Percentile.of(whole.durations, 0.5), ninetieth: Percentile.of(whole.durations, 0.9))
        }
        if !whole.targets.isEmpty { whole.figure.target = Percentile.of(whole.targets, 0.5) }
        return whole.figure
    }
}

/// The percentile that lies between two values where it falls between two places: the definition 7 of R. Hyndman and Y. Fan (1996), which numpy and pandas
/// take when nothing else is said.
package enum Percentile {
    /// - Parameter sorted: at least one number, ascending.
    /// - Parameter share: from 0 to 1.
    package static func of(_ sorted: [Double], _ share: Double) -> Double {
        let place = Double(sorted.count - 1) * share
        let below = min(Int(place), sorted.count - 1)
        let (low, high) = (sorted[below], sorted[min(below + 1, sorted.count - 1)])
        return low + (high - low) * (place - Double(below))
    }
}
