package import CityModel
internal import OrderedCollections
package import Query

/// How long what an attribute was is kept: as it was recorded, then by the hour, then by the day, and then not at all. All count
/// from the moment of the observation.
package struct RetentionRule: Hashable, Sendable {
    /// How long whole instances are kept.
    package private(set) var raw: PeriodDuration
    /// How old summaries by the hour become; nil for ever.
    package private(set) var hourly: PeriodDuration?
    /// How old summaries by the day become; nil for ever.
    package private(set) var daily: PeriodDuration?
    /// Whether nothing may be kept for longer, whatever other rules say.
    package let isLimit: Bool
    /// As it was written.
    private var texts: [String: String]

    /// The members of a rule, in the order of their ages.
    package static let members = ["raw", "hourly", "daily"]
    /// The member that makes a limit of a rule.
    package static let limit = "limit"

    /// Why a rule is none, and which of its members is at fault.
    package struct Invalid: Error, Hashable, Sendable {
        package let member: String
        package let reason: String
    }

    /// - Parameter texts: ISO 8601 durations of members.
    package init(isLimit: Bool = false, _ text: (String) -> String?) throws(Invalid) {
        func duration(_ member: String) throws(Invalid) -> PeriodDuration? {
            guard let text = text(member) else { return nil }
            guard let duration = PeriodDuration(text) else {
                throw Invalid(member: member, reason: "\(text.prefix(100)) is not a duration such as P90D, P18M or P10Y")
            }
            guard duration.days >= 1 else { throw Invalid(member: member, reason: "\(text.prefix(100)) is shorter than a day") }
            return duration
        }
        let all = (try duration("raw"), try duration("hourly"), try duration("daily"))
        guard let raw = all.0 else { throw Invalid(member: "raw", reason: "is missing: what is kept whole for ever is never hourly or daily") }
        (self.raw, hourly, daily, self.isLimit) = (raw, all.1, all.2, isLimit)
        texts = Dictionary(uniqueKeysWithValues: Self.members.compactMap { member in text(member).map { (member, $0) } })
        guard hourly != nil || daily == nil else { throw Invalid(member: "hourly", reason: "is missing: what is hourly for ever is never daily") }
        if let hourly, hourly.days < raw.days { throw Invalid(member: "hourly", reason: "is shorter than raw; each counts from the observation on") }
        if let daily, let hourly, daily.days < hourly.days {
            throw Invalid(member: "daily", reason: "is shorter than hourly; each counts from the observation on")
        }
    }

    /// As documents of sources have it.
    package var json: JSON {
        var members: JSONObject = [:]
        for member in Self.members { if let text = texts[member] { members[member] = .string(text) } }
        if isLimit { members[Self.limit] = true }
        return .object(members)
    }

    /// Up to when what was observed is thinned at a moment.
    func borders(at now: Instant, _ calendar: RetentionCalendar) -> RetentionBorders {
        func ago(_ duration: PeriodDuration) -> Int64 { duration.start(ofPeriod: -1, from: now).microseconds }
        // Months are not all of one length: what is a day shorter in February does not turn the order round.
        let raw = calendar.hour(of: ago(raw)).lowerBound
        let hourly = hourly.map { min(calendar.day(of: ago($0)).lowerBound, raw) }
        let daily = daily.flatMap { daily in hourly.map { min(calendar.day(of: ago(daily)).lowerBound, $0) } }
        return RetentionBorders(raw: raw, hourly: hourly, daily: daily)
    }
}

extension PeriodDuration {
    /// About.
    fileprivate var days: Double { Double(months) * 30.436875 + Double(microseconds) / 86_400_000_000 }
}

/// Moments before which something is kept as it was no longer, in microseconds since 1970.
struct RetentionBorders: Hashable, Sendable {
    var raw: Int64
    var hourly: Int64?
    var daily: Int64?
}

/// The hours and days that history is summed up by: civil days of a zone, and hours counted from their midnight, so that a day
/// consists of whole hours wherever it is.
struct RetentionCalendar: Sendable {
    private static let hourMicroseconds: Int64 = 3_600_000_000
    private let zone: CivilZone

    init(_ zone: CivilZone) { self.zone = zone }

    func day(of microseconds: Int64) -> Range<Int64> {
        let day = zone.day(of: Instant(microseconds: microseconds))
        let start = zone.start(ofDay: day).microseconds
        // A day that the calendar left out has no length; the one after it is met then.
        let end = zone.start(ofDay: CivilDay(number: day.number + 1)).microseconds
        return start <= microseconds && microseconds < end ? start..<end : Self.plain(microseconds, Self.hourMicroseconds * 24)
    }

