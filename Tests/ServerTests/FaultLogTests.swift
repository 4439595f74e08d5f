import Store
import Testing

@testable import Server

struct FaultLogTests {
    private let begin = ContinuousClock.now

    @Test func `of a fault that thousands of requests meet there is a line at once, and then one in a while that counts them`() {
        let log = FaultLog()
        #expect(log.line("alder", .full, at: begin) == 0)
        for _ in 0..<5000 { #expect(log.line("alder", .full, at: begin + .seconds(9)) == nil) }
        #expect(log.line("alder", .full, at: begin + .seconds(10)) == 5000)
        #expect(log.line("alder", .full, at: begin + .seconds(11)) == nil)
    }

    @Test func `another fault, and that of another municipality, has a line of its own`() {
        let log = FaultLog()
        #expect(log.line("alder", .full, at: begin) == 0)
        #expect(log.line("alder", .damaged, at: begin) == 0)
        #expect(log.line("birch", .full, at: begin) == 0)
    }
}
