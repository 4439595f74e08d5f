package import CityModel
internal import OrderedCollections
internal import Yams

/// A value in a file that people write in YAML, with the path of its key and its line, for errors that say where.
package struct YAMLValue {
    let node: Node
    package let path: String
    package let line: Int

    /// The longest text that is read, in UTF-8 bytes.
    package static let byteCountMax = 1 << 20
    /// How often a text may refer to an anchor. Each reference can repeat what others repeat, so few make a small text a vast value.
    package static let aliasCountMax = 24
    /// How deep values may lie in each other.
    package static let depthMax = 32

    package static func root(of text: String) throws(DeclarationError) -> YAMLValue {
        guard text.utf8.count <= byteCountMax else { throw fault("the text has more than \(byteCountMax) bytes") }
        guard aliasCount(text) <= aliasCountMax else { throw fault("there are more than \(aliasCountMax) references to anchors (*name)") }
        do {
            guard let node = try Yams.compose(yaml: text) else { throw fault("the text is empty") }
            guard node.isAtMost(deep: depthMax) else { throw fault("values lie in each other more than \(depthMax) deep") }
            return YAMLValue(node: node, path: "", line: 1)
        } catch let error as DeclarationError {
            throw error
        } catch let error as YamlError {
            throw syntaxError(error)
        } catch {
            throw fault("not YAML: \(error)")
        }
    }

    private static func fault(_ reason: String) -> DeclarationError { DeclarationError(line: 1, key: "", reason: reason) }

    /// An asterisk that a name follows, at the beginning of a word: at least as many as there are references.
    private static func aliasCount(_ text: String) -> Int {
        var count = 0
        var (before, last) = (UInt8(ascii: " "), UInt8(ascii: " "))
        for byte in text.utf8 {
            let isBeginning = before <= 0x20 || "[{,:?-!".utf8.contains(before)
            if last == UInt8(ascii: "*"), byte > 0x20, isBeginning { count += 1 }
            (before, last) = (last, byte)
        }
        return count
    }

    private static func syntaxError(_ error: YamlError) -> DeclarationError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            DeclarationError(line: mark.line, key: "", reason: "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            DeclarationError(
                line: context.mark.line, key: duplicates.first ?? "",
                reason: "the key stands more than once in the part that begins here")
        default: DeclarationError(line: 1, key: "", reason: "not YAML: \(error)")
        }
    }

    package func failure(_ reason: String) -> DeclarationError { DeclarationError(line: line, key: path, reason: reason) }

    // MARK: Scalars

    package var scalar: String? { node.scalar?.string }

    /// Whether the node is a mapping.
    package var isMapping: Bool { node.mapping != nil }
    package var isSequence: Bool { node.sequence != nil }

    package func text() throws(DeclarationError) -> String {
        guard let text = scalar else { throw failure("a text is needed here") }
        guard !text.isEmpty else { throw failure("the text is empty") }
        return text
    }

    package func boolean() throws(DeclarationError) -> Bool {
        switch scalar {
        case "true": return true
        case "false": return false
        default: throw failure("true or false is needed here")
        }
    }

    package func integer(in range: ClosedRange<Int>) throws(DeclarationError) -> Int {
        guard let number = scalar.flatMap({ Int($0) }), range.contains(number) else {
            throw failure("a whole number from \(range.lowerBound) to \(range.upperBound) is needed here")
        }
        return number
    }

    package func number() throws(DeclarationError) -> Double {
        guard let number = scalar.flatMap({ Double($0) }), number.isFinite else { throw failure("a number is needed here") }
        return number
    }

    package func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) throws(DeclarationError) -> Choice
    where Choice.RawValue == String {
        let text = try text()
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue)
            let nearest = Spelling.nearest(to: text, in: names).map { "; did you mean \($0)?" } ?? ""
            throw failure("\(text) is not one of \(names.joined(separator: ", "))\(nearest)")
        }
        return choice
    }

    // MARK: Parts

    /// The elements of a list; a value that is no list counts as a list of one.
    package func elements(countMax: Int = 1000) throws(DeclarationError) -> [YAMLValue] {
        guard let sequence = node.sequence else { return [self] }
        guard sequence.count <= countMax else { throw failure("a list here has at most \(countMax) elements") }
        return sequence.enumerated().map { YAMLValue(node: $1, path: "\(path)[\($0)]", line: $1.mark?.line ?? line) }
    }

    package func texts() throws(DeclarationError) -> [String] {
        var texts: [String] = []
        for element in try elements() { texts.append(try element.text()) }
        return texts
    }

    /// The members of a mapping in order, whatever their names.
    package func members(countMax: Int = 1000) throws(DeclarationError) -> [(name: String, value: YAMLValue)] {
        guard let mapping = node.mapping else { throw failure("keys with values are needed here") }
        guard mapping.count <= countMax else { throw failure("there are at most \(countMax) keys here") }
        var members: [(name: String, value: YAMLValue)] = []
        for (key, value) in mapping {
            let line = key.mark?.line ?? line
            guard let name = key.scalar?.string, !name.isEmpty else {
                throw DeclarationError(line: line, key: path, reason: "a key is a text")
            }
            let inner = path.isEmpty ? name : "\(path).\(name)"
            members.append((name, YAMLValue(node: value, path: inner, line: line)))
        }
        return members
    }

    /// The mapping that this is, once all its keys are known ones.
    package func part(keys: [String]) throws(DeclarationError) -> YAMLPart {
        let members = try members()
        for (name, value) in members where !keys.contains(name) {
            let nearest = Spelling.nearest(to: name, in: keys).map { "; the nearest is \($0)" } ?? ""
            throw value.failure("there is no such key here\(nearest)")
        }
        return YAMLPart(
            value: self, members: Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }))
    }
}

/// A mapping whose keys were checked.
package struct YAMLPart {
    package let value: YAMLValue
    package let members: [String: YAMLValue]

    package subscript(key: String) -> YAMLValue? { members[key] }

    package func required(_ key: String) throws(DeclarationError) -> YAMLValue {
        guard let member = members[key] else { throw value.failure("the key \(key) is missing") }
        return member
    }
}

extension YAMLValue {
    /// Any YAML value as JSON. Plain `true`, `12`, `1.5` and `null` have their types; what is quoted is text.
    package func json(depthMax: Int = 8) throws(DeclarationError) -> JSON {
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

extension Node {
    fileprivate func isAtMost(deep depth: Int) -> Bool {
        if let mapping { return depth > 0 && mapping.allSatisfy { $0.isAtMost(deep: depth - 1) && $1.isAtMost(deep: depth - 1) } }
        if let sequence { return depth > 0 && sequence.allSatisfy { $0.isAtMost(deep: depth - 1) } }
        return true
    }
}
