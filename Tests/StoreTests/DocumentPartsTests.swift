import CityModel
import LinkedData
import OrderedCollections
import RandomEntities
@testable import Store
import Testing

/// What is read of a stored document without parsing all of it is what is read of it as a whole.
@Suite struct DocumentPartsTests {
    private static func documents(_ count: Int, seed: UInt64) -> [(entity: Entity, document: StoredDocument, names: [Int64: IRI])] {
        var random = RandomEntity(seed: seed)
        return (0..<count).map { _ in
            let entity = random.next()
            var numbers: OrderedSet<IRI> = []
            // Numbers whose bytes look like the text around them.
            let document = StoredDocument(entity) { name in Int64(0x20 + numbers.append(name).index * 0x5B) }
            return (entity, document, Dictionary(uniqueKeysWithValues: numbers.enumerated().map { (Int64(0x20 + $0.offset * 0x5B), $0.element) }))
        }
    }

    @Test(arguments: [false, true])
    func simplifiedAsTheWriterWritesIt(includesSystemMembers: Bool) {
        let names = ContextNames(context: .core, includesSystemMembers: includesSystemMembers)
        var (copiedCount, leftCount) = (0, 0)
        for (entity, document, terms) in Self.documents(3000, seed: 7) {
            var expected = JSONWriter()
            var written = RenderBuffer(byteCapacity: 64)
            EntityWriter(names: names, format: .simplified).write(entity, to: &expected)
            written.append("before")
            let isWritten = document.renderSimplified(includesSystemMembers: includesSystemMembers, to: &written) { number, buffer in
                var name = JSONWriter()
                name.write(Context.core.compact(terms[number] ?? IRI(known: "urn:unknown")))
                buffer.append(name.bytes)
            }
            let takesMore = entity.attributes.values.contains { $0.count > 1 || $0.first?.datasetID != nil || $0.first?.kind == .listRelationship }
            #expect(isWritten == !takesMore, "\(entity)")
            #expect(written.withBytes { String(decoding: $0, as: UTF8.self) } == (isWritten ? "before" + expected.text.dropLast() : "before"))
            if isWritten { copiedCount += 1 } else { leftCount += 1 }
        }
        #expect(copiedCount > 1000 && leftCount > 500)
    }

    @Test func asMuchAsIsAskedFor() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        var random = RandomEntity(seed: 11)
        let entities = Dictionary((0..<400).map { _ in random.next() }.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        try await file.write { transaction in
            for entity in entities.values { try transaction.insert(entity, provenance: .init(), at: noon) }
        }
        try await file.read { snapshot in
            for (id, entity) in entities {
                let document = try #require(try snapshot.storedEntity(id)).document
                let names = Array(entity.attributes.keys)
                for wanted in [Set(names.prefix(1)), Set(names.dropFirst()), Set(names), [iri("nobodyHasIt")], []] {
                    var expected = try snapshot.decoder.entity(document)
                    expected.attributes = expected.attributes.filter { wanted.contains($0.key) }
                    #expect(try snapshot.decoder.entity(document, keeping: wanted) == expected)
                }
            }
        }
    }

    /// One that was cut off or changed leads nowhere outside of it.
    @Test func aDamagedDocument() {
        for (_, document, _) in Self.documents(200, seed: 3) {
            for (index, byte) in document.bytes.enumerated() where index % 7 == 0 {
                var changed = document.bytes
                changed[index] = byte &+ 0x39
                for bytes in [Array(document.bytes[..<index]), changed] {
                    bytes.withUnsafeBufferPointer { source in
                        guard let parts = DocumentParts(source) else { return }
                        #expect(parts.tail.upperBound == source.count && parts.attributes.allSatisfy { $0.entry.upperBound <= parts.tail.lowerBound })
                    }
                    var buffer = RenderBuffer(byteCapacity: 64)
                    _ = StoredDocument(bytes: bytes).renderSimplified(includesSystemMembers: true, to: &buffer) { _, _ in }
                }
            }
        }
    }

    /// The number of a name that was taken back goes to another, and what was read meanwhile does not keep it.
    @Test func aNumberThatAnotherNameGets() async throws {
        struct Refused: Error {}
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { try $0.insert(entity(1), provenance: .init(), at: noon) }
        await #expect(throws: Refused.self) {
            try await file.write { transaction in
                let number = try transaction.intern(iri("takenBack"))
                #expect(number > 0)
                // Whoever reads now learns the name.
                let stored = try #require(try transaction.storedEntity(entityID(1)))
                _ = try transaction.decoder.entity(stored.document, keeping: [iri("takenBack")])
                throw Refused()
            }
        }
        var other = entity(2)
        other.attributes[iri("itsNumber")] = property(5)
        try await file.write { [other] in try $0.insert(other, provenance: .init(), at: noon) }
        try await file.read { snapshot in
            let stored = try #require(try snapshot.storedEntity(entityID(2)))
            #expect(try snapshot.entity(stored).attributes[iri("itsNumber")]?.first?.value == 5)
            #expect(try snapshot.decoder.entity(stored.document, keeping: [iri("itsNumber")]).attributes.count == 1)
        }
    }
}
