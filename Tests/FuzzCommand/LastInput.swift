#if !LIBFUZZER
    import Foundation

    /// The input that is being read. Where it makes the program trap, it is left in a file: `fuzz-ENTRY` in the folder for temporary files.
    enum LastInput {
        private static let pathCountMax = 4096
        nonisolated(unsafe) private static let bytes = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 1)
        nonisolated(unsafe) private static var byteCount = 0
        nonisolated(unsafe) private static let path = UnsafeMutablePointer<CChar>.allocate(capacity: pathCountMax)

        private static let isListening: Bool = {
            for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGALRM] { signal(number) { LastInput.left(by: $0) } }
            return true
        }()

        /// Seconds that one input may take.
        private static let secondsMax: UInt32 = 20

        /// Says what is read next.
        static func note(_ entry: String, _ input: [UInt8]) {
            _ = isListening
            let file = "\(FileManager.default.temporaryDirectory.path)/fuzz-\(entry)"
            file.withCString { _ = strncpy(path, $0, Self.pathCountMax - 1) }
            byteCount = min(input.count, 1 << 20)
            input.withUnsafeBytes { bytes.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(bytes), byteCount: byteCount) }
            alarm(secondsMax)
        }

        static func end() { alarm(0) }

        /// Within a signal handler: nothing but system calls.
        private static func left(by number: CInt) {
            signal(number, SIG_DFL)
            let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            _ = write(file, bytes, byteCount)
            close(file)
            raise(number)
        }
    }
#endif
