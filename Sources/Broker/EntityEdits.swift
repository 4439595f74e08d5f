package import CityModel
internal import LinkedData
internal import OrderedCollections

/// What an edit did to the attributes that a request named.
package struct UpdateResult: Hashable, Sendable {
    /// Names expanded.
    package var updated: [IRI] = []
    package var notUpdated: [NotUpdated] = []

    /// An attribute that was left as it was, and why.
    package struct NotUpdated: Hashable, Sendable {
        package let attribute: IRI
        package let reason: String
    }

    package init() {}
}

/// How entities change: one function for each kind of edit that NGSI-LD knows. Pure; `now` stamps what is new.
extension Entity {
    /// The entity as it is stored first: everything in it was made `now`.
    func created(at now: Instant) -> Entity {
        var entity = self
        entity.createdAt = now
        entity.modifiedAt = now
        for (name, instances) in attributes { entity.attributes[name] = instances.map { $0.stamped(since: nil, at: now) } }
        return entity
    }

    /// Another content for the same entity (clause 5.6.18): creation times stay.
    func replaced(by new: Entity, at now: Instant) -> Entity {
        var entity = new
        entity.createdAt = createdAt
        entity.modifiedAt = now
        for (name, instances) in new.attributes {
            entity.attributes[name] = instances.map { $0.stamped(since: instance(of: name, datasetID: $0.datasetID), at: now) }
        }
        return entity
    }

    /// Appends attributes (clause 5.6.3). Without `overwriting`, those that are there stay as they are.
    mutating func append(_ fragment: EntityFragment, overwriting: Bool, at now: Instant) -> UpdateResult {
        var result = UpdateResult()
        addTypes(fragment.types)
        if let scopes = fragment.scopes { self.scopes = overwriting ? scopes : union(self.scopes, scopes) }
        if let expiresAt = fragment.expiresAt { self.expiresAt = expiresAt }
        for (name, instances) in fragment.attributes {
            var isUpdated = false
            for instance in instances {
                if !overwriting, self.instance(of: name, datasetID: instance.datasetID) != nil {
                    result.notUpdated.append(.init(attribute: name, reason: "the attribute exists and overwriting was switched off"))
                } else {
                    put(instance, name, at: now)
                    isUpdated = true
                }
            }
            if isUpdated { result.updated.append(name) }
        }
        modifiedAt = now
        return result
    }

    /// Replaces, appends and removes whole attributes (clauses 5.6.2 and 5.5.8). `isAllowed` says which may be new.
    mutating func update(_ fragment: EntityFragment, at now: Instant) -> UpdateResult {
        var result = UpdateResult()
        addTypes(fragment.types)
        if let scopes = fragment.scopes {
            // Clause 5.6.2.4: a scope is replaced, never added.
            if self.scopes.isEmpty {
                result.notUpdated.append(.init(attribute: .scope, reason: "the entity has no scope that could be updated"))
            } else {
                self.scopes = scopes
                result.updated.append(.scope)
            }
        }
        if fragment.expiresAt != nil || fragment.removesExpiry { self.expiresAt = fragment.expiresAt }
        for (name, instances) in fragment.attributes {
            for instance in instances {
                if instance.isNull { remove(name, datasetID: instance.datasetID) } else { put(instance, name, at: now) }
            }
            result.updated.append(name)
        }
        modifiedAt = now
        return result
    }

    /// What merges apply to every attribute (clause 5.6.17, table 6.5.3.4-1).
    struct MergeOptions {
        var observedAt: Instant?
        var language: String?
    }

    /// Merges attributes member by member (clauses 5.6.17 and 5.5.12).
    mutating func merge(_ fragment: EntityFragment, options: MergeOptions, at now: Instant) -> UpdateResult {
        var result = UpdateResult()
        addTypes(fragment.types)
        if let scopes = fragment.scopes { self.scopes = scopes }
        if fragment.expiresAt != nil || fragment.removesExpiry { self.expiresAt = fragment.expiresAt }
        for (name, instances) in fragment.attributes {
            for instance in instances {
                let existing = self.instance(of: name, datasetID: instance.datasetID)
                if instance.isNull {
                    remove(name, datasetID: instance.datasetID)
                } else if let existing {
                    let isBare = fragment.bareAttributes.contains(name)
                    put(existing.merged(with: instance, isBare: isBare, options: options), name, at: now)
                } else {
                    put(instance.withoutNulls, name, at: now)
                }
            }
            result.updated.append(name)
        }
        modifiedAt = now
        return result
    }

    /// Overwrites members of one instance (clause 5.6.4).
    /// - Throws: `resourceNotFound` without such an instance, `badRequestData` for another kind of attribute.
    mutating func updatePartially(_ name: IRI, _ fragment: AttributeFragment, at now: Instant) throws(CityError) {
        let datasetID = fragment.attribute.datasetID
        guard let existing = instance(of: name, datasetID: datasetID) else { throw missing(name, datasetID) }
        if fragment.hasValue, fragment.attribute.isNull {
            remove(name, datasetID: datasetID)
        } else {
            if let kind = fragment.kind ?? (fragment.hasValue ? fragment.attribute.kind : nil), kind != existing.kind {
                throw .badRequestData("type: the attribute is a \(existing.kind.rawValue) and can't become a \(kind.rawValue)")
            }
            put(existing.overwritten(with: fragment), name, at: now)
        }
        modifiedAt = now
    }

