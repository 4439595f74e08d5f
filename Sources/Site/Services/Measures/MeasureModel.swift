internal import Cases
internal import CityModel
internal import OrderedCollections
internal import Query
internal import Services

/// A measure as the page `/measures/{measure}` shows it: what residents said, what was done, what was before and after.
struct MeasureModel {
    let measure: Measure
    let figures: MeasureFigures
    let words: MeasureWords
    let municipality: MunicipalityName
    let units: Languages
    let today: CivilDay
    /// Reports that are read one by one.
    let tallyCountMax: Int

    private var language: Language { words.language }
    private var windows: MeasureWindows { figures.windows }

    var members: JSONObject {
        let examples = figures.examples.compactMap(example)
        return [
            "heading": .string(measure.title[language.code]), "headingLanguage": words.tag(measure.title), "text": .string(measure.text[language.code]),
            "hasText": .bool(!measure.text[language.code].isEmpty), "textLanguage": words.tag(measure.text), "day": .string(words.since(measure, today: today)),
            "services": .array(words.services(measure).map(JSON.string)), "municipality": .string(municipality.text),
            "said": .string(said), "where": .string(words.area(measure)), "examples": .array(examples), "hasExamples": .bool(!examples.isEmpty),
            "weeks": weeks, "reports": .array(reportRows), "beforeDays": .string(words.days(windows.reportsBefore)), "afterDays": .string(afterDays(windows.reportsAfter)),
            "reportNotes": .array(reportNotes.map(JSON.string)), "indicator": IndicatorModel(measure: measure, figures: figures, words: words, units: units).json,
        ]
    }

    private var said: String {
        language.text("measure.said", count: figures.countBefore, ["days": words.days(windows.reportsBefore)])
    }

    private func afterDays(_ span: DaySpan) -> String { span.isEmpty ? language.text("measure.notYet") : words.days(span) }

    private func example(_ entity: Entity) -> JSON? {
        guard let reference = entity.text(CaseTerm.reference) else { return nil }
        let known = CaseReference(reference).flatMap { reference in words.titles.title(of: entity.text(CaseTerm.serviceCode) ?? "", language).map { _ in reference } }
        let query = PageAddress(pairs: [("municipality", municipality.text)]).query
        let title = entity.text(CaseTerm.description) ?? entity.text(CaseTerm.name) ?? entity.text(CaseTerm.serviceName) ?? ""
        return [
            "href": known.map { .string("/requests/\($0)?\(query)") } ?? false, "reference": .string(known?.shown ?? reference), "title": .string(String(title.prefix(160))),
            "when": entity.moment(CaseTerm.requestedAt).map { .string(words.clock.date($0)) } ?? false, "status": .string(language.value(entity.text(CaseTerm.status) ?? "", of: "status")),
        ]
    }

    // MARK: Week by week

    private var weeks: JSON {
        guard let tally = figures.reports, let first = windows.weeks.first, let last = windows.weeks.last else { return .null }
        let counts = windows.weeks.map { ($0, tally.weeks[$0.number] ?? 0) }
        let chart = MeasureChart(first: first.number, end: max(last.number + 1, 0))
        return [
            "width": .integer(Int64(chart.width)), "mark": .number(chart.mark), "bars": .array(chart.bars(counts.map { ($0.0.number, Double($0.1)) })),
            "start": .string(words.day(first.days.first)), "end": .string(words.day(last.days.last)),
            "most": .string(language.text("measure.most", count: counts.map(\.1).max() ?? 0)),
            "rows": .array(
                counts.map { week, count in
                    ["days": .string(words.days(week.days)), "count": .string(language.count(count)), "isAfter": .bool(week.number >= 0)]
                }),
        ]
    }

    // MARK: Before and after

    private var reportRows: [JSON] {
        let few = language.text("figures.few")
        let (before, after) = (figures.countBefore, figures.countAfter)
        let rates = [MeasureWindows.perThirtyDays(before, in: windows.reportsBefore), MeasureWindows.perThirtyDays(after, in: windows.reportsAfter)]
        let shown = rates.map { $0.map { language.number($0) } ?? few }
        var difference = false as JSON
        if let first = rates[0], let second = rates[1] { difference = .string(words.difference(from: first, to: second)) }
        return [
            words.row("reports", language.count(before), language.count(after)), words.row("rate", shown[0], shown[1], difference: difference),
        ] + (figures.reports.map { timeRows($0.before, $0.after) } ?? [])
    }

    private func timeRows(_ before: CaseFigure, _ after: CaseFigure) -> [JSON] {
        func median(_ figure: CaseFigure) -> String { figure.durations.map { FigureModel.time($0.median, language) } ?? language.text("figures.few") }
        return [words.row("closed", language.count(before.closedCount), language.count(after.closedCount)), words.row("median", median(before), median(after))]
    }

    private var reportNotes: [String] {
        var notes: [String] = []
        if windows.reportsAfter.dayCount < windows.reportDayCount {
            notes.append(language.text("measure.cut", count: windows.reportsAfter.dayCount, ["all": language.count(windows.reportDayCount)]))
        }
        if figures.reports == nil { notes.append(language.text("measure.tooMany", ["number": language.count(tallyCountMax)])) }
        return notes
    }
}

/// Bars and lines over days or weeks, with a mark where a measure took effect. Ten units wide for each, a hundred high.
struct MeasureChart {
    /// Counted from the measure: 0 is the first with it.
    let first: Int
    let end: Int

    var width: Int { max((end - first) * 10, 10) }
    var mark: Double { Double(0 - first) * 10 }

    /// - Parameter values: by number; none below 0.
    func bars(_ values: [(number: Int, value: Double)]) -> [JSON] {
        let most = max(values.map(\.value).max() ?? 0, 1)
        return values.map { number, value in
            let height = (value / most * 960).rounded() / 10
            return [
                "x": .integer(Int64((number - first) * 10 + 1)), "y": .number(100 - height), "height": .number(height), "isAfter": .bool(number >= 0),
            ]
        }
    }

    /// Lines between neighbours; what is alone is a short one.
    func lines(_ values: [(number: Int, value: Double?)], _ scale: ClosedRange<Double>) -> [JSON] {
        var (lines, points): ([JSON], [String]) = ([], [])
        func close() {
            if let only = points.first, points.count == 1 { points.append(only) }
            if !points.isEmpty { lines.append(.string(points.joined(separator: " "))) }
            points = []
        }
        for (number, value) in values {
            guard let value else {
                close()
                continue
            }
            points.append("\((number - first) * 10 + 5),\(height(value, scale))")
        }
        close()
        return lines
    }

    /// From above.
    func height(_ value: Double, _ scale: ClosedRange<Double>) -> Double {
        let length = scale.upperBound - scale.lowerBound
        return ((length > 0 ? 96 - (value - scale.lowerBound) / length * 92 : 50) * 10).rounded() / 10
    }
}
