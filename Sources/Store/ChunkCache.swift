internal import Series
internal import Synchronization

/// The chunks of all files that were read last, opened: who looks at the same days again does not read and check them again.
///
/// Numbers of chunks are never given twice, so what is held under one stays true whoever asks. Only what was committed is put in.
final class ChunkCache: Sendable {
    fileprivate struct Key: Hashable {
        /// Another at each opening of a file.
        let file: UInt64
        let id: Int64
    }

    private struct State {
        /// What was asked for lately, and what was asked for before that and not since: when the first are many they become the second.
        var young: [Key: Entry] = [:]
        var old: [Key: Entry] = [:]
        var youngByteCount = 0
    }

    private struct Entry {
        let chunk: Chunk
        let byteCount: Int
    }

    private let state = Mutex(State())
    private let byteCountMax: Int

    init(byteCountMax: Int = 64 << 20) { self.byteCountMax = byteCountMax }

    fileprivate func chunk(_ key: Key) -> Chunk? {
        state.withLock { state in
            if let entry = state.young[key] { return entry.chunk }
            guard let entry = state.old.removeValue(forKey: key) else { return nil }
            keep(entry, key, &state)
            return entry.chunk
        }
    }

    fileprivate func insert(_ chunk: Chunk, _ key: Key) {
        let entry = Entry(chunk: chunk, byteCount: chunk.memoryByteCount)
        state.withLock { state in if state.young[key] == nil { keep(entry, key, &state) } }
    }

    private func keep(_ entry: Entry, _ key: Key, _ state: inout State) {
        if state.youngByteCount + entry.byteCount > byteCountMax / 2 {
            (state.old, state.young, state.youngByteCount) = (state.young, [:], 0)
        }
        state.young[key] = entry
        state.youngByteCount += entry.byteCount
    }
}

/// Those of one file.
struct OpenChunks: Sendable {
    let cache: ChunkCache
    let file: UInt64

    func chunk(_ id: Int64) -> Chunk? { cache.chunk(ChunkCache.Key(file: file, id: id)) }
    func insert(_ chunk: Chunk, _ id: Int64) { cache.insert(chunk, ChunkCache.Key(file: file, id: id)) }
}
