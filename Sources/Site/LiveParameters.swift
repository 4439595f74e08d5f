internal import CityModel
internal import Door

/// The parameters that recur among the endpoints of the pages.
struct LiveParameters {
    let request: DoorRequest

    /// `west,south,east,north` in degrees.
    func box() throws(CityError) -> BoundingBox? {
        guard let text = request.query["bbox"], !text.isEmpty else { return nil }
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) ?? .nan }
        guard numbers.count == 4, numbers.allSatisfy(\.isFinite), numbers[0] <= numbers[2], numbers[1] <= numbers[3],
            numbers.allSatisfy({ abs($0) <= 1000 })
        else { throw .badRequestData("bbox: \(text.prefix(100)) is not west,south,east,north in degrees") }
        return BoundingBox(west: numbers[0], south: numbers[1], east: numbers[2], north: numbers[3])
    }

    /// A moment of the last 24 hours; nil means now.
    func moment() throws(CityError) -> Instant? {
        guard let text = request.query["at"], !text.isEmpty else { return nil }
        guard let moment = try request.query.instant("at") else { return nil }
        // A few minutes of grace at both ends, for clocks that differ.
        guard moment.seconds >= request.now.seconds - 86_400 - 1200, moment.seconds <= request.now.seconds + 300 else {
            throw .badRequestData("at: \(text.prefix(40)) is not within the last 24 hours")
        }
        return moment
    }

    /// The entries that `types` names; nil when it is absent. Keys that are not known are left out.
    func entries(_ catalogue: Catalogue) -> Set<Int>? {
        guard let text = request.query["types"] else { return nil }
        return Set(text.split(separator: ",").prefix(200).compactMap { catalogue.entry(key: String($0)) })
    }

    func zoom() throws(CityError) -> Double {
        guard let text = request.query["zoom"] else { return 10 }
        guard let zoom = Double(text), (0...24).contains(zoom) else { throw .badRequestData("zoom: \(text.prefix(20)) is not within 0 and 24") }
        return zoom
    }

    /// The text to search for, for comparing.
    func searched() throws(CityError) -> String {
        let text = request.query["q"]?.trimmingSpaces ?? ""
        guard text.count <= 100 else { throw .badRequestData("q: more than 100 characters") }
        return Words.folded(text)
    }

    /// An entity's identifier.
    func identifier() throws(CityError) -> IRI {
        guard let text = request.query["id"], let id = IRI(text) else {
            throw .resourceNotFound("id: \((request.query["id"] ?? "").prefix(200)) is not an entity's identifier")
        }
        return id
    }

    func interval(lengthMaxSeconds: Double) throws(CityError) -> Range<Instant> {
        let to = try request.query.instant("to") ?? request.now
        let from = try request.query.instant("from") ?? to.adding(seconds: -86_400)
        guard from < to else { throw .badRequestData("from: is not before to") }
        guard to.microseconds - from.microseconds <= Int64(lengthMaxSeconds * 1_000_000) else {
            throw .badRequestData("from: the span is longer than \(Int(lengthMaxSeconds / 86_400)) days")
        }
        return from..<to
    }
}
