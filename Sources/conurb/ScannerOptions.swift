import ArgumentParser
import Scanner

/// `scanner.…`: who looks at files of residents for what is harmful.
enum ScannerOptions {
    /// - Returns: nil when none is set up.
    static func scanner(_ reader: SettingsReader) throws -> ScannerSettings? {
        let (text, timeoutSeconds) = (try reader.text("scanner.address"), try reader.integer("scanner.secondsMax", in: 1...300))
        guard let text else { return nil }
        guard var settings = ScannerSettings(text) else {
            throw ValidationError("scanner.address: \(text.prefix(200)) is neither unix:/PATH nor tcp:HOST:PORT")
        }
        settings.timeoutSeconds = timeoutSeconds ?? settings.timeoutSeconds
        return settings
    }
}
