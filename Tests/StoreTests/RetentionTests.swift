import CityModel
import GRDB
import OrderedCollections
import Query
import RandomEntities
import Series
@testable import Store
import Testing

/// What is old becomes hours, then days, then nothing; and until it is nothing, whole hours and days come to what they came to.
@Suite struct RetentionTests {
    private static let level = iri("level")
    private static let hour: Int64 = 3_600_000_000

    static func hours(_ number: Double) -> Instant { Instant(microseconds: noon.microseconds + Int64(number * Double(hour))) }

    static func rule(_ raw: String, _ hourly: String? = nil, _ daily: String? = nil) throws -> RetentionRule {
        try RetentionRule { ["raw": raw, "hourly": hourly, "daily": daily][$0] ?? nil }
    }

    /// Walks over all series.
    @discardableResult static func thin(_ file: MunicipalityFile, _ policy: RetentionPolicy) async throws -> RetentionStep {
        var (whole, position) = (RetentionStep(next: nil), RetentionPosition?.none)
        repeat {
            let step = try await file.thin(policy, after: position)
            whole.count += step.count
            whole.faults += step.faults
            position = step.next
        } while position != nil
        return whole
    }

    private static func policy(_ rule: RetentionRule?, at now: Instant, zone: String = "UTC", rowCountMax: Int = 500) throws -> RetentionPolicy {
        RetentionPolicy(rule, zone: try #require(CivilZone(zone)), at: now, rowCountMax: rowCountMax)
    }

    private static func add(
        _ value: JSON, at moment: Instant, recorded: Instant? = nil, unit: String? = nil, as classification: Classification = .open,
        name: IRI = level, _ transaction: WriteTransaction
    ) throws -> Bool {
        let target =
            try transaction.historicEntity(entityID(1), .special, evenIfEmpty: true)
            ?? transaction.insertHistoric(entityID(1), types: [iri("Thing")], classification: .open, at: noon)
        let attribute = Attribute(kind: .property, value: value, observedAt: moment, unitCode: unit)
        return try transaction.appendHistory(attribute, name: name, of: target.number, classification, at: recorded ?? moment.adding(seconds: 1))
    }

    /// Values every ten minutes for some days.
    private func folder(days: Int) async throws -> TemporaryStore {
        let folder = try TemporaryStore()
        try await folder.file().write { transaction in
            for number in 0..<(days * 144) { _ = try Self.add(.number(Double(number % 77) / 10), at: Self.hours(Double(number) / 6), transaction) }
        }
        return folder
    }

    private func counts(_ folder: TemporaryStore) async throws -> (rows: Int, sealed: Int, hourly: Int, daily: Int) {
        try await folder.file().read { snapshot in
            func count(_ sql: String) throws -> Int { try Int.fetchOne(snapshot.db, sql: sql) ?? 0 }
            return (
                try count("SELECT count(*) FROM instance"), try count("SELECT coalesce(sum(count), 0) FROM chunk"),
                try count("SELECT coalesce(sum(count), 0) FROM summary WHERE level = 1"),
                try count("SELECT coalesce(sum(count), 0) FROM summary WHERE level = 2")
            )
        }
    }

    @Test func `of sources that write the same the longest rule counts, whichever wrote last, and of one that was withdrawn all is kept`() throws {
        func source(_ id: String, _ types: [String], _ rules: [String: JSON]) -> Document {
            let members = JSONObject(uniqueKeysWithValues: rules.map { ($0.key == "*" ? "*" : iri($0.key).text, $0.value) })
            return Document(id: id, body: ["types": .array(types.map(JSON.string)), "retention": .object(members)], modifiedAt: noon)
        }
        let standard = try Self.rule("P30D", "P30D", "P30D")
        let rules = RetentionRules(
            standard: standard,
            sources: [
                source("live", ["Road"], ["level": ["raw": "P90D"], "plate": ["raw": "P1D", "hourly": "P1D", "daily": "P1D"]]),
                source("archive", ["Road"], ["level": ["raw": "P90D", "hourly": "P20Y"]]), source("names", ["Road"], [:]),
                source("given", [], ["*": ["raw": "P2D"]]), source("other", ["Well"], ["level": ["raw": "P50Y"]]),
                source("damaged", ["Lamp"], ["level": ["raw": "soon"]]),
            ])
        let longest = try Self.rule("P90D")
        for id in ["live", "archive", "names"] { #expect(rules.rule(iri("level"), of: id) == longest) }
        for id in ["live", "archive", "names"] { #expect(rules.rule(iri("plate"), of: id) == (try Self.rule("P1D", "P1D", "P1D"))) }
        #expect(rules.rule(iri("name"), of: "names") == standard)
        #expect(rules.rule(iri("level"), of: "other") == (try Self.rule("P50Y")))
        #expect(rules.rule(iri("name"), of: "given") == (try Self.rule("P2D")))
        #expect(rules.rule(iri("level"), of: nil) == standard)
        #expect(rules.rule(iri("level"), of: "withdrawn") == nil && rules.rule(iri("level"), of: "damaged") == nil)
    }

    @Test func `nothing is kept for longer than a limit says, whoever wrote last and whatever others say`() throws {
        func source(_ id: String, _ types: [String], _ rules: [String: JSON]) -> Document {
            let members = JSONObject(uniqueKeysWithValues: rules.map { ($0.key == "*" ? "*" : iri($0.key).text, $0.value) })
            return Document(id: id, body: ["types": .array(types.map(JSON.string)), "retention": .object(members)], modifiedAt: noon)
        }
        func rules(_ documents: [Document], standard: RetentionRule? = nil) -> RetentionRules { RetentionRules(standard: standard, sources: documents) }
        /// What is kept, for how long; the texts of a rule are its durations.
        func ages(_ rule: RetentionRule?) -> JSON? { rule.map { JSON.object(($0.json.objectValue ?? [:]).filter { $0.key != "limit" }) } }
        let privacy = source("parking", ["Vehicle"], ["plate": ["raw": "P1D", "hourly": "P7D", "daily": "P30D", "limit": true]])
        let archive = source("archive", ["Vehicle"], ["plate": ["raw": "P3D", "hourly": "P20Y"]])
        let short = source("short", ["Vehicle"], ["plate": ["raw": "P2D", "hourly": "P2D", "daily": "P2D", "limit": true]])
        let plate = iri("plate")
        for id in ["parking", "archive"] {
            #expect(ages(rules([privacy, archive]).rule(plate, of: id)) == ["raw": "P1D", "hourly": "P7D", "daily": "P30D"])
            #expect(ages(rules([privacy, archive, short]).rule(plate, of: id)) == ["raw": "P1D", "hourly": "P2D", "daily": "P2D"])
        }
        // Where a rule is shorter than a limit it stays, age by age.
        let brief = source("brief", ["Vehicle"], ["plate": ["raw": "P1D", "hourly": "P9D", "daily": "P9D"]])
        #expect(ages(rules([privacy, brief]).rule(plate, of: "brief")) == ["raw": "P1D", "hourly": "P7D", "daily": "P9D"])
        // A limit is the rule where there is no other of a source; of entities of other types, and attributes of other names, it says nothing.
        let standard = try Self.rule("P5Y")
        #expect(ages(rules([privacy], standard: standard).rule(plate, of: "parking")) == ["raw": "P1D", "hourly": "P7D", "daily": "P30D"])
        let other = source("other", ["Well"], ["plate": ["raw": "P50Y"]])
        #expect(rules([privacy, other]).rule(plate, of: "other") == (try Self.rule("P50Y")))
        #expect(rules([privacy, archive], standard: standard).rule(iri("level"), of: "archive") == standard)
        let whole = source("given", [], ["*": ["raw": "P2D", "hourly": "P2D", "limit": true]])
        #expect(ages(rules([archive, whole]).rule(plate, of: "given")) == ["raw": "P2D", "hourly": "P2D"])
        #expect(ages(rules([archive, whole]).rule(iri("level"), of: "given")) == ["raw": "P2D", "hourly": "P2D"])
    }

    @Test func `what a series was last is known within an hour of two numbers`() async throws {
        let folder = try TemporaryStore()
        try await folder.file().write { transaction in
            for (minutes, value) in [(-10.0, 5.0), (10, 7), (50, 9), (180, 11)] { _ = try Self.add(.number(value), at: Self.hours(minutes / 60), transaction) }
        }
        try await Self.thin(folder.file(), Self.policy(Self.rule("P1D"), at: Self.hours(72)))
        #expect(try await counts(folder).hourly == 2)
        for (minutes, value) in [(10.0, 5.0), (30, 7), (50, 7), (51, 9), (181, 11)] {
            let last = try await folder.file().read { snapshot in
                try snapshot.lastSample(of: 1, snapshot.series(of: 1, .open)[0], before: Self.hours(minutes / 60), HistoryWindow(nil, now: Self.hours(72), .open))
            }
            #expect(last == value, "before minute \(minutes)")
        }
    }

    @Test func `numbers that would have expired by themselves are said to be gone when they are dropped`() async throws {
        let folder = try TemporaryStore()
        try await folder.file().write { transaction in
            let target = try transaction.insertHistoric(entityID(1), types: [iri("Thing")], classification: .open, at: noon)
            for hour in 0..<4 {
                var attribute = Attribute(kind: .property, value: .integer(Int64(hour)), observedAt: Self.hours(Double(hour)))
                attribute.expiresAt = Self.hours(9000)
                _ = try transaction.appendHistory(attribute, name: Self.level, of: target.number, .open, at: Self.hours(Double(hour)))
            }
        }
        try await Self.thin(folder.file(), Self.policy(Self.rule("P1D", "P1D", "P1D"), at: Self.hours(24 * 9)))
        #expect(try await counts(folder).rows == 1)
        let spans = try await folder.file().read { try $0.thinnedSpans(of: 1, $0.series(of: 1, .open)[0], .open) }
        #expect(spans.map(\.kept) == [.nothing] && spans.map(\.isOfNumbers) == [true])
        #expect(spans.map(\.times) == [Self.hours(0)..<Self.hours(24 * 8 - 12)])
    }

    @Test func `what is old becomes hours, what is older days, and what is oldest goes`() async throws {
        let folder = try await folder(days: 40)
        let now = Self.hours(40 * 24)
        _ = try await folder.file().seal(SealingPolicy(before: Self.hours(35 * 24), rowCountMin: 100, chunkCountMax: 1000))
        let step = try await Self.thin(folder.file(), Self.policy(Self.rule("P10D", "P20D", "P30D"), at: now))
        #expect(step.faults == [] && step.count > 30 * 144)
        let counts = try await counts(folder)
        // Civil days begin at midnight, history at noon.
        #expect(counts.rows + counts.sealed == 10 * 144 + 1 && counts.hourly == 10 * 24 + 12 && counts.daily == 10)
        #expect(try await folder.file().verify().faults == [])
        let spans = try await folder.file().read { snapshot in
            try snapshot.thinnedSpans(of: 1, snapshot.series(of: 1, .open)[0], .open)
        }
        #expect(spans.map(\.kept) == [.nothing, .daily, .hourly])
        #expect(spans.map(\.times) == [Self.hours(0)..<Self.hours(9.5 * 24), Self.hours(9.5 * 24)..<Self.hours(19.5 * 24), Self.hours(19.5 * 24)..<Self.hours(30 * 24)])
        // What was done is done once.
        #expect(try await Self.thin(folder.file(), Self.policy(Self.rule("P10D", "P20D", "P30D"), at: now)).count == 0)
        // Without rules nothing is looked at.
        #expect(try await folder.file().thin(Self.policy(nil, at: now.adding(seconds: 1e9))).next == nil)
    }

    @Test func `what holds at the border stays, and a number that is said again of a summed hour is known`() async throws {
        let folder = try await folder(days: 3)
        let now = Self.hours(100 * 24)
        let policy = try Self.policy(Self.rule("P10D"), at: now)
        try await Self.thin(folder.file(), policy)
        #expect(try await counts(folder) == (1, 0, 3 * 24, 0))
        try await folder.file().write { transaction in
            let last = Self.hours(3 * 24 - 1.0 / 6)
            #expect(try transaction.value(of: 1, attribute: Self.level, at: now, .open, now: now)?.at == last)
            #expect(try !Self.add(.number(4711), at: Self.hours(10.01), recorded: now, transaction))
            #expect(try !Self.add("text", at: Self.hours(10.01), recorded: now, transaction))
            // The value that stays may be corrected, and an hour of which there is nothing may be filled.
            #expect(try Self.add(.number(1), at: last, recorded: now, transaction))
            #expect(try Self.add(.number(1), at: Self.hours(-30.5), recorded: now, transaction))
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            let late = Attribute(kind: .property, value: 7, observedAt: Self.hours(10.01))
            #expect(throws: CityError.self) { try transaction.add(late, Self.level, to: target, at: now) }
        }
        // What was recorded lately waits for more.
        try await Self.thin(folder.file(), policy)
        #expect(try await counts(folder) == (3, 0, 3 * 24, 0))
        try await Self.thin(folder.file(), Self.policy(Self.rule("P10D"), at: now.adding(seconds: 100_000)))
        #expect(try await counts(folder) == (2, 0, 3 * 24 + 1, 0))
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `a chunk is cut where a block lies before the border, and one that reaches past it a little is left alone`() async throws {
        let folder = try await folder(days: 40)
        _ = try await folder.file().seal(SealingPolicy(before: Self.hours(40 * 24), rowCountMin: 100))
        let before = try await counts(folder)
        #expect(before.sealed > 5700)
        try await Self.thin(folder.file(), Self.policy(Self.rule("P39D"), at: Self.hours(39.5 * 24)))
        #expect(try await counts(folder).sealed == before.sealed)
        try await Self.thin(folder.file(), Self.policy(Self.rule("P30D"), at: Self.hours(40 * 24)))
        let after = try await counts(folder)
        #expect(after.rows + after.sealed == 30 * 144 + 1 && after.hourly == 240)
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `what is no number goes with the numbers, but for what still holds and traces of deletions`() async throws {
        let folder = try TemporaryStore()
        try await folder.file().write { transaction in
            for number in 0..<10 {
                _ = try Self.add(.string("state \(number)"), at: Self.hours(Double(number)), transaction)
                _ = try Self.add(.string("name"), at: Self.hours(0), name: iri("name"), transaction)
            }
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            for series in try transaction.series(of: target.number, attributes: [Self.level], .special) {
                _ = try transaction.appendDeletion(to: series, of: target, at: Self.hours(11))
            }
        }
        try await Self.thin(folder.file(), Self.policy(Self.rule("P10D"), at: Self.hours(900)))
        // The trace and the name.
        #expect(try await counts(folder) == (2, 0, 0, 0))
        try await folder.file().read { snapshot in
            let series = try snapshot.series(of: 1, .open)
            #expect(series.map(\.attribute) == [Self.level, iri("name")])
            #expect(try snapshot.thinnedSpans(of: 1, series[0], .open).map(\.kept) == [.nothing])
            #expect(try snapshot.thinnedSpans(of: 1, series[1], .open) == [])
        }
        try await Self.thin(folder.file(), Self.policy(Self.rule("P10D", "P10D", "P10D"), at: Self.hours(900)))
        #expect(try await counts(folder) == (1 + 1, 0, 0, 0), "the trace is the last of its series")
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `a summary is of one unit and one classification, and tells nobody what he could not read`() async throws {
        let folder = try TemporaryStore()
        try await folder.file().write { transaction in
            for minute in 0..<60 {
                let moment = Self.hours(Double(minute) / 60)
                _ = try Self.add(.integer(1), at: moment, unit: minute % 2 == 0 ? "CEL" : "FAH", transaction)
                // Whoever may sees the correction of every third, and others what it was.
                if minute % 3 == 0 { _ = try Self.add(.integer(1000), at: moment, recorded: moment.adding(seconds: 9), unit: "CEL", as: .special, transaction) }
            }
            _ = try Self.add(.integer(5), at: Self.hours(2), as: .special, name: iri("secret"), transaction)
            for name in [Self.level, iri("secret")] { _ = try Self.add(.integer(1), at: Self.hours(50), name: name, transaction) }
        }
        try await Self.thin(folder.file(), Self.policy(Self.rule("P10D"), at: Self.hours(900)))
        try await folder.file().read { snapshot in
            for (classification, sum, count, series) in [(Classification.open, 60.0, 60, 2), (.internalUse, 60, 60, 2), (.special, 20 * 1000 + 40, 60, 2)] {
                let all = try snapshot.series(of: 1, classification)
                #expect(all.count == series)
                let window = HistoryWindow(nil, now: Self.hours(900), classification)
                let kept = try snapshot.keptSummaries(of: 1, all[0], in: nil, window)
                var measures = Measures()
                for summary in kept { measures.add(summary.summary.measures) }
                #expect(measures.sum.value == sum && measures.count == count)
                #expect(Set(kept.map(\.unitCode)) == ["CEL", "FAH"])
                let secret = try #require(all.first { $0.attribute == iri("secret") })
                #expect(try snapshot.thinnedSpans(of: 1, secret, classification).isEmpty == (classification != .special))
                #expect(try snapshot.keptSummaries(of: 1, secret, in: nil, window).isEmpty == (classification != .special))
            }
        }
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `however many units a series has, all of them become days and then go`() async throws {
        let folder = try TemporaryStore()
        try await folder.file().write { transaction in
            for minute in 0..<(3 * 24 * 60) { _ = try Self.add(.integer(1), at: Self.hours(Double(minute) / 60), unit: "U\(minute % 30)", transaction) }
        }
        for (rule, hourly, daily) in [(try Self.rule("P1D"), 30 * 72, 0), (try Self.rule("P1D", "P1D"), 0, 30 * 4), (try Self.rule("P1D", "P1D", "P1D"), 0, 0)] {
            #expect(try await Self.thin(folder.file(), Self.policy(rule, at: Self.hours(100 * 24))).faults == [])
            let counts = try await counts(folder)
            #expect((counts.rows, counts.hourly, counts.daily) == (1, hourly, daily))
        }
        #expect(try await folder.file().verify().faults == [])
    }

    /// Thins a series plan by plan.
    private func plans(_ folder: TemporaryStore, _ policy: RetentionPolicy, _ rule: RetentionRule) async throws -> [ThinningPlan] {
        let (file, borders) = (try folder.file(), rule.borders(at: policy.now, policy.calendar))
        let series = SeriesKey(entity: 1, attribute: try await file.read { try #require($0.series(of: 1, .open).first).number }, dataset: "")
        var plans: [ThinningPlan] = []
        while let plan = try await file.read({ try $0.thinningPlan(of: series, borders, policy) }) {
            let watch = try await file.watchHistory(of: [1], before: policy.now)
            let isDone = try await file.write { transaction in
                transaction.watch = watch
                return try transaction.thin(plan, policy)
            }
            #expect(isDone)
            plans.append(plan)
        }
        return plans
    }

    @Test func `a transaction deletes as many rows as it may, whatever of a chunk goes with them`() async throws {
        let folder = try await folder(days: 10)
        _ = try await folder.file().seal(SealingPolicy(before: Self.hours(9 * 24), rowCountMin: 100))
        // What came late lies among what was packed: at its moments' sides, and many rows of one moment in its midst.
        try await folder.file().write { transaction in
            for number in 0..<700 { _ = try Self.add(.integer(1), at: Self.hours(Double(number) / 6 + 0.05), transaction) }
            for number in 0..<90 { _ = try Self.add(.integer(Int64(number)), at: Self.hours(100), recorded: Self.hours(101 + Double(number) / 100), transaction) }
        }
        let rule = try Self.rule("P1D")
        let plans = try await plans(folder, Self.policy(rule, at: Self.hours(100 * 24), rowCountMax: 64), rule)
        #expect(plans.compactMap(\.rows?.count).max() == 91 && plans.compactMap(\.rows?.count).count { $0 > 64 } == 1)
        #expect(plans.contains { $0.chunk != nil } && plans.reduce(0) { $0 + $1.count } == 1440 + 700 + 90 - 1)
        #expect(try await counts(folder).rows == 1)
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `however often units change, a transaction exchanges a few rows of summaries`() async throws {
        let folder = try TemporaryStore()
        let rule = try Self.rule("P1D")
        for (step, unitCount) in [45, 45, 3000].enumerated() {
            try await folder.file().write { transaction in
                for minute in 0..<600 {
                    _ = try Self.add(.integer(1), at: Self.hours(Double(step * 600 + minute) / 60), unit: "U\(minute % unitCount)", transaction)
                }
                _ = try Self.add(.integer(1), at: Self.hours(50), transaction)
            }
            let plans = try await plans(folder, Self.policy(rule, at: Self.hours(100 * 24), rowCountMax: 2000), rule)
            #expect(plans.reduce(0) { $0 + $1.count } == 600)
            #expect(plans.allSatisfy { $0.summaries.removed.count + $0.summaries.added.count <= ThinningRule.exchangedRowCountMax })
        }
        let numbers = try await folder.file().read { snapshot in
            try snapshot.keptSummaries(of: 1, snapshot.series(of: 1, .open)[0], in: nil, HistoryWindow(nil, now: Self.hours(2400), .open))
        }
        #expect(numbers.reduce(0) { $0 + $1.summary.measures.count } == 1800)
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `a text that comes late is recorded where none can be gone that said the same`() async throws {
        let folder = try TemporaryStore()
        func record(_ value: JSON, at hours: Double, day: Double = 101) async throws -> Bool {
            try await folder.file().write { try Self.add(value, at: Self.hours(hours), recorded: Self.hours(day * 24), $0) }
        }
        try await folder.file().write { transaction in
            for hour in 0..<10 { _ = try Self.add(.string("state \(hour)"), at: Self.hours(Double(hour)), transaction) }
            for minute in 0..<3 { _ = try Self.add(.integer(Int64(minute)), at: Self.hours(-20 + Double(minute) / 60), transaction) }
            _ = try Self.add(.integer(1), at: Self.hours(20), transaction)
        }
        let rule = try Self.rule("P1D")
        try await Self.thin(folder.file(), Self.policy(rule, at: Self.hours(100 * 24)))
        #expect(try await counts(folder) == (1, 0, 1, 0))
        // Between texts that are gone it may be one of them, and in a summed hour it may take the place of a number that is counted there.
        for (hours, value) in [(4.5, "late"), (9, "state 9"), (-19.5, "late"), (0, "state 0")] as [(Double, JSON)] {
            #expect(try await !record(value, at: hours), "\(hours)")
        }
        // Before the first, after the last, and numbers wherever there is no summary.
        for (hours, value) in [(-30, "late"), (-18, true), (9.1, "late"), (4.5, 7)] as [(Double, JSON)] { #expect(try await record(value, at: hours), "\(hours)") }
        #expect(try await !record("late", at: -30))
        // Once those are gone they are known, too.
        try await Self.thin(folder.file(), Self.policy(rule, at: Self.hours(103 * 24)))
        for (hours, value) in [(-30, "late"), (-18, true), (-25, "later"), (4.5, 7)] as [(Double, JSON)] { #expect(try await !record(value, at: hours, day: 104), "\(hours)") }
        #expect(try await counts(folder).rows == 1)
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `a corrected rule stops a walk that is under way`() async throws {
        let folder = try await folder(days: 12)
        let file = try folder.file()
        func declare(_ raw: String) async throws {
            try await file.write { transaction in
                try transaction.put(.source, "sensors", ["retention": [Self.level.text: ["raw": .string(raw)]] as JSON], at: noon)
            }
        }
        try await declare("P2D")
        try await file.write { transaction in
            try transaction.execute("INSERT INTO past_source (past, source) SELECT id, 'sensors' FROM past")
        }
        let policy = try Self.policy(nil, at: Self.hours(12 * 24), rowCountMax: 1)
        // One number a transaction: the walk has a thousand before it.
        async let walk = Self.thin(file, policy)
        while try await counts(folder).hourly == 0 { await Task.yield() }
        try await declare("P90D")
        let left = try await counts(folder).rows
        let step = try await walk
        #expect(step.faults == [])
        // What was on its way to the writer was done.
        #expect(try await counts(folder).rows >= left - 1 && left > 10)
        #expect(try await file.verify().faults == [])
    }

    @Test func `erasing erases summaries and that there were any`() async throws {
        for erasesAll in [true, false] {
            let folder = try await folder(days: 3)
            try await Self.thin(folder.file(), Self.policy(Self.rule("P1D", "P2D"), at: Self.hours(100 * 24)))
            try await folder.file().write { transaction in
                let target = try #require(try transaction.historicEntity(entityID(1), .special))
                if erasesAll { try transaction.eraseHistory(of: target, at: noon) } else {
                    for series in try transaction.series(of: target.number, .special) { try transaction.erase(series, of: target) }
                }
            }
            #expect(try await counts(folder) == (0, 0, 0, 0))
            #expect(try await folder.file().read { try Int.fetchOne($0.db, sql: "SELECT count(*) FROM thinned") } == 0)
        }
    }

    @Test func `what was written to while it was summed up is left for the next walk, and the sealer is told`() async throws {
        let folder = try await folder(days: 10)
        let file = try folder.file()
        let policy = try Self.policy(Self.rule("P2D"), at: Self.hours(10 * 24))
        let borders = try Self.rule("P2D").borders(at: policy.now, policy.calendar)
        let series = try await #require(file.read { try $0.sealable(SealingPolicy(before: policy.now, rowCountMin: 1), after: nil, limit: 9).series.first })
        func plan() async throws -> (ThinningPlan, HistoryWatch) {
            let watch = try await file.watchHistory(of: [series.entity], before: Instant(microseconds: borders.raw))
            return (try await #require(file.read { try $0.thinningPlan(of: series, borders, policy) }), watch)
        }
        func thin(_ planned: (plan: ThinningPlan, watch: HistoryWatch)) async throws -> Bool {
            try await file.write { transaction in
                transaction.watch = planned.watch
                return try transaction.thin(planned.plan, policy)
            }
        }
        let first = try await plan()
        try await file.write { _ = try Self.add(.integer(5), at: Self.hours(5.05), $0) }
        #expect(try await !thin(first))
        // What is written of now does not disturb.
        let second = try await plan()
        try await file.write { _ = try Self.add(.integer(5), at: Self.hours(240.05), $0) }
        let sealing = SealingPolicy(before: Self.hours(5 * 24), rowCountMin: 100)
        let watch = try await file.watchHistory(of: [series.entity], before: sealing.before)
        let sealed = try await #require(file.read { try $0.sealingPlan(of: series, sealing) })
        #expect(try await thin(second))
        let isSealed = try await file.write { transaction in
            transaction.watch = watch
            return try transaction.seal(sealed)
        }
        #expect(!isSealed)
        #expect(try await file.verify().faults == [])
    }

    @Test func `what an import says again of a summed past the plan knows, and what is new of it is packed`() async throws {
        let folder = try await folder(days: 10)
        try await Self.thin(folder.file(), Self.policy(Self.rule("P2D"), at: Self.hours(10 * 24)))
        for (start, isNew) in [(0.0, false), (-9 * 24, true)] {
            var run = InstanceRun(name: Self.level, datasetID: nil)
            for number in 0..<200 {
                let instance = Attribute(kind: .property, value: .integer(1), observedAt: Self.hours(start + Double(number) / 6))
                run.append(instance, .open, tag: number)
            }
            let now = Self.hours(20 * 24)
            let planned = run
            for repetition in [RunRepetition.lastStays, .isLeft] {
                let plan = try await folder.file().read { try $0.plan(planned, of: 1, SealingPolicy(before: now, rowCountMin: 100), repetition, at: now) }
                #expect(plan.packedCount == (isNew ? 200 : 0) && plan.newTags.count == (isNew ? 200 : 0) && plan.plain == [])
                // Whoever adds to an evolution is told that nothing can be added there.
                #expect(plan.left == (isNew || repetition == .lastStays ? [] : Array(0..<200)))
            }
        }
    }

    @Test(arguments: UInt64(0)..<8)
    func `a planned import into a thinned past comes to what one observation after the other comes to`(seed: UInt64) async throws {
        let (planned, plain) = (try await folder(days: 6), try await folder(days: 6))
        var chance = SplitMix(seed: seed)
        let rule = try Self.rule("P2D", seed % 2 == 0 ? "P3D" : nil, seed % 4 == 0 ? "P5D" : nil)
        for folder in [planned, plain] {
            try await folder.file().write { transaction in
                // Hours of which nothing was told, and moments that stay whole.
                try transaction.execute("DELETE FROM instance WHERE (at_us / 3600000000) % 5 = 0")
                for hour in [20, 70] { _ = try Self.add(.string("state"), at: Self.hours(Double(hour) + 0.25), recorded: Self.hours(144), transaction) }
            }
            try await Self.thin(folder.file(), Self.policy(rule, at: Self.hours(6 * 24)))
        }
        var run = InstanceRun(name: Self.level, datasetID: nil)
        for tag in 0..<400 {
            let moment = Self.hours(-10 + Double(chance.next() % 800) / 6 + (chance.next() % 4 == 0 ? 0.25 : 0))
            let value: JSON = chance.next() % 4 == 0 ? .string("late") : .integer(Int64(chance.next() % 3))
            run.append(Attribute(kind: .property, value: value, observedAt: moment), .open, tag: tag)
        }
        let (all, now) = (run, Self.hours(8 * 24))
        let plan = try await planned.file().read { try $0.plan(all, of: 1, SealingPolicy(before: now, rowCountMin: 20), .lastStays, at: now) }
        let recorded = try await planned.file().write { transaction in
            try transaction.pack(plan, of: all, 1)
            try transaction.recordAlone(plan.plain, of: all, 1, at: now)
            return try plan.newTags + all.tags(of: plan.plain) + transaction.record(plan.left, of: all, 1, at: now)
        }
        let expected = try await plain.file().write { try $0.record(all.others, of: all, 1, at: now) }
        #expect(plan.packedCount > 0 && !expected.isEmpty && expected.count < 400)
        #expect(Set(expected).isSuperset(of: recorded))
        func whole(_ folder: TemporaryStore) async throws -> [HistoryInstance] {
            try await folder.file().read { try $0.history(of: 1, attribute: Self.level, in: Self.hours(-1000)..<Self.hours(1000), limit: 10_000, .open, at: now) }
        }
        #expect(try await whole(planned) == whole(plain))
        #expect(try await planned.file().verify().faults == [])
    }

    @Test func `verification finds damaged summaries, and such as are not what their row says`() async throws {
        for (damage, words) in [
            ("UPDATE summary SET data = zeroblob(length(data))", "can't be read"), ("UPDATE summary SET count = count + 1", "something else"),
            ("UPDATE summary SET entity = 77", "neither there nor past"), ("DELETE FROM thinned", "not said to be thinned"),
            ("INSERT INTO summary SELECT id + 9, entity, attribute, dataset, level, form, until, unit, from_us, to_us, count, data FROM summary", "twice"),
        ] {
            let folder = try await folder(days: 3)
            try await Self.thin(folder.file(), Self.policy(Self.rule("P1D"), at: Self.hours(100 * 24)))
            try await folder.file().write { try $0.execute(damage) }
            let faults = try await folder.file().verify().faults
            #expect(faults.contains { $0.contains(words) }, "\(damage): \(faults)")
        }
    }

    @Test func `rules are durations that grow, of a day at least`() throws {
        func fault(_ members: [String: String]) -> String? {
            do throws(RetentionRule.Invalid) {
                _ = try RetentionRule { members[$0] }
                return nil
            } catch { return error.member }
        }
        for (members, member) in [
            (["raw": "P1D"], nil), (["raw": "P1M", "hourly": "P1M", "daily": "P10Y"], nil), ([:], "raw"), (["hourly": "P1D"], "raw"),
            (["raw": "90"], "raw"), (["raw": "PT23H"], "raw"), (["raw": "P2D", "hourly": "P1D"], "hourly"), (["raw": "P2D", "daily": "P9D"], "hourly"),
            (["raw": "P2D", "hourly": "P1M", "daily": "P4D"], "daily"), (["raw": "P1D", "hourly": "P2D", "daily": "x"], "daily"),
        ] as [([String: String], String?)] { #expect(fault(members) == member, "\(members)") }
    }

    @Test func `days have whole hours in every zone`() throws {
        for name in ["UTC", "Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"] {
            let calendar = RetentionCalendar(try #require(CivilZone(name)))
            var moment = noon.microseconds
            var last: Range<Int64>?
            for _ in 0..<(400 * 24) {
                let (hour, day) = (calendar.hour(of: moment), calendar.day(of: moment))
                #expect(hour.contains(moment) && day.contains(moment) && hour.lowerBound >= day.lowerBound && hour.upperBound <= day.upperBound)
                if let last { #expect(last.upperBound == hour.lowerBound) }
                (last, moment) = (hour, hour.upperBound)
            }
        }
    }
}
