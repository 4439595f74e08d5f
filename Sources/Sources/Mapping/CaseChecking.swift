internal import Declarations
internal import Services

extension CaseMapping {
    /// Holds the mapping against the service's questions, so that what no record could answer is said before the first.
    /// - Throws: `SourceError.definition`.
    func check(_ service: ServiceDefinition) throws(SourceError) {
        for answer in answers { try check(answer, service) }
        if let place, service.placeField == nil { throw fault(place.line, "place", "the service \(service.id) asks for no place") }
        for field in service.fields where field.required == .always && field.asked == nil {
            guard !isAnswered(field, service) else { continue }
            let reason = field.isUploaded ? "which no table holds" : "and nothing here answers it"
            throw fault(line, field.id == service.placeField?.id ? "place" : "fields", "the service \(service.id) always asks for \(field.id), \(reason)")
        }
    }

    private func isAnswered(_ field: ServiceField, _ service: ServiceDefinition) -> Bool {
        field.id == service.placeField?.id ? place != nil : answers.contains { $0.field == field.id }
    }

    private func check(_ answer: Answer, _ service: ServiceDefinition) throws(SourceError) {
        guard let field = service.field(answer.field) else {
            let nearest = Spelling.nearest(to: answer.field, in: service.fields.map(\.id)).map { "; the nearest is \($0)" } ?? ""
            throw fault(answer.line, "fields.\(answer.field)", "the service \(service.id) has no such question\(nearest)")
        }
        if field.isUploaded { throw fault(answer.line, "fields.\(field.id)", "it is answered with photos or files, which no table holds") }
        if case .place = field.kind { throw fault(answer.line, "fields.\(field.id)", "where it is stands under cases.place") }
        if case .object = answer.value { throw fault(answer.line, "fields.\(field.id)", "an object is no answer") }
    }

    private func fault(_ line: Int, _ key: String, _ reason: String) -> SourceError { .definition(line: line, key: "cases.\(key)", reason: reason) }
}
