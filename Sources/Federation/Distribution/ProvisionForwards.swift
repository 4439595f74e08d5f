package import CityModel
package import LinkedData
internal import OrderedCollections

/// The requests that carry the parts of writes to their sources (clauses 6.4 to 6.7 and 6.14 to 6.17).
extension ProvisionPart {
    private var conformance: String? { source.registration.sourceInfo.conformance }

    package func creation(_ fragment: EntityFragment, _ context: Context) -> Forward {
        Forward(.post, "entities", body: fragment.only(attributes).json(context, isWhole: true, conformance: conformance))
    }

    package func replacement(_ id: IRI, _ fragment: EntityFragment, _ context: Context) -> Forward {
        Forward(.put, Self.path(id), body: fragment.only(attributes).json(context, isWhole: true, conformance: conformance))
    }

    /// - Parameter query: parameters of the request that go along.
    package func merging(_ id: IRI, _ fragment: EntityFragment, query: [(name: String, value: String)], _ context: Context) -> Forward {
        Forward(.patch, Self.path(id), query: query, body: fragment.only(attributes).json(context, isWhole: false, conformance: conformance))
    }

    package func deletion(_ id: IRI, _ context: Context) -> Forward { Forward(.delete, Self.path(id)) }

    package func appending(_ id: IRI, _ fragment: EntityFragment, overwriting: Bool, _ context: Context) -> Forward {
        Forward(
            .post, Self.path(id) + "/attrs", query: overwriting ? [] : [("options", "noOverwrite")],
            body: fragment.only(attributes).json(context, isWhole: false, conformance: conformance))
    }

    package func updating(_ id: IRI, _ fragment: EntityFragment, _ context: Context) -> Forward {
        Forward(.patch, Self.path(id) + "/attrs", body: fragment.only(attributes).json(context, isWhole: false, conformance: conformance))
    }

    /// What an entry of a batch brings to the source.
    package func entry(_ fragment: EntityFragment, _ context: Context) -> JSON {
        fragment.only(attributes).json(context, isWhole: true, conformance: conformance)
    }

    package static func path(_ id: IRI) -> String { "entities/" + URLText.encode(id.text) }
    package static func path(_ id: IRI, _ attribute: IRI, _ context: Context) -> String {
        path(id) + "/attrs/" + URLText.encode(context.compact(attribute))
    }
}
