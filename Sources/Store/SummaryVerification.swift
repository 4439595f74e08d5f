internal import CityModel
internal import GRDB
internal import Series

/// What is wrong with the summaries of a file.
struct SummaryVerification {
    private let snapshot: ReadSnapshot

    init(_ snapshot: ReadSnapshot) { self.snapshot = snapshot }

    /// Every row of summaries is readable and is what it says; no two of one kind are of one period; and of each it is said that
    /// something was thinned there.
    /// - Parameter tell: called for each fault.
    func run(_ tell: (String) -> Void) throws {
        var last: (series: SeriesKey, level: SummaryLevel, group: SummaryGroup, start: Int64)?
        let cursor = try snapshot.rows(
            """
            SELECT \(SummarySpan.columns), \(SeriesKey.columns), \(Opened.bytes("data")) FROM summary
            ORDER BY \(SeriesKey.columns), level, form, until, unit, from_us, id
            """)
        while let row = try cursor.next() {
            let span = try SummarySpan(row)
            let series = SeriesKey(
                entity: try row.decode(Int64.self, atIndex: 8), attribute: try row.decode(Int64.self, atIndex: 9),
                dataset: try row.decode(String.self, atIndex: 10))
            guard let data = try row.bytes(atIndex: 11) else {
                tell("summary \(span.id): its key is missing")
                continue
            }
            do throws(SeriesError) {
                let summaries = try SummaryChunk.decode(data)
                let packed = try PackedSummaries(summaries, span.level, span.group)
                if (packed.from, packed.to, packed.count) != (span.from, span.to, span.count) {
                    tell("summary \(span.id): it holds something else than its row says")
                }
                if let last, last.series == series, last.level == span.level, last.group == span.group, last.start >= packed.from {
                    tell("summary \(span.id): a period of it is there twice")
                }
                last = (series, span.level, span.group, summaries.last?.start ?? span.to)
            } catch { tell("summary \(span.id): it can't be read: \(error)") }
        }
        let faults = [
            (
                "summary: of an entity that is neither there nor past",
                "summary WHERE entity NOT IN (SELECT id FROM entity UNION ALL SELECT id FROM past)"
            ),
            (
                "summary: of a series that is not said to be thinned",
                """
                summary WHERE NOT EXISTS (
                    SELECT 1 FROM thinned WHERE thinned.entity = summary.entity AND thinned.attribute = summary.attribute
                    AND thinned.dataset = summary.dataset AND rank = form / \(InstanceForm.classificationUnit) AND raw_us IS NOT NULL)
                """
            ),
            ("past_source: of an entity that is not past", "past_source WHERE past NOT IN (SELECT id FROM past)"),
            (
                "thinned: of an entity that is neither there nor past",
                "thinned WHERE entity NOT IN (SELECT id FROM entity UNION ALL SELECT id FROM past)"
            ),
        ]
        for (words, tail) in faults where try snapshot.row("SELECT 1 FROM \(tail) LIMIT 1") != nil { tell(words) }
    }
}
