internal import CityModel
internal import GRDB
internal import OrderedCollections

/// Taking back what waits to be told: notifications that were made and not yet sent.
extension WriteTransaction {
    /// Takes entities out of the notifications that wait, of all subscriptions or of one. A notification that told of nothing else is gone.
    package func takeBack(_ entities: Set<String>, from subscription: String? = nil) throws {
        guard !entities.isEmpty else { return }
        let cursor = try rows("SELECT id FROM outbox WHERE ?1 IS NULL OR subscription = ?1", [subscription])
        var ids: [Int64] = []
        while let row = try cursor.next() { ids.append(try row.decode(Int64.self, atIndex: 0)) }
        for id in ids { try takeBack(entities, fromMessage: id) }
    }

    private func takeBack(_ entities: Set<String>, fromMessage id: Int64) throws {
        guard let row = try row("SELECT subscription, message FROM outbox WHERE id = ?", [id]) else { return }
        let (subscription, stored) = (try row.decode(String.self, atIndex: 0), try row.bytes(atIndex: 1) ?? [])
        // What can't be read is not told.
        guard let bytes = try vault.open(stored), case .object(var message)? = try? JSON(parsing: bytes) else { return try remove(id, of: subscription) }
        switch message["data"] {
        case .array(let told)?:
            let left = told.filter { !$0.tells(of: entities) }
            guard left.count < told.count else { return }
            guard !left.isEmpty else { return try remove(id, of: subscription) }
            message["data"] = .array(left)
        case .object(var collection)?:
            let told = collection["features"]?.arrayValue ?? []
            let left = told.filter { !$0.tells(of: entities) }
            guard left.count < told.count else { return }
            guard !left.isEmpty else { return try remove(id, of: subscription) }
            collection["features"] = .array(left)
            message["data"] = .object(collection)
        default: return
        }
        var writer = JSONWriter()
        writer.write(.object(message))
        var body = writer.bytes
        for key in try vault.keys(of: stored).reversed() {
            guard let key = try vault.key(key) else { return try remove(id, of: subscription) }
            body = try SealedBytes.seal(body, with: key)
        }
        try execute("UPDATE outbox SET message = ? WHERE id = ?", [body.databaseBlob, id])
        try execute("UPDATE subscription SET queued_bytes = queued_bytes + ? WHERE id = ?", [body.count - stored.count, subscription])
        announceMail(for: subscription)
    }

    private func remove(_ message: Int64, of subscription: String) throws {
        try removeMessage(message)
        announceMail(for: subscription)
    }
}

extension JSON {
    /// Whether what is told is one of these entities, or has one of them within; also where it does not say which it is.
    fileprivate func tells(of entities: Set<String>) -> Bool {
        guard let members = objectValue, members["id"] != nil else { return true }
        return names(entities)
    }

    private func names(_ entities: Set<String>) -> Bool {
        switch self {
        case .string(let text): entities.contains(text)
        case .array(let elements): elements.contains { $0.names(entities) }
        case .object(let members): members.values.contains { $0.names(entities) }
        case .null, .bool, .integer, .number: false
        }
    }
}
