package import CityModel
internal import Foundation

/// Where the keys of residents lie, and what they are wrapped by. Both are outside of the municipality's file.
package struct ResidentKeySource: Sendable {
    /// The folder that holds `NAME.residents` for each municipality; made when the first key is.
    let directory: URL
    /// The 256 bits that a municipality's keys are wrapped by; made when they are first asked for.
    let wrappingSecret: @Sendable (MunicipalityName) throws -> [UInt8]

    package init(directory: String, wrappingSecret: @escaping @Sendable (MunicipalityName) throws -> [UInt8]) {
        self.directory = URL(filePath: directory, directoryHint: .isDirectory)
        self.wrappingSecret = wrappingSecret
    }

    /// What serves a store to which nobody gives keys: a secret beside those that it wraps, `NAME.wrapping`.
    static func beside(_ data: URL) -> ResidentKeySource {
        let directory = data.appending(path: "_keys", directoryHint: .isDirectory)
        return ResidentKeySource(directory: directory.path) { name in
            let path = directory.appending(path: "\(name.text).wrapping").path
            if let known = FileManager.default.contents(atPath: path) { return [UInt8](known) }
            let secret = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
            try KeyFolder.create(directory)
            guard FileManager.default.createFile(atPath: path, contents: Data(secret), attributes: [.posixPermissions: 0o600]) else {
                throw StoreError.cannotUse(path: path, reason: "the file can't be written")
            }
            return secret
        }
    }

    /// No keys at all.
    static let none = ResidentKeySource(directory: "/dev/null/keys") { _ in throw StoreError.cannotUse(path: "keys", reason: "there are none here") }

    func path(_ name: MunicipalityName) -> URL { directory.appending(path: "\(name.text).residents") }
}

enum KeyFolder {
    static func create(_ directory: URL) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
}
