internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import OrderedCollections
internal import Policy
internal import Store

/// `/table.csv` and `/table.geojson`: all rows of the table, written as they are read.
extension SiteDoor {
    static let downloadCountMax = 100_000

    private static let tableParameters: [Route.Parameter] = [
        .init("type", in: .query, "Key of one type; all where absent"), .init("municipality", in: .query, "One municipality; all where absent"),
        .init("q", in: .query, "What the name contains"), .init("sort", in: .query, "name, municipality, updated or an attribute; - before it for descending"),
        .init("size", in: .query, "Rows of a page"), .init("page", in: .query, "Which page, from 1"),
    ]

    var tableRoutes: [Route] {
        [
            Route(
                .get, "/table", "The city as a table", tag: Self.pagesTag, parameters: Self.tableParameters,
                responses: [.init(200, "The page", mediaTypes: ["text/html"])], handler: tablePage),
            Route(
                .get, "/table.csv", "The table as CSV", tag: Self.pagesTag, parameters: Self.tableParameters,
                responses: [.init(200, "The rows", mediaTypes: ["text/csv"])]
            ) { try await download($0, as: CSVTable.self) },
            Route(
                .get, "/table.geojson", "The table as GeoJSON", tag: Self.pagesTag, parameters: Self.tableParameters,
                responses: [.init(200, "The rows", mediaTypes: ["application/geo+json"])]
            ) { try await download($0, as: GeoJSONTable.self) },
        ]
    }

    private func download<Format: TableFormat>(_ request: DoorRequest, as _: Format.Type) async throws -> Response {
        let catalogue = try await city.catalogue(request, to: .export)
        let query = TableQuery(request, catalogue)
        try query.demandAll(of: request)
        let rows = try await city.rows(query, catalogue, at: request.now).prefix(Self.downloadCountMax)
        let headers: HTTPFields = [
            .contentType: Format.mediaType, .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
            .contentDisposition: "attachment; filename=\"\(Format.fileName)\"",
        ]
        let (city, format) = (city, Format(catalogue: catalogue, query: query))
        return Response(
            status: .ok, headers: headers,
            body: .init { writer in
                var format = format
                try await writer.write(ByteBuffer(bytes: format.beginning))
                for start in stride(from: rows.startIndex, to: rows.endIndex, by: 500) {
                    let part = rows[start..<min(start + 500, rows.endIndex)]
                    var bytes: [UInt8] = []
                    for (found, entity) in try await city.entities(part, catalogue, at: .now) { bytes += format.row(found, entity) }
                    try await writer.write(ByteBuffer(bytes: bytes))
                }
                try await writer.write(ByteBuffer(bytes: format.end))
                try await writer.finish(nil)
            })
    }
}

/// A way to write the table's rows.
protocol TableFormat: Sendable {
    static var mediaType: String { get }
    static var fileName: String { get }
    init(catalogue: Catalogue, query: TableQuery)
    var beginning: [UInt8] { get }
    mutating func row(_ found: FoundMark, _ entity: Entity) -> [UInt8]
    var end: [UInt8] { get }
}

/// RFC 4180, UTF-8. Without a type each row has its main attribute and value; with one it has the type's columns.
struct CSVTable: TableFormat {
    static let mediaType = "text/csv; charset=utf-8; header=present"
    static let fileName = "table.csv"
    let catalogue: Catalogue
    private let columns: [Catalogue.Column]?

    init(catalogue: Catalogue, query: TableQuery) {
        self.catalogue = catalogue
        columns = query.entry.map { catalogue.entries[$0].columns }
    }

    var beginning: [UInt8] {
        CSVLine.bytes(["municipality", "id", "type", "name", "longitude", "latitude", "updated"] + (columns?.map(\.key) ?? ["attribute", "value", "unit"]))
    }

    let end: [UInt8] = []

    func row(_ found: FoundMark, _ entity: Entity) -> [UInt8] {
        let entry = catalogue.entries[found.mark.entry]
        let position = Mark.position(of: entity)
        var cells = [
            catalogue.municipalities[found.municipality].key, entity.id.text, entry.key, found.mark.name ?? "",
            position.map { $0.longitude.fiveDecimals.description } ?? "", position.map { $0.latitude.fiveDecimals.description } ?? "",
            found.mark.time.map { Instant(milliseconds: $0).description } ?? "",
        ]
        if let columns {
            cells += columns.map { Self.text(entity.instance(of: $0.attribute)?.value) }
        } else {
            let main = entry.scale.flatMap { entity.instance(of: $0.attribute) }
            cells += [entry.scale?.attribute.shortName ?? "", Self.text(main?.value), main?.unitCode ?? ""]
        }
        return CSVLine.bytes(cells)
    }

    private static func text(_ json: JSON?) -> String {
        switch json {
        case nil, .null?: ""
        case .string(let text)?: text
        case let value?: value.description
        }
    }
}

/// RFC 7946: one feature a row, with all its plain attributes.
struct GeoJSONTable: TableFormat {
    static let mediaType = "application/geo+json"
    static let fileName = "table.geojson"
    let catalogue: Catalogue
    private var count = 0

    init(catalogue: Catalogue, query: TableQuery) { self.catalogue = catalogue }

    let beginning = Array("{\"type\":\"FeatureCollection\",\"features\":[".utf8)
    let end = Array("]}\n".utf8)

    mutating func row(_ found: FoundMark, _ entity: Entity) -> [UInt8] {
        defer { count += 1 }
        var properties: JSONObject = [
            "municipality": .string(catalogue.municipalities[found.municipality].key),
            "type": .string(catalogue.entries[found.mark.entry].key), "name": found.mark.name.map(JSON.string) ?? .null,
            "updated": found.mark.time.map { .string(Instant(milliseconds: $0).description) } ?? .null,
        ]
        for name in entity.attributes.keys {
            guard let instance = entity.instance(of: name), instance.kind == .property else { continue }
            let key = SiteDoor.key(name, of: entity)
            if properties[key] == nil { properties[key] = instance.value }
        }
        let feature: JSON = [
            "type": "Feature", "id": .string(entity.id.text), "geometry": entity.instance(of: .location)?.value ?? .null,
            "properties": .object(properties),
        ]
        var writer = JSONWriter()
        writer.raw(count > 0 ? ",\n" : "\n")
        writer.write(feature)
        return writer.bytes
    }
}