    /// Puts whole instances in the place of those with the same dataset (clause 5.6.19).
    mutating func replaceAttribute(_ name: IRI, with instances: [Attribute], at now: Instant) throws(CityError) {
        for instance in instances {
            guard self.instance(of: name, datasetID: instance.datasetID) != nil else { throw missing(name, instance.datasetID) }
            put(instance, name, at: now)
        }
        modifiedAt = now
    }

    /// Removes one instance or, with `all`, every instance of an attribute (clause 5.6.5).
    mutating func deleteAttribute(_ name: IRI, datasetID: IRI?, all: Bool, at now: Instant) throws(CityError) {
        guard let instances = attributes[name] else { throw missing(name, nil) }
        if all {
            attributes[name] = nil
        } else {
            guard instances.contains(where: { $0.datasetID == datasetID }) else { throw missing(name, datasetID) }
            remove(name, datasetID: datasetID)
        }
        modifiedAt = now
    }

    private func missing(_ name: IRI, _ datasetID: IRI?) -> CityError {
        let dataset = datasetID.map { " with datasetId \($0)" } ?? ""
        return .resourceNotFound("entity \(id) has no attribute \(name)\(dataset)")
    }

    private mutating func addTypes(_ types: [IRI]) {
        self.types.append(contentsOf: types.filter { !self.types.contains($0) })
    }

    private func union(_ old: [Scope], _ new: [Scope]) -> [Scope] { old + new.filter { !old.contains($0) } }

    private mutating func put(_ instance: Attribute, _ name: IRI, at now: Instant) {
        var instances = attributes[name] ?? []
        let index = instances.firstIndex { $0.datasetID == instance.datasetID }
        let stamped = instance.stamped(since: index.map { instances[$0] }, at: now)
        if let index { instances[index] = stamped } else { instances.append(stamped) }
        attributes[name] = instances
    }

    private mutating func remove(_ name: IRI, datasetID: IRI?) {
        guard let instances = attributes[name] else { return }
        let rest = instances.filter { $0.datasetID != datasetID }
        attributes[name] = rest.isEmpty ? nil : rest
    }
}

extension Attribute {
    /// With creation and modification times: what was there since `old` keeps its creation time.
    fileprivate func stamped(since old: Attribute?, at now: Instant) -> Attribute {
        var attribute = self
        attribute.createdAt = old?.createdAt ?? now
        attribute.modifiedAt = now
        for (name, instances) in subattributes {
            attribute.subattributes[name] = instances.map { instance in
                instance.stamped(since: old?.subattributes[name]?.first { $0.datasetID == instance.datasetID }, at: now)
            }
        }
        return attribute
    }

    fileprivate func overwritten(with fragment: AttributeFragment) -> Attribute {
        var attribute = self
        let new = fragment.attribute
        if fragment.hasValue { attribute.value = new.value }
        attribute.takeQualifiers(of: new)
        for (name, instances) in new.subattributes {
            attribute.subattributes[name] = instances.allSatisfy(\.isNull) ? nil : instances
        }
        return attribute
    }

    private mutating func takeQualifiers(of new: Attribute) {
        observedAt = new.observedAt ?? observedAt
        unitCode = new.unitCode.map { $0 == Attribute.nullText ? nil : $0 } ?? unitCode
        valueType = new.valueType ?? valueType
        if !new.objectTypes.isEmpty { objectTypes = new.objectTypes }
        expiresAt = new.expiresAt ?? expiresAt
    }

    fileprivate func merged(with new: Attribute, isBare: Bool, options: Entity.MergeOptions) -> Attribute {
        var attribute = self
        if let language = options.language, kind == .languageProperty, case .string = new.value, isBare {
            attribute.value = value.merged(with: .object([language: new.value]))
        } else if isBare, kind != new.kind {
            attribute.value = kind == .languageProperty || kind == .geoProperty || kind == .jsonProperty ? value : new.value
            if kind == .jsonProperty { attribute.value = new.value }
        } else {
            attribute.kind = new.kind
            attribute.value = kind == new.kind && kind != .geoProperty ? value.merged(with: new.value) : new.value
        }
        attribute.takeQualifiers(of: new)
        if let common = options.observedAt, observedAt != nil, new.observedAt == nil { attribute.observedAt = common }
        for (name, instances) in new.subattributes {
            for instance in instances {
                var existing = attribute.subattributes[name] ?? []
                let index = existing.firstIndex { $0.datasetID == instance.datasetID }
                switch (index, instance.isNull) {
                case (let index?, true): existing.remove(at: index)
                case (let index?, false): existing[index] = existing[index].merged(with: instance, isBare: false, options: .init())
                case (nil, true): continue
                case (nil, false): existing.append(instance.withoutNulls)
                }
                attribute.subattributes[name] = existing.isEmpty ? nil : existing
            }
        }
        return attribute
    }

    fileprivate var withoutNulls: Attribute {
        var attribute = self
        attribute.value = JSON.object([:]).merged(with: value)
        for (name, instances) in subattributes where instances.allSatisfy(\.isNull) { attribute.subattributes[name] = nil }
        return attribute
    }
}

extension JSON {
    /// JSON Merge Patch (RFC 7396) with NGSI-LD Null for null (clause 5.5.12).
    fileprivate func merged(with patch: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        guard changes["@value"] == nil, changes["@type"] == nil else { return patch }
        var members = objectValue ?? [:]
        for (name, change) in changes {
            if change == .string(Attribute.nullText) || change == .null {
                members[name] = nil
            } else {
                members[name] = (members[name] ?? .object([:])).merged(with: change)
            }
        }
        return .object(members)
    }
}

extension IRI {
    /// What results call an entity's scopes.
    fileprivate static let scope = IRI(known: ngsildNamespace + "scope")
}
