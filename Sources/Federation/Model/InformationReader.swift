internal import CityModel
internal import OrderedCollections
internal import Query

/// Reads what a source may have (clauses 5.2.8, 5.2.10), with names expanded.
struct InformationReader {
    private let value: JSON?

    init(_ value: JSON?) { self.value = value }

    func information() throws(CityError) -> [RegistrationInfo] {
        guard let elements = value?.arrayValue, !elements.isEmpty, elements.count <= RegistrationReader.infoCountMax else {
            throw .badRequestData("information: an array of 1 to \(RegistrationReader.infoCountMax) objects")
        }
        var information: [RegistrationInfo] = []
        for element in elements { information.append(try info(element)) }
        return information
    }

    private func info(_ json: JSON) throws(CityError) -> RegistrationInfo {
        guard let members = json.objectValue else { throw .badRequestData("information: its elements are objects") }
        let names = ["entities", "propertyNames", "relationshipNames"]
        for name in members.keys where !names.contains(name) { throw .badRequestData("information.\(name): a RegistrationInfo has no such member") }
        guard !members.isEmpty else { throw .badRequestData("information: an element says at least one of \(names.joined(separator: ", "))") }
        var attributes: Set<IRI>?
        for name in names.dropFirst() {
            guard let value = members[name] else { continue }
            for text in try RegistrationReader.texts(value, "information." + name) { attributes = (attributes ?? []).union([IRI(known: text)]) }
        }
        return RegistrationInfo(entities: try members["entities"].map(entities), attributes: attributes)
    }

    private func entities(_ value: JSON) throws(CityError) -> [EntityInfo] {
        guard let elements = value.arrayValue, !elements.isEmpty, elements.count <= RegistrationReader.listCountMax else {
            throw .badRequestData("information.entities: an array of 1 to \(RegistrationReader.listCountMax) objects")
        }
        var entities: [EntityInfo] = []
        for element in elements { entities.append(try entity(element)) }
        return entities
    }

    /// Table 5.2.8-1 asks for a type; deployed registrations name an entity by its identifier alone, as clause 4.3.6.3 speaks of
    /// it, and are understood.
    private func entity(_ json: JSON) throws(CityError) -> EntityInfo {
        guard let members = json.objectValue else { throw .badRequestData("information.entities: its elements are objects") }
        for name in members.keys where !["id", "idPattern", "type"].contains(name) {
            throw .badRequestData("information.entities.\(name): an EntityInfo has no such member")
        }
        let types = try members["type"].map { value throws(CityError) in try RegistrationReader.texts(value, "information.entities.type") } ?? []
        var id: IRI?
        if let value = members["id"] {
            guard let iri = value.stringValue.flatMap({ IRI($0) }) else { throw .badRequestData("information.entities.id: \(value) is not a URI") }
            id = iri
        }
        var pattern: IDPattern?
        if let value = members["idPattern"] {
            guard let text = value.stringValue else { throw .badRequestData("information.entities.idPattern: a text") }
            // An identifier says more than a pattern (clause 5.2.8).
            let read = try IDPattern(text, parameter: "information.entities.idPattern")
            pattern = id == nil ? read : nil
        }
        guard !types.isEmpty || id != nil || pattern != nil else { throw .badRequestData("information.entities.type: is missing") }
        return EntityInfo(types: types.map { IRI(known: $0) }, id: id, idPattern: pattern)
    }
}
