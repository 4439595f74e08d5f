package import CityModel
internal import OrderedCollections
internal import Query
internal import Series
internal import Store
package import Trust

extension Broker {
    /// Reads each series once and keeps what its group comes to. What the access does not let be seen is in no figure.
    ///
    /// Entities that are gone take part with their history where they are asked for by type or identifier alone: what they were, and
    /// where, is not known any more.
    /// - Throws: `tooComplexQuery` when it takes too long or too much.
    package func answer(_ question: SeriesQuestion, _ access: ReadAccess, at now: Instant) async throws -> SeriesAnswer {
        let search = search(EntityQuery(filter: question.filter, limit: .max / 2), access, at: now)
        let window = HistoryWindow(nil, now: now, access.classificationMax, deadline: .now + search.limits.duration)
        let file = try file(toRead: access)
        // Groups of entities have nothing to do with each other.
        if question.grouping == .entity, question.filter.ids.map({ $0.count > 1 }) ?? true {
            let shares = try await file.readShares { snapshot, share in
                var part = search
                part.share = share
                return try SeriesAnswering.answer(part, snapshot, question, window)
            }
            let answer = try question.joined(shares)
            try await account(forShown: answer.personal, access, at: now)
            return answer
        }
        let answer = try await file.read { try SeriesAnswering.answer(search, $0, question, window) }
        try await account(forShown: answer.personal, hasFigures: answer.hasPersonalFigures, access, at: now)
        return answer
    }
}

extension SeriesQuestion {
    /// Whether what is asked for can be said of an entity that is gone.
    fileprivate var takesPast: Bool {
        guard filter.geo == nil, filter.query == nil else { return false }
        return switch grouping {
        case .entity, .type, .all: true
        case .attribute, .within: false
        }
    }
}

/// Puts series into their groups and folds them.
private struct SeriesAnswering {
    static func answer(_ search: EntitySearch, _ snapshot: ReadSnapshot, _ question: SeriesQuestion, _ window: HistoryWindow) throws -> SeriesAnswer {
        var answering = try SeriesAnswering(snapshot: snapshot, question: question, window: window)
        try snapshot.visitMatches(search) { found in
            try answering.add(found)
            return true
        }
        if question.takesPast { try snapshot.visitPast(question.filter, share: search.share, window) { try answering.add($0) } }
        return try answering.answer()
    }

    private typealias Key = SeriesGroupKey

    private struct Group {
        var fold: SeriesFold
        /// The number of the entity whose name is the group's.
        let owner: Int64?
        var seriesCount = 0
        var units: Set<String?> = []
        /// Where rules show figures alone: of how many entities they must be at least, and of which they are.
        var entityCountMin = 0
        var entities: Set<Int64> = []
        /// Those of its entities that are about people: one, or the first two of several.
        var personal: [Int64] = []
    }

    private let snapshot: ReadSnapshot
    private let question: SeriesQuestion
    private let window: HistoryWindow
    private let areas: [(id: IRI, number: Int64, geometry: PreparedGeometry)]
    private let looksBack: Bool
    private let empty: SeriesFold
    private var groups: [Key: Group] = [:]
    private var seriesCount = 0
    private var keptCount = 0
    private var dropped = DroppedTimes()

    init(snapshot: ReadSnapshot, question: SeriesQuestion, window: HistoryWindow) throws {
        (self.snapshot, self.question, self.window) = (snapshot, question, window)
        looksBack = question.functions.contains(where: \.looksBack)
        empty = SeriesFold(question.grid, question.functions, now: window.now)
        if case .within(let type) = question.grouping { areas = try snapshot.areas(type, window) } else { areas = [] }
    }

    mutating func add(_ found: FoundEntity) throws {
        let key: String?
        switch question.grouping {
        case .entity: return try add(found.stored, key: found.stored.id.text, owner: found.stored.number)
        case .all: key = nil
        case .type: key = try (found.entity?.types ?? snapshot.entityTypes(found.stored)).first?.text
        case .attribute(let name): key = try snapshot.entity(found, keeping: [name]).attributes[name]?.first?.groupText
        case .within:
            guard let value = try snapshot.entity(found, keeping: [.location]).attributes[.location]?.first?.value, let place = try? Geometry(value),
                let area = areas.first(where: { $0.geometry.intersects(place) })
            else { return try add(found.stored, key: nil, owner: nil) }
            return try add(found.stored, key: area.id.text, owner: area.number)
        }
        try add(found.stored, key: key, owner: nil)
    }

    mutating func add(_ past: HistoricEntity) throws {
        let key: String? =
            switch question.grouping {
            case .entity: past.id.text
            case .type: past.types.first?.text
            case .all, .attribute, .within: nil
            }
        try add(number: past.number, past.classification, key: key, owner: nil)
    }