    func hour(of microseconds: Int64) -> Range<Int64> {
        let day = day(of: microseconds)
        let start = day.lowerBound + (microseconds - day.lowerBound) / Self.hourMicroseconds * Self.hourMicroseconds
        return start..<min(start + Self.hourMicroseconds, day.upperBound)
    }

    private static func plain(_ microseconds: Int64, _ length: Int64) -> Range<Int64> {
        let rest = microseconds % length
        let start = microseconds - (rest < 0 ? rest + length : rest)
        return start..<(start + length)
    }
}

/// The rules of one file: what its sources say of what they write, and what holds for everything else.
///
/// Which source wrote a series is not known, but which wrote its entity last. So of sources that write entities of one type and each
/// say how long an attribute is kept, the longest counts, whichever wrote last: what is dropped does not come back. Where one of them says that
/// it may not be kept for longer, as for privacy, it is not.
package struct RetentionRules: Sendable {
    /// In the documents of sources; what stands for all attributes.
    package static let member = "retention", anyAttribute = "*"

    private struct Source {
        var rules: [String: RetentionRule] = [:]
        /// Attributes whose stored rule can't be read: they are kept.
        var unreadable: Set<String> = []
        /// Of the entities that it writes; none where it writes what it is given.
        let types: Set<String>

        func shares(typesWith other: Source) -> Bool { types.isEmpty || other.types.isEmpty || !types.isDisjoint(with: other.types) }
    }

    private let standard: RetentionRule?
    private let sources: [String: Source]

    init(standard: RetentionRule?, sources documents: [Document]) {
        self.standard = standard
        var sources: [String: Source] = [:]
        for document in documents {
            var source = Source(types: Set((document.body["types"]?.arrayValue ?? []).compactMap(\.stringValue)))
            for (attribute, text) in document.body[Self.member]?.objectValue ?? [:] {
                if let rule = try? RetentionRule(isLimit: text[RetentionRule.limit] == true, { text[$0]?.stringValue }) { source.rules[attribute] = rule } else { source.unreadable.insert(attribute) }
            }
            sources[document.id] = source
        }
        self.sources = sources
    }

    var isEmpty: Bool { standard == nil && sources.values.allSatisfy { $0.rules.isEmpty } }

    /// - Parameter id: the source that wrote the attribute's entity last, if one did. Of one that was withdrawn everything is kept: what
    ///   it said of it is not known any more.
    /// - Returns: nil where everything is kept.
    func rule(_ attribute: IRI, of id: String?) -> RetentionRule? {
        guard let id else { return standard }
        guard let own = sources[id] else { return nil }
        let alike = sources.values.filter { $0.shares(typesWith: own) }
        guard !alike.contains(where: { $0.unreadable.contains(attribute.text) }), !own.unreadable.contains(Self.anyAttribute) else { return nil }
        let (named, whatever) = (alike.compactMap { $0.rules[attribute.text] }, own.rules[Self.anyAttribute])
        let limits = (named + [whatever].compactMap(\.self)).filter(\.isLimit)
        let longest = named.filter { !$0.isLimit }.max { $0.isShorter(than: $1) } ?? whatever.flatMap { $0.isLimit ? nil : $0 }
        guard let first = limits.first else { return longest ?? standard }
        return limits.reduce(longest ?? first) { $0.limited(by: $1) }
    }
}

extension RetentionRule {
    /// Whether it keeps less than another: whole for a shorter time, or as long and then by the hour, or by the day.
    fileprivate func isShorter(than other: RetentionRule) -> Bool {
        let (mine, others) = (ages, other.ages)
        return mine.lexicographicallyPrecedes(others)
    }

    /// Of each age the shorter: they get longer in their order, as those of both do.
    fileprivate func limited(by limit: RetentionRule) -> RetentionRule {
        func isShorter(_ other: PeriodDuration?, than own: PeriodDuration?) -> Bool { (other?.days ?? .infinity) < (own?.days ?? .infinity) }
        var limited = self
        if isShorter(limit.raw, than: raw) { (limited.raw, limited.texts["raw"]) = (limit.raw, limit.texts["raw"]) }
        if isShorter(limit.hourly, than: hourly) { (limited.hourly, limited.texts["hourly"]) = (limit.hourly, limit.texts["hourly"]) }
        if isShorter(limit.daily, than: daily) { (limited.daily, limited.texts["daily"]) = (limit.daily, limit.texts["daily"]) }
        return limited
    }

    private var ages: [Double] { [raw.days, hourly?.days ?? .infinity, daily?.days ?? .infinity] }
}
