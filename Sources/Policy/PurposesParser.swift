package import Declarations

extension Purposes {
    package static let countMax = 500

    /// Reads a list of purposes.
    /// - Throws: `DeclarationError` with the line and the key of the first fault.
    package init(parsing text: String) throws(DeclarationError) {
        let root = try YAMLValue.root(of: text).part(keys: PolicyKeys.purposes)
        let prefixes = try Self.prefixes(root["prefixes"])
        let list = try root.required("purposes")
        var purposes: [(purpose: Purpose, value: YAMLValue)] = []
        for value in try list.elements(countMax: Self.countMax) {
            let purpose = try Self.purpose(value, prefixes)
            guard !purposes.contains(where: { $0.purpose.id == purpose.id }) else { throw value.failure("two purposes are called \(purpose.id)") }
            purposes.append((purpose, value))
        }
        self.init(known: purposes.map(\.purpose), lineage: try Self.lineages(purposes), prefixes: prefixes)
    }

    private static func prefixes(_ value: YAMLValue?) throws(DeclarationError) -> [String: String] {
        var prefixes: [String: String] = [:]
        for (name, value) in try value?.members(countMax: 50) ?? [] {
            guard name.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }) else {
                throw value.failure("a prefix is written with a-z, 0-9 and -")
            }
            prefixes[name] = try value.text()
        }
        return prefixes
    }

    private static func purpose(_ value: YAMLValue, _ prefixes: [String: String]) throws(DeclarationError) -> Purpose {
        let part = try value.part(keys: PolicyKeys.purpose)
        let id = try part.required("id")
        let text = try id.text()
        let halves = text.split(separator: ":", omittingEmptySubsequences: false)
        guard halves.count == 2, prefixes[String(halves[0])] != nil, (1...64).contains(halves[1].utf8.count),
            halves[1].utf8.allSatisfy({ (65...90).contains($0) || (97...122).contains($0) || (48...57).contains($0) || $0 == 45 })
        else { throw id.failure("a declared prefix, a colon and a name of letters, digits and - are needed here, such as dpv:PublicBenefit") }
        return Purpose(
            id: text, title: try part.required("title").text(), description: try part["description"]?.text(),
            broader: try part["broader"]?.texts() ?? [])
    }

    private static func lineages(_ purposes: [(purpose: Purpose, value: YAMLValue)]) throws(DeclarationError) -> [String: Set<String>] {
        let broader = Dictionary(uniqueKeysWithValues: purposes.map { ($0.purpose.id, $0.purpose.broader) })
        var lineages: [String: Set<String>] = [:]
        for (purpose, value) in purposes {
            for name in purpose.broader where broader[name] == nil {
                let nearest = Spelling.nearest(to: name, in: broader.keys.sorted()).map { "; the nearest is \($0)" } ?? ""
                throw value.failure("broader: there is no purpose \(name)\(nearest)")
            }
            var (reached, waiting) = (Set([purpose.id]), purpose.broader)
            while let next = waiting.popLast() {
                guard next != purpose.id else { throw value.failure("broader: \(purpose.id) would include itself") }
                if reached.insert(next).inserted { waiting += broader[next] ?? [] }
            }
            lineages[purpose.id] = reached
        }
        return lineages
    }
}
