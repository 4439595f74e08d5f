internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Services

/// Why a request is refused. The standard knows three statuses: 404 for what is not there, 403 for a key that is missing or wrong, 400 for all else; a code may
/// say more. 503 says to come again.
struct Open311Fault: Error, Sendable {
    struct Part: Hashable, Sendable {
        let code: Int
        /// Names the parameter at fault.
        let description: String
    }

    let status: Int
    let parts: [Part]

    init(_ status: Int, _ description: String) { self.init(status: status, [.init(code: status, description: description)]) }
    init(status: Int, _ parts: [Part]) { (self.status, self.parts) = (status, parts) }

    /// All that is wrong with a form.
    init(_ descriptions: [String]) { self.init(status: 400, descriptions.map { .init(code: 400, description: $0) }) }

    var answer: Open311Answer {
        let errors = parts.map { JSON.object(["code": .integer(Int64($0.code)), "description": .string($0.description)]) }
        return Open311Answer(root: "errors", value: .array(errors), status: .init(code: status))
    }
}

extension Open311Fault {
    /// Nil for what is no fault of the request: the server logs it, and says no more.
    init?(_ error: any Error) {
        switch error {
        case let fault as Open311Fault: self = fault
        case let error as CityError: self.init(error)
        case let problem as Problem where problem.status < 500:
            self.init(status: 400, [.init(code: problem.status, description: problem.detail ?? problem.title)])
        case let fault as CaseFault: self.init(400, fault.words)
        default: return nil
        }
    }

    private init?(_ error: CityError) {
        switch error {
        case .unauthenticated(let detail), .forbidden(let detail):
            // Whoever speaks Open311 shows a key.
            let name = "Authorization:"
            self.init(403, detail.hasPrefix(name) ? "api_key:" + detail.dropFirst(name.count) : detail)
        case .resourceNotFound(let detail), .nonexistentTenant(let detail): self.init(404, detail)
        case .overloaded(let detail): self.init(503, detail)
        case .tooManyResults(let detail), .tooComplexQuery(let detail): self.init(400, "start_date, end_date: a shorter span is needed (\(detail))")
        case .internalFault: return nil
        default: self.init(400, error.detail)
        }
    }
}

extension CaseFault {
    fileprivate var words: String {
        switch self {
        case .noSuchStep(let step): "status: the service does not lead to \(step) from where the request is"
        case .answerMissing: "description: something has to be said to the resident with this status"
        case .tooLong(let field, let countMax): "\(field == "answer" ? "description" : field): more than \(countMax) characters"
        case .tooManyAttachments(let countMax): "media: at most \(countMax) photos, and not too large together"
        case .nothingSaid: "description: nothing is said"
        case .isMerged: "service_request_id: the request is told of together with another"
        case .linkIsOver: "token: it is over"
        case .notReopenable, .notClosed, .sameCase, .tooManyFollowers, .notWithheld, .invalidRating: "service_request_id: this can't be done with the request as it is"
        }
    }
}
