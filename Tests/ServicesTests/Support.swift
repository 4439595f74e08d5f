import CityModel
import Declarations
import Foundation
import Query
import Services

enum Places {
    static let root: URL = {
        URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }()

    static func text(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }

    /// The shipped services, by the names of their files.
    static let examples: [String] = {
        let folder = root.appending(path: "examples/services")
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
    }()
}

/// A service of which a test says only what it is about: each part is a block of YAML, and what is left out is the smallest that there can be.
func serviceText(_ parts: [String: String] = [:]) -> String {
    let standard = [
        "id": "pothole", "title": "Pothole",
        "fields": "\n  - {id: kind, label: Kind, type: choice, choices: [{id: deep, label: Deep}, {id: flat, label: Flat}]}",
        "departments": "\n  - {department: Roads}",
        "steps": "\n  - {id: new, title: New, phase: open, next: done}\n  - {id: done, title: Done, phase: closed, done: true}",
        "calendar": "\n  zone: Europe/Paris\n  hours: {weekdays: '09:00-17:00'}",
        "public": "{when: reviewed, place: exact}",
    ]
    let all = standard.merging(parts) { $1 }
    let order = ["id", "title", "help", "group", "keywords", "fields", "departments", "steps", "targets", "calendar", "reopen", "notices", "public", "retention"]
    return (order + all.keys.filter { !order.contains($0) }.sorted())
        .compactMap { key in all[key].map { "\(key): \($0)\n" } }.joined()
}

func service(_ parts: [String: String] = [:]) throws -> ServiceDefinition { try ServiceDefinition(parsing: serviceText(parts)) }

func failure(of parts: [String: String]) -> DeclarationError? {
    do throws(DeclarationError) {
        _ = try ServiceDefinition(parsing: serviceText(parts))
        return nil
    } catch {
        return error
    }
}

func instant(_ text: String) throws -> Instant {
    struct NoInstant: Error { let text: String }
    guard let instant = Instant(text) else { throw NoInstant(text: text) }
    return instant
}
