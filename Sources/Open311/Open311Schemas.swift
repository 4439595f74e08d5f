internal import CityModel
internal import OrderedCollections

/// What is answered and taken, as JSON Schema; the answers in XML have the same members.
private enum Shape {
    static let text: JSON = ["type": "string"]
    static let optional: JSON = ["type": ["string", "null"]]
    static let moment: JSON = ["type": "string", "format": "date-time"]
    static let optionalMoment: JSON = ["type": ["string", "null"], "format": "date-time"]
    static let optionalNumber: JSON = ["type": ["number", "null"]]

    static func object(_ properties: JSON, required: [String]? = nil) -> JSON {
        let names = required ?? properties.objectValue.map { Array($0.keys) } ?? []
        return ["type": "object", "required": .array(names.map(JSON.string)), "properties": properties]
    }

    static func list(_ items: JSON) -> JSON { ["type": "array", "items": items] }
}

enum DiscoverySchema {
    static let document = Shape.object([
        "changeset": Shape.text, "contact": Shape.text, "key_service": Shape.text,
        "endpoints": Shape.list(
            Shape.object([
                "specification": Shape.text, "url": Shape.text, "changeset": Shape.text, "type": ["enum": ["production", "test"]], "formats": Shape.list(Shape.text),
            ])),
    ])
}

enum ServiceSchema {
    static let list = Shape.list(
        Shape.object([
            "service_code": Shape.text, "service_name": Shape.text, "description": Shape.optional, "metadata": ["type": "boolean"],
            "type": ["enum": ["realtime", "batch", "blackbox"]], "keywords": Shape.text, "group": Shape.optional,
        ]))

    private static let datatypes: JSON = ["enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]]
    static let definition = Shape.object([
        "service_code": Shape.text,
        "attributes": Shape.list(
            Shape.object(
                [
                    "variable": ["type": "boolean"], "code": Shape.text, "datatype": datatypes, "required": ["type": "boolean"], "datatype_description": Shape.optional,
                    "order": ["type": "integer", "minimum": 1], "description": Shape.text, "values": Shape.list(Shape.object(["key": Shape.text, "name": Shape.text])),
                ], required: ["variable", "code", "datatype", "required", "datatype_description", "order", "description"])),
    ])
}

enum RequestSchema {
    static let list = Shape.list(
        Shape.object(
            [
                "service_request_id": Shape.text, "token": Shape.text, "status": ["enum": ["open", "closed"]], "status_notes": Shape.optional, "service_name": Shape.optional,
                "service_code": Shape.optional, "description": Shape.optional, "agency_responsible": Shape.optional, "service_notice": Shape.optional,
                "requested_datetime": Shape.optionalMoment, "updated_datetime": Shape.optionalMoment, "expected_datetime": Shape.optionalMoment, "address": Shape.optional,
                "address_id": Shape.optional, "zipcode": Shape.optional, "lat": Shape.optionalNumber, "long": Shape.optionalNumber, "media_url": Shape.optional,
                "extended_attributes": ["type": "object"],
            ], required: ["service_request_id"]))

    static let filed = Shape.list(
        Shape.object(
            ["service_request_id": Shape.text, "service_notice": Shape.optional, "account_id": Shape.optional, "link": Shape.text],
            required: ["service_request_id", "service_notice", "account_id"]))

    static let body = Shape.object(
        [
            "api_key": Shape.text, "jurisdiction_id": Shape.text, "service_code": Shape.text, "lat": ["type": "number"], "long": ["type": "number"], "address_string": Shape.text,
            "address_id": Shape.text, "attribute": ["type": "object", "additionalProperties": true], "email": Shape.text, "device_id": Shape.text, "account_id": Shape.text,
            "first_name": Shape.text, "last_name": Shape.text, "phone": Shape.text, "description": ["type": "string", "maxLength": 4000], "media_url": Shape.text,
            "media": ["type": "array", "items": ["type": "string", "format": "binary"]], "lang": Shape.text, "extensions": ["type": "boolean"],
        ], required: ["service_code"])
}

enum UpdateSchema {
    static let list = Shape.list(
        Shape.object([
            "update_id": Shape.text, "service_request_id": Shape.text, "status": ["enum": ["OPEN", "CLOSED"]], "updated_datetime": Shape.moment, "description": Shape.text,
            "media_url": Shape.optional,
        ]))

    static let said = Shape.list(Shape.object(["update_id": Shape.text]))

    static let body = Shape.object(
        [
            "api_key": Shape.text, "jurisdiction_id": Shape.text, "service_request_id": Shape.text, "update_id": Shape.text, "update_id_ext": Shape.text, "updated_datetime": Shape.moment, "status": Shape.text,
            "description": ["type": "string", "maxLength": 4000],
        ], required: ["api_key", "service_request_id"])
}
