/// The keys that each part of a policy, a list of purposes and a table of tests may have. The published schema
/// (`docs/schemas/policy.schema.json`) has one `$defs` entry for each part, and a test holds the two together.
package enum PolicyKeys {
    static let policy = ["title", "description", "zone", "rules"]
    static let rule = [
        "id", "description", "effect", "who", "actions", "what", "purposes", "consent", "agreement", "from", "until", "narrow",
    ]
    static let who = ["roles", "accounts", "municipalities", "signedIn"]
    static let what = ["types", "attributes", "scopes", "classifications", "sources", "within", "subject"]
    static let upTo = ["upTo"]
    static let area = ["type", "coordinates"]
    static let narrow = ["attributes", "place", "time", "aggregates"]
    static let narrowAttributes = ["only", "except"]
    static let roundTo = ["roundTo"]
    static let aggregates = ["k"]
    static let purposes = ["title", "description", "prefixes", "purposes"]
    static let purpose = ["id", "title", "description", "broader"]
    static let tests = ["title", "description", "tests"]
    static let test = ["name", "who", "action", "purpose", "agreement", "at", "resource", "expect"]
    static let testWho = ["account", "roles", "municipality"]
    static let resource = ["types", "scopes", "classification", "source", "subject", "location", "consents"]
    static let expect = ["decision", "rules", "shows", "hides", "place", "time", "k"]

    /// By the name of the schema's `$defs` entry.
    package static let all: [String: [String]] = [
        "policy": policy, "rule": rule, "who": who, "what": what, "upTo": upTo, "area": area, "narrow": narrow,
        "narrowAttributes": narrowAttributes, "roundToMetres": roundTo, "roundToPeriod": roundTo, "aggregates": aggregates,
        "purposes": purposes, "purpose": purpose, "tests": tests, "test": test, "testWho": testWho, "resource": resource,
        "expect": expect,
    ]
}
