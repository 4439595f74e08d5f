internal import CityModel

/// Boxes on the map, to be found by one that meets them. Each lies on a grid whose cells are at least as large as the box is,
/// so in at most four cells; a small box is looked for in one cell of each grid that is in use.
struct BoxIndex: Sendable {
    private struct Cell: Hashable { let level: Int, x: Int, y: Int }

    private var cells: [Cell: [(number: Int, box: BoundingBox)]] = [:]
    /// How many boxes there are on each grid. Grid 0 is one cell of 512 degrees; each next one has cells half as wide.
    private var counts = [Int](repeating: 0, count: levelCount)
    private static let levelCount = 24
    /// A box that meets more cells of a grid than this is held against all that is on it.
    private static let cellCountMax = 64

    var isEmpty: Bool { cells.isEmpty }

    mutating func insert(_ number: Int, _ box: BoundingBox) {
        let level = Self.level(of: box)
        counts[level] += 1
        for cell in Self.cells(of: box, level) { cells[cell, default: []].append((number, box)) }
    }

    mutating func remove(_ number: Int, _ box: BoundingBox) {
        let level = Self.level(of: box)
        counts[level] -= 1
        for cell in Self.cells(of: box, level) {
            cells[cell]?.removeAll { $0.number == number && $0.box == box }
            if cells[cell]?.isEmpty ?? false { cells[cell] = nil }
        }
    }

    /// Calls `found` for each box that meets this one, for some more than once.
    func find(_ box: BoundingBox, _ found: (Int) -> Void) {
        for level in 0..<Self.levelCount where counts[level] > 0 {
            let (columns, rows) = Self.span(of: box, level)
            if columns.count * rows.count <= Self.cellCountMax {
                for x in columns { for y in rows { look(Cell(level: level, x: x, y: y), box, found) } }
            } else {
                for cell in cells.keys where cell.level == level { look(cell, box, found) }
            }
        }
    }

    private func look(_ cell: Cell, _ box: BoundingBox, _ found: (Int) -> Void) {
        for entry in cells[cell] ?? [] where entry.box.intersects(box) { found(entry.number) }
    }

    private static func level(of box: BoundingBox) -> Int {
        let side = max(box.east - box.west, box.north - box.south)
        var level = 0
        while level + 1 < levelCount, width(level + 1) >= side { level += 1 }
        return level
    }

    private static func width(_ level: Int) -> Double { 512 / Double(1 << level) }

    private static func cells(of box: BoundingBox, _ level: Int) -> [Cell] {
        let (columns, rows) = span(of: box, level)
        return columns.flatMap { x in rows.map { y in Cell(level: level, x: x, y: y) } }
    }

    private static func span(of box: BoundingBox, _ level: Int) -> (columns: ClosedRange<Int>, rows: ClosedRange<Int>) {
        func cell(_ degrees: Double) -> Int { Int((min(max(degrees, -512), 512) / width(level)).rounded(.down)) }
        let (west, south) = (cell(box.west), cell(box.south))
        return (west...max(west, cell(box.east)), south...max(south, cell(box.north)))
    }
}
