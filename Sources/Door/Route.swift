package import CityModel
package import HTTPTypes
package import Hummingbird

/// One operation of the program's HTTP interface: how it is reached, what it takes, what it answers. The server routes by
/// it and `/openapi.json` is made from it, so that neither can forget the other.
package struct Route: Sendable {
    package typealias Handler = @Sendable (DoorRequest) async throws -> Response

    package let method: HTTPRequest.Method
    /// Such as `/ngsi-ld/v1/entities/{entityId}`.
    package let path: String
    package let summary: String
    /// The group in the OpenAPI document.
    package let tag: String
    package let parameters: [Parameter]
    package let body: Body?
    /// What it answers besides the problems that every operation can answer.
    package let responses: [Answer]
    /// In which media types it says what is wrong, besides that of problem details.
    package let problemTypes: [String]
    package let handler: Handler
    /// Whether its answers are whole before they are sent, and expected in a moment where nothing has to be waited for: they are made on the thread of the connection, and
    /// hold up others there.
    package private(set) var isPrompt = false

    package init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, tag: String, parameters: [Parameter] = [], body: Body? = nil,
        responses: [Answer], problemTypes: [String] = [], handler: @escaping Handler
    ) {
        (self.method, self.path, self.summary, self.tag) = (method, path, summary, tag)
        (self.parameters, self.body, self.responses, self.handler) = (parameters, body, responses, handler)
        self.problemTypes = problemTypes
    }
}

extension Route {
    /// The same, answered in a moment.
    package var prompt: Route {
        var route = self
        route.isPrompt = true
        return route
    }

    package struct Parameter: Sendable {
        package enum Place: String, Sendable { case path, query, header }
        package let name: String
        package let place: Place
        package let summary: String
        /// A JSON Schema.
        package let schema: JSON
        package let isRequired: Bool

        package init(_ name: String, in place: Place, _ summary: String, schema: JSON = ["type": "string"], isRequired: Bool = false) {
            (self.name, self.place, self.summary, self.schema) = (name, place, summary, schema)
            self.isRequired = isRequired || place == .path
        }
    }

    package struct Body: Sendable {
        package let mediaTypes: [String]
        package let schema: JSON
        /// Whether the handler reads the body as it arrives; then the general size limit does not apply.
        package let isStreamed: Bool
        package let isRequired: Bool

        package init(_ mediaTypes: [String], schema: JSON, isStreamed: Bool = false, isRequired: Bool = true) {
            (self.mediaTypes, self.schema, self.isStreamed, self.isRequired) = (mediaTypes, schema, isStreamed, isRequired)
        }
    }

    package struct Answer: Sendable {
        package let status: Int
        package let summary: String
        package let mediaTypes: [String]
        package let schema: JSON?

        package init(_ status: Int, _ summary: String, mediaTypes: [String] = [], schema: JSON? = nil) {
            (self.status, self.summary, self.mediaTypes, self.schema) = (status, summary, mediaTypes, schema)
        }
    }

    /// The names of the query parameters that the operation knows.
    package var queryParameterNames: Set<String> { Set(parameters.filter { $0.place == .query }.map(\.name)) }
}
