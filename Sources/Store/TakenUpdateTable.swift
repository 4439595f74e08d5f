package import CityModel
internal import GRDB

/// What other systems said of requests, by the names that they gave it: said again it is not done again. Kept as long as the request is.
enum TakenUpdateTable {
    static let schema = """
        CREATE TABLE taken_update (
            request TEXT NOT NULL,
            name TEXT NOT NULL,
            answer TEXT NOT NULL,
            PRIMARY KEY (request, name)
        ) WITHOUT ROWID, STRICT;
        """
}

extension ReadSnapshot {
    /// What was answered to an update of this name; nil where none was taken.
    package func takenUpdate(_ name: String, of request: IRI) throws -> String? {
        try row("SELECT answer FROM taken_update WHERE request = ? AND name = ?", [request.text, name])?.decode(String.self, atIndex: 0)
    }
}

extension WriteTransaction {
    /// - Returns: whether it is the first of its name.
    package func takeUpdate(_ name: String, of request: IRI, answering answer: String) throws -> Bool {
        try execute("INSERT OR IGNORE INTO taken_update (request, name, answer) VALUES (?, ?, ?)", [request.text, name, answer])
        return db.changesCount > 0
    }

    package func removeTakenUpdates(of request: IRI) throws { try execute("DELETE FROM taken_update WHERE request = ?", [request.text]) }
}
