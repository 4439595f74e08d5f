package import CityModel
internal import GRDB

/// The past of one attribute as a chart draws it.
package struct LivePoint: Hashable, Sendable {
    package let at: Instant
    package let value: Double
    package init(at: Instant, value: Double) { (self.at, self.value) = (at, value) }
}

/// Asks for what an attribute was at a moment.
package struct PastQuestion: Hashable, Sendable {
    package let number: Int64
    package let attribute: IRI
    package init(number: Int64, attribute: IRI) { (self.number, self.attribute) = (number, attribute) }
}

extension ReadSnapshot {
    /// The numeric history of an attribute, oldest first, in at most `countMax` points: as it is when there are no more
    /// observations, otherwise averaged in `countMax` equal spans, of which empty ones have no point.
    /// - Parameter interval: half-open.
    package func livePoints(
        of number: Int64, attribute: IRI, in interval: Range<Instant>, countMax: Int, _ classificationMax: Classification, at now: Instant
    ) throws -> [LivePoint] {
        guard let attribute = terms.number(of: attribute), countMax > 0 else { return [] }
        let classificationMax = try bound(classificationMax, of: number)
        let key = SeriesKey(entity: number, attribute: attribute, dataset: "")
        if try hasChunk(of: key, from: interval.lowerBound.microseconds, to: interval.upperBound.microseconds) {
            return try mergedPoints(of: key, in: interval, countMax: countMax, InstanceForm.hidden(from: classificationMax), at: now)
        }
        let (from, to) = (interval.lowerBound.microseconds, interval.upperBound.microseconds)
        let numeric = """
            FROM instance WHERE entity = ? AND attribute = ? AND dataset = '' AND at_us >= ? AND at_us < ?
            AND typeof(\(Opened.value)) IN ('integer', 'real') AND form < ? AND \(InstanceForm.isAlive)
            """
        let shown: StatementArguments = [number, attribute, from, to, InstanceForm.hidden(from: classificationMax), now.microseconds]
        // Of several records of one moment the last counts.
        let moments = "SELECT at_us, \(Opened.value) AS value, max(late_us) \(numeric) GROUP BY at_us"
        let few = try points(moments + " ORDER BY at_us LIMIT ?", shown + [countMax + 1])
        if few.count <= countMax { return few }
        let span = max(1, (to - from) / Int64(countMax) + 1)
        return try points(
            "SELECT CAST(avg(at_us) AS INTEGER), avg(value) FROM (\(moments)) GROUP BY (at_us - ?) / ? ORDER BY 1",
            shown + [from, span])
    }

    private func points(_ sql: String, _ arguments: StatementArguments) throws -> [LivePoint] {
        let cursor = try rows(sql, arguments)
        var points: [LivePoint] = []
        while let row = try cursor.next() {
            points.append(
                LivePoint(
                    at: Instant(microseconds: try row.decode(Int64.self, atIndex: 0)), value: try row.decode(Double.self, atIndex: 1)))
        }
        return points
    }

    /// Whether history holds more than one record of the attribute that may be seen.
    package func hasLiveHistory(of number: Int64, attribute: IRI, _ classificationMax: Classification, at now: Instant) throws -> Bool {
        guard let attribute = terms.number(of: attribute) else { return false }
        let classificationMax = try bound(classificationMax, of: number)
        let key = SeriesKey(entity: number, attribute: attribute, dataset: "")
        if try hasChunk(of: key) { return try hasTwo(of: key, InstanceForm.hidden(from: classificationMax), at: now) }
        let sql = """
            SELECT count(*) FROM (
                SELECT 1 FROM instance WHERE entity = ? AND attribute = ? AND dataset = '' AND form < ? AND \(InstanceForm.isAlive) LIMIT 2
            )
            """
        return try row(sql, [number, attribute, InstanceForm.hidden(from: classificationMax), now.microseconds])?.decode(Int.self, atIndex: 0) == 2
    }

    /// What each attribute was at a moment: the newest instance at or before it, nil when there is none.
    /// - Complexity: one look-up for each question.
    package func pastValues(
        _ questions: [PastQuestion], at moment: Instant, _ classificationMax: Classification, now: Instant
    ) throws -> [HistoryInstance?] {
        try questions.map { try value(of: $0.number, attribute: $0.attribute, at: moment, classificationMax, now: now) }
    }
}
