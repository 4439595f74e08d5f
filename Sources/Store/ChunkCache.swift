internal import Series
internal import Synchronization

/// The chunks that were read last, opened: who looks at the same days again does not read and check them again.
///
/// Numbers of chunks are never given twice, so what is held under one stays true whoever asks. Only what was committed is put in.
final class ChunkCache: Sendable {
    private struct State {
        /// What was asked for lately, and what was asked for before that and not since: when the first are many they become the second.
        var young: [Int64: Chunk] = [:]
        var old: [Int64: Chunk] = [:]
        var youngByteCount = 0
    }

    private let state = Mutex(State())
    private let byteCountMax: Int

    init(byteCountMax: Int = 32 << 20) { self.byteCountMax = byteCountMax }

    func chunk(_ id: Int64) -> Chunk? {
        state.withLock { state in
            if let chunk = state.young[id] { return chunk }
            guard let chunk = state.old.removeValue(forKey: id) else { return nil }
            keep(chunk, id, &state)
            return chunk
        }
    }

    func insert(_ chunk: Chunk, _ id: Int64) {
        state.withLock { state in if state.young[id] == nil { keep(chunk, id, &state) } }
    }

    private func keep(_ chunk: Chunk, _ id: Int64, _ state: inout State) {
        if state.youngByteCount + chunk.memoryByteCount > byteCountMax / 2 {
            (state.old, state.young, state.youngByteCount) = (state.young, [:], 0)
        }
        state.young[id] = chunk
        state.youngByteCount += chunk.memoryByteCount
    }
}
