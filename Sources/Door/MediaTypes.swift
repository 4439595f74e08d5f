/// What a request accepts (RFC 9110, section 12.5.1).
package enum Acceptance {
    /// The offered media type that an `Accept` header prefers; of equals, the first offered. Nil when it accepts none.
    /// - Parameter header: nil and empty accept everything.
    package static func choose(_ header: String?, offers: [String]) -> String? {
        guard let header, header != "*/*", !header.utf8.allSatisfy({ $0 == UInt8(ascii: " ") }) else { return offers.first }
        // One type alone, as most clients say it.
        if offers.contains(header) { return header }
        let ranges = header.split(separator: ",").map(Range.init)
        var best: (offer: String, quality: Double)?
        for offer in offers {
            // The most specific range that covers the offer says its quality.
            guard let range = ranges.filter({ $0.covers(offer) }).max(by: { $0.specificity < $1.specificity }), range.quality > 0
            else { continue }
            if best.map({ range.quality > $0.quality }) ?? true { best = (offer, range.quality) }
        }
        return best?.offer
    }

    private struct Range {
        let type: Substring
        let subtype: Substring
        let quality: Double

        init(_ text: Substring) {
            let parts = text.split(separator: ";").map { String($0).trimmingSpaces.lowercased()[...] }
            let sides = (parts.first ?? "").split(separator: "/", maxSplits: 1)
            type = sides.first ?? ""
            subtype = sides.count == 2 ? sides[1] : ""
            quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
        }

        var specificity: Int { type == "*" ? 0 : subtype == "*" ? 1 : 2 }

        func covers(_ offer: String) -> Bool {
            let sides = offer.split(separator: "/", maxSplits: 1)
            return type == "*" || (type == sides[0] && (subtype == "*" || subtype == sides[1]))
        }
    }
}
