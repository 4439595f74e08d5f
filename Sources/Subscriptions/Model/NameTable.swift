package import CityModel
internal import OrderedCollections
package import Query

/// What the names in a subscription's document stand for. It is found once, with the context that the document came with,
/// and kept beside it: what a subscription means does not change when a context does, and needs no network.
package struct NameTable: Hashable, Sendable {
    /// The members whose names can come with contexts of their own: an update brings some and leaves the others.
    package enum Member: String, CaseIterable, Sendable { case entities, watchedAttributes, query = "q", geoQ, notification }

    private var names: [Member: [String: IRI]] = [:]

    package init() {}

    /// How the names of a member expand.
    package func expansion(_ member: Member) -> NameExpansion {
        let known = names[member] ?? [:]
        return { known[$0] }
    }

    /// Takes what a table found in its place for the given members.
    package mutating func replace(_ members: some Sequence<Member>, with other: NameTable) {
        for member in members { names[member] = other.names[member] }
    }

    package static func list(_ value: JSON, _ name: String) throws(CityError) -> [String] {
        let texts = (value.arrayValue ?? [value]).compactMap(\.stringValue)
        guard !texts.isEmpty, texts.count == value.arrayValue?.count ?? 1, texts.count <= SubscriptionReader.listCountMax else {
            throw .badRequestData("\(name): an array of 1 to \(SubscriptionReader.listCountMax) texts")
        }
        return texts
    }

    static func expand(_ list: [String], _ name: String, _ expand: NameExpansion) throws(CityError) -> [IRI] {
        var names: [IRI] = []
        for text in list {
            guard let iri = expand(text) else { throw .badRequestData("\(name): \(text.prefix(200)) is not an attribute's name") }
            names.append(iri)
        }
        return names
    }
}

/// Remembers what names a reader asked for and what they stood for.
final class NameRecorder {
    private let expand: NameExpansion
    private(set) var table = NameTable()

    init(_ expand: @escaping NameExpansion) { self.expand = expand }

    func expansion(_ member: NameTable.Member) -> NameExpansion {
        { [self] name in
            let iri = expand(name)
            table.put(name, iri, in: member)
            return iri
        }
    }
}

extension NameTable {
    fileprivate mutating func put(_ name: String, _ iri: IRI?, in member: Member) { names[member, default: [:]][name] = iri }

    package var json: JSON {
        var members: JSONObject = [:]
        for (member, table) in names.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let pairs = table.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value.text)) }
            members[member.rawValue] = .object(JSONObject(uniqueKeysWithValues: pairs))
        }
        return .object(members)
    }

    package init(_ json: JSON?) {
        for member in Member.allCases {
            guard let pairs = json?[member.rawValue]?.objectValue else { continue }
            for (name, iri) in pairs { if let text = iri.stringValue { put(name, IRI(known: text), in: member) } }
        }
    }
}
