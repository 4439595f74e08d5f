internal import Cases
internal import CityModel
internal import OrderedCollections
internal import Query
internal import Services

/// What the sensors of a measure's indicator said, before and after.
struct IndicatorModel {
    let measure: Measure
    let figures: MeasureFigures
    let words: MeasureWords
    let units: Languages

    private var language: Language { words.language }

    /// Null without an indicator.
    var json: JSON {
        guard let indicator = measure.indicator, let answer = figures.indicator else { return .null }
        let name = language.attribute(indicator.attribute.shortName, of: indicator.type.shortName)
        var members: JSONObject = ["name": .string(name), "kind": .string(language.type(indicator.type.shortName)), "fault": false, "lead": "", "rows": [], "hasRows": false, "chart": false, "notes": []]
        func fault(_ text: String) { members["fault"] = .string(text) }
        switch answer {
        case .noArea(let district): fault(language.text("measure.noArea", ["district": district]))
        case .noSensors: fault(language.text("measure.noSensors"))
        case .tooManySensors(let count, let countMax): fault(language.text("measure.tooManySensors", count: count, ["most": language.count(countMax)]))
        case .compared(let comparison): members.merge(compared(indicator, comparison)) { $1 }
        }
        return .object(members)
    }

    private func compared(_ indicator: Measure.Indicator, _ comparison: IndicatorComparison) -> JSONObject {
        let unit = units.unit(comparison.unitCode, of: indicator.attribute.shortName)
        let (before, after) = (comparison.before, comparison.after)
        return [
            "lead": .string(lead(indicator, comparison)), "rows": .array(rows(comparison, unit)), "hasRows": true,
            "beforeDays": .string(days(before)), "afterDays": .string(days(after)), "notes": .array(notes(indicator, comparison).map(JSON.string)),
            "chart": chart(before, after, unit),
        ]
    }

    private func days(_ window: IndicatorWindow) -> String { window.days.isEmpty ? language.text("measure.notYet") : words.days(window.days) }

    private func lead(_ indicator: Measure.Indicator, _ comparison: IndicatorComparison) -> String {
        let place = indicator.metres.map { language.text("measure.areas.around", ["distance": words.metres($0)]) } ?? words.area(measure)
        return language.text("measure.sensors", count: comparison.sensorCount, ["where": place])
    }

    /// A share of one is shown in percent.
    private func number(_ value: Double, _ unit: ShownUnit) -> String { words.number(value * unit.factor, unit) }

    private func rows(_ comparison: IndicatorComparison, _ unit: ShownUnit) -> [JSON] {
        let (before, after) = (comparison.before, comparison.after)
        func mean(_ window: IndicatorWindow) -> String { window.isFew ? language.text("measure.fewValues") : window.mean.map { number($0, unit) } ?? "" }
        func complete(_ window: IndicatorWindow) -> String {
            language.text("measure.ofDays", ["number": language.count(window.answeredDayCount), "all": language.count(window.days.dayCount)])
        }
        var difference = false as JSON
        if comparison.difference != nil, let first = before.mean, let second = after.mean { difference = .string(words.difference(from: first, to: second, unit)) }
        return [
            words.row("mean", mean(before), mean(after), difference: difference), words.row("values", language.count(before.count), language.count(after.count)),
            words.row("complete", complete(before), complete(after)), words.row("sensors", language.count(before.sensorCount), language.count(after.sensorCount)),
        ]
    }

    private func notes(_ indicator: Measure.Indicator, _ comparison: IndicatorComparison) -> [String] {
        guard comparison.after.days.dayCount < indicator.dayCount else { return [] }
        return [language.text("measure.cut", count: comparison.after.days.dayCount, ["all": language.count(indicator.dayCount)])]
    }

    // MARK: The line

    private func chart(_ before: IndicatorWindow, _ after: IndicatorWindow, _ unit: ShownUnit) -> JSON {
        let parts = before.parts.enumerated().map { (number: $0 - before.parts.count, part: $1) } + after.parts.enumerated().map { (number: $0, part: $1) }
        let means = parts.compactMap(\.part.mean)
        guard let least = means.min(), let most = means.max(), means.count > 1 else { return false }
        let chart = MeasureChart(first: -before.parts.count, end: max(after.parts.count, 1))
        func level(_ window: IndicatorWindow, from: Double, to: Double) -> JSON {
            guard !window.isFew, let mean = window.mean else { return false }
            return ["from": .number(from), "to": .number(to), "y": .number(chart.height(mean, least...most))]
        }
        return [
            "width": .integer(Int64(chart.width)), "mark": .number(chart.mark), "lines": .array(chart.lines(parts.map { ($0.number, $0.part.mean) }, least...most)),
            "before": level(before, from: 0, to: chart.mark), "after": level(after, from: chart.mark, to: Double(chart.width)),
            "start": .string(parts.first.map { words.day($0.part.days.first) } ?? ""), "end": .string(parts.last.map { words.day($0.part.days.last) } ?? ""),
            "range": .string(language.text("measure.range", ["from": number(least, unit), "to": number(most, unit)])),
            "rows": .array(
                parts.map { _, part in
                    ["days": .string(words.days(part.days)), "mean": part.mean.map { .string(number($0, unit)) } ?? "", "count": .string(language.count(part.count))]
                }),
        ]
    }
}
