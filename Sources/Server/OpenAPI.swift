internal import CityModel
internal import HTTPTypes
internal import Door
internal import OrderedCollections

/// The OpenAPI 3.1 document, made from the routes themselves.
enum OpenAPI {
    static func document(_ routes: [Route]) -> JSON {
        var paths: JSONObject = [:]
        for route in routes {
            var operations = paths[route.path]?.objectValue ?? [:]
            operations[route.method.rawValue.lowercased()] = operation(route)
            paths[route.path] = .object(operations)
        }
        let tags = OrderedSet(routes.map(\.tag)).map { JSON.object(["name": .string($0)]) }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Conurb", "version": .string(Version.current),
                "summary": "The shared data platform of a metropolitan area",
                "license": ["name": "EUPL-1.2", "identifier": "EUPL-1.2"],
            ],
            "servers": [["url": "/"]], "tags": .array(tags), "security": [["token": []], ["session": []], [:]], "paths": .object(paths),
            "components": ["schemas": schemas, "securitySchemes": securitySchemes],
        ]
    }

    private static let securitySchemes: JSON = [
        "token": ["type": "http", "scheme": "bearer"],
        "session": ["type": "apiKey", "in": "cookie", "name": "__Host-conurb", "description": "Changes are taken from this program's own pages alone"],
    ]

    private static func operation(_ route: Route) -> JSON {
        var operation: JSONObject = [
            "summary": .string(route.summary), "operationId": .string(identifier(route)), "tags": [.string(route.tag)],
        ]
        if !route.parameters.isEmpty { operation["parameters"] = .array(route.parameters.map(parameter)) }
        if let body = route.body {
            operation["requestBody"] = [
                "required": .bool(body.isRequired), "content": .object(content(body.mediaTypes, schema: body.schema)),
            ]
        }
        var responses: JSONObject = [:]
        for answer in route.responses {
            var members: JSONObject = ["description": .string(answer.summary)]
            if !answer.mediaTypes.isEmpty { members["content"] = .object(content(answer.mediaTypes, schema: answer.schema ?? [:])) }
            responses[String(answer.status)] = .object(members)
        }
        for problem in route.problems {
            // Whoever sends no length is answered before anything is known of what they want.
            responses[String(problem.status)] = problem.status == 411 ? ["description": .string(problem.summary)] : self.problem(problem.summary, route.problemTypes)
        }
        responses["default"] = problem("Any other problem: 431 headers-too-large, 500 InternalError")
        operation["responses"] = .object(responses)
        return .object(operation)
    }

    /// RFC 9457.
    private static func problem(_ summary: String, _ otherTypes: [String] = []) -> JSON {
        var content: JSONObject = ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]]
        for type in otherTypes { content[type] = ["schema": ["type": "string"]] }
        return ["description": .string(summary), "content": .object(content)]
    }

    private static func identifier(_ route: Route) -> String {
        let words = route.path.split { !$0.isLetter && !$0.isNumber }.map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return route.method.rawValue.lowercased() + words.joined()
    }

    private static func parameter(_ parameter: Route.Parameter) -> JSON {
        [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue), "required": .bool(parameter.isRequired),
            "description": .string(parameter.summary), "schema": parameter.schema,
        ]
    }

    private static func content(_ mediaTypes: [String], schema: JSON) -> JSONObject {
        JSONObject(mediaTypes.map { ($0, ["schema": schema]) }, uniquingKeysWith: { first, _ in first })
    }

    private static let schemas: JSON = [
        "Problem": [
            "type": "object", "required": ["type", "title", "status"],
            "properties": [
                "type": ["type": "string", "format": "uri"], "title": ["type": "string"], "status": ["type": "integer"],
                "detail": ["type": "string"],
            ],
        ],
        "Entity": [
            "type": "object", "required": ["id", "type"],
            "properties": [
                "id": ["type": "string", "format": "uri"],
                "type": ["oneOf": [["type": "string"], ["type": "array", "items": ["type": "string"]]]],
                "scope": ["oneOf": [["type": "string"], ["type": "array", "items": ["type": "string"]]]], "@context": [:],
            ],
            "additionalProperties": true,
        ],
        "UpdateResult": [
            "type": "object", "required": ["updated", "notUpdated"],
            "properties": [
                "updated": ["type": "array", "items": ["type": "string"]],
                "notUpdated": [
                    "type": "array",
                    "items": ["type": "object", "properties": ["attributeName": ["type": "string"], "reason": ["type": "string"]]],
                ],
            ],
        ],
        "BatchOperationResult": [
            "type": "object", "required": ["success", "errors"],
            "properties": [
                "success": ["type": "array", "items": ["type": "string", "format": "uri"]],
                "errors": [
                    "type": "array",
                    "items": [
                        "type": "object",
                        "properties": ["entityId": ["type": "string"], "error": ["$ref": "#/components/schemas/Problem"]],
                    ],
                ],
            ],
        ],
        "CSourceRegistration": [
            "type": "object", "required": ["type", "information", "endpoint"],
            "properties": [
                "id": ["type": "string", "format": "uri"], "type": ["const": "ContextSourceRegistration"],
                "endpoint": [
                    "type": "string", "format": "uri", "description": "An http address, or conurb: and the name of a municipality on this installation",
                ], "information": ["type": "array", "minItems": 1, "items": ["type": "object"]],
                "mode": ["type": "string", "enum": ["inclusive", "exclusive", "redirect", "auxiliary"]],
                "operations": ["type": "array", "items": ["type": "string"]], "tenant": ["type": "string"],
                "contextSourceAlias": ["type": "string"], "contextSourceInfo": ["type": "array", "items": ["type": "object"]],
                "management": ["type": "object"], "expiresAt": ["type": "string", "format": "date-time"],
            ], "additionalProperties": true,
        ],
        "Subscription": [
            "type": "object", "required": ["type", "notification"],
            "properties": [
                "id": ["type": "string", "format": "uri"], "type": ["const": "Subscription"],
                "entities": ["type": "array", "minItems": 1, "items": ["type": "object"]],
                "watchedAttributes": ["type": "array", "minItems": 1, "items": ["type": "string"]],
                "notificationTrigger": ["type": "array", "items": ["type": "string"]], "q": ["type": "string"],
                "geoQ": ["type": "object"], "scopeQ": ["type": "string"], "timeInterval": ["type": "number", "exclusiveMinimum": 0],
                "throttling": ["type": "number", "exclusiveMinimum": 0], "expiresAt": ["type": "string", "format": "date-time"],
                "isActive": ["type": "boolean"], "status": ["enum": ["active", "paused", "expired"]],
                "notification": [
                    "type": "object", "required": ["endpoint"],
                    "properties": [
                        "endpoint": [
                            "type": "object", "required": ["uri"],
                            "properties": [
                                "uri": ["type": "string", "format": "uri"], "accept": ["type": "string"],
                                "receiverInfo": ["type": "array", "items": ["type": "object"]],
                                "notifierInfo": ["type": "array", "items": ["type": "object"]],
                            ],
                        ],
                        "format": ["enum": ["normalized", "concise", "simplified", "keyValues"]],
                    ],
                ],
            ],
        ],
        "Snapshot": [
            "type": "object", "required": ["type"],
            "properties": [
                "id": ["type": "string", "format": "uri"], "type": ["const": "Snapshot"],
                "snapshotQueries": ["type": "array", "minItems": 1, "items": ["$ref": "#/components/schemas/Query"]],
                "snapshotTemporalQueries": ["type": "array", "minItems": 1, "items": ["$ref": "#/components/schemas/Query"]],
                "snapshotLifetime": ["type": "string", "format": "duration"],
                "snapshotPriority": ["type": "integer", "minimum": 1, "maximum": 10], "endpoint": ["type": "string", "format": "uri"],
                "receiverInfo": ["type": "array", "items": ["type": "object"]],
                "snapshotStatus": ["enum": ["preparing", "success", "partial", "failure", "empty"], "readOnly": true],
                "expiresAt": ["type": "string", "format": "date-time", "readOnly": true],
                "lastUsedAt": ["type": "string", "format": "date-time", "readOnly": true],
            ],
        ],
        "EntityMap": [
            "type": "object", "required": ["id", "type", "expiresAt"],
            "properties": [
                "id": ["type": "string", "format": "uri"], "type": ["const": "EntityMap"],
                "expiresAt": ["type": "string", "format": "date-time"],
                "entityMap": ["type": "object", "additionalProperties": ["type": "array", "items": ["type": "string"]]],
                "linkedMaps": ["type": "object", "additionalProperties": ["type": "string", "format": "uri"]],
            ],
        ],
        "Query": [
            "type": "object", "required": ["type"],
            "properties": [
                "type": ["const": "Query"], "entities": ["type": "array", "items": ["type": "object"]], "q": ["type": "string"],
                "geoQ": ["type": "object"], "scopeQ": ["type": "string"], "pick": ["type": "array", "items": ["type": "string"]],
                "omit": ["type": "array", "items": ["type": "string"]], "attrs": ["type": "array", "items": ["type": "string"]],
                "temporalQ": ["type": "object"], "aggrParams": ["type": "object"],
            ],
        ],
    ]
}
