package import CityModel
internal import GRDB

/// A number that was observed, or nil where the series ended for a while.
package struct Sample: Hashable, Sendable {
    package let at: Instant
    package let value: Double?
    package init(at: Instant, value: Double?) { (self.at, self.value) = (at, value) }
}

extension ReadSnapshot {
    /// The numbers of a series within an interval, oldest first. Of several records of one moment the last counts. What is no number
    /// is passed over, but for the trace of a deletion; what has expired, or was recorded as more confidential than may be seen, is
    /// not there.
    /// - Parameter window: its `temporal` is not looked at.
    /// - Throws: `tooComplexQuery` when the window's deadline passes.
    package func visitSamples(of entity: Int64, _ series: Series, in interval: Range<Instant>, _ window: HistoryWindow, _ visit: (Sample) -> Void) throws {
        let cursor = try rows(
            """
            SELECT at_us, value, form, max(late_us) FROM instance
            WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us >= ? AND at_us < ? AND \(Self.isSample)
            AND form < ? AND \(InstanceForm.isAlive) GROUP BY at_us ORDER BY at_us
            """,
            [
                entity, series.number, series.datasetID?.text ?? "", interval.lowerBound.microseconds, interval.upperBound.microseconds,
                InstanceForm.hidden(from: window.classificationMax), window.now.microseconds,
            ])
        var count = 0
        while let row = try cursor.next() {
            count += 1
            if count % 4096 == 0 { try window.checkDeadline() }
            visit(try Sample(row))
        }
    }

    /// The last number before a moment; nil when there is none, or when the series had ended.
    package func lastSample(of entity: Int64, _ series: Series, before moment: Instant, _ window: HistoryWindow) throws -> Double? {
        try row(
            """
            SELECT at_us, value, form FROM instance
            WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us < ? AND \(Self.isSample)
            AND form < ? AND \(InstanceForm.isAlive) ORDER BY at_us DESC, late_us DESC LIMIT 1
            """,
            [
                entity, series.number, series.datasetID?.text ?? "", moment.microseconds, InstanceForm.hidden(from: window.classificationMax),
                window.now.microseconds,
            ]).flatMap { try Sample($0).value }
    }

    /// The unit that the newest number of a series has.
    package func unit(of entity: Int64, _ series: Series, _ window: HistoryWindow) throws -> String? {
        try row(
            """
            SELECT unit FROM instance WHERE entity = ? AND attribute = ? AND dataset = ? AND typeof(value) IN ('integer', 'real')
            AND form < ? AND \(InstanceForm.isAlive) ORDER BY at_us DESC, late_us DESC LIMIT 1
            """,
            [
                entity, series.number, series.datasetID?.text ?? "", InstanceForm.hidden(from: window.classificationMax), window.now.microseconds,
            ])?.decode(String?.self, atIndex: 0)
    }

    private static var isSample: String { "(typeof(value) IN ('integer', 'real') OR form & \(InstanceForm.deletionBit) <> 0)" }
}

extension Sample {
    /// - Parameter row: moment, value and form.
    fileprivate init(_ row: Row) throws {
        at = Instant(microseconds: try row.decode(Int64.self, atIndex: 0))
        let isDeletion = InstanceForm(number: try row.decode(Int.self, atIndex: 2)).isDeletion
        value = isDeletion ? nil : try row.decode(Double.self, atIndex: 1)
    }
}
