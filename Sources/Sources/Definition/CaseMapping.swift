internal import CityModel
package import Cases

/// How a record becomes a case: which service it is for, and where the answers to its questions stand. What an answer has to be says the service.
package struct CaseMapping: Hashable, Sendable {
    /// The service's code; its newest version counts when a run begins.
    package var service: String
    /// What tells rows apart, for ever: a row with a key that was filed is filed no more.
    package var key: [FieldName]
    /// When it was said; nil: when it is imported.
    package var date: TimeField?
    package var channel: CaseChannel
    package var answers: [Answer]
    package var place: Place?
    package var contact: Contact
    /// What was said besides the answers, for staff alone.
    package var remark: ValueExpression?
    /// Whether those with an e-mail address are told at once that it has come in.
    package var isAcknowledged: Bool
    /// Where the definition says this, for messages.
    package var line: Int

    package struct Answer: Hashable, Sendable {
        /// The question's identifier.
        package var field: String
        package var value: ValueExpression
        package var line: Int
    }

    package struct Place: Hashable, Sendable {
        /// In the source's coordinate system.
        package var point: GeometryExpression?
        package var address: ValueExpression?
        package var line: Int
    }

    package struct Contact: Hashable, Sendable {
        package var name: ValueExpression?
        package var email: ValueExpression?
        package var telephone: ValueExpression?
        package var language: ValueExpression?
    }
}

extension ValueExpression {
    /// The fields that it looks at, as a finding names them.
    var fieldNames: String {
        switch self {
        case .field(let name, _): name.text
        case .template(let template): template.fields.map(\.text).joined(separator: ", ")
        case .constant: ""
        case .object(let members): members.map(\.value.fieldNames).joined(separator: ", ")
        }
    }
}
