internal import CityModel
internal import Broker
internal import Door
internal import HTTPTypes
internal import LinkedData
internal import NIOCore
internal import Query

/// A request's JSON body with the context that its names are to be read with (clause 6.3.5).
struct ContextualBody {
    let json: JSON
    let context: Context
}

extension NGSILDDoor {
    static let jsonTypes = ["application/json", "application/ld+json"]

    /// The context that the `Link` header names; the core context without one.
    /// - Parameter municipality: whose contexts count; nil for the one that the request names.
    func linkContext(_ request: DoorRequest, in municipality: MunicipalityName? = nil) async throws -> Context {
        guard let url = try LinkHeader.contextURL(request.headers) else { return .core }
        return try await contexts.context(.string(url), in: municipality ?? request.tenant())
    }

    /// The body and its context: from the `Link` header for JSON, from the body itself for JSON-LD.
    /// - Parameter bare: whether the body may be something else than an object.
    /// - Parameter municipality: whose contexts count; nil for the one that the request names.
    func body(
        _ request: DoorRequest, mergePatch: Bool = false, bare: Bool = false, in municipality: MunicipalityName? = nil
    ) async throws -> ContextualBody {
        let mediaType = try contentType(request, mergePatch: mergePatch)
        let json = try parse(request.body)
        guard bare || json.objectValue != nil else { throw CityError.invalidRequest("the body is an object, not a \(json.kindName)") }
        guard mediaType == "application/ld+json" else {
            guard json["@context"] == nil else {
                throw CityError.badRequestData("@context: in application/json the context stands in the Link header (clause 6.3.5)")
            }
            return ContextualBody(json: json, context: try await linkContext(request, in: municipality))
        }
        guard try LinkHeader.contextURL(request.headers) == nil else {
            throw CityError.badRequestData("Link: in application/ld+json the context stands in the body (clause 6.3.5)")
        }
        guard let value = json["@context"] else {
            throw CityError.badRequestData("@context: application/ld+json needs one in the body (clause 6.3.5)")
        }
        return ContextualBody(json: json, context: try await contexts.context(value, in: municipality ?? request.tenant()))
    }

    /// The context of one entry of a batch in JSON-LD, where each brings its own.
    func context(ofEntry entry: JSON, _ request: DoorRequest) async throws(CityError) -> Context {
        guard let value = entry["@context"] else {
            throw .badRequestData("@context: application/ld+json needs one in every entry (clause 6.3.5)")
        }
        return try await contexts.context(value, in: request.tenant())
    }

    /// What a body says of an entity.
    func fragment(_ json: JSON, _ context: Context, _ purpose: EntityReader.Purpose) throws(CityError) -> EntityFragment {
        let fragment = try EntityReader(context: context, purpose: purpose).fragment(json)
        for scope in fragment.scopes ?? [] { try Self.check(scope) }
        return fragment
    }

    /// The grammar of clause 4.18. Sources may have wider names for their places, so that the model itself allows more.
    static func check(_ scope: Scope) throws(CityError) {
        guard scope.levels.allSatisfy({ $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } }) else {
            throw .badRequestData("scope: \(scope) has levels of other characters than letters, digits and _ (clause 4.18)")
        }
    }

    /// The entities that the `type` parameter lets an operation on one entity see (clause 4.17).
    func selection(_ request: DoorRequest, _ context: Context) throws(CityError) -> TypeSelection? {
        guard let text = request.query["type"] else { return nil }
        return try TypeSelection(parsing: text, expand: context.expand)
    }

    func isLinkedData(_ request: DoorRequest) -> Bool { mediaType(request) == "application/ld+json" }

    func parse(_ body: ByteBuffer) throws(CityError) -> JSON {
        do throws(JSONError) {
            return try JSONParser(depthMax: limits.nestingDepthMax).parse(body.readableBytesView)
        } catch {
            switch error {
            case .malformed(let reason): throw .invalidRequest("the body is not JSON: \(reason)")
            case .tooDeep(let depthMax): throw .invalidRequest("the body nests deeper than \(depthMax) arrays and objects")
            }
        }
    }

    private func mediaType(_ request: DoorRequest) -> String {
        let header = request.headers[.contentType] ?? ""
        return String(header.split(separator: ";").first ?? "").trimmingSpaces.lowercased()
    }

    private func contentType(_ request: DoorRequest, mergePatch: Bool) throws -> String {
        let mediaType = mediaType(request)
        if Self.jsonTypes.contains(mediaType) { return mediaType }
        if mergePatch, mediaType == "application/merge-patch+json" { return "application/json" }
        throw Problem.own(
            "unsupported-media-type", "Unsupported media type", status: 415,
            "Content-Type: application/json or application/ld+json, not \(mediaType.isEmpty ? "nothing" : mediaType)")
    }
}
