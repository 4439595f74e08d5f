package import CityModel
package import LinkedData
internal import OrderedCollections
package import Store

extension RegistrationDocument {
    /// The registration as it is answered (clause 5.2.9): with names of the reader's context.
    /// - Parameter information: which elements of `information` are shown; nil shows all (clause 5.10.2.5).
    /// - Parameter includesSourceInfo: whether the reader may see what is conveyed to the source.
    package func answer(
        id: String, _ context: Context, information: [Int]? = nil, forwarding: DeliveryState, includesSourceInfo: Bool,
        includesSystemMembers: Bool = false
    ) -> JSON {
        var answer: JSONObject = ["id": .string(id), "type": "ContextSourceRegistration"]
        for (name, value) in members {
            switch name {
            case "information": answer[name] = Self.information(value, information, context)
            case "contextSourceInfo": if includesSourceInfo { answer[name] = value }
            case _ where Self.known.contains(name): answer[name] = value
            default: answer[IRI(name).map(context.compact) ?? name] = value
            }
        }
        answer.merge(forwarding.registrationMembers) { given, _ in given }
        if includesSystemMembers {
            answer["createdAt"] = .string(createdAt.description)
            answer["modifiedAt"] = .string(modifiedAt.description)
        }
        return .object(answer)
    }

    private static func information(_ value: JSON, _ shown: [Int]?, _ context: Context) -> JSON {
        let elements = value.arrayValue ?? []
        return .array((shown ?? Array(elements.indices)).map { index in
            guard case .object(var members) = elements[index] else { return elements[index] }
            for name in ["propertyNames", "relationshipNames"] { members[name] = members[name].map { compacted($0, context) } }
            members["entities"] = members["entities"]?.arrayValue.map { entities in
                .array(entities.map { entity in
                    guard case .object(var members) = entity else { return entity }
                    members["type"] = members["type"].map { compacted($0, context) }
                    return .object(members)
                })
            }
            return .object(members)
        })
    }

    private static func compacted(_ value: JSON, _ context: Context) -> JSON {
        func compact(_ value: JSON) -> JSON { value.stringValue.flatMap { IRI($0) }.map { .string(context.compact($0)) } ?? value }
        return value.arrayValue.map { .array($0.map(compact)) } ?? compact(value)
    }
}

extension DeliveryState {
    /// Table 5.2.9-2; what says nothing yet is left out.
    fileprivate var registrationMembers: JSONObject {
        var members: JSONObject = [:]
        if let last = [lastSuccess, lastFailure].compactMap({ $0 }).max() { members["status"] = last == lastFailure ? "failed" : "ok" }
        if timesSent > 0 { members["timesSent"] = .integer(timesSent) }
        if timesFailed > 0 { members["timesFailed"] = .integer(timesFailed) }
        if let lastSuccess { members["lastSuccess"] = .string(lastSuccess.description) }
        if let lastFailure { members["lastFailure"] = .string(lastFailure.description) }
        return members
    }
}
