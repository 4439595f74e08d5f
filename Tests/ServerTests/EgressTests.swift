import Foundation
import NIOCore
@testable import Server
import Testing

@Suite struct EgressTests {
    @Test(arguments: [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "::", "fe80::1", "fc00::1", "fdff::1", "ff02::1", "::ffff:10.0.0.1", "fec0::1", "feff::1", "::8.8.8.8", "::ffff:0:10.0.0.1",
        "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "2002:7f00:1::1", "2002:a9fe:a9fe::", "2001::1",
    ])
    func `addresses of the machine and its networks are private, also inside of others`(text: String) throws {
        #expect(EgressPolicy.isPrivate(try SocketAddress(ipAddress: text, port: 80)))
    }

    @Test(arguments: [
        "1.1.1.1", "172.15.255.255", "172.32.0.0", "192.169.0.1", "100.128.0.0", "2001:4860::1", "::ffff:1.1.1.1", "64:ff9b::8.8.8.8",
        "2002:808:808::1", "fe00::1",
    ])
    func `addresses of the world are not`(text: String) throws {
        #expect(!EgressPolicy.isPrivate(try SocketAddress(ipAddress: text, port: 80)))
    }

    @Test(arguments: [
        ("http://city.example:8080/a?b=c", "1.1.1.1", "http://1.1.1.1:8080/a?b=c", "city.example:8080"),
        ("http://city.example/a", "2001:4860::1", "http://[2001:4860::1]/a", "city.example"),
        ("http://u:p@city.example/", "1.1.1.1", "http://u:p@1.1.1.1/", "city.example"),
    ])
    func `a request goes to the address that was checked, for the host that was meant`(
        text: String, address: String, url: String, host: String
    ) throws {
        let meant = try #require(URL(string: text))
        let target = try #require(HTTPTarget(meant, at: address))
        #expect(target.url == url && target.host == host)
    }
}

@Suite(.timeLimit(.minutes(10))) struct NameResolverTests {
    private let address = try! SocketAddress(ipAddress: "1.1.1.1", port: 0)

    @Test func `names that nobody answers for hold up no other name, and are asked for once at a time`() async {
        let gate = DispatchSemaphore(value: 0)
        let counted = Counter()
        let resolver = NameResolver { [address] host in
            counted.add(host)
            if host.hasPrefix("dead") { gate.wait() }
            return host.hasPrefix("dead") ? [] : [address]
        }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<20 { for _ in 0..<2 { group.addTask { _ = await resolver.addresses(of: "dead\(number).example") } } }
            #expect(await resolver.addresses(of: "good.example") == [address])
            for _ in 0..<20 { gate.signal() }
        }
        #expect((0..<20).allSatisfy { counted.count("dead\($0).example") == 1 })
    }

    @Test func `a name that nobody waits for any more is not looked up, and stands in line once`() async {
        let gate = DispatchSemaphore(value: 0)
        let counted = Counter()
        let resolver = NameResolver { [address] host in
            counted.add(host)
            if host.hasPrefix("dead") { gate.wait() }
            return [address]
        }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<32 { group.addTask { _ = await resolver.addresses(of: "dead\(number).example") } }
            while !(0..<32).allSatisfy({ counted.count("dead\($0).example") == 1 }) { await Task.yield() }
            for _ in 0..<3 {
                let late = Task { await resolver.addresses(of: "late.example") }
                while resolver.waiterCount(of: "late.example") == 0 { await Task.yield() }
                late.cancel()
                #expect(await late.value.isEmpty)
            }
            #expect(resolver.queuedCount == 1)
            for _ in 0..<32 { gate.signal() }
        }
        #expect(await resolver.addresses(of: "good.example") == [address])
        #expect(counted.count("late.example") == 0)
    }

    @Test func `an answer is kept, and an address needs none`() async {
        let counted = Counter()
        let resolver = NameResolver { [address] host in
            counted.add(host)
            return [address]
        }
        for _ in 0..<3 { #expect(await resolver.addresses(of: "a.example") == [address]) }
        #expect(counted.count("a.example") == 1)
        #expect(await resolver.addresses(of: "[::1]").first?.ipAddress == "::1")
        #expect(counted.count("[::1]") == 0)
    }
}

private final class Counter: @unchecked Sendable {
    // The lock guards the counts.
    private let lock = NSLock()
    private var counts: [String: Int] = [:]
    func add(_ name: String) { lock.withLock { counts[name, default: 0] += 1 } }
    func count(_ name: String) -> Int { lock.withLock { counts[name] ?? 0 } }
}
