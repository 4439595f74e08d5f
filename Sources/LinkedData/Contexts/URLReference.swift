/// Resolution of relative references, RFC 3986 section 5.2, for the places of `@context` documents and `@base`.
package enum URLReference {
    /// The absolute form of `reference`, seen from the document at `base`. Nil if `base` is not absolute.
    package static func resolve(_ reference: String, against base: String) -> String? {
        let relative = Parts(reference)
        if relative.scheme != nil { return reference }
        let base = Parts(base)
        guard base.scheme != nil else { return nil }
        var target = relative
        target.scheme = base.scheme
        guard relative.authority == nil else {
            target.path = withoutDotSegments(relative.path)
            return target.text
        }
        target.authority = base.authority
        if relative.path.isEmpty {
            target.path = base.path
            target.query = relative.query ?? base.query
        } else {
            target.path = withoutDotSegments(relative.path.first == "/" ? relative.path : merged(relative.path, with: base))
        }
        return target.text
    }

    /// Section 5.2.3.
    private static func merged(_ path: Substring, with base: Parts) -> Substring {
        if base.authority != nil, base.path.isEmpty { return "/" + path }
        guard let slash = base.path.lastIndex(of: "/") else { return path }
        return base.path[...slash] + path
    }

    /// Section 5.2.4, segment by segment.
    private static func withoutDotSegments(_ path: Substring) -> Substring {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        var kept: [Substring] = []
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { kept.append("") }
            case "..":
                if kept.count > 1 || (kept.count == 1 && kept[0] != "") { kept.removeLast() }
                if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return Substring(kept.joined(separator: "/"))
    }

    /// The components of RFC 3986 appendix B. Nil components are absent, empty ones present.
    private struct Parts {
        var scheme: Substring?
        var authority: Substring?
        var path: Substring
        var query: Substring?
        var fragment: Substring?

        init(_ text: String) {
            var rest = Substring(text)
            if let hash = rest.firstIndex(of: "#") {
                fragment = rest[rest.index(after: hash)...]
                rest = rest[..<hash]
            }
            if let mark = rest.firstIndex(of: "?") {
                query = rest[rest.index(after: mark)...]
                rest = rest[..<mark]
            }
            if let colon = rest.firstIndex(of: ":"), Parts.isScheme(rest[..<colon]) {
                scheme = rest[..<colon]
                rest = rest[rest.index(after: colon)...]
            }
            if rest.hasPrefix("//") {
                let start = rest.index(rest.startIndex, offsetBy: 2)
                let end = rest[start...].firstIndex(of: "/") ?? rest.endIndex
                authority = rest[start..<end]
                rest = rest[end...]
            }
            path = rest
        }

        private static func isScheme(_ text: Substring) -> Bool {
            guard let first = text.utf8.first, isLetter(first) else { return false }
            return text.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || [43, 45, 46].contains($0) }
        }

        private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }

        /// Section 5.3.
        var text: String {
            var text = ""
            if let scheme { text += "\(scheme):" }
            if let authority { text += "//\(authority)" }
            text += path
            if let query { text += "?\(query)" }
            if let fragment { text += "#\(fragment)" }
            return text
        }
    }
}
