internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Synchronization

/// Turns stored documents back into entities, or into as much of them as is asked for: of attributes that nobody asks for
/// nothing is made. Keeps its buffers between documents; for one thread at a time.
///
/// The document's marks become JSON strings that hold the number of the name. Members of the documents' own have names that
/// begin with a letter, so that a digit tells an attribute.
///
/// `@unchecked`: `DecoderPool` lends one to one holder at a time.
final class DocumentDecoder: @unchecked Sendable {
    private let terms: TermTable
    private let parser = JSONParser(depthMax: DocumentDecoder.depthMax)
    private var names: [Int64: IRI]
    /// That of `terms` which the names and numbers here are of.
    private var revision: Int
    /// The attributes that were asked for last, and their numbers: a search asks for the same of each candidate.
    private var asked: (names: Set<IRI>, numbers: [Int64])?
    private var text = JSONWriter(byteCapacity: 4096)

    /// Deeper than any document that came in, whose limit is the door's.
    private static let depthMax = 512

    fileprivate init(terms: TermTable) {
        self.terms = terms
        revision = terms.revision
        names = terms.names
    }

    /// - Parameter wanted: the attributes to read; nil reads all.
    func entity(_ document: StoredDocument, keeping wanted: Set<IRI>? = nil) throws -> Entity {
        if revision != terms.revision {
            (revision, asked) = (terms.revision, nil)
            names = terms.names
        }
        text.bytes.removeAll(keepingCapacity: true)
        document.bytes.withUnsafeBufferPointer { source in
            guard let wanted, let parts = DocumentParts(source) else { return render(source, 0..<source.count) }
            let numbers = numbers(wanted)
            render(source, parts.head)
            for attribute in parts.attributes where numbers.contains(attribute.name) { render(source, attribute.entry) }
            render(source, parts.tail)
        }
        return try parser.withView(of: text.bytes) { view in try entity(view, wanted) }
    }

    private func render(_ source: UnsafeBufferPointer<UInt8>, _ part: Range<Int>) {
        StoredDocument.render(source, part, includesSystemMembers: true, to: &text) { number, text in
            text.raw("\"")
            text.write(number)
            text.raw("\"")
        }
    }

    /// The numbers of names, of those that have one.
    private func numbers(_ names: Set<IRI>) -> [Int64] {
        if let asked, asked.numbers.count == asked.names.count, asked.names == names { return asked.numbers }
        let numbers = names.compactMap(terms.number(of:))
        asked = (names, numbers)
        return numbers
    }

    private func entity(_ view: JSONView, _ wanted: Set<IRI>?) throws -> Entity {
        guard view.isObject else { throw CorruptRow(table: "entity", reason: "not a document") }
        var id: IRI?
        var entity = Entity(id: IRI(known: ""), types: [])
        try view.forEachMember { name, value in
            if let attribute = self.name(name) {
                guard wanted?.contains(attribute) ?? true else { return }
                entity.attributes[attribute] = try instances(value)
                return
            }
            switch String(decoding: name, as: UTF8.self) {
            case "id": id = value.text.map(IRI.init(known:))
            case "type": value.forEachElement { entity.types.append(self.name($0)) }
            case "scope": value.forEachElement { if let scope = $0.text.flatMap(Scope.init) { entity.scopes.append(scope) } }
            case "createdAt": entity.createdAt = Self.instant(value)
            case "modifiedAt": entity.modifiedAt = Self.instant(value)
            case "expiresAt": entity.expiresAt = Self.instant(value)
            case let other: throw CorruptRow(table: "entity", reason: "member \(other)")
            }
        }
        guard let id else { throw CorruptRow(table: "entity", reason: "no id") }
        return entity.renamed(id)
    }

    private func instances(_ view: JSONView) throws -> [Attribute] {
        var instances: [Attribute] = []
        try view.forEachElement { instances.append(try instance($0)) }
        return instances
    }

    private func instance(_ view: JSONView) throws -> Attribute {
        var attribute = Attribute(kind: .property, value: .null)
        try view.forEachMember { name, value in
            if let subattribute = self.name(name) {
                attribute.subattributes[subattribute] = try instances(value)
                return
            }
            switch String(decoding: name, as: UTF8.self) {
            case "type":
                guard let kind = value.text.flatMap(AttributeKind.init) else { throw CorruptRow(table: "entity", reason: "kind") }
                attribute.kind = kind
            case "unitCode": attribute.unitCode = value.text
            case "observedAt": attribute.observedAt = Self.instant(value)
            case "datasetId": attribute.datasetID = value.text.map(IRI.init(known:))
            case "valueType": attribute.valueType = self.name(value)
            case "objectType": value.forEachElement { attribute.objectTypes.append(self.name($0)) }
            case "createdAt": attribute.createdAt = Self.instant(value)
            case "modifiedAt": attribute.modifiedAt = Self.instant(value)
            case "expiresAt": attribute.expiresAt = Self.instant(value)
            case "entityIdSealed": attribute.subattributes[.entityIDSealed] = [Attribute(kind: .property, value: value.value)]
            case "entityTypeSealed":
                attribute.subattributes[.entityTypeSealed] = [Attribute(kind: .vocabProperty, value: .string(self.name(value).text))]
            case attribute.kind.valueMember: attribute.value = self.value(value, attribute.kind)
            case let other: throw CorruptRow(table: "entity", reason: "member \(other) of an attribute")
            }
        }
        return attribute
    }

    private func value(_ view: JSONView, _ kind: AttributeKind) -> JSON {
        switch kind {
        case .vocabProperty where view.isArray:
            var names: [JSON] = []
            view.forEachElement { names.append(.string(self.name($0).text)) }
            return .array(names)
        case .vocabProperty: return .string(self.name(view).text)
        case .listRelationship:
            var targets: [JSON] = []
            view.forEachElement { $0.forEachMember { _, target in targets.append(target.value) } }
            return .array(targets)
        default: return view.value
        }
    }

    /// The name whose number a member's name is; nil for the documents' own members.
    private func name(_ utf8: UnsafeBufferPointer<UInt8>) -> IRI? {
        guard let first = utf8.first, (48...57).contains(first) else { return nil }
        return name(of: utf8.reduce(0) { $0 &* 10 &+ Int64($1 &- 48) })
    }

    private func name(_ view: JSONView) -> IRI { view.utf8.flatMap(name) ?? IRI(known: view.text ?? "") }

    private func name(of number: Int64) -> IRI {
        if let known = names[number] { return known }
        names = terms.names
        return names[number] ?? IRI(known: "urn:conurb:unknown-term:\(number)")
    }

    private static func instant(_ view: JSONView) -> Instant? { view.utf8.flatMap(Instant.init(utf8:)) }
}

extension Entity {
    fileprivate func renamed(_ id: IRI) -> Entity {
        var entity = Entity(id: id, types: types, scopes: scopes, attributes: attributes)
        (entity.createdAt, entity.modifiedAt, entity.expiresAt) = (createdAt, modifiedAt, expiresAt)
        return entity
    }
}

/// Decoders of one file that nobody uses at the moment. Bounded by how many reads and writes run at once.
final class DecoderPool: Sendable {
    private let idle = Mutex<[DocumentDecoder]>([])
    private let terms: TermTable

    init(terms: TermTable) { self.terms = terms }

    func take() -> DocumentDecoder { idle.withLock { $0.popLast() } ?? DocumentDecoder(terms: terms) }
    func giveBack(_ decoder: DocumentDecoder) { idle.withLock { $0.append(decoder) } }
}
