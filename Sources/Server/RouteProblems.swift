internal import Door
internal import HTTPTypes

/// The problems that an operation can answer with, as follows from what it takes.
extension Route {
    /// Statuses in order, each with what it means and the `type`s it comes with.
    var problems: [(status: Int, summary: String)] {
        let isNGSILD = path.hasPrefix("/ngsi-ld/")
        let changes = method != .get && !path.hasSuffix("/query")
        let takesNames = parameters.contains { $0.place != .header } || body != nil
        var found: [(Int, String)] = [(401, "The credential is missing where one is needed, or not valid (unauthenticated)")]
        if takesNames { found.append((400, "A parameter or the body is wrong; the detail names it (BadRequestData, InvalidRequest)")) }
        if changes || path.hasPrefix("/municipalities") { found.append((403, "The credential does not allow it (forbidden)")) }
        if isNGSILD, !changes {
            found.append((403, "The query costs or finds too much (TooComplexQuery, TooManyResults)"))
            found.append((406, "The answer can't be had in an accepted media type (not-acceptable)"))
        }
        if isNGSILD || parameters.contains(where: { $0.place == .path || $0.name == "municipality" }) {
            found.append((404, "It is not there (ResourceNotFound, NonexistentTenant)"))
        }
        if responses.contains(where: { $0.status == 201 }) { found.append((409, "It exists already (AlreadyExists)")) }
        if let body {
            found.append((415, "The body's media type is not one of those listed (unsupported-media-type)"))
            if !body.isStreamed {
                found.append((408, "The body did not arrive in time (body-too-slow)"))
                found.append((411, "Content-Length is missing; without a body"))
                found.append((413, "The body is too large (body-too-large)"))
            }
            if isNGSILD { found.append((422, "It is well said, and not done here (OperationNotSupported)")) }
        }
        if changes { found.append((507, "No space is left on the disk (disk-full)")) }
        let unavailable = "the municipality's file can't be used at the moment (file-unavailable)"
        found.append((503, changes ? "Too many writes or connections are waiting (overloaded, too-many-connections), or \(unavailable)"
            : "Too many connections are being answered (too-many-connections), or \(unavailable)"))
        if isNGSILD { found.append((504, "A JSON-LD context can't be had (LdContextNotAvailable)")) }
        let declared = Set(responses.map(\.status))
        return found.filter { !declared.contains($0.0) }.sorted { $0.0 < $1.0 }.map { (status: $0.0, summary: $0.1) }
    }
}
