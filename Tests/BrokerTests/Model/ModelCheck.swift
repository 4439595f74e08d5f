import CityModel
import Foundation
import OrderedCollections
import Query
import Store
import Testing

/// Holds what a file has against what the model says. The order of operations is that of the journal, which is what is checked first: each operation is in
/// it as a whole and as often as the model says, none that was refused is, and one that was asked for after another was answered comes after it.
struct ModelCheck {
    private typealias Place = (writer: Int, index: Int)
    typealias Difference = String

    private let asked: [[ModelRun.Asked]]
    /// The operations of which the journal tells, in its order.
    private var order: [Place] = []
    /// How long the journal was after each of them; begins with 0.
    private var lengths = [0]
    private var seqs: [Int64] = []
    private let retention: ModelRetention

    init(_ asked: [[ModelRun.Asked]], _ retention: ModelRetention) { (self.asked, self.retention) = (asked, retention) }

    private func operation(_ place: Place) -> ModelRun.Asked { asked[place.writer][place.index] }

    // MARK: The journal as a whole

    /// Reads the journal of a file of which every operation was answered, and checks what was answered.
    mutating func readOrder(of journal: [Change]) -> Difference? {
        var places: [Instant: Place] = [:]
        for (writer, asked) in asked.enumerated() { for (index, one) in asked.enumerated() { places[one.now] = (writer, index) } }
        seqs = journal.map(\.seq)
        guard seqs == Array(1...Int64(max(1, seqs.count))).prefix(seqs.count).map(\.self) else { return "the journal's numbers are \(seqs)" }
        for (number, change) in journal.enumerated() {
            guard let place = places[change.at] else { return "change \(change.seq) of \(change.entityID) is nobody's" }
            if let last = order.last, last == place { lengths[lengths.count - 1] = number + 1 } else {
                order.append(place)
                lengths.append(number + 1)
            }
        }
        guard Set(order.map { "\($0.writer).\($0.index)" }).count == order.count else { return "an operation is in the journal in two parts" }
        return disorder ?? replayAll(journal)
    }

    /// An operation that comes before one that was answered before it was asked for.
    private var disorder: Difference? {
        var firstAnswer = Int.max
        for place in order.reversed() {
            if firstAnswer < operation(place).askedAt { return "\(operation(place)) comes before what was answered before it" }
            firstAnswer = min(firstAnswer, operation(place).answeredAt ?? .max)
        }
        return nil
    }

    private func replayAll(_ journal: [Change]) -> Difference? {
        var (city, states, done) = (ModelCity(retention), [ModelCity(retention)], asked.map { _ in 0 })
        var silent: [(Place, own: ModelResult)] = []
        func skip(_ writer: Int, to end: Int) -> Difference? {
            for index in done[writer]..<max(done[writer], end) {
                let (one, length) = (asked[writer][index], city.journal.count)
                if one.operation.isOwn {
                    let result = city.perform(one)
                    if city.journal.count != length { return "\(one) is not in the journal" }
                    if result != one.result { return "\(one) where the model says \(result)" }
                } else { silent.append(((writer, index), .refused)) }
            }
            done[writer] = max(done[writer], end)
            return nil
        }
        for (position, place) in order.enumerated() {
            if let difference = skip(place.writer, to: place.index) { return difference }
            guard done[place.writer] == place.index else { return "\(operation(place)) comes after what its writer asked for later" }
            let one = operation(place)
            let result = city.perform(one)
            done[place.writer] += 1
            let rows = city.journal[lengths[position]...], found = journal[lengths[position]..<lengths[position + 1]].map(ModelCity.Row.init)
            if Array(rows) != found { return "\(one): the journal has\n\(found)\nand the model\n\(Array(rows))" }
            if result != one.result { return "\(one) where the model says \(result)" }
            states.append(city)
        }
        for writer in asked.indices { if let difference = skip(writer, to: asked[writer].count) { return difference } }
        return silent.lazy.compactMap { place, _ in unexplained(operation(place), states) }.first
    }

    /// Whether what changed nothing would have changed nothing, and have got its answer, at some moment between question and answer.
    private func unexplained(_ one: ModelRun.Asked, _ states: [ModelCity]) -> Difference? {
        let answers = order.map { operation($0).answeredAt ?? .max }, questions = order.map { operation($0).askedAt }
        let first = (answers.lastIndex { $0 < one.askedAt } ?? -1) + 1
        let last = questions.firstIndex { $0 > one.answeredAt ?? .max } ?? order.count
        for state in states[first...max(first, last)] {
            let (result, rows) = state.trying(one)
            if rows.isEmpty, result == one.result { return nil }
        }
        return "\(one): at no moment of it the model says so"
    }

