internal import Broker
internal import CityModel
internal import Store
internal import Trust

/// The rows of the table: all that match in order, and the entities of a part of them.
extension City {
    /// - Throws: `tooManyResults` when there are more than a table can put in order.
    func rows(_ query: TableQuery, _ catalogue: Catalogue, at now: Instant) async throws -> [FoundMark] {
        let selection = MarkSelection(
            municipalities: query.municipality.map { [$0] } ?? Array(catalogue.municipalities.indices), entries: query.entry.map { [$0] },
            nameContains: Words.folded(query.text.trimmed), isWhole: true)
        let found = try await marks(selection, catalogue, at: now).marks
        let isDescending = query.isDescending
        func byName(_ first: FoundMark, _ second: FoundMark) -> Bool {
            (first.mark.foldedName, first.mark.id) < (second.mark.foldedName, second.mark.id)
        }
        switch query.order {
        case .name: return found.sorted { isDescending ? byName($1, $0) : byName($0, $1) }
        case .municipality:
            let names = catalogue.municipalities.map { Words.folded($0.name) }
            return found.sorted { first, second in
                let (left, right) = (names[first.municipality], names[second.municipality])
                return left == right ? byName(first, second) : isDescending ? left > right : left < right
            }
        case .updated:
            return found.sorted { first, second in
                let (left, right) = (first.mark.time ?? .min, second.mark.time ?? .min)
                return left == right ? byName(first, second) : isDescending ? left > right : left < right
            }
        case .attribute(let key): return try await ordered(found, by: key, query, catalogue)
        }
    }

    /// Entities without a value come last, whichever way the others are ordered.
    private func ordered(_ found: [FoundMark], by key: String, _ query: TableQuery, _ catalogue: Catalogue) async throws -> [FoundMark] {
        guard let entry = query.entry.map({ catalogue.entries[$0] }), let column = entry.columns.first(where: { $0.key == key }) else { return found }
        var numbers: [Int: [Int64: Double]] = [:]
        for municipality in Set(found.map(\.municipality)) where column.isNumeric {
            let access = catalogue.municipalities[municipality].access
            numbers[municipality] = try await broker.liveNumbers(of: column.attribute, types: [entry.type], access)
        }
        let isMain = column.attribute == entry.scale?.attribute
        let keyed = found.map { found -> (number: Double?, text: String, found: FoundMark) in
            let text = isMain ? found.mark.value.stringValue ?? "" : ""
            return (numbers[found.municipality]?[found.mark.number], text, found)
        }
        let isDescending = query.isDescending
        return keyed.sorted { first, second in
            switch (first.number, second.number) {
            case (let left?, let right?) where left != right: return isDescending ? left > right : left < right
            case (_?, nil): return true
            case (nil, _?): return false
            default:
                guard first.text == second.text else { return isDescending ? first.text > second.text : first.text < second.text }
                return (first.found.mark.foldedName, first.found.mark.id) < (second.found.mark.foldedName, second.found.mark.id)
            }
        }.map(\.found)
    }

    /// The entities of these marks, in their order; those that are gone by now are left out.
    func entities(_ marks: some Sequence<FoundMark>, _ catalogue: Catalogue, at now: Instant) async throws -> [(found: FoundMark, entity: Entity)] {
        let grouped = Dictionary(grouping: marks, by: \.municipality)
        var entities: [Int: [Int64: Entity]] = [:]
        for (municipality, part) in grouped {
            let read = try await broker.liveEntities(part.map(\.mark.number), catalogue.municipalities[municipality].access, at: now)
            entities[municipality] = Dictionary(read.map { ($0.number, $0.entity) }, uniquingKeysWith: { first, _ in first })
        }
        try await account(for: marks, catalogue, at: now)
        return marks.compactMap { found in entities[found.municipality]?[found.mark.number].map { (found, $0) } }
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace ?? false { text.removeFirst() }
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}
