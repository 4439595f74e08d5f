/// The marks of the map, by the names that `js/shapes.js` draws them under. As many layers as there are marks.
enum LayerShape: String, CaseIterable, Sendable {
    case circle, square, triangle, diamond, hexagon, wedge, plus, pentagon, star, cross, spark, burst, drop, bolt, bar, pillar, hourglass, bow
    case dome, house, chevron, left, right, octagon

    /// Known types have their own mark everywhere; the others get, in their order, those that no known type of this city has.
    static func assigned(to typeNames: [String]) -> [LayerShape] {
        let own = typeNames.map { KnownType[$0]?.shape }
        var rest = allCases.filter { !own.contains($0) }[...]
        return own.map { $0 ?? rest.popFirst() ?? .circle }
    }
}