    // MARK: What is left of it

    /// As it was left, and when it is thinned then.
    func differences(of file: MunicipalityFile, _ remains: ModelRun.Remains) async throws -> Difference? {
        if let difference = try await difference(of: file, remains) { return difference }
        return try await differenceWhenThinned(file, remains)
    }

    /// Holds a file of which the journal goes to some operation against the model at that moment.
    private func difference(of file: MunicipalityFile, _ remains: ModelRun.Remains) async throws -> Difference? {
        let length = try await file.read { Int(try $0.lastChangeNumber()) }
        guard let count = lengths.firstIndex(of: length) else { return "the journal ends within an operation, at \(length) of \(lengths)" }
        // Of each writer: what is surely there, and what may be.
        var (least, most) = (remains.answeredCounts, remains.askedCounts)
        for place in order.prefix(count) { least[place.writer] = max(least[place.writer], place.index + 1) }
        for place in order.dropFirst(count) { most[place.writer] = min(most[place.writer], place.index) }
        for writer in asked.indices where least[writer] > most[writer] {
            return "\(asked[writer][most[writer]]) is missing, of \(least[writer]) that were answered"
        }
        let city = replay(count, least)
        // What of a writer's own the journal does not tell may be there or not, one after the other.
        var cities = [city]
        for writer in asked.indices {
            cities = cities.flatMap { start in
                var (city, all) = (start, [start])
                for one in asked[writer][least[writer]..<most[writer]] where one.operation.isOwn {
                    let result = city.perform(one)
                    guard city.journal.count == start.journal.count else { break }
                    if result != .refused { all.append(city) }
                }
                return all
            }
        }
        return try await Self.first(cities) { city in
            if let difference = try await content(of: file, city, remains) { return difference }
            return try await deliveries(of: file, city, remains)
        }
    }

    /// The same when everything that may be thinned a day later was.
    private func differenceWhenThinned(_ file: MunicipalityFile, _ remains: ModelRun.Remains) async throws -> Difference? {
        var later = remains
        let end = (asked.joined().map(\.now).max() ?? noon).adding(seconds: 86_400)
        (later.thinnedAt, later.isThinned) = (end, true)
        let faults = try await file.thinAll(retention.policy(at: end, rowCountMax: 100))
        return faults.isEmpty ? try await difference(of: file, later).map { "when it was thinned: \($0)" } : "\(faults)"
    }

    /// What differs of the first of cities that may be meant, nil when nothing differs of one.
    private static func first(_ cities: [ModelCity], _ difference: (ModelCity) async throws -> Difference?) async throws -> Difference? {
        var first: Difference?
        for city in cities {
            guard let difference = try await difference(city) else { return nil }
            first = first ?? difference
        }
        return first
    }

    private func replay(_ count: Int, _ ends: [Int]) -> ModelCity {
        var (city, done) = (ModelCity(retention), asked.map { _ in 0 })
        func go(_ writer: Int, to end: Int) {
            guard done[writer] < end else { return }
            for one in asked[writer][done[writer]..<end] where one.operation.isOwn { _ = city.perform(one) }
            done[writer] = end
        }
        for place in order.prefix(count) {
            go(place.writer, to: place.index)
            _ = city.perform(operation(place))
            done[place.writer] = place.index + 1
        }
        for writer in asked.indices { go(writer, to: ends[writer]) }
        return city
    }

    /// Notifications that were delivered, that wait, and changes that wait to become some are together what is watched, in its order.
    private func deliveries(of file: MunicipalityFile, _ city: ModelCity, _ remains: ModelRun.Remains) async throws -> Difference? {
        let rows = Array(zip(seqs, city.journal).filter { $1.isWatched })
        let firstAfter = asked.joined().filter { $0.now >= ModelRun.passingUntil }.map(\.askedAt).min() ?? .max
        let answeredAt = Dictionary(asked.joined().map { ($0.now, $0.answeredAt ?? .max) }) { first, _ in first }
        return try await file.read { snapshot in
            var (sentCount, madeCount) = (0, 0)
            for (id, type) in [(ModelRun.subscription, ModelOperation.watchedType), (ModelRun.passing, ModelOperation.otherType)] {
                let sent = Int(try snapshot.subscription(id)?.delivery.timesSent ?? -1)
                let waiting = try snapshot.outbox(of: id, limit: .max / 2, byteCountMax: .max).compactMap { Int64(String(decoding: $0.body, as: UTF8.self)) }
                let unmatched = try snapshot.watchedChanges(limit: .max / 2, byteCountMax: .max).filter { try $0.change.get().entity.types == [type] }.map(\.seq)
                let told = rows.filter { $1.type == type && (id == ModelRun.subscription || $1.at < ModelRun.passingUntil) }
                // Once it was met by a change after its end it is forgotten, whatever comes then with an earlier time.
                let surely = told.filter { id == ModelRun.subscription || answeredAt[$1.at] ?? .max < firstAfter }.map(\.0)
                if let difference = Self.difference(sent, waiting + unmatched, of: told.map(\.0), surely) { return "\(id): \(difference)" }
                (sentCount, madeCount) = (sentCount + sent, madeCount + sent + waiting.count)
                let size = try snapshot.outboxSize(of: id)
                guard size?.count ?? 0 == waiting.count else { return "the outbox of \(id) counts \(String(describing: size)), and has \(waiting.count)" }
            }
            return sentCount >= remains.sentCount && madeCount >= remains.matchedCount
                ? nil : "\(sentCount) delivered of \(madeCount), where it were \(remains.sentCount) of \(remains.matchedCount)"
        }
    }

