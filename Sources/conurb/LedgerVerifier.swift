import Foundation
import Ledger
import Store
import Trust

/// Verifies a ledger from files alone, as somebody outside does who has its key: nothing is asked of the program that wrote it.
struct LedgerVerifier {
    /// Keys that are trusted, of logs and of witnesses.
    private let logs: [VerifierKey]
    private let witnesses: [VerifierKey]
    /// Trees that were vouched for, gathered from all files.
    private var heads: [(name: String, head: TreeHead)] = []
    private(set) var faults: [String] = []
    /// What was found, for people.
    private(set) var lines: [String] = []

    init(keys: [String]) throws {
        do throws(LedgerError) {
            var parsed: [VerifierKey] = []
            for text in keys { parsed.append(try VerifierKey(parsing: text)) }
            (logs, witnesses) = (parsed.filter { $0.kind == .note }, parsed.filter { $0.kind == .cosignature })
        } catch { throw CommandFailure(description: "--key: \(error)") }
    }

    private static func contents(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else { throw CommandFailure(description: "\(path) can't be read") }
        return Array(data)
    }

    /// Takes a checkpoint that was kept at another time: the ledger must still hold its tree.
    mutating func add(checkpoint path: String) throws {
        let bytes = try Self.contents(path)
        do throws(LedgerError) { try add(SignedNote(parsing: bytes), named: path) } catch { faults.append("\(path): \(error)") }
    }

    /// Takes a proof file: its leaf must be where it says, and its tree is one more that the ledger must hold.
    mutating func add(proof path: String) throws {
        let bytes = try Self.contents(path)
        do throws(LedgerError) {
            let proof = try LedgerProof(parsing: bytes)
            let proved = try ProvedEntry(parsing: proof.extra ?? [])
            let checkpoint = try add(proof.note, named: path)
            guard checkpoint.head.includes(proved.leaf.hash, at: proof.position, proof: proof.path) else {
                throw .malformed("the leaf is not at position \(proof.position) of the checkpoint's tree")
            }
            lines.append("\(path): act \(proof.position) is in the ledger of \(checkpoint.origin)")
            if let text = proved.text { lines.append("  " + String(decoding: text.entry, as: UTF8.self)) }
        } catch { faults.append("\(path): \(error)") }
    }

    /// Checks who signed a checkpoint and takes its tree for one that was vouched for.
    @discardableResult
    private mutating func add(_ note: SignedNote, named name: String) throws(LedgerError) -> Checkpoint {
        let checkpoint = try Checkpoint(parsing: note.text)
        heads.append((name, checkpoint.head))
        guard !logs.isEmpty || !witnesses.isEmpty else {
            lines.append("\(name): says it is of \(checkpoint.origin), \(checkpoint.head.size) acts; who signed it was not verified")
            return checkpoint
        }
        let signed = try note.verify(logs + witnesses)
        guard signed.contains(where: { $0.key.kind == .note && $0.key.name == checkpoint.origin }) else { throw .notSigned }
        lines.append("\(name): \(checkpoint.origin), \(checkpoint.head.size) acts")
        for cosigned in signed where cosigned.key.kind == .cosignature {
            lines.append("  co-signed by \(cosigned.key.name) at \(Date(timeIntervalSince1970: Double(cosigned.time)).ISO8601Format())")
        }
        return checkpoint
    }

    /// Reads a municipality's file, or a folder with what was fetched below a ledger's address.
    mutating func read(_ path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { throw CommandFailure(description: "there is no \(path)") }
        let audit = try isFolder.boolValue ? readFolder(path) : readFile(path)
        faults += audit.faults
        lines.append("\(path): \(audit.size) acts")
    }

    private mutating func readFile(_ path: String) throws -> LogAudit {
        let archive: LedgerArchive
        do { archive = try LedgerArchive(path: path) } catch let error as StoreError { throw CommandFailure(description: error.description) }
        var verifier = self
        let headCount = heads.count
        var audit = try archive.read { checkpoints in
            for checkpoint in checkpoints {
                let name = "\(path), checkpoint \(checkpoint.head.size)"
                do throws(LedgerError) { try verifier.add(SignedNote(parsing: checkpoint.note.utf8), named: name) } catch {
                    verifier.faults.append("\(name): \(error)")
                }
            }
            return LogAudit(heads: verifier.heads)
        } _: { audit, leaf, text in
            if let text, (try? LedgerLeaf(parsing: leaf))?.commits(to: text.entry, salt: text.salt) != true {
                audit.fault("position \(audit.size): its entry is not what its leaf commits to")
            }
            audit.add(leaf)
        }
        audit.finish()
        self = verifier
        if heads.count == headCount { audit.fault("\(path): it has no checkpoint: nothing in it was signed yet") }
        return audit
    }

    private mutating func readFolder(_ path: String) throws -> LogAudit {
        let note = try Self.contents(path + "/checkpoint")
        var size: Int64 = 0
        do throws(LedgerError) { size = try add(SignedNote(parsing: note), named: path + "/checkpoint").head.size } catch {
            faults.append("\(path)/checkpoint: \(error)")
        }
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() where name.hasPrefix("checkpoint.") {
            try add(checkpoint: "\(path)/\(name)")
        }
        var audit = LogAudit(heads: heads)
        var tiles = TileFolder(path: path, treeSize: size)
        for tile in Tile.all(ofTreeOf: size) where tile.content == .entries {
            guard let bytes = tiles.contents(tile) else {
                audit.fault("\(tile.path): it is missing")
                break
            }
            let leaves = (try? EntryBundle.parse(bytes)) ?? []
            guard leaves.count == tile.width else {
                audit.fault("\(tile.path): it has not \(tile.width) leaves")
                break
            }
            for leaf in leaves { tiles.compare(audit.add(leaf), &audit) }
        }
        audit.finish()
        return audit
    }
}

/// Tiles that were fetched into a folder.
private struct TileFolder {
    let path: String
    let treeSize: Int64
    /// Hashes of the tile of each level that is being filled.
    private var filled: [Int: [MerkleHash]] = [:]

    init(path: String, treeSize: Int64) { (self.path, self.treeSize) = (path, treeSize) }

    /// A partial tile may have become a full one meanwhile; then that is there, and more than is asked for.
    func contents(_ tile: Tile) -> [UInt8]? {
        if let bytes = FileManager.default.contents(atPath: "\(path)/tile/\(tile.path)") { return Array(bytes) }
        guard tile.width < Tile.widthMax, let bytes = FileManager.default.contents(atPath: "\(path)/tile/\(Tile(tile.content, index: tile.index).path)") else { return nil }
        switch tile.content {
        case .hashes: return Array(bytes.prefix(tile.width * MerkleHash.byteCount))
        case .entries: return (try? EntryBundle.parse(Array(bytes)).prefix(tile.width)).flatMap { try? EntryBundle.write(Array($0)) }
        }
    }

    /// Holds tiles of hashes that are there against the hashes that the leaves make.
    mutating func compare(_ completed: [(subtree: Subtree, hash: MerkleHash)], _ audit: inout LogAudit) {
        for (subtree, hash) in completed {
            guard let (tile, place) = Tile.holding(subtree, treeSize: treeSize), case .hashes(let level) = tile.content else { continue }
            filled[level, default: []].append(hash)
            guard place == tile.width - 1 else { continue }
            let hashes = filled.removeValue(forKey: level) ?? []
            if let bytes = contents(tile), bytes != hashes.flatMap(\.bytes) { audit.fault("\(tile.path): these are not the hashes of the leaves") }
        }
    }
}
