package import CityModel
package import Query

/// A question about the numbers that attributes had over time.
package struct SeriesQuestion: Sendable {
    /// Which entities: by type, place, identifier and present values.
    package var filter: EntityFilter
    package var attributes: [IRI]
    package var grid: PeriodGrid
    package var functions: [SeriesFunction]
    package var filling: GapFilling
    package var grouping: SeriesGrouping
    /// The greatest first, or the least, by the first period of one of the functions; nil by key.
    package var order: (function: Int, isDescending: Bool)?
    /// Which groups, by the first period of one of the functions; nil for all.
    package var condition: SeriesCondition?
    /// Groups that are answered.
    package var limit: Int

    package init(
        filter: EntityFilter, attributes: [IRI], grid: PeriodGrid, functions: [SeriesFunction], filling: GapFilling = .none,
        grouping: SeriesGrouping = .entity, order: (function: Int, isDescending: Bool)? = nil, condition: SeriesCondition? = nil,
        limit: Int
    ) {
        (self.filter, self.attributes, self.grid, self.functions) = (filter, attributes, grid, functions)
        (self.filling, self.grouping, self.order, self.limit) = (filling, grouping, order, limit)
        self.condition = condition
    }
}

/// What a value has to be for a group to be answered.
package struct SeriesCondition: Hashable, Sendable {
    package enum Comparison: String, Hashable, Sendable { case greaterOrEqual = ">=", lessOrEqual = "<=", greater = ">", less = "<" }

    /// Which of the functions.
    let function: Int
    let comparison: Comparison
    let bound: Double

    package init(function: Int, _ comparison: Comparison, _ bound: Double) { (self.function, self.comparison, self.bound) = (function, comparison, bound) }

    func holds(_ value: Double) -> Bool {
        switch comparison {
        case .greaterOrEqual: value >= bound
        case .lessOrEqual: value <= bound
        case .greater: value > bound
        case .less: value < bound
        }
    }
}

/// What series have in common that are taken together.
package enum SeriesGrouping: Hashable, Sendable {
    /// Each for itself.
    case entity
    case type
    case all
    /// The value that an attribute of their entities has now; of a relationship its target.
    case attribute(IRI)
    /// The entity of a type, a district for example, whose area their entities lie in. One on a border between two counts for the first
    /// by identifier; one outside of all for none.
    case within(IRI)
}

/// What the series of one group come to.
package struct SeriesGroup: Sendable {
    /// The number of the one entity of which it tells, where that is about people.
    var personal: Int64?
    /// Whether it tells of several entities together, some of them about people.
    var hasPersonalFigures = false
    /// What they have in common: an identifier, a type or a value; nil where that is nothing.
    package let key: String?
    /// What people call it, where the key is that of an entity which has a name.
    package let name: String?
    package let attribute: IRI
    /// Of a series alone.
    package let datasetID: IRI?
    /// Nil where no number has one, or numbers have different ones.
    package let unitCode: String?
    package let seriesCount: Int
    package let observationCount: Int
    /// For each function a value for each period; nil where there is none.
    package let values: [[Double?]]
}

package struct SeriesAnswer: Sendable {
    package let groups: [SeriesGroup]
    /// All that there are, also those beyond the limit.
    package let groupCount: Int
    /// What would have needed more than is kept; the values that it left open are nil.
    package let dropped: [DroppedTime]
    /// Groups, also those that a condition leaves out; their series; numbers that were kept for percentiles.
    let wholeGroupCount: Int
    let seriesCount: Int
    let keptCount: Int

    /// The entities about people of which a group tells alone.
    var personal: Set<Int64> { Set(groups.compactMap(\.personal)) }
    var hasPersonalFigures: Bool { groups.contains(where: \.hasPersonalFigures) }
}

/// What an answer may cost.
enum SeriesLimits {
    static let seriesCountMax = 50_000
    /// Values of all periods, groups and functions together.
    static let cellCountMax = 1_000_000
    /// Numbers that percentiles keep.
    static let keptCountMax = 10_000_000
    /// Areas that entities are grouped by.
    static let areaCountMax = 2_000
}
