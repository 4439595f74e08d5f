/// A honeycomb laid over the plane. Three cells meet at every corner, so the border of any set of cells is made of
/// simple rings, and two regions that share a border share its corners: regions tile by construction.
///
/// Corners sit on a lattice of whole numbers; each is displaced a little, so that nothing looks like a honeycomb.
struct HexMesh {
    struct Corner: Hashable { var column: Int32, row: Int32 }

    let columnCount: Int, rowCount: Int
    /// Metres from a cell's middle to its corners.
    let radius: Double
    private let origin: Place
    private let seed: UInt64

    private static let halfWidth = 0.866_025_403_784_438_6
    private static let cornerOffsets: [(Int, Int)] = [(1, 1), (0, 2), (-1, 1), (-1, -1), (0, -2), (1, -1)]

    init(low: Place, high: Place, radius: Double, seed: UInt64) {
        self.radius = radius
        self.seed = seed
        origin = low
        columnCount = Int((high.x - low.x) / (2 * Self.halfWidth * radius)) + 2
        rowCount = Int((high.y - low.y) / (1.5 * radius)) + 2
    }

    var cellCount: Int { columnCount * rowCount }

    func middle(_ cell: Int) -> Place {
        let row = cell / columnCount, column = cell % columnCount
        return lattice(2 * column + row % 2, 3 * row)
    }

    /// The cell across each of the six edges, in the order of `corners(of:)`; nil beyond the mesh.
    func neighbours(of cell: Int) -> [Int?] {
        let row = cell / columnCount, column = cell % columnCount
        let shift = row % 2
        return [
            self.cell(column + shift, row + 1), self.cell(column - 1 + shift, row + 1), self.cell(column - 1, row),
            self.cell(column - 1 + shift, row - 1), self.cell(column + shift, row - 1), self.cell(column + 1, row),
        ]
    }

    /// Anticlockwise. Edge `i` goes from corner `i` to the next.
    func corners(of cell: Int) -> [Corner] {
        let row = cell / columnCount, column = cell % columnCount
        return Self.cornerOffsets.map { dx, dy in
            Corner(column: Int32(2 * column + row % 2 + dx), row: Int32(3 * row + dy))
        }
    }

    func place(_ corner: Corner) -> Place {
        let bits = Chance.hash(seed, Int64(corner.column), Int64(corner.row))
        let jitter = Place(x: Chance.signed(bits), y: Chance.signed(Chance.mix(bits))) * (0.26 * radius)
        return lattice(Int(corner.column), Int(corner.row)) + jitter
    }

    /// The cell whose middle is nearest, roughly; nil beyond the mesh.
    func cell(at place: Place) -> Int? {
        let row = Int(((place.y - origin.y) / (1.5 * radius)).rounded())
        guard (0..<rowCount).contains(row) else { return nil }
        let column = Int((((place.x - origin.x) / (Self.halfWidth * radius) - Double(row % 2)) / 2).rounded())
        return cell(column, row)
    }

    private func cell(_ column: Int, _ row: Int) -> Int? {
        (0..<columnCount).contains(column) && (0..<rowCount).contains(row) ? row * columnCount + column : nil
    }

    private func lattice(_ x: Int, _ y: Int) -> Place {
        Place(x: origin.x + Double(x) * Self.halfWidth * radius, y: origin.y + Double(y) * radius / 2)
    }
}

/// A queue that gives the least cost first; equal costs in the order of their cells, so that order is never chance.
struct CostQueue {
    private var heap: [(cost: Double, cell: Int)] = []

    mutating func push(_ cell: Int, cost: Double) {
        heap.append((cost, cell))
        var child = heap.count - 1
        while child > 0, precedes(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (cost: Double, cell: Int)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, least) { least = child }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        (heap[left].cost, heap[left].cell) < (heap[right].cost, heap[right].cell)
    }
}
