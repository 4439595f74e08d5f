internal import CityModel
internal import Door

/// What a reader of the table asks for. What cannot be read counts as not said: a table is better than an error.
struct TableQuery: Sendable {
    enum Order: Hashable, Sendable {
        case name, municipality, updated
        /// An attribute of the type's columns, by its key.
        case attribute(String)
    }

    /// Index into the catalogue's entries; nil means all types.
    let entry: Int?
    /// Index into the catalogue's municipalities; nil means all.
    let municipality: Int?
    /// As it was typed.
    let text: String
    let order: Order
    let isDescending: Bool
    let size: Int
    let page: Int

    static let sizes = [25, 50, 100]

    init(_ request: DoorRequest, _ catalogue: Catalogue) {
        let query = request.query
        entry = query["type"].flatMap { catalogue.entry(key: $0) }
        municipality = query["municipality"].flatMap { catalogue.municipality($0) }
        text = String((query["q"] ?? "").prefix(100))
        let sort = query["sort"] ?? ""
        isDescending = sort.hasPrefix("-")
        let key = String(isDescending ? sort.dropFirst() : sort[...])
        order =
            switch key {
            case "municipality": .municipality
            case "updated": .updated
            default: entry.flatMap { catalogue.entries[$0].columns.contains { $0.key == key } ? .attribute(key) : nil } ?? .name
            }
        size = query["size"].flatMap { Int($0) }.flatMap { Self.sizes.contains($0) ? $0 : nil } ?? Self.sizes[0]
        page = min(max(query["page"].flatMap { Int($0) } ?? 1, 1), 1_000_000)
    }

    /// For programs, which would take more rows, or rows in another order, for what they asked for.
    /// - Throws: when something that is asked for is not there.
    func demandAll(of request: DoorRequest) throws(CityError) {
        func said(_ name: String) -> String? { request.query[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let key = said("type"), entry == nil { throw .badRequestData("type: there is no \(key.prefix(100))") }
        if let key = said("municipality"), municipality == nil { throw .resourceNotFound("municipality: there is no \(key.prefix(100))") }
        if let key = said("sort"), key != sort { throw .badRequestData("sort: there is nothing called \(key.prefix(100)) to order by") }
    }

    var orderKey: String {
        switch order {
        case .name: "name"
        case .municipality: "municipality"
        case .updated: "updated"
        case .attribute(let key): key
        }
    }

    /// As it stands in addresses.
    var sort: String { (isDescending ? "-" : "") + orderKey }

    /// The addresses' parameters, without the page.
    func address(_ catalogue: Catalogue) -> PageAddress {
        PageAddress(pairs: [
            ("type", entry.map { catalogue.entries[$0].key } ?? ""), ("municipality", municipality.map { catalogue.municipalities[$0].key } ?? ""),
            ("q", text), ("sort", sort == "name" ? "" : sort), ("size", size == Self.sizes[0] ? "" : String(size)),
        ])
    }
}
