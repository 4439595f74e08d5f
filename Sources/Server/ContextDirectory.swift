internal import CityModel
internal import OrderedCollections
internal import Foundation

/// JSON-LD documents to use instead of the network: a folder with `index.json`, which maps URL to file name.
enum ContextDirectory {
    /// Something about the folder that its owner has to mend.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    static func documents(_ directory: String?) throws -> [String: JSON] {
        guard let directory else { return [:] }
        let index = try json(directory + "/index.json")
        guard case .object(let entries) = index else { throw Fault(description: "\(directory)/index.json is not an object from URL to file name") }
        var documents: [String: JSON] = [:]
        for (url, name) in entries {
            guard let name = name.stringValue, !name.contains("..") else {
                throw Fault(description: "\(directory)/index.json: \(url): not a file name within the folder")
            }
            documents[url] = try json(directory + "/" + name)
        }
        return documents
    }

    private static func json(_ path: String) throws -> JSON {
        guard let data = FileManager.default.contents(atPath: path) else { throw Fault(description: "\(path) can't be read") }
        do { return try JSON(parsing: data) } catch { throw Fault(description: "\(path) is not JSON: \(error)") }
    }
}
