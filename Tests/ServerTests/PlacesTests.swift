import Synchronization
import Testing

@testable import Server

struct PlacesTests {
    /// Which connections were asked for their places, in order.
    private final class Asked: Sendable {
        private let names = Mutex<[Int]>([])
        var all: [Int] { names.withLock { $0 } }
        func note(_ name: Int) { names.withLock { $0.append(name) } }
    }

    private let places = Places(max: 40)
    private let asked = Asked()

    private func come(_ name: Int) -> Int { places.take { [asked] in asked.note(name) } }

    @Test func `nobody is asked while there is room`() {
        for name in 0..<40 { _ = come(name) }
        #expect(asked.all.isEmpty)
    }

    @Test func `each that comes to a full house has the one asked that has rested longest`() {
        for name in 0..<45 { _ = come(name) }
        #expect(asked.all == [0, 1, 2, 3, 4])
    }

    @Test func `who is being answered is not asked, and rests from the end of the answer on`() {
        let held = (0..<40).map(come)
        places.keep(held[0])
        places.keep(held[1])
        places.rest(held[1])
        for name in 40..<79 { _ = come(name) }
        #expect(asked.all == Array(2..<40) + [1])
    }

    @Test func `a few that ask nothing are kept however many are answered`() {
        for place in (0..<40).map(come) { places.keep(place) }
        for name in 40..<72 { _ = come(name) }
        #expect(asked.all.isEmpty)
        _ = come(72)
        #expect(asked.all == [40])
    }

    @Test func `who began something before it heard that its place is wanted keeps it`() {
        let held = (0..<41).map(come)
        #expect(asked.all == [0] && places.isWanted(held[0]))
        places.keep(held[0])
        #expect(!places.isWanted(held[0]))
        // It counts again.
        places.giveUp(held[1])
        _ = come(41)
        #expect(asked.all == [0, 2])
    }

    @Test func `a place that is given up is there for another`() {
        let held = (0..<41).map(come)
        for place in held { places.giveUp(place) }
        for name in 41..<81 { _ = come(name) }
        #expect(asked.all == [0])
    }

    @Test func `no more are answered at once than there may be`() {
        for _ in 0..<40 { #expect(places.beginAnswer()) }
        #expect(!places.beginAnswer())
        places.endAnswer()
        #expect(places.beginAnswer())
    }
}
