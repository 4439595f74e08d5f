import NIOCore
@testable import Server
import Testing

@Suite struct EgressTests {
    @Test(arguments: [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "::", "fe80::1", "fc00::1", "fdff::1", "ff02::1", "::ffff:10.0.0.1",
    ])
    func `addresses of the machine and its networks are private`(text: String) throws {
        #expect(EgressPolicy.isPrivate(try SocketAddress(ipAddress: text, port: 80)))
    }

    @Test(arguments: ["1.1.1.1", "172.15.255.255", "172.32.0.0", "192.169.0.1", "100.128.0.0", "2001:4860::1", "::ffff:1.1.1.1"])
    func `addresses of the world are not`(text: String) throws {
        #expect(!EgressPolicy.isPrivate(try SocketAddress(ipAddress: text, port: 80)))
    }
}
