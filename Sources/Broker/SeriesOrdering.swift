internal import CityModel
internal import Query

/// What the series of one group have in common.
struct SeriesGroupKey: Hashable, Comparable {
    let key: String?
    let attribute: IRI
    let datasetID: IRI?

    static func < (left: Self, right: Self) -> Bool {
        (left.key ?? "", left.attribute.text, left.datasetID?.text ?? "") < (right.key ?? "", right.attribute.text, right.datasetID?.text ?? "")
    }
}

extension SeriesQuestion {
    /// By the value that is asked for, else by key. Those without a value come last, either way; equals stay in the order of their keys.
    func ordered(_ keys: [SeriesGroupKey], _ value: (SeriesGroupKey, SeriesFunction) -> Double?) -> [SeriesGroupKey] {
        guard let (function, isDescending) = order else { return keys.sorted() }
        return keys.map { (key: $0, value: value($0, functions[function])) }.sorted { left, right in
            switch (left.value, right.value) {
            case (let one?, let other?) where one != other: isDescending ? one > other : one < other
            case (_?, nil): true
            case (nil, _?): false
            default: left.key < right.key
            }
        }.map(\.key)
    }

    /// One answer of those about shares of the entities.
    /// - Throws: `tooComplexQuery` for more than one question may cost.
    func joined(_ shares: [SeriesAnswer]) throws(CityError) -> SeriesAnswer {
        guard shares.count > 1 else { return shares.first ?? SeriesAnswer(groups: [], groupCount: 0, dropped: [], wholeGroupCount: 0, seriesCount: 0, keptCount: 0) }
        let sums = shares.reduce(into: (groups: 0, whole: 0, series: 0, kept: 0)) { sums, share in
            sums = (sums.groups + share.groupCount, sums.whole + share.wholeGroupCount, sums.series + share.seriesCount, sums.kept + share.keptCount)
        }
        try checkRoom(groupCount: sums.whole)
        try checkSeries(sums.series)
        try checkKept(sums.kept)
        let groups = Dictionary(
            shares.flatMap(\.groups).map { (SeriesGroupKey(key: $0.key, attribute: $0.attribute, datasetID: $0.datasetID), $0) }, uniquingKeysWith: { first, _ in first })
        let keys = ordered(Array(groups.keys)) { key, _ in order.flatMap { groups[key]?.values[$0.function].first ?? nil } }
        return SeriesAnswer(
            groups: keys.prefix(limit).compactMap { groups[$0] }, groupCount: sums.groups, dropped: shares[0].dropped.joined(shares.dropFirst().flatMap(\.dropped)),
            wholeGroupCount: sums.whole, seriesCount: sums.series, keptCount: sums.kept)
    }

    func checkRoom(groupCount: Int) throws(CityError) {
        guard groupCount * grid.count * functions.count <= SeriesLimits.cellCountMax else {
            throw .tooComplexQuery(
                "every: \(functions.count) functions of \(groupCount) groups in \(grid.count) periods are more than \(SeriesLimits.cellCountMax) values; ask for longer periods, fewer groups or fewer functions")
        }
    }

    func checkSeries(_ count: Int) throws(CityError) {
        guard count <= SeriesLimits.seriesCountMax else {
            throw .tooComplexQuery("more than \(SeriesLimits.seriesCountMax) series; narrow the question, by type or area for example")
        }
    }

    func checkKept(_ count: Int) throws(CityError) {
        guard count <= SeriesLimits.keptCountMax else {
            throw .tooComplexQuery("fn: percentiles of more than \(SeriesLimits.keptCountMax) different observations; narrow the question")
        }
    }
}
