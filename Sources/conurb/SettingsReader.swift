import ArgumentParser
import Configuration
import Declarations
import Foundation

/// Reads settings by key. A value that is there and is not what its key asks for is an error that names the key; it is never
/// passed over for the default.
final class SettingsReader {
    private let reader: ConfigReader
    private var known: Set<String> = []

    init(_ reader: ConfigReader) { self.reader = reader }

    func text(_ key: String) throws -> String? { try checked(key, "a text") { reader.string(forKey: $0) } }

    func flag(_ key: String) throws -> Bool? { try checked(key, "true or false") { reader.bool(forKey: $0) } }

    func number(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
        guard let value = try checked(key, "a number", { reader.double(forKey: $0) ?? reader.int(forKey: $0).map(Double.init) }) else { return nil }
        guard range.contains(value) else {
            throw ValidationError("\(key): \(value) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let value = try checked(key, "a whole number", { reader.int(forKey: $0) }) else { return nil }
        guard range.contains(value) else {
            throw ValidationError("\(key): \(value) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    private func checked<Value>(_ key: String, _ kind: String, _ read: (ConfigKey) -> Value?) throws -> Value? {
        known.insert(key)
        let name = ConfigKey(key)
        if let value = read(name) { return value }
        let isThere =
            reader.string(forKey: name) != nil || reader.int(forKey: name) != nil || reader.double(forKey: name) != nil
            || reader.bool(forKey: name) != nil || reader.stringArray(forKey: name) != nil
        if isThere { throw ValidationError("\(key): the value is not \(kind)") }
        return nil
    }

    /// - Parameter file: a configuration file that was read.
    /// - Throws: `ValidationError` for a key of it that nobody asked for.
    func checkKeys(of file: String) throws {
        let json = try? JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: file)))
        guard let members = json as? [String: Any] else { throw ValidationError("--config: \(file) does not hold a JSON object") }
        for key in Self.paths(members, below: "").sorted() where !known.contains(key) {
            let nearest = Spelling.nearest(to: key, in: known.sorted()) ?? ""
            throw ValidationError("\(file): there is no key \(key); the nearest is \(nearest)")
        }
    }

    private static func paths(_ members: [String: Any], below prefix: String) -> [String] {
        members.flatMap { name, value in
            (value as? [String: Any]).map { paths($0, below: prefix + name + ".") } ?? [prefix + name]
        }
    }
}
