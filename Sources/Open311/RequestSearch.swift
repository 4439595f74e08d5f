internal import Cases
internal import CityModel
internal import Door
internal import Query

/// Which requests are asked for, and which part of them: the newest first.
struct RequestSearch {
    /// Without its span of time.
    private(set) var query = CaseQuery()
    /// Both ends belong to it.
    let span: ClosedRange<Instant>
    /// Whether the span is of when requests changed, not of when they were made.
    let isByChange: Bool
    let offset: Int
    let limit: Int

    /// - Throws: `Open311Fault`, `CityError`, each naming the parameter.
    init(_ request: DoorRequest, _ limits: Open311Limits) throws {
        let times = SpanReader(request: request)
        let (after, before) = (try times.moment("updated_after"), try times.moment("updated_before"))
        let isMadeAsked = request.said("start_date") != nil || request.said("end_date") != nil
        isByChange = !isMadeAsked && (after != nil || before != nil)
        if isByChange {
            span = try times.span("updated_after", "updated_before", days: limits.spanDays, spanDays: limits.spanDays)
        } else {
            span = try times.span("start_date", "end_date", days: limits.spanDays, spanDays: limits.spanDays)
            if after != nil || before != nil {
                let range = (after ?? span.lowerBound, before ?? request.now)
                guard range.0 <= range.1 else { throw Open311Fault(400, "updated_after, updated_before: the first is later than the second") }
                query.updated = range.0...range.1
            }
        }
        let size = try request.integer("page_size", in: 1...limits.pageSizeMax) ?? limits.pageSizeMax
        let page = try request.integer("page", in: 1...limits.listedCountMax) ?? 1
        guard page * size <= limits.listedCountMax else { throw Open311Fault(400, "page: pages reach no farther than \(limits.listedCountMax) requests; ask for a shorter span") }
        (offset, limit) = ((page - 1) * size, size)
        query.services = try request.words("service_code", countMax: limits.wordCountMax)
        query.statuses = try Self.statuses(request.words("status", countMax: 10))
        query.near = try Self.near(request, limits)
        query.order = isByChange ? .updated : .newest
    }

    /// A part of the span, with as much of what it holds as is wanted.
    func part(_ slice: ClosedRange<Instant>, offset: Int, limit: Int) -> CaseQuery {
        var query = query
        if isByChange { query.updated = slice } else { query.requested = slice }
        (query.offset, query.limit) = (offset, limit)
        return query
    }

    private static func statuses(_ words: [String]) throws(Open311Fault) -> [String] {
        for word in words where !["open", "closed"].contains(word.lowercased()) { throw Open311Fault(400, "status: \(word.prefix(40)) is neither open nor closed") }
        let wanted = Set(words.map { $0.lowercased() })
        guard wanted.count == 1 else { return [] }
        return wanted.contains("closed") ? ["closed"] : ["open", "inProgress"]
    }

    private static func near(_ request: DoorRequest, _ limits: Open311Limits) throws -> (point: Geometry, metres: Double)? {
        let (latitude, longitude) = (try request.number("lat", in: -90...90), try request.number("long", in: -180...180))
        let metres = try request.number("radius", in: 1...limits.radiusMax)
        guard latitude != nil || longitude != nil || metres != nil else { return nil }
        guard let latitude, let longitude else { throw Open311Fault(400, "lat, long: both are needed") }
        return (try Geometry(longitude: longitude, latitude: latitude), metres ?? 1000)
    }
}

/// Goes back through a span of time in parts that can be put in order: longer ones where little happened, shorter ones where much did. It is told what was
/// found, and performs nothing.
struct SpanWalk {
    /// The next part; nil at the end.
    private(set) var slice: ClosedRange<Instant>?
    private let span: ClosedRange<Instant>
    private var width: Int64

    /// A part should hold so many.
    static let wanted = 1000...8000
    private static let day: Int64 = 86_400_000_000
    /// Parts are no shorter, in microseconds.
    private static let widthMin: Int64 = 1000