    private mutating func add(_ stored: StoredEntity, key: String?, owner: Int64?) throws {
        try add(number: stored.number, stored.classification, key: key, owner: owner)
    }

    private mutating func add(number: Int64, _ classification: Classification, key: String?, owner: Int64?) throws {
        // Of those without a sample nothing is said but what they were before.
        let all = try snapshot.series(of: number, attributes: question.attributes, window.classificationMax, mayBeEmpty: !looksBack)
        for series in all {
            try window.checkDeadline()
            try fold(series, of: number, classification.isPersonal, into: Key(key: key, attribute: series.attribute, datasetID: question.grouping == .entity ? series.datasetID : nil), owner)
        }
    }

    private mutating func fold(
        _ series: Series, of number: Int64, _ isPersonal: Bool, into key: Key, _ owner: Int64?
    ) throws {
        let known = groups.removeValue(forKey: key)
        var group = known ?? Group(fold: empty, owner: owner)
        let interval = question.grid.interval
        let (before, keptBefore) = (group.fold.observationCount, group.fold.keptCount)
        group.fold.begin(looksBack ? try snapshot.lastSample(of: number, series, before: interval.lowerBound, window) : nil)
        let (grid, takesTogether) = (question.grid, question.functions.allSatisfy(\.takesTogether))
        var thinned = try ThinnedSeries(snapshot, number, series, interval, window)
        let unit = try snapshot.visitSamples(of: number, series, in: interval, window) { first, last in
            takesTogether && grid.holdsTogether(first, last)
        } visit: { span in thinned.add(span, to: &group.fold) }
        thinned.addRest(to: &group.fold)
        group.fold.finish()
        for (times, kept) in thinned.missing { dropped.add(series.attribute, times, kept) }
        guard group.fold.observationCount > before || looksBack || !thinned.missing.isEmpty else {
            groups[key] = known
            return
        }
        if known == nil { try question.checkRoom(groupCount: groups.count + 1) }
        if let countMin = try snapshot.entityCountMin(of: series.attribute, of: number) { group.entityCountMin = max(group.entityCountMin, countMin) }
        if snapshot.isRuled { group.entities.insert(number) }
        if isPersonal, group.personal.count < 2, group.personal.last != number { group.personal.append(number) }
        group.seriesCount += 1
        seriesCount += 1
        try question.checkSeries(seriesCount)
        group.units.insert(try (unit ?? snapshot.unit(of: number, series, window)).map { String($0.prefix(100)) })
        let keptAfter = group.fold.keptCount
        groups[key] = group
        keptCount += keptAfter - keptBefore
        try question.checkKept(keptCount)
    }

    func answer() throws -> SeriesAnswer {
        let keys = question.ordered(groups.compactMap { isWanted($0.value) ? $0.key : nil }) { key, function in
            var fold = groups[key]?.fold
            return fold?.firstResult(function)
        }
        let naming = snapshot.terms.names { $0.lastWord == "name" }
        let answered = try keys.prefix(question.limit).compactMap { key -> SeriesGroup? in
            guard let group = groups[key] else { return nil }
            try window.checkDeadline()
            var fold = group.fold
            // A figure of one entity tells of that entity, one of many of none of them.
            let isOfOne = group.seriesCount == 1 && group.personal.count == 1
            return SeriesGroup(
                personal: isOfOne ? group.personal[0] : nil, hasPersonalFigures: !isOfOne && !group.personal.isEmpty,
                key: key.key, name: try group.owner.flatMap { try snapshot.name(of: $0, among: naming, at: window.now) }, attribute: key.attribute, datasetID: key.datasetID,
                unitCode: group.units.count == 1 ? group.units.first ?? nil : nil, seriesCount: group.seriesCount,
                observationCount: fold.observationCount, values: fold.results(question.filling))
        }
        return SeriesAnswer(
            groups: answered, groupCount: keys.count, dropped: dropped.all, wholeGroupCount: groups.count, seriesCount: seriesCount, keptCount: keptCount)
    }

    private func isWanted(_ group: Group) -> Bool {
        guard group.entities.count >= group.entityCountMin else { return false }
        guard let condition = question.condition else { return true }
        var fold = group.fold
        return fold.firstResult(question.functions[condition.function]).map(condition.holds) ?? false
    }
}

/// What is left of a series where it was thinned, put among its samples in order of time.
private struct ThinnedSeries {
    private var summaries: ArraySlice<KeptSummary>
    private let interval: Range<Instant>
    private var gone: [Range<Instant>]
    /// What would have needed more.
    private(set) var missing: [(times: Range<Instant>, kept: ThinnedSpan.Kept)]

