import CityModel
import Declarations
import Policy
import RandomEntities
import Testing

/// Whatever a file holds, it is read or refused; nothing traps.
struct HostileTextTests {
    @Test(arguments: UInt64(0)..<150)
    func `a policy that was damaged is read or refused`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        for name in ShippedPolicy.names {
            var bytes = Array(try #require(ShippedPolicy.text(name)).utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(Array("[]{}:,'\"&*!|>-#\n 09".utf8).randomElement(using: &random) ?? 0, at: place)
                default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let purposes = try ShippedPolicy.purposes()
            do throws(DeclarationError) {
                switch name {
                case "purposes.yaml": _ = try Purposes(parsing: text)
                case "default.yaml":
                    let policies = try Policies(files: [.init(name: name, text: text)], purposes: purposes, expand: expand)
                    _ = policies.ruling(.anonymous, .read, now: now)
                default: _ = try PolicyTable(parsing: text, purposes: purposes, expand: expand)
                }
            } catch {
                #expect(error.line >= 0 && !error.reason.isEmpty)
            }
        }
    }

    @Test(arguments: ["2026-12-31T24:00:00Z", "0000-01-01", "9999-12-31", "99999-01-01", "2026-13-01", "-2026-01-01"])
    func `days at the ends of the calendar are read or refused`(day: String) throws { _ = failure(of: "from: \(day)", "until: \(day)") }

    @Test func `a list of more rules than may be is refused`() throws {
        let rule = { (number: Int) in "{id: r\(number), effect: permit, who: anyone, actions: read, what: everything}" }
        func file(_ range: Range<Int>) -> Policies.File { .init(name: "\(range)", text: "rules: [\(range.map(rule).joined(separator: ","))]") }
        let files = [file(0..<1000), file(1000..<2000)]
        #expect(try Policies(files: files, purposes: .empty, expand: expand).rules.count == Policies.ruleCountMax)
        #expect(throws: DeclarationError.self) { try Policies(files: files + [file(2000..<2001)], purposes: .empty, expand: expand) }
        #expect(throws: DeclarationError.self) { try Policies(files: [file(0..<1001)], purposes: .empty, expand: expand) }
    }
}