    init(_ span: ClosedRange<Instant>) {
        (self.span, width) = (span, Self.day)
        slice = part(endingAt: span.upperBound)
    }

    private func part(endingAt end: Instant) -> ClosedRange<Instant> {
        max(span.lowerBound, Instant(microseconds: end.microseconds - width + 1))...end
    }

    /// So many were in the part.
    mutating func passed(count: Int) {
        guard let done = slice else { return }
        if count < Self.wanted.lowerBound { width = min(width * 2, span.upperBound.microseconds - span.lowerBound.microseconds + 1) }
        if count > Self.wanted.upperBound { width = max(width / 2, Self.widthMin) }
        slice = done.lowerBound > span.lowerBound ? part(endingAt: Instant(microseconds: done.lowerBound.microseconds - 1)) : nil
    }

    /// There were too many in it.
    /// - Returns: whether it can be shorter.
    mutating func narrow() -> Bool {
        guard let tooLong = slice else { return false }
        let length = tooLong.upperBound.microseconds - tooLong.lowerBound.microseconds + 1
        guard length > Self.widthMin else { return false }
        width = max(length / 2, Self.widthMin)
        slice = part(endingAt: tooLong.upperBound)
        return true
    }
}

// MARK: - Parameters

/// Reads spans of time between two parameters.
struct SpanReader {
    let request: DoorRequest

    /// In the format of the W3C, with `Z` or an offset; a day stands for its beginning in UTC.
    func moment(_ name: String) throws(Open311Fault) -> Instant? {
        guard let text = request.said(name) else { return nil }
        // A plus sign that nobody encoded is a blank now.
        let written = text.replacing(" ", with: "+")
        guard let moment = Instant(written) ?? Instant(written + "T00:00:00Z") else {
            throw Open311Fault(400, "\(name): \(text.prefix(60)) is not a date and time such as 2010-01-01T00:00:00Z")
        }
        return moment
    }

    /// - Parameter days: how long it is where one end is not said; without both it ends now.
    /// - Parameter spanDays: how long it may be.
    func span(_ first: String, _ last: String, days: Int, spanDays: Int) throws(Open311Fault) -> ClosedRange<Instant> {
        let length = Double(days) * 86_400
        let (begin, end) = (try moment(first), try moment(last))
        switch (begin, end) {
        case (nil, nil): return request.now.adding(seconds: -length)...request.now
        case (let begin?, nil): return begin...max(begin, min(begin.adding(seconds: length), max(request.now, begin)))
        case (nil, let end?): return end.adding(seconds: -length)...end
        case (let begin?, let end?):
            guard begin <= end else { throw Open311Fault(400, "\(first), \(last): the first is later than the second") }
            guard end <= begin.adding(seconds: Double(spanDays) * 86_400) else { throw Open311Fault(400, "\(first), \(last): more than \(spanDays) days lie between them") }
            return begin...end
        }
    }
}

extension DoorRequest {
    /// Words between commas.
    func words(_ name: String, countMax: Int) throws(Open311Fault) -> [String] {
        let words = (said(name) ?? "").split(separator: ",").map { String($0).trimmingSpaces }.filter { !$0.isEmpty }
        guard words.count <= countMax else { throw Open311Fault(400, "\(name): at most \(countMax), between commas") }
        guard words.allSatisfy({ $0.utf8.count <= 200 }) else { throw Open311Fault(400, "\(name): each has at most 200 bytes") }
        return words
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(Open311Fault) -> Int? {
        guard let text = said(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Open311Fault(400, "\(name): \(text.prefix(40)) is not a whole number between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    func number(_ name: String, in range: ClosedRange<Double>) throws(Open311Fault) -> Double? {
        guard let text = said(name) else { return nil }
        guard let number = Double(text), range.contains(number) else {
            throw Open311Fault(400, "\(name): \(text.prefix(40)) is not a number between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    var isExtended: Bool { said("extensions") == "true" }
}
