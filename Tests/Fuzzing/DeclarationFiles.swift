import CityModel
import Declarations
import Policy
import Services
import Sources

/// Files that people write: sources, services, rules. What is wrong is said with its line.
extension FuzzEntry {
    private static let yaml = ["\n  ", "- ", ": ", "{", "}", "[", "]", "'", "\"", "&a", "*a", "|\n", ">\n", "!!int", "---\n", "#", "null", "0x7fffffffffffffff", "1e9", "<<: *a", "\t"]

    /// What is wrong is said with its line and in words; an error of another type is passed on.
    private static func said(_ read: () throws -> Void) throws {
        do { try read() } catch let error as DeclarationError { try hold(error.line >= 0 && !error.reason.isEmpty, "\(error)") }
    }

    private static let purposes = (try? ShippedPolicy.purposes()) ?? .empty

    static let declarations: [FuzzEntry] = [
        FuzzEntry(
            "source",
            tokens: yaml + [
                "id", "title", "classification", "format", "entity", "attributes", "from", "rules", "csv", "separator", "geometry", "time", "zone",
                "cases", "retention", "{id}", "crs", "unit",
            ]
        ) { bytes in
            do throws(SourceError) { _ = try SourceDefinition(parsing: text(bytes)) } catch { _ = error.description }
        },
        FuzzEntry(
            "service",
            tokens: yaml + [
                "id", "title", "group", "fields", "kind", "choices", "steps", "departments", "target", "hours", "calendar", "notices", "{reference}",
                "workingHours", "Europe/Paris", "districts", "keywords",
            ]
        ) { bytes in
            try said { _ = try ServiceDefinition(parsing: text(bytes)) }
        },
        FuzzEntry(
            "policy",
            tokens: yaml + [
                "rules", "id", "effect", "permit", "forbid", "who", "anyone", "actions", "what", "everything", "types", "area", "precision",
                "purposes", "tests", "expect", "until", "from", "agreement", "roles",
            ]
        ) { bytes in
            let (text, expand) = (text(bytes), { @Sendable (name: String) in IRI("https://example.org/" + name) })
            try said { _ = try Purposes(parsing: text) }
            try said { _ = try PolicyTable(parsing: text, purposes: purposes, expand: expand) }
            try said { _ = try Question(parsing: text, purposes: purposes, expand: expand) }
            try said {
                let policies = try Policies(files: [.init(name: "a.yaml", text: text)], purposes: purposes, expand: expand)
                _ = policies.ruling(.anonymous, .read, now: Instant(seconds: 1_780_000_000))
            }
        },
    ]
}
