import CityModel
import Declarations
import Foundation
import LinkedData
import Policy

enum Places {
    static let root: URL = {
        URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }()

    static func text(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }
}

let expand = Context.core.expand

/// Some moment; rules of tests without dates hold at it.
let now = Instant(utc: CivilTime(year: 2026, month: 6, day: 1))

func attribute(_ term: String) -> IRI { expand(term)! }

/// Below `a:all` lie `a:service`, with `a:repair` below it, and `a:research`.
func purposesForTest() throws -> Purposes {
    try Purposes(
        parsing: """
            prefixes: {a: 'https://example.org/purposes#'}
            purposes:
              - {id: 'a:all', title: All}
              - {id: 'a:service', title: Service, broader: 'a:all'}
              - {id: 'a:repair', title: Repair, broader: 'a:service'}
              - {id: 'a:research', title: Research, broader: ['a:all']}
            """)
}

/// Each text is the rest of a rule that has an id `r0`, `r1` ... and, unless the text says otherwise, speaks of everything
/// to anyone who reads.
func policies(_ rules: String...) throws -> Policies { try Policies(files: [file(rules)], purposes: purposesForTest(), expand: expand) }

private func file(_ rules: [String]) -> Policies.File {
    let text = rules.enumerated().map { index, rule in
        var lines = ["  - id: r\(index)"]
        for (key, standard) in [("effect", "permit"), ("who", "anyone"), ("actions", "read"), ("what", "everything")]
        where !rule.contains("\(key):") {
            lines.append("    \(key): \(standard)")
        }
        return (lines + rule.split(separator: "\n").map { "    \($0)" }).joined(separator: "\n")
    }
    return .init(name: "rules.yaml", text: rules.isEmpty ? "rules: []" : "rules:\n" + text.joined(separator: "\n") + "\n")
}

func failure(of rules: String...) -> DeclarationError? {
    do throws(DeclarationError) {
        guard let purposes = try? purposesForTest() else { return nil }
        _ = try Policies(files: [file(rules)], purposes: purposes, expand: expand)
        return nil
    } catch {
        return error
    }
}

extension Policies {
    /// What somebody with some roles may see of an entity.
    func read(
        _ facts: ResourceFacts = ResourceFacts(), roles: Set<Role> = [], purpose: String? = nil, agreement: String? = nil, at moment: Instant = now
    ) -> Verdict {
        decide(
            roles.isEmpty ? .anonymous : Requester(account: "ada", roles: roles), .read, on: facts, purpose: purpose, agreement: agreement,
            now: moment)
    }
}
