internal import CityModel
internal import Foundation

/// Where an instance stands in history; its `instanceId` says the same, so that one is found without an index of its own.
struct InstanceKey: Hashable {
    let entity: Int64
    let attribute: Int64
    let dataset: String
    var atMicroseconds: Int64
    var lateMicroseconds: Int64

    private static let prefix = "urn:ngsi-ld:Instance:"

    /// An `instanceId` (clause 4.5.7).
    var instanceID: String {
        var parts = [entity, attribute, atMicroseconds, lateMicroseconds].map { String($0, radix: 36) }
        if !dataset.isEmpty {
            let encoded = Data(dataset.utf8).base64EncodedString()
            parts.append(String(encoded.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }.prefix { $0 != "=" }))
        }
        return Self.prefix + parts.joined(separator: ".")
    }

    init(entity: Int64, attribute: Int64, dataset: String, atMicroseconds: Int64, lateMicroseconds: Int64) {
        (self.entity, self.attribute, self.dataset) = (entity, attribute, dataset)
        (self.atMicroseconds, self.lateMicroseconds) = (atMicroseconds, lateMicroseconds)
    }

    /// Nil when the text is no `instanceId` that this program made.
    init?(_ instanceID: String) {
        guard instanceID.hasPrefix(Self.prefix) else { return nil }
        let parts = instanceID.dropFirst(Self.prefix.count).split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.prefix(4).compactMap { Int64($0, radix: 36) }
        guard numbers.count == 4, parts.count <= 5 else { return nil }
        var dataset = ""
        if parts.count == 5 {
            var encoded = String(parts[4].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
            encoded += String(repeating: "=", count: (4 - encoded.utf8.count % 4) % 4)
            guard let data = Data(base64Encoded: encoded), let text = String(data: data, encoding: .utf8) else { return nil }
            dataset = text
        }
        self.init(
            entity: numbers[0], attribute: numbers[1], dataset: dataset, atMicroseconds: numbers[2], lateMicroseconds: numbers[3])
    }
}
