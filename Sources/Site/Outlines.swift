internal import Broker
internal import CityModel
internal import Crypto
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Store

/// The ground of the map: areas, water, green, roads and lines, from the entities of all municipalities.
struct Outlines: Sendable {
    let bytes: [UInt8]
    let tag: String
    let count: Int

    static let countMax = 2000
    static let byteCountMax = 200_000
    static let metres = 20.0
    /// Entities of one type in one municipality that are looked at.
    static let entityCountMax = 5000

    struct Outline {
        let kind: OutlineKind
        let municipality: String
        let name: String?
        let geometry: JSON
        /// Among outlines of one kind the larger comes first.
        let size: Double

        var json: JSON {
            [
                "kind": .string(kind.rawValue), "municipality": .string(municipality), "name": name.map(JSON.string) ?? .null,
                "geometry": geometry,
            ]
        }

        /// The kinds in the order of their importance.
        var rank: Int {
            switch kind {
            case .municipality: 0
            case .water: 1
            case .district: 2
            case .line: 3
            case .green: 4
            case .road: 5
            }
        }

        /// Nil for an entity that is no ground or has no outline. An area's `boundary` is preferred to its `location`.
        init?(_ entity: Entity, municipality: String, _ simplification: Simplification) {
            guard let kind = OutlineKind.of(entity.types) else { return nil }
            let boundary = entity.attributes.keys.first { $0.shortName == "boundary" }
            let candidates = [boundary, .location].compactMap { $0 }.compactMap { entity.instance(of: $0) }.filter { $0.kind == .geoProperty }
            for candidate in candidates {
                guard let geometry = try? Geometry(candidate.value), let simplified = simplification.simplified(geometry) else { continue }
                let box = geometry.boundingBox
                (self.kind, self.municipality, self.name) = (kind, municipality, Mark.name(of: entity))
                (self.geometry, size) = (simplified, max(box.east - box.west, box.north - box.south))
                return
            }
            return nil
        }
    }

    /// The less important are left out first.
    init(_ outlines: [Outline]) {
        let ordered = outlines.sorted { ($0.rank, -$0.size) < ($1.rank, -$1.size) }.prefix(Self.countMax)
        var writer = JSONWriter(byteCapacity: Self.byteCountMax)
        var (count, missed) = (0, 0)
        writer.raw("{\"outlines\":[")
        for outline in ordered {
            var part = JSONWriter()
            part.write(outline.json)
            guard writer.bytes.count + part.bytes.count + 3 <= Self.byteCountMax else {
                // A large one may be followed by some that fit; thousands are not tried.
                missed += 1
                if missed > 20 { break }
                continue
            }
            if count > 0 { writer.raw(",") }
            writer.raw(part.bytes)
            count += 1
        }
        writer.raw("]}")
        (bytes, self.count) = (writer.bytes, count)
        tag = "\"" + SHA256.hash(data: writer.bytes).prefix(9).map { String($0, radix: 16) }.joined(separator: "-") + "\""
    }
}

/// Keeps one audience's outlines for a while: they are costly to make and hardly change.
actor OutlineKeeper {
    private let audience: Audience
    private let city: City
    private var kept: (outlines: Outlines, positions: [Int64], at: ContinuousClock.Instant)?
    private var building: Task<Outlines, any Error>?

    init(_ audience: Audience, city: City) { (self.audience, self.city) = (audience, city) }

    func outlines(at now: Instant) async throws -> Outlines {
        let catalogue = try await city.catalogue(for: audience, at: now)
        let positions = catalogue.municipalities.map(\.position)
        if let kept, kept.positions == positions || (kept.outlines.count > 0 && ContinuousClock.now - kept.at < .seconds(city.limits.outlineSeconds)) {
            return kept.outlines
        }
        // The task ends when the outlines are there; whoever asks meanwhile waits for the same one.
        let task = building ?? Task { try await Self.build(city, catalogue, at: now) }
        building = task
        defer { if building == task { building = nil } }
        let outlines = try await task.value
        kept = (outlines, positions, .now)
        return outlines
    }

    private static func build(_ city: City, _ catalogue: Catalogue, at now: Instant) async throws -> Outlines {
        let simplification = Simplification(metres: Outlines.metres)
        var outlines: [Outlines.Outline] = []
        for municipality in catalogue.municipalities {
            let types = municipality.counts.keys.filter { OutlineKind.of($0.shortName) != nil }.sorted()
            guard !types.isEmpty else { continue }
            let places = try await city.broker.livePlaces(ofTypes: types, countMax: Outlines.entityCountMax, municipality.access, at: now)
            let entities = try await city.broker.liveEntities(places.map(\.number), municipality.access, at: now)
            // What is kept for an hour is told of nobody.
            outlines += entities.filter { !$0.classification.isPersonal }.compactMap { Outlines.Outline($0.entity, municipality: municipality.key, simplification) }
        }
        return Outlines(outlines)
    }
}

extension SiteDoor {
    func outlinesAnswer(_ request: DoorRequest) async throws -> Response {
        let outlines = try await outlines[try await city.audience(request.credential, request.terms)].outlines(at: request.now)
        let headers: HTTPFields = [.cacheControl: "private, no-cache", .eTag: outlines.tag, .vary: "Authorization, Cookie"]
        if request.headers[.ifNoneMatch].map({ $0.contains(outlines.tag) }) ?? false {
            return Response(status: .notModified, headers: headers)
        }
        return Answers.json(outlines.bytes, request, headers: headers)
    }
}
