internal import CityModel
internal import OrderedCollections
internal import Query
package import Services

/// Answers as the entities of a case hold them.
extension ServiceAnswers {
    func text(_ field: String) -> String? { if case .text(let text)? = self[field] { text } else { nil } }

    /// Where it is, as far as that was said in degrees.
    func place(_ definition: ServiceDefinition) -> Geometry? {
        guard let field = definition.placeField, case .place(let place)? = self[field.id], let coordinates = place.coordinates else { return nil }
        return try? Geometry(longitude: coordinates.longitude, latitude: coordinates.latitude)
    }

    /// Where it is, in the words of whoever reported it.
    func address(_ definition: ServiceDefinition) -> String? {
        guard let field = definition.placeField, case .place(let place)? = self[field.id] else { return nil }
        return place.address
    }

    /// The thing that it is about.
    func concerned(_ definition: ServiceDefinition) -> IRI? {
        definition.fields.lazy.compactMap { field in if case .entity(let id)? = self[field.id] { id } else { nil } }.first
    }

    /// The answers to some of the questions, by their identifiers; nil where there is none. Places and what was uploaded stand elsewhere.
    func json(_ definition: ServiceDefinition, where isWanted: (ServiceField) -> Bool) -> JSON? {
        var members: JSONObject = [:]
        for field in definition.fields where isWanted(field) { members[field.id] = self[field.id]?.json }
        return members.isEmpty ? nil : .object(members)
    }
}

extension ServiceAnswers.Answer {
    fileprivate var json: JSON? {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): Int64(exactly: number).map(JSON.integer) ?? .number(number)
        case .choices(let choices): .array(choices.map(JSON.string))
        case .date(let day): .string(day.text)
        case .consent: .bool(true)
        case .entity(let id): .string(id.text)
        case .place, .uploads: nil
        }
    }
}

extension ServiceDefinition {
    /// The question in whose answer residents say what it is about in their own words: `description`, else the first of several lines.
    package var descriptionField: ServiceField? {
        field("description") ?? fields.first { if case .text(let lineCount, _, _) = $0.kind { lineCount > 1 } else { false } }
    }
}