    /// - Parameter left: changes that wait, in their order.
    /// - Parameter surely: those of `all` that must have been noticed.
    private static func difference(_ sentCount: Int, _ left: [Int64], of all: [Int64], _ surely: [Int64]) -> Difference? {
        let next = left.first ?? .max, rest = Set(left)
        let isInOrder = zip(left, left.dropFirst()).allSatisfy(<), isComplete = surely.allSatisfy { $0 < next || rest.contains($0) }
        let counts = surely.count { $0 < next }...all.count { $0 < next }
        if isInOrder, isComplete, rest.isSubset(of: all), counts.contains(sentCount) { return nil }
        return "delivered \(sentCount), waiting \(left), of \(all), of these surely \(surely)"
    }

    /// Registrations of which nobody may have seen that they have expired are there, and no others that surely were swept.
    private func registrations(_ snapshot: ReadSnapshot, _ remains: ModelRun.Remains) throws -> Difference? {
        let swept = asked[ModelDraw.writerCount].prefix(remains.answeredCounts[ModelDraw.writerCount]).map(\.now).max() ?? noon
        for one in ModelRun.registered {
            let isThere = try snapshot.registration(one.id) != nil, end = one.expiresAt ?? Instant(microseconds: .max)
            if isThere ? end <= swept : end > remains.sweptAt ?? noon { return "\(one.id), until \(end), is \(isThere ? "there" : "gone"), swept at \(swept)" }
        }
        return nil
    }
}

// MARK: Entities, history and indexes

extension ModelCheck {
    private func content(of file: MunicipalityFile, _ city: ModelCity, _ remains: ModelRun.Remains) async throws -> Difference? {
        // A sweep may have erased what had expired then.
        let swept = remains.sweptAt ?? Instant(microseconds: .min)
        let ids = Set(asked.joined().flatMap(\.operation.ids))
        let difference: Difference? = try await file.read { snapshot in
            let stored = try snapshot.entities(after: 0, limit: .max / 2)
            guard stored.count == city.entities.count, try snapshot.entityCount() == stored.count else { return "\(stored.map(\.id)) where \(city.entities.keys.map(\.self))" }
            for one in stored {
                let found = try snapshot.entity(one)
                guard let wanted = city.entities[one.id], found.isSame(as: wanted) else { return "\(found)\nwhere\n\(String(describing: city.entities[one.id]))" }
            }
            for id in ids {
                let found = try snapshot.allRecords(of: id, at: swept).mapValues { $0.map(Line.init) }, wanted = (city.history[id] ?? [:]).living(at: swept)
                guard !ModelDraw.isAging(id) else {
                    if let difference = try thinned(snapshot, id, city, remains, swept) { return difference }
                    continue
                }
                for series in Set(found.keys).union(wanted.keys) where found[series] ?? [] != (wanted[series] ?? []).map(Line.init) {
                    return "history of \(id) \(series):\n\(found[series] ?? [])\nwhere\n\((wanted[series] ?? []).map(Line.init))"
                }
            }
            return try registrations(snapshot, remains) ?? Self.searches.lazy.compactMap { try Self.difference($0, snapshot, city, at: swept) }.first
        }
        guard difference == nil else { return difference }
        let faults = try await file.verify().faults
        return faults.isEmpty ? nil : "\(faults)"
    }

