@testable import Scanner
import Testing

/// What of the scanner needs no scanner. `Tests/acceptance/test_cases.py` speaks with one.
@Suite struct ScannerTests {
    @Test(arguments: [
        ("unix:/run/clamav/clamd.ctl", .unix("/run/clamav/clamd.ctl")), ("tcp:127.0.0.1:3310", .tcp(host: "127.0.0.1", port: 3310)), ("tcp:[::1]:1", .tcp(host: "::1", port: 1)),
        ("tcp:scanner.city.example:65535", .tcp(host: "scanner.city.example", port: 65_535)),
        ("unix:run/x", nil), ("unix:", nil), ("tcp:127.0.0.1", nil), ("tcp::3310", nil), ("tcp:a:0", nil), ("tcp:a:65536", nil), ("tcp:::1:3310", nil), ("tcp:a b:1", nil), ("/run/x", nil),
        ("unix:/" + String(repeating: "a", count: 106), .unix("/" + String(repeating: "a", count: 106))), ("unix:/" + String(repeating: "a", count: 107), nil),
    ] as [(String, ScannerSettings.Address?)])
    func `an address is a socket of this machine or a host with its port`(text: String, address: ScannerSettings.Address?) {
        #expect(ScannerSettings(text)?.address == address)
    }

    @Test(arguments: [
        ("stream: OK\0", .clean), ("stream: Eicar-Test-Signature FOUND\0", .found("Eicar-Test-Signature")), ("stream: A B FOUND\0rest", .found("A B")),
        ("INSTREAM size limit exceeded. ERROR\0", .unknown("INSTREAM size limit exceeded. ERROR")), ("stream: OK", .unknown("an answer that is not whole")), ("", .unknown("no answer")),
        ("stream:  FOUND\0", .unknown("stream:  FOUND")), ("OK\0", .unknown("OK")), ("stream: OK\n\0", .unknown("stream: OK\n")), ("stream: ok\0", .unknown("stream: ok")),
    ] as [(String, ScanVerdict)])
    func `nothing but clamd's own words says that a file is clean`(answer: String, verdict: ScanVerdict) {
        #expect(ClamdAnswer(Array(answer.utf8)).verdict == verdict)
    }

    @Test func `a scanner that is not there knows nothing`() async throws {
        let scanner = ClamdScanner(try #require(ScannerSettings("unix:/nowhere/clamd.ctl")))
        for _ in 0..<40 {
            guard case .unknown = await scanner.scan([1]) else {
                Issue.record("it was told what nobody knows")
                return
            }
        }
    }
}
