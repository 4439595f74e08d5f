package import CityModel
internal import Store
package import Trust

/// One entity type with what its entities have (clause 5.2.26).
package struct EntityTypeInfo: Sendable {
    package let type: IRI
    package let entityCount: Int
    package let attributes: [AttributeInfo]

    package init(type: IRI, entityCount: Int, attributes: [AttributeInfo]) {
        (self.type, self.entityCount, self.attributes) = (type, entityCount, attributes)
    }
}

/// One attribute name with where it occurs (clause 5.2.28).
package struct AttributeInfo: Sendable {
    package let name: IRI
    package let kinds: [AttributeKind]
    package let types: [IRI]
    /// How many entities have it; nil where nobody asked.
    package let entityCount: Int?

    package init(name: IRI, kinds: [AttributeKind], types: [IRI], entityCount: Int?) {
        (self.name, self.kinds, self.types, self.entityCount) = (name, kinds, types, entityCount)
    }
}

/// Which types and attributes there are (clauses 5.7.5 to 5.7.10).
extension Broker {
    package func types(_ access: ReadAccess) async throws -> [IRI] {
        try await file(toRead: access).read { try $0.types(access.classificationMax) }
    }

    /// Types and attributes, as of one moment.
    package func vocabulary(_ access: ReadAccess) async throws -> (types: [IRI], attributes: [IRI]) {
        try await file(toRead: access).read { (try $0.types(access.classificationMax), try $0.attributes(access.classificationMax)) }
    }

    /// Types with the names of their attributes.
    package func typesWithAttributes(_ access: ReadAccess) async throws -> [(type: IRI, attributes: [IRI])] {
        let visible = access.classificationMax
        return try await file(toRead: access).read { snapshot in
            try snapshot.types(visible).map { ($0, try snapshot.attributes(of: $0, visible)) }
        }
    }

    /// - Throws: `resourceNotFound` when there is no entity of this type.
    package func typeInfo(_ type: IRI, _ access: ReadAccess) async throws -> EntityTypeInfo {
        let visible = access.classificationMax
        return try await file(toRead: access).read { snapshot in
            let count = try snapshot.entityCount(of: type, visible)
            guard count > 0 else { throw CityError.resourceNotFound("there is no entity of type \(type)") }
            let attributes = try snapshot.attributes(of: type, visible).map { name in
                AttributeInfo(name: name, kinds: try snapshot.kinds(of: name, type: type, visible), types: [type], entityCount: nil)
            }
            return EntityTypeInfo(type: type, entityCount: count, attributes: attributes)
        }
    }

    package func attributes(_ access: ReadAccess) async throws -> [IRI] {
        try await file(toRead: access).read { try $0.attributes(access.classificationMax) }
    }

    /// Attributes with the types that have them.
    package func attributesWithTypes(_ access: ReadAccess) async throws -> [(attribute: IRI, types: [IRI])] {
        let visible = access.classificationMax
        return try await file(toRead: access).read { snapshot in
            try snapshot.attributes(visible).map { ($0, try snapshot.types(having: $0, visible)) }
        }
    }

    /// - Throws: `resourceNotFound` when no entity has this attribute.
    package func attributeInfo(_ name: IRI, _ access: ReadAccess) async throws -> AttributeInfo {
        let visible = access.classificationMax
        return try await file(toRead: access).read { snapshot in
            let types = try snapshot.types(having: name, visible)
            guard !types.isEmpty else { throw CityError.resourceNotFound("no entity has an attribute \(name)") }
            let kinds = Set(try types.flatMap { try snapshot.kinds(of: name, type: $0, visible) })
            return AttributeInfo(
                name: name, kinds: AttributeKind.allCases.filter(kinds.contains), types: types,
                entityCount: try snapshot.entityCount(having: name, visible))
        }
    }
}
