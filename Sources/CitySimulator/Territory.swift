/// Who governs which cell: municipalities grown over the land, districts grown inside each municipality. Growth runs
/// outwards from seeds over uneven ground and is slow to cross the river, so borders wander and often follow it.
struct Territory {
    let terrain: Terrain
    /// For each cell its municipality, -1 outside the metropolis.
    private(set) var municipality: [Int]
    /// For each cell its district, counted through the whole metropolis; -1 outside it.
    private(set) var district: [Int]
    /// For each district its municipality.
    private(set) var municipalityOfDistrict: [Int] = []
    /// For each district its cells.
    private(set) var cellsOfDistrict: [[Int]] = []

    static let districtCounts = 3...6

    init(municipalityCount: Int, seed: UInt64) {
        terrain = Terrain(municipalityCount: municipalityCount, seed: seed)
        municipality = []
        district = []
        var random = SplitMix64(seed: seed &+ 21)
        let centres = spread(municipalityCount, over: terrain.landCells, using: &random)
        municipality = grow(from: harbourFirst(centres), within: terrain.isLand, riverCost: 6, seed: seed &+ 22)
        district = [Int](repeating: -1, count: terrain.mesh.cellCount)
        for index in 0..<municipalityCount { addDistricts(of: index, seed: seed &+ 23, using: &random) }
    }

    private mutating func addDistricts(of index: Int, seed: UInt64, using random: inout SplitMix64) {
        let cells = terrain.landCells.filter { municipality[$0] == index }
        let wanted = index == 0 ? Self.districtCounts.upperBound : 3 + random.index(4)
        let centres = spread(min(wanted, cells.count), over: cells, using: &random)
        let grown = grow(from: centres, within: municipality.map { $0 == index }, riverCost: 4, seed: seed)
        let first = municipalityOfDistrict.count
        municipalityOfDistrict += [Int](repeating: index, count: centres.count)
        cellsOfDistrict += [[Int]](repeating: [], count: centres.count)
        for cell in cells where grown[cell] >= 0 {
            district[cell] = first + grown[cell]
            cellsOfDistrict[district[cell]].append(cell)
        }
    }

    /// The capital is the municipality at the head of the bay.
    private func harbourFirst(_ centres: [Int]) -> [Int] {
        let mesh = terrain.mesh, harbour = terrain.shape.harbour
        let nearest = centres.min { mesh.middle($0).distance(to: harbour) < mesh.middle($1).distance(to: harbour) }
        return centres.filter { $0 == nearest } + centres.filter { $0 != nearest }
    }

    /// Different cells spread evenly but not regularly: random ones, moved three times to the middle of what is
    /// nearest to them (Lloyd's relaxation).
    private func spread(_ count: Int, over cells: [Int], using random: inout SplitMix64) -> [Int] {
        var pool = cells
        var centres: [Place] = []
        for _ in 0..<count { centres.append(terrain.mesh.middle(pool.remove(at: random.index(pool.count)))) }
        for _ in 0..<3 { centres = relaxed(centres, over: cells) }
        var taken: Set<Int> = []
        return centres.map { centre in
            let free = cells.lazy.filter { !taken.contains($0) }
            let nearest = free.min { terrain.mesh.middle($0).distance(to: centre) < terrain.mesh.middle($1).distance(to: centre) }
            let cell = nearest ?? cells[0]
            taken.insert(cell)
            return cell
        }
    }

    private func relaxed(_ centres: [Place], over cells: [Int]) -> [Place] {
        var sums = [Place](repeating: Place(x: 0, y: 0), count: centres.count)
        var counts = [Double](repeating: 0, count: centres.count)
        for cell in cells {
            let middle = terrain.mesh.middle(cell)
            var nearest = 0, least = Double.infinity
            for (index, centre) in centres.enumerated() {
                let step = middle - centre
                let distance = step.x * step.x + step.y * step.y
                if distance < least { (nearest, least) = (index, distance) }
            }
            sums[nearest] = sums[nearest] + middle
            counts[nearest] += 1
        }
        return centres.indices.map { counts[$0] > 0 ? sums[$0] * (1 / counts[$0]) : centres[$0] }
    }

    /// Dijkstra's algorithm from all seeds at once: each cell goes to the seed that reaches it most cheaply, so every
    /// region is connected.
    private func grow(from seeds: [Int], within allowed: [Bool], riverCost: Double, seed: UInt64) -> [Int] {
        var owner = [Int](repeating: -1, count: allowed.count)
        var cost = [Double](repeating: .infinity, count: allowed.count)
        var queue = CostQueue()
        for (index, cell) in seeds.enumerated() {
            owner[cell] = index
            cost[cell] = 0
            queue.push(cell, cost: 0)
        }
        while let (reached, cell) = queue.pop() {
            guard reached == cost[cell] else { continue }
            for case let neighbour? in terrain.mesh.neighbours(of: cell) where allowed[neighbour] {
                let step = reached + stepCost(cell, neighbour, riverCost: riverCost, seed: seed)
                guard step < cost[neighbour] else { continue }
                cost[neighbour] = step
                owner[neighbour] = owner[cell]
                queue.push(neighbour, cost: step)
            }
        }
        return owner
    }

    private func stepCost(_ from: Int, _ to: Int, riverCost: Double, seed: UInt64) -> Double {
        let middle = terrain.mesh.middle(to)
        let edge = Chance.hash(seed, Int64(min(from, to)), Int64(max(from, to)))
        let uneven = 0.55 * Chance.noise(middle.x / 1100, middle.y / 1100, seed) + 0.3 * Chance.signed(edge)
        return 1 + uneven + (terrain.isEast(from) == terrain.isEast(to) ? 0 : riverCost)
    }
}
