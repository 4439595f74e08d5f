/// Which cells of the mesh are the metropolis: an uneven oval that lies on a bay in its south and has a river running
/// down to that bay from the north. One piece, without lakes.
struct Terrain {
    let mesh: HexMesh
    /// For each cell, whether it is land of the metropolis.
    let isLand: [Bool]
    /// For each cell, whether it lies south of the coast. What is neither land nor sea is somebody else's country.
    let isSea: [Bool]
    let landCells: [Int]
    let shape: TerrainShape

    /// Cells that one municipality has on average.
    static let cellsPerMunicipality = 560.0
    static let squareMetresPerMunicipality = 42_000_000.0

    init(municipalityCount: Int, seed: UInt64) {
        let area = Double(municipalityCount) * Self.squareMetresPerMunicipality
        let shape = TerrainShape(scale: (area / 2.35).squareRoot(), seed: seed)
        let cellArea = Self.squareMetresPerMunicipality / Self.cellsPerMunicipality
        let extent = Place(x: shape.scale * 1.65, y: shape.scale * 1.3)
        let mesh = HexMesh(
            low: extent * -1, high: extent,
            radius: (cellArea / 2.598).squareRoot(), seed: seed &+ 11)
        let candidates = (0..<mesh.cellCount).map { shape.isLand(mesh.middle($0)) }
        let land = Terrain.withoutLakes(Terrain.largestPiece(candidates, mesh), mesh)
        self.shape = shape
        self.mesh = mesh
        isLand = land
        isSea = (0..<mesh.cellCount).map { !land[$0] && shape.isSea(mesh.middle($0)) }
        landCells = land.indices.filter { land[$0] }
    }

    /// Whether the cell is on the eastern bank of the river.
    func isEast(_ cell: Int) -> Bool { shape.isEast(mesh.middle(cell)) }

    private static func largestPiece(_ cells: [Bool], _ mesh: HexMesh) -> [Bool] {
        var best: [Int] = []
        var seen = cells.map { !$0 }
        for start in cells.indices where !seen[start] {
            let piece = flood(from: [start], seen: &seen, mesh)
            if piece.count > best.count { best = piece }
        }
        var land = [Bool](repeating: false, count: cells.count)
        for cell in best { land[cell] = true }
        return land
    }

    /// Whatever the outside cannot reach becomes land.
    private static func withoutLakes(_ land: [Bool], _ mesh: HexMesh) -> [Bool] {
        var seen = land
        let rim = land.indices.filter { cell in !land[cell] && mesh.neighbours(of: cell).contains(nil) }
        _ = flood(from: rim, seen: &seen, mesh)
        return zip(land, seen).map { $0 || !$1 }
    }

    private static func flood(from starts: [Int], seen: inout [Bool], _ mesh: HexMesh) -> [Int] {
        var reached = starts.filter { !seen[$0] }
        for cell in reached { seen[cell] = true }
        var next = 0
        while next < reached.count {
            for case let neighbour? in mesh.neighbours(of: reached[next]) where !seen[neighbour] {
                seen[neighbour] = true
                reached.append(neighbour)
            }
            next += 1
        }
        return reached
    }
}

/// The formulas behind the map.
struct TerrainShape {
    /// The metropolis's half height in metres.
    let scale: Double
    private let seed: UInt64
    /// Where on the west-east axis the bay lies.
    private let bay: Double

    init(scale: Double, seed: UInt64) {
        self.scale = scale
        self.seed = seed
        bay = scale * 0.3 * Chance.signed(Chance.mix(seed &+ 1))
    }

    /// The head of the bay, where the river ends and the oldest town stands.
    var harbour: Place { Place(x: bay, y: coast(at: bay)) }

    func isSea(_ place: Place) -> Bool {
        place.y < coast(at: place.x) + 0.05 * scale * Chance.noise(place.x / (0.16 * scale), place.y / (0.16 * scale), seed &+ 2)
    }

    func isLand(_ place: Place) -> Bool {
        let u = place.x / scale
        let v = place.y / scale
        let wobble = 0.16 * Chance.noise(u * 1.5, v * 1.5, seed &+ 3) + 0.06 * Chance.noise(u * 4.5, v * 4.5, seed &+ 4)
        let reach = (u / 1.3) * (u / 1.3) + v * v
        return reach < (1 + wobble) * (1 + wobble) && !isSea(place)
    }

    func isEast(_ place: Place) -> Bool { place.x > river(at: place.y) }

    private func coast(at x: Double) -> Double {
        let u = x / scale, offset = (x - bay) / scale
        let inlet = 0.55 / (1 + pow4(offset / 0.24))
        return scale * (-0.58 + 0.14 * Chance.noise(u * 1.3, seed &+ 5) + 0.05 * Chance.noise(u * 5, seed &+ 6) + inlet)
    }

    private func river(at y: Double) -> Double {
        let above = max(0, (y - harbour.y) / scale)
        let bends = 0.42 * Chance.noise(above * 1.7 + 0.5, seed &+ 7) + 0.12 * Chance.noise(above * 6, seed &+ 8)
        return bay + scale * bends * min(1, above * 2)
    }

    private func pow4(_ value: Double) -> Double { value * value * value * value }
}
