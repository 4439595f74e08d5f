import CityModel
import Declarations
import Door
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

    private static let noon = Instant(seconds: 1_780_000_000)

    /// What rules are asked about.
    private static let lamp: Question.Resource = {
        var lamp = Question.Resource()
        lamp.types = [IRI(known: "https://example.org/Streetlight")]
        lamp.scopes = [Scope("/a/b")].compactMap(\.self)
        lamp.location = try? Geometry(longitude: 3.8, latitude: 43.6)
        return lamp
    }()

    private static let shipped = try? ShippedPolicy.policies { IRI("https://example.org/" + $0) }
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
                _ = try SourceTrial(definition, services: services).run(MemoryChunks(Array(parts[1].utf8)), shownCount: 3, now: noon)
            } catch { _ = error.description }
        },
        FuzzEntry(
            "service",
            tokens: yaml + [
                "id", "title", "group", "fields", "kind", "choices", "steps", "departments", "target", "hours", "calendar", "notices", "{reference}",
                "workingHours", "Europe/Paris", "districts", "keywords", fileMark, "&place=43.6,3.8", "&place=Rue+1", "&danger=yes", "2026-06-01", "1.000,5",
            ]
        ) { bytes in
            let parts = text(bytes).split(separator: fileMark, maxSplits: 1)
            try said {
                let service = try ServiceDefinition(parsing: String(parts.first ?? ""))
                for span in service.targets.flatMap({ [$0.answer, $0.close] }).compactMap(\.self) {
                    guard let due = service.calendar.due(after: noon, span) else { continue }
                    try hold(due >= noon && service.calendar.workingSeconds(from: noon, to: due) >= 0, "\(span) is over at \(due)")
                }
                guard parts.count == 2, let form = try? QueryParameters(parts[1]) else { return }
                let texts = Dictionary(form.pairs.map { ($0.name, [$0.value]) }, uniquingKeysWith: +)
                do throws(AnswerFaults) { _ = try service.answers(to: texts, today: service.calendar.day(of: noon)) } catch { for fault in error.faults { _ = fault.words(fault.field) } }
            }
        },
        FuzzEntry(
            "policy",
            tokens: yaml + [
                "rules", "id", "effect", "permit", "forbid", "who", "anyone", "actions", "what", "everything", "types", "area", "precision",
                "purposes", "tests", "expect", "until", "from", "agreement", "roles",
            ]
        ) { bytes in
            guard let shipped else { throw Broken("the policy that comes with the program is at fault") }
            let (text, expand) = (text(bytes), { @Sendable (name: String) in IRI("https://example.org/" + name) })
            try said { _ = try Purposes(parsing: text) }
            try said { _ = try PolicyTable(parsing: text, purposes: purposes, expand: expand).outcomes(of: shipped, now: noon) }
            try said { _ = try Question(parsing: text, purposes: purposes, expand: expand).verdict(of: shipped, now: noon) }
            try said {
                let policies = try Policies(files: [.init(name: "a.yaml", text: text)], purposes: purposes, expand: expand)
                for action in [AccessAction.read, .aggregate, .write] {
                    guard let precision = policies.decide(.anonymous, action, on: lamp.facts, now: noon).access(to: .location).precision else { continue }
                    _ = (lamp.location.map(precision.rounded), precision.rounded(noon))
                }
                _ = policies.explanation(.read, lamp, now: noon)
            }
        },
    ]
}
