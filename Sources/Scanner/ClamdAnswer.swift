/// What a scanner says of a file.
package enum ScanVerdict: Hashable, Sendable {
    case clean
    /// What it found, as it calls it.
    case found(String)
    /// It said neither, and why.
    case unknown(String)
}

/// What clamd answers to INSTREAM (clamd(8)): `stream: OK`, `stream: NAME FOUND`, or something that ends with `ERROR`.
struct ClamdAnswer {
    /// Longer answers are none.
    static let byteCountMax = 1000
    let verdict: ScanVerdict

    /// - Parameter bytes: up to the zero byte that ends them; without one the answer is not whole.
    init(_ bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: 0), let text = String(validating: bytes[..<end], as: UTF8.self) else {
            verdict = .unknown(bytes.isEmpty ? "no answer" : "an answer that is not whole")
            return
        }
        let prefix = "stream: ", suffix = " FOUND"
        if text == "stream: OK" { verdict = .clean } else if text.hasPrefix(prefix), text.hasSuffix(suffix), text.utf8.count > prefix.utf8.count + suffix.utf8.count {
            verdict = .found(String(text.dropFirst(prefix.count).dropLast(suffix.count)))
        } else { verdict = .unknown(text) }
    }
}
