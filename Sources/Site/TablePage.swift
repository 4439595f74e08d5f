internal import CityModel
internal import Door
internal import Hummingbird
internal import OrderedCollections

/// `/table`.
extension SiteDoor {
    func tablePage(_ request: DoorRequest) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        let cursor = cursor(catalogue)
        let query = TableQuery(request, catalogue)
        let rows = try await city.rows(query, catalogue, at: request.now)
        let table = TableView(door: self, request: request, catalogue: catalogue, query: query, rows: rows)
        var page = PageModel(.table, self, request, catalogue, cursor: cursor)
        page.addMunicipalities(catalogue, selected: query.municipality.map { catalogue.municipalities[$0].key })
        let shown = try await city.entities(table.shown, catalogue, at: request.now)
        table.fill(&page, shown)
        return try answer(page, request)
    }
}

/// One page of the table as its template wants it.
struct TableView {
    let door: SiteDoor
    let request: DoorRequest
    let catalogue: Catalogue
    let query: TableQuery
    let rows: [FoundMark]

    private var entry: Catalogue.Entry? { query.entry.map { catalogue.entries[$0] } }
    private var pageCount: Int { max(1, (rows.count + query.size - 1) / query.size) }
    private var page: Int { min(query.page, pageCount) }
    private var firstIndex: Int { (page - 1) * query.size }
    var shown: ArraySlice<FoundMark> { rows.dropFirst(firstIndex).prefix(query.size) }

    func fill(_ model: inout PageModel, _ shown: [(found: FoundMark, entity: Entity)]) {
        let language = model.language
        let columns = columns(language)
        let words = ValueText(language: language, clock: model.clock)
        let address = query.address(catalogue)
        func href(_ path: String, _ changes: [(name: String, value: String)] = []) -> JSON {
            let text = address.with(changes).query
            return .string(text.isEmpty ? path : "\(path)?\(text)")
        }
        model.members["types"] = .array(
            catalogue.entries.indices.map { index in
                let entry = catalogue.entries[index]
                return [
                    "key": .string(entry.key), "label": .string(language.type(entry.shortName)),
                    "countText": .string(language.count(catalogue.count(index, in: query.municipality))), "selected": .bool(index == query.entry),
                ]
            })
        model.members["query"] = .string(query.text)
        model.members["sorts"] = sorts(columns, language)
        model.members["sizes"] = .array(
            TableQuery.sizes.map { ["size": .integer(Int64($0)), "selected": .bool($0 == query.size)] })
        model.members["columns"] = .array(columns.map { column(header: $0) { href("/table", [("sort", $0)]) } })
        model.members["rows"] = .array(shown.map { row($0.found, $0.entity, words) })
        model.members["hasRows"] = .bool(!shown.isEmpty)
        model.members["showing"] = .string(
            rows.isEmpty
                ? language.text("table.showingNone")
                : language.text(
                    "table.showing", count: rows.count,
                    ["first": language.count(firstIndex + 1), "last": language.count(min(firstIndex + query.size, rows.count))]))
        model.members["pageOf"] = .string(
            language.text("table.pageOf", ["page": language.count(page), "pages": language.count(pageCount)]))
        model.members["csvHref"] = href("/table.csv")
        model.members["geojsonHref"] = href("/table.geojson")
        if page > 1 { model.members["previousHref"] = href("/table", [("page", page == 2 ? "" : String(page - 1))]) }
        if page < pageCount { model.members["nextHref"] = href("/table", [("page", String(page + 1))]) }
        let keys = OrderedSet(shown.map { catalogue.entries[$0.found.mark.entry].key })
        model.boot["types"] = .array(keys.map(JSON.string))
        model.boot["municipality"] = .string(query.municipality.map { catalogue.municipalities[$0].key } ?? "")
    }

    // MARK: - Columns

    struct Column {
        /// What it can be sorted by; nil when it cannot.
        let sort: String?
        let label: String
        var isNumeric = false
    }

    private func columns(_ language: Language) -> [Column] {
        var columns = [Column(sort: "name", label: language.text("table.name"))]
        if entry == nil { columns.append(Column(sort: nil, label: language.text("table.type"))) }
        columns.append(Column(sort: "municipality", label: language.text("table.municipality")))
        if let entry {
            columns += entry.columns.map { Column(sort: $0.key, label: language.attribute($0.key, of: entry.shortName), isNumeric: $0.isNumeric) }
        } else {
            columns.append(Column(sort: nil, label: language.text("table.value")))
        }
        return columns + [Column(sort: "updated", label: language.text("table.updated"))]
    }