    /// Questions that indexes answer, and which entities are the answer.
    private static var searches: [(EntityFilter, @Sendable (Entity) -> Bool)] {
        get throws {
            func query(_ text: String, _ isWanted: @escaping @Sendable (Entity) -> Bool) throws -> (EntityFilter, @Sendable (Entity) -> Bool) {
                (EntityFilter(query: try QueryExpression(parsing: text, expand: { iri($0) })), isWanted)
            }
            @Sendable func values(_ entity: Entity, _ name: IRI) -> [JSON] { (entity.attributes[name] ?? []).map(\.value) }
            var searches = [ModelOperation.watchedType, ModelOperation.otherType].map { type in
                (EntityFilter(types: .type(type)), { @Sendable (entity: Entity) in entity.types == [type] })
            }
            searches.append((EntityFilter(attributes: [ModelOperation.note]), { $0.attributes[ModelOperation.note] != nil }))
            searches.append(try query("level>4") { values($0, ModelOperation.level).contains { $0.doubleValue.map { $0 > 4 } ?? false } })
            searches.append(try query("state==\"on\"") { values($0, ModelOperation.state).contains("on") })
            searches.append(try query("note[x]==1") { values($0, ModelOperation.note).contains { $0["x"] == 1 } })
            return searches
        }
    }

    private static func difference(
        _ search: (EntityFilter, @Sendable (Entity) -> Bool), _ snapshot: ReadSnapshot, _ city: ModelCity, at swept: Instant
    ) throws -> Difference? {
        // What has expired is not found, whether or not somebody has swept it.
        let now = max(noon, swept)
        let wanted = Set(city.entities.values.compactMap { $0.living(at: now) }.filter(search.1).map(\.id))
        let page = try snapshot.search(EntitySearch(filter: search.0, classificationMax: .special, limit: 1000, wantsCount: true, now: now))
        let found = Set(page.entities.map(\.stored.id))
        return found == wanted && page.count == wanted.count ? nil : "\(search.0) finds \(found), counts \(String(describing: page.count)), where \(wanted)"
    }

    /// A record as readers see it.
    struct Line: Hashable, CustomStringConvertible {
        let at: Int64
        let createdAt, modifiedAt: Int64?
        let value: JSON?
        let isObserved: Bool
        let expiresAt: Instant?
        /// Nil for the trace of a deletion, which is recorded when it says.
        var recordedAt: Int64 { createdAt ?? at }

        init(_ record: RecordedInstance) {
            (at, value) = (record.time.microseconds, record.deletedAt == nil ? record.attribute.value : nil)
            (createdAt, modifiedAt) = (record.attribute.createdAt?.microseconds, record.attribute.modifiedAt?.microseconds)
            (isObserved, expiresAt) = (record.attribute.observedAt != nil, record.attribute.expiresAt)
        }

        init(_ record: ModelCity.Record) {
            (at, value, isObserved, expiresAt) = (record.at, record.value, record.isObserved, record.expiresAt)
            let recordedAt = record.value == nil ? nil : record.at + record.late
            (createdAt, modifiedAt) = (recordedAt, record.value == nil ? nil : record.modifiedAt ?? recordedAt)
        }

        var description: String { "\(at - noon.microseconds) \(value.map { "\($0)" } ?? "deleted") \((createdAt ?? 0) - noon.microseconds) \((modifiedAt ?? 0) - noon.microseconds)" }
    }
}

extension ModelCity.Row {
    fileprivate init(_ change: Change) {
        // What is watched the outbox tells.
        let isWatched = !change.types.isEmpty && (change.operation != .updated || !change.attributes.isEmpty)
        self.init(operation: change.operation, at: change.at, id: change.entityID, type: change.types.first, attributes: Set(change.attributes), isWatched: isWatched)
    }
}

extension Entity {
    /// In whatever order its attributes are.
    fileprivate func isSame(as other: Entity) -> Bool {
        types == other.types && expiresAt == other.expiresAt && createdAt == other.createdAt && modifiedAt == other.modifiedAt && attributes.count == other.attributes.count
            && attributes.allSatisfy { other.attributes[$0] == $1 }
    }
}

extension ReadSnapshot {
    /// Everything that is recorded of an entity, of each series in the order of time.
    /// - Parameter now: what has expired then is left out.
    func allRecords(of id: IRI, at now: Instant = Instant(microseconds: .min)) throws -> [SeriesName: [RecordedInstance]] {
        guard let entity = try historicEntity(id, .special) else { return [:] }
        var found: [SeriesName: [RecordedInstance]] = [:]
        for series in try self.series(of: entity.number, .special) {
            try visitRecords(of: entity.number, series, HistoryWindow(nil, now: now, .special)) { record in
                found[SeriesName(attribute: series.attribute, datasetID: series.datasetID), default: []].append(record)
                return true
            }
        }
        return found
    }
}

extension [SeriesName: [ModelCity.Record]] {
    func living(at now: Instant) -> Self { mapValues { $0.filter { $0.expiresAt.map { $0 > now } ?? true } } }
}
