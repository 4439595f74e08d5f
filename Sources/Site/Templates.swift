internal import CityModel
internal import Mustache
internal import OrderedCollections

/// The pages' templates, parsed once. What they are filled with is JSON, so that a value is a text, a number, a boolean,
/// a list or a group of them, and every text is escaped for HTML when it is written.
struct Templates: Sendable {
    /// Read when the first page is made: a program that is asked for none need not wait for them when it starts.
    private static let read: (library: MustacheLibrary, faults: [String]) = {
        var library = MustacheLibrary()
        var faults: [String] = []
        for path in SiteFiles.paths where path.hasSuffix(".mustache") {
            do {
                try library.register(SiteFiles.text(path) ?? "", named: String(path.dropLast(".mustache".count)))
            } catch {
                faults.append("\(path): \(error)")
            }
        }
        return (library, faults)
    }()

    /// Templates that could not be read; none, or the program is built wrongly.
    var faults: [String] { Self.read.faults }

    func render(_ name: String, _ model: JSONObject) throws(CityError) -> String {
        guard faults.isEmpty, let text = Self.read.library.render(TemplateObject(members: model), withTemplate: name) else {
            throw .internalFault("template \(name): \(faults.joined(separator: "; "))")
        }
        return text
    }
}

/// An object as Mustache sees it.
private struct TemplateObject: MustacheParent {
    let members: JSONObject
    func child(named name: String) -> Any? { members[name].flatMap(Self.value) }

    /// Null is absent: a section of it is not shown.
    static func value(_ json: JSON) -> Any? {
        switch json {
        case .null: nil
        case .bool(let flag): flag
        case .integer(let number): number
        case .number(let number): number
        case .string(let text): text
        case .array(let elements): elements.compactMap(value)
        case .object(let members): TemplateObject(members: members)
        }
    }
}
