internal import CityModel
internal import OrderedCollections
internal import Yams

/// A node of a definition with the path of its key and its line, for errors that say where.
struct YAMLValue {
    let node: Node
    let path: String
    let line: Int

    /// The longest definition that is read, in UTF-8 bytes.
    static let byteCountMax = 1 << 20

    static func root(of text: String) throws(SourceError) -> YAMLValue {
        guard text.utf8.count <= byteCountMax else {
            throw .definition(line: 1, key: "", reason: "a definition has at most \(byteCountMax) bytes")
        }
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw SourceError.definition(line: 1, key: "", reason: "the definition is empty")
            }
            return YAMLValue(node: node, path: "", line: 1)
        } catch let error as SourceError {
            throw error
        } catch let error as YamlError {
            throw syntaxError(error)
        } catch {
            throw .definition(line: 1, key: "", reason: "not YAML: \(error)")
        }
    }

    private static func syntaxError(_ error: YamlError) -> SourceError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            .definition(line: mark.line, key: "", reason: "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            .definition(
                line: context.mark.line, key: duplicates.first ?? "",
                reason: "the key stands more than once in the part that begins here")
        default: .definition(line: 1, key: "", reason: "not YAML: \(error)")
        }
    }

    func failure(_ reason: String) -> SourceError { .definition(line: line, key: path, reason: reason) }

    // MARK: Scalars

    var scalar: String? { node.scalar?.string }

    /// Whether the node is a mapping.
    var isMapping: Bool { node.mapping != nil }
    var isSequence: Bool { node.sequence != nil }

    func text() throws(SourceError) -> String {
        guard let text = scalar else { throw failure("a text is needed here") }
        guard !text.isEmpty else { throw failure("the text is empty") }
        return text
    }

    func boolean() throws(SourceError) -> Bool {
        switch scalar {
        case "true": return true
        case "false": return false
        default: throw failure("true or false is needed here")
        }
    }

    func integer(in range: ClosedRange<Int>) throws(SourceError) -> Int {
        guard let number = scalar.flatMap({ Int($0) }), range.contains(number) else {
            throw failure("a whole number from \(range.lowerBound) to \(range.upperBound) is needed here")
        }
        return number
    }

    func number() throws(SourceError) -> Double {
        guard let number = scalar.flatMap({ Double($0) }), number.isFinite else { throw failure("a number is needed here") }
        return number
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) throws(SourceError) -> Choice
    where Choice.RawValue == String {
        let text = try text()
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue)
            let nearest = DefinitionKeys.nearest(to: text, in: names).map { "; did you mean \($0)?" } ?? ""
            throw failure("\(text) is not one of \(names.joined(separator: ", "))\(nearest)")
        }
        return choice
    }

    // MARK: Parts

    /// The elements of a list; a value that is no list counts as a list of one.
    func elements(countMax: Int = 1000) throws(SourceError) -> [YAMLValue] {
        guard let sequence = node.sequence else { return [self] }
        guard sequence.count <= countMax else { throw failure("a list here has at most \(countMax) elements") }
        return sequence.enumerated().map { YAMLValue(node: $1, path: "\(path)[\($0)]", line: $1.mark?.line ?? line) }
    }

    func texts() throws(SourceError) -> [String] {
        var texts: [String] = []
        for element in try elements() { texts.append(try element.text()) }
        return texts
    }

    /// The members of a mapping in order, whatever their names.
    func members(countMax: Int = 1000) throws(SourceError) -> [(name: String, value: YAMLValue)] {
        guard let mapping = node.mapping else { throw failure("keys with values are needed here") }
        guard mapping.count <= countMax else { throw failure("there are at most \(countMax) keys here") }
        var members: [(name: String, value: YAMLValue)] = []
        for (key, value) in mapping {
            let line = key.mark?.line ?? line
            guard let name = key.scalar?.string, !name.isEmpty else {
                throw .definition(line: line, key: path, reason: "a key is a text")
            }
            let inner = path.isEmpty ? name : "\(path).\(name)"
            members.append((name, YAMLValue(node: value, path: inner, line: line)))
        }
        return members
    }

    /// The part of a definition that this is, once all its keys are known ones.
    func part(keys: [String]) throws(SourceError) -> YAMLPart {
        let members = try members()
        for (name, value) in members where !keys.contains(name) {
            let nearest = DefinitionKeys.nearest(to: name, in: keys).map { "; the nearest is \($0)" } ?? ""
            throw value.failure("there is no such key here\(nearest)")
        }
        return YAMLPart(
            value: self, members: Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }))
    }
}

/// A mapping whose keys were checked.
struct YAMLPart {
    let value: YAMLValue
    let members: [String: YAMLValue]

    subscript(key: String) -> YAMLValue? { members[key] }

    func required(_ key: String) throws(SourceError) -> YAMLValue {
        guard let member = members[key] else { throw value.failure("the key \(key) is missing") }
        return member
    }
}

extension YAMLValue {
    /// Any YAML value as JSON. Plain `true`, `12`, `1.5` and `null` have their types; what is quoted is text.
    func json(depthMax: Int = 8) throws(SourceError) -> JSON {
        guard depthMax > 0 else { throw failure("the value nests too deeply") }
        if isSequence {
            var elements: [JSON] = []
            for element in try self.elements() { elements.append(try element.json(depthMax: depthMax - 1)) }
            return .array(elements)
        }
        if isMapping {
            var object = JSONObject()
            for (name, value) in try members() { object[name] = try value.json(depthMax: depthMax - 1) }
            return .object(object)
        }
        guard let scalar = node.scalar else { throw failure("the value is not one that JSON has") }
        guard scalar.style == .plain else { return .string(scalar.string) }
        switch scalar.string {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null", "~", "": throw failure("null is not a value of an attribute")
        default: break
        }
        if let integer = Int64(scalar.string) { return .integer(integer) }
        if let number = Double(scalar.string), number.isFinite { return .number(number) }
        return .string(scalar.string)
    }
}