    private func column(header column: Column, href: (String) -> JSON) -> JSON {
        let isSorted = column.sort == query.orderKey
        let next = column.sort.map { isSorted && !query.isDescending ? "-" + $0 : $0 }
        return [
            "label": .string(column.label), "numeric": .bool(column.isNumeric), "sortHref": next.map { href($0 == "name" ? "" : $0) } ?? false,
            "direction": isSorted ? .string(query.isDescending ? "descending" : "ascending") : false,
        ]
    }

    private func sorts(_ columns: [Column], _ language: Language) -> JSON {
        let (up, down) = (language.text("table.ascending"), language.text("table.descending"))
        return .array(
            columns.flatMap { column -> [JSON] in
                guard let sort = column.sort else { return [] }
                let newest = sort == "updated" ? language.text("table.newest") : down
                return [(sort, up), ("-" + sort, newest)].map { key, direction in
                    ["key": .string(key), "label": .string(language.list([column.label, direction])), "selected": .bool(key == query.sort)]
                }
            })
    }

    // MARK: - Rows

    private func row(_ found: FoundMark, _ entity: Entity, _ words: ValueText) -> JSON {
        let municipality = catalogue.municipalities[found.municipality]
        let entry = catalogue.entries[found.mark.entry]
        let language = words.language
        var cells: [JSON] = []
        if self.entry == nil { cells.append(cell(language.text("table.type"), language.type(entry.shortName))) }
        cells.append(cell(language.text("table.municipality"), municipality.name))
        if let shown = self.entry {
            cells += shown.columns.map { column in
                attribute(column.attribute, of: entity, label: language.attribute(column.key, of: shown.shortName), isNumeric: column.isNumeric, note: nil, words)
            }
        } else {
            let label = language.text("table.value")
            cells.append(
                entry.scale.map {
                    attribute($0.attribute, of: entity, label: label, isNumeric: false, note: language.attribute($0.attribute.shortName, of: entry.shortName),
                        words)
                } ?? cell(label, ""))
        }
        let moment = found.mark.time.map { Instant(milliseconds: $0) }
        cells.append(
            cell(language.text("table.updated"), moment.map(words.clock.dateTime) ?? "", time: moment.map { Instant(seconds: $0.seconds).description }))
        let address = PageAddress(pairs: [("types", entry.key), ("entity", "\(municipality.key) \(found.mark.id)")])
        return [
            "municipality": .string(municipality.key), "id": .string(found.mark.id), "name": .string(language.name(found.mark.name, id: found.mark.id, type: entry.shortName)),
            "href": .string("/?\(address.query)"), "cells": .array(cells),
        ]
    }

    private func attribute(
        _ name: IRI, of entity: Entity, label: String, isNumeric: Bool, note: String?, _ words: ValueText
    ) -> JSON {
        let instance = entity.instance(of: name)
        let unit = door.languages.unit(instance?.unitCode, of: name.shortName)
        let number = instance.flatMap { words.word($0.value, of: name.shortName) == nil ? $0.value.doubleValue : nil }
        let text = number.flatMap { unit.factor == 1 ? nil : words.language.number($0 * unit.factor) } ?? instance.flatMap { words.line($0, of: name) }
        return cell(
            label, text ?? words.language.scriptText("noValue"), isNumeric: isNumeric, attribute: name.shortName,
            unit: number == nil ? nil : unit, note: note)
    }

    /// Every cell has every key: a template looks for one that is missing in what is around it.
    private func cell(
        _ label: String, _ text: String, isNumeric: Bool = false, attribute: String? = nil, unit: ShownUnit? = nil, note: String? = nil,
        time: String? = nil
    ) -> JSON {
        func optional(_ text: String?) -> JSON { text.flatMap { $0.isEmpty ? nil : .string($0) } ?? false }
        return [
            "label": .string(label), "text": .string(text), "numeric": .bool(isNumeric), "attribute": optional(attribute),
            "unit": optional(unit?.symbol), "factor": .number(unit?.factor ?? 1), "note": optional(note), "time": optional(time),
        ]
    }
}
