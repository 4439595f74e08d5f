/// Borders between cells as smoothed lines. Every line is drawn once and used by all regions on its sides, so that
/// neighbours agree on every position.
struct Borders {
    typealias Corner = HexMesh.Corner

    private let territory: Territory
    /// Where each corner that is still drawn lies, smoothed and snapped to what can be written.
    private var drawn: [Corner: Place] = [:]

    init(_ territory: Territory) {
        self.territory = territory
        let links = borderLinks()
        for chain in Self.chains(links) { draw(chain) }
    }

    /// The rings around `cells`, which are all those that satisfy `belongs`: the outer one first, turning left.
    func area(of cells: [Int], where belongs: (Int) -> Bool) -> Area {
        let next = links(from: cells) { _, neighbour in !(neighbour.map(belongs) ?? false) }
        let rings = Self.loops(next).map { loop in closed(loop.compactMap { drawn[$0] }) }
        return Area(rings: rings.sorted { Area.signedSquareMetres($0) > Area.signedSquareMetres($1) })
    }

    /// Lines along the edges whose two cells satisfy `isSide`, each as long as it goes.
    func lines(where isSide: (Int, Int?) -> Bool) -> [[Place]] {
        let next = links(from: territory.terrain.landCells, where: isSide)
        return Self.paths(next).map { path in path.compactMap { drawn[$0] } }.filter { $0.count > 1 }
    }

    // MARK: - Drawing

    /// Every edge between two districts, between land and not land, and along the river.
    private func borderLinks() -> [Corner: [Corner]] {
        let mesh = territory.terrain.mesh
        var links: [Corner: [Corner]] = [:]
        for cell in territory.terrain.landCells {
            let corners = mesh.corners(of: cell)
            for (edge, neighbour) in mesh.neighbours(of: cell).enumerated() {
                guard isBorder(cell, neighbour) else { continue }
                let isShared = neighbour.map { territory.terrain.isLand[$0] } ?? false
                if isShared, let neighbour, neighbour < cell { continue }
                let (from, to) = (corners[edge], corners[(edge + 1) % 6])
                links[from, default: []].append(to)
                links[to, default: []].append(from)
            }
        }
        return links
    }

    private func isBorder(_ cell: Int, _ neighbour: Int?) -> Bool {
        guard let neighbour, territory.terrain.isLand[neighbour] else { return true }
        return territory.district[cell] != territory.district[neighbour]
            || territory.terrain.isEast(cell) != territory.terrain.isEast(neighbour)
    }

    /// Lines from one meeting point to the next, and rings without meeting points (their first corner repeated).
    private static func chains(_ links: [Corner: [Corner]]) -> [[Corner]] {
        let order = links.keys.sorted { ($0.row, $0.column) < ($1.row, $1.column) }
        var walked: Set<[Corner]> = []
        var chains: [[Corner]] = []
        func walk(from start: Corner, to first: Corner) {
            guard !walked.contains([start, first]) else { return }
            var chain = [start, first]
            walked.formUnion([[start, first], [first, start]])
            while let here = chain.last, here != start, let ways = links[here], ways.count == 2,
                let onward = ways.first(where: { $0 != chain[chain.count - 2] })
            {
                walked.formUnion([[here, onward], [onward, here]])
                chain.append(onward)
            }
            chains.append(chain)
        }
        for corner in order where links[corner]?.count != 2 { for way in links[corner] ?? [] { walk(from: corner, to: way) } }
        for corner in order { for way in links[corner] ?? [] { walk(from: corner, to: way) } }
        return chains
    }

    /// Keeps the ends, smooths what is between three times, and keeps every second corner of long lines.
    private mutating func draw(_ chain: [Corner]) {
        var places = chain.map(territory.terrain.mesh.place)
        for _ in 0..<3 where places.count > 2 {
            let before = places
            for index in 1..<(places.count - 1) {
                places[index] = before[index] * 0.5 + (before[index - 1] + before[index + 1]) * 0.25
            }
        }
        for (index, corner) in chain.enumerated() {
            let isEnd = index == 0 || index == chain.count - 1
            if isEnd || chain.count < 6 || index % 2 == 0 { drawn[corner] = Globe.snapped(places[index]) }
        }
    }

    private func closed(_ ring: [Place]) -> [Place] { ring + ring.prefix(1) }

    // MARK: - Following

    /// For the edges of `cells` that satisfy `isSide`, the corner that follows each corner, with the cell on the left.
    private func links(from cells: [Int], where isSide: (Int, Int?) -> Bool) -> [Corner: Corner] {
        let mesh = territory.terrain.mesh
        var next: [Corner: Corner] = [:]
        for cell in cells {
            let neighbours = mesh.neighbours(of: cell)
            guard neighbours.contains(where: { isSide(cell, $0) }) else { continue }
            let corners = mesh.corners(of: cell)
            for edge in 0..<6 where isSide(cell, neighbours[edge]) { next[corners[edge]] = corners[(edge + 1) % 6] }
        }
        return next
    }

    private static func loops(_ next: [Corner: Corner]) -> [[Corner]] {
        var rest = next
        var loops: [[Corner]] = []
        for start in next.keys.sorted(by: { ($0.row, $0.column) < ($1.row, $1.column) }) {
            var loop: [Corner] = []
            var here = start
            while let onward = rest.removeValue(forKey: here) {
                loop.append(here)
                here = onward
            }
            if loop.count > 2 { loops.append(loop) }
        }
        return loops
    }

    private static func paths(_ next: [Corner: Corner]) -> [[Corner]] {
        let ends = Set(next.values)
        var rest = next
        var paths: [[Corner]] = []
        let order = next.keys.sorted { ($0.row, $0.column) < ($1.row, $1.column) }
        for start in order.filter({ !ends.contains($0) }) + order {
            var path = [start]
            while let here = path.last, let onward = rest.removeValue(forKey: here) { path.append(onward) }
            if path.count > 1 { paths.append(path) }
        }
        return paths
    }
}
