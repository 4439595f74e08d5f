internal import CityModel
internal import OrderedCollections

/// Which roles the claims of a token stand for.
package struct RoleClaim: Hashable, Sendable {
    /// Where they are: a claim, or a member of one after a dot, as `realm_access.roles`.
    package var path: String
    /// What a value stands for; a value that is not here stands for the role of its name.
    package var roles: [String: String]

    package init(path: String = "roles", roles: [String: String] = [:]) { (self.path, self.roles) = (path, roles) }

    /// Nil when `text`, but for spaces, is not `value=role` between commas, with roles that there are.
    package static func roles(_ text: String) -> [String: String]? {
        var roles: [String: String] = [:]
        for part in text.split(separator: ",") {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
            guard sides.count == 2, !sides[0].isEmpty, AccountRoles.known.contains(sides[1]) else { return nil }
            roles[sides[0]] = sides[1]
        }
        return roles
    }

    /// Known ones only, each once; nil when there is no such claim.
    func roles(in claims: JSONObject) -> [String]? {
        var value = claims[path]
        if value == nil {
            var node = JSON.object(claims)
            for part in path.split(separator: ".") { node = node[String(part)] ?? .null }
            value = node == .null ? nil : node
        }
        guard let value else { return nil }
        let texts = value.arrayValue?.compactMap(\.stringValue) ?? value.stringValue?.split(separator: " ").map(String.init) ?? []
        let named = texts.prefix(200).map { roles[$0] ?? $0 }
        return AccountRoles.known.filter { named.contains($0) }
    }
}