    init(_ snapshot: ReadSnapshot, _ number: Int64, _ series: Series, _ interval: Range<Instant>, _ window: HistoryWindow) throws {
        let last = Instant(microseconds: interval.upperBound.microseconds - 1)
        summaries = try snapshot.keptSummaries(of: number, series, in: interval.lowerBound...max(interval.lowerBound, last), window)[...]
        self.interval = interval
        gone = try snapshot.thinnedSpans(of: number, series, window.classificationMax).filter { $0.isOfNumbers && $0.kept == .nothing }
            .compactMap { $0.clamped(to: interval)?.times }
        missing = gone.map { ($0, .nothing) }
    }

    mutating func add(_ span: SampleSpan, to fold: inout SeriesFold) {
        switch span {
        case .one(let sample):
            addSummaries(before: sample.at.microseconds, to: &fold)
            fold.add(sample.value, at: sample.at)
        case .numbers(let times, let values):
            guard let next = summaries.first, let last = times.last, next.summary.first.time < last else { return fold.add(span) }
            for index in times.indices {
                addSummaries(before: times[index], to: &fold)
                fold.add(values[index], at: Instant(microseconds: times[index]))
            }
        case .block: fold.add(span)
        }
    }

    mutating func addRest(to fold: inout SeriesFold) {
        addSummaries(before: .max, to: &fold)
        for times in gone { fold.forget(times) }
    }

    private mutating func addSummaries(before moment: Int64, to fold: inout SeriesFold) {
        while let next = summaries.first, next.summary.first.time < moment {
            summaries.removeFirst()
            let times = Instant(microseconds: next.summary.start)..<Instant(microseconds: next.summary.end)
            guard fold.add(next.summary) else { continue }
            let (part, kept) = (times.clamped(to: interval), next.level.kept)
            if let index = missing.lastIndex(where: { $0.kept == kept }) {
                let known = missing[index].times
                missing[index].times = min(known.lowerBound, part.lowerBound)..<max(known.upperBound, part.upperBound)
            } else {
                missing.append((part, kept))
            }
        }
    }
}

extension SeriesFold {
    fileprivate mutating func add(_ span: SampleSpan) {
        switch span {
        case .one(let sample): add(sample.value, at: sample.at)
        case .numbers(let times, let values): add(values, at: times)
        case .block(let measures, let first, let last):
            guard let firstValue = first.value, let lastValue = last.value else { return }
            add(measures, first: (first.at, firstValue), last: (last.at, lastValue))
        }
    }
}

extension ReadSnapshot {
    /// The entities of a type that have an area, by identifier.
    fileprivate func areas(_ type: IRI, _ window: HistoryWindow) throws -> [(id: IRI, number: Int64, geometry: PreparedGeometry)] {
        var areas: [(id: IRI, number: Int64, geometry: PreparedGeometry)] = []
        let search = EntitySearch(
            filter: EntityFilter(types: .type(type)), classificationMax: window.classificationMax, limit: .max / 2, now: window.now)
        try visitMatches(search) { found in
            guard let value = try entity(found, keeping: [.location]).attributes[.location]?.first?.value, let geometry = try? Geometry(value), ![.point, .multiPoint].contains(geometry.kind) else { return true }
            guard areas.count < SeriesLimits.areaCountMax else {
                throw CityError.tooComplexQuery("group: more than \(SeriesLimits.areaCountMax) areas")
            }
            areas.append((found.stored.id, found.stored.number, try PreparedGeometry(geometry)))
            return true
        }
        guard !areas.isEmpty else { throw CityError.badRequestData("group: there is no \(type) that has an area") }
        return areas.sorted { $0.id < $1.id }
    }

    /// The attribute `name` of an entity, of whatever vocabulary.
    /// - Parameter names: what `name` is called in all of them.
    fileprivate func name(of number: Int64, among names: Set<IRI>, at now: Instant) throws -> String? {
        guard let stored = try storedEntity(number: number) else { return nil }
        let named = try entity(FoundEntity(stored: stored, entity: nil), keeping: names).unexpired(at: now)
        return named?.attributes.values.first?.first?.value.stringValue.map { String($0.prefix(200)) }
    }
}

extension Attribute {
    /// A value to group by, in words; nil for one that has no words, or more than a name has.
    fileprivate var groupText: String? {
        if kind.isRelationship { return targets.first }
        return switch value {
        case .null, .object, .array: nil
        case .string(let text): text.utf8.count <= 400 ? text : nil
        case .integer, .number, .bool: value.description
        }
    }
}
