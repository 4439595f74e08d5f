import Ledger
import Testing

@Suite struct TileTests {
    @Test(arguments: [
        ("0/000", Tile(.hashes(level: 0), index: 0)), ("1/x001/x234/067", Tile(.hashes(level: 1), index: 1_234_067)),
        ("7/000.p/1", Tile(.hashes(level: 7), index: 0, width: 1)), ("0/x001/000.p/255", Tile(.hashes(level: 0), index: 1000, width: 255)),
        ("entries/273.p/112", Tile(.entries, index: 273, width: 112)), ("entries/x001/000", Tile(.entries, index: 1000)),
    ])
    func `a tile's path says which it is, and comes from it again`(path: String, tile: Tile) {
        #expect(Tile(path: path) == tile)
        #expect(tile.path == path)
    }

    @Test(arguments: [
        "", "0", "0/", "/000", "0/0", "0/00", "0/0000", "0/x000", "0/x000/000", "0/x000/001", "0/001/002", "0/x01/002", "00/000", "8/000", "-1/000",
        "64/000", "0/000.p", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/", "0/000.q/1", "entries", "entries/000.p/-1", "0/x001/x000",
        "data/000", "0/000/", "0/ab1", "0/x999/x999/x999/x999/x999/x999/999",
    ])
    func `what is not a tile's path is refused`(path: String) { #expect(Tile(path: path) == nil) }

    @Test func `the specification's tree of 70 000 leaves has the tiles that it lists`() {
        let tiles = Tile.all(ofTreeOf: 70_000)
        func widths(_ content: Tile.Content) -> [Int] { tiles.filter { $0.content == content }.map(\.width) }
        #expect(widths(.hashes(level: 0)) == Array(repeating: 256, count: 273) + [112])
        #expect(widths(.hashes(level: 1)) == [256, 17])
        #expect(widths(.hashes(level: 2)) == [1])
        #expect(widths(.hashes(level: 3)) == [])
        #expect(widths(.entries) == widths(.hashes(level: 0)))
        #expect(Tile.all(ofTreeOf: 256).filter { $0.content != .entries }.map(\.path) == ["0/000", "1/000.p/1"])
        #expect(Tile.all(ofTreeOf: 0).isEmpty)
    }

    @Test func `a tile is within a tree that has all of its hashes`() {
        #expect(Tile(.hashes(level: 0), index: 0, width: 7).isWithin(treeOf: 7))
        #expect(!Tile(.hashes(level: 0), index: 0, width: 8).isWithin(treeOf: 7))
        #expect(Tile(.hashes(level: 1), index: 0, width: 1).isWithin(treeOf: 256))
        #expect(!Tile(.hashes(level: 1), index: 0, width: 1).isWithin(treeOf: 255))
    }

    @Test func `leaves come out of a bundle as they went in, and one that is cut is refused`() throws {
        let leaves = [[], [1], Array(repeating: 7, count: 300)] as [[UInt8]]
        let bundle = try EntryBundle.write(leaves)
        #expect(bundle.starts(with: [0, 0, 0, 1, 1, 1, 44, 7]))
        #expect(try EntryBundle.parse(bundle) == leaves)
        for length in 1..<bundle.count where ![2, 5].contains(length) {
            #expect(throws: LedgerError.self) { try EntryBundle.parse(Array(bundle[..<length])) }
        }
        #expect(throws: LedgerError.self) { try EntryBundle.write([Array(repeating: 0, count: 65_536)]) }
    }
}
