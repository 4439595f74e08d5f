/// What can go wrong with an operation on the city's entities: one case for each answer that a caller can act on.
/// `detail` names the field at fault. The cases follow clause 5.5.2 and table 6.3.2-1; doors map them to their protocol.
public enum CityError: Error, Hashable, Sendable {
    /// The request itself is malformed: not JSON, a missing or impossible parameter.
    case invalidRequest(String)
    /// The request is well formed but its content breaks a rule of the information model.
    case badRequestData(String)
    /// The thing to be created exists.
    case alreadyExists(String)
    /// The operation contradicts what there is: a registration that claims what is held here or elsewhere (clause 5.9.2.4).
    case conflict(String)
    case operationNotSupported(String)
    case resourceNotFound(String)
    /// A query that would cost more than the configuration allows.
    case tooComplexQuery(String)
    /// A query whose answer would be larger than the configuration allows.
    case tooManyResults(String)
    /// A JSON-LD context document could not be had.
    case contextNotAvailable(String)
    case noMultiTenantSupport(String)
    case nonexistentTenant(String)
    /// No valid credential was shown.
    case unauthenticated(String)
    /// The credential does not allow this.
    case forbidden(String)
    /// More is waiting than the configuration allows; the same request may succeed later.
    case overloaded(String)
    /// A request came back to where it had been (clause 6.3.17).
    case loopDetected(String)
    /// A context source did not answer in time.
    case sourceTimedOut(String)
    /// A context source answered with something else than what was asked of it, or can't be reached.
    case sourceFailed(String)
    /// Something this program got wrong. The text is for the log and never for the client.
    case internalFault(String)
}

extension CityError {
    public var detail: String {
        switch self {
        case .invalidRequest(let text), .badRequestData(let text), .alreadyExists(let text), .conflict(let text), .operationNotSupported(let text),
            .resourceNotFound(let text), .tooComplexQuery(let text), .tooManyResults(let text), .contextNotAvailable(let text),
            .noMultiTenantSupport(let text), .nonexistentTenant(let text), .unauthenticated(let text), .forbidden(let text),
            .overloaded(let text), .loopDetected(let text), .sourceTimedOut(let text), .sourceFailed(let text), .internalFault(let text):
            text
        }
    }
}
