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

    /// Those that sources of cases can be for.
    private static let services = ShippedFiles.names(in: "services").compactMap { ShippedFiles.text("services/\($0)") }.compactMap { try? ServiceDefinition(parsing: $0) }

    /// Stands between a definition and a file that it is for.
    private static let fileMark = "\n===\n"

    static let declarations: [FuzzEntry] = [
        FuzzEntry(
            "source",
            tokens: yaml + [
                "id", "title", "classification", "format", "entity", "attributes", "from", "rules", "csv", "separator", "geometry", "time", "zone",
                "cases", "retention", "{id}", "crs", "unit", "pattern", "freshWithin", "factor", "as: number", "as: dateTime", "excel-serial", "unix-ms", "P1D", "list", "{id|slug|or=x}", fileMark,
            ]
        ) { bytes in
            try hold(!services.isEmpty, "no service for sources of cases")
            let parts = text(bytes).split(separator: fileMark, maxSplits: 1)
            do throws(SourceError) {
                let definition = try SourceDefinition(parsing: String(parts.first ?? ""))
                guard parts.count == 2 else { return }
                _ = try SourceTrial(definition, services: services).run(MemoryChunks(Array(parts[1].utf8)), shownCount: 3, now: Instant(seconds: 1_780_000_000))
            } catch { _ = error.description }
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
