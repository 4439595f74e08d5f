package import CityModel
package import LinkedData

extension Context {
    /// What an answer says its context is: what the request named, for the core context is part of every context
    /// (clause 4.4); the core context where it named nothing.
    package var answered: JSON {
        guard case .array(var elements) = source else { return source }
        if elements.last == .string(CoreContext.url) { elements.removeLast() }
        return elements.count == 1 ? elements[0] : .array(elements)
    }

    /// What a `Link` header can name: the one URL of the user's context, else that of the core context.
    package var linkURL: String {
        switch source {
        case .string(let url): url
        case .array(let elements): elements.first?.stringValue ?? CoreContext.url
        default: CoreContext.url
        }
    }
}
