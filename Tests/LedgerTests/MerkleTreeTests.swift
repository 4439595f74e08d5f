import Foundation
import Ledger
import RandomEntities
import Testing

@Suite struct MerkleTreeTests {
    /// The eight leaves that tests of RFC 6962 use everywhere, and the roots of the trees of the first so many.
    private static let leaves = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ].map(bytes(hexadecimal:))
    private static let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    @Test func `leaves, nodes and the empty tree are hashed as RFC 6962 says`() {
        #expect(MerkleHash.empty == hash(hexadecimal: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
        #expect(MerkleHash.leaf([]) == hash(hexadecimal: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"))
        #expect(
            MerkleHash.leaf(Array("L123456".utf8)) == hash(hexadecimal: "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"))
        #expect(
            MerkleHash.node(.leaf(Self.leaves[0]), .leaf(Self.leaves[1])) == hash(hexadecimal: Self.roots[1]))
    }

    @Test(arguments: 1...8)
    func `the trees of the well-known leaves have their well-known roots`(size: Int) throws {
        #expect(try KeptTree(Self.leaves).tree(size).root() == hash(hexadecimal: Self.roots[size - 1]))
    }

    @Test func `the public vectors of transparency-dev merkle are accepted and refused as they say`() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/merkle.txt")
        let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 196)
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            let isRight = Self.holds(words)
            // That every tree begins with the empty one is what C2SP tlog-witness asks for; these vectors call the question useless.
            let isAboutEmpty = words[0] == "consistency" && words[1] == "0" && words.count == 6 && MerkleHash(base64: words[3]) == .empty
            #expect(isRight == (words[5] == "accepted" || isAboutEmpty && words[2] != "0"), "\(line)")
        }
    }

    /// What can't be a hash or a number is refused before it comes to a proof. A root that is some text stands for another root.
    private static func holds(_ words: [String]) -> Bool {
        func hash(_ text: String) -> MerkleHash? {
            MerkleHash(base64: text) ?? Data(base64Encoded: text).flatMap { $0.isEmpty || $0.count > 12 ? nil : MerkleHash.leaf($0) }
        }
        let proof = words[6...].map { MerkleHash(base64: $0) }
        guard let first = Int64(words[1]), let second = Int64(words[2]), let left = hash(words[3]), let right = hash(words[4]),
            !proof.contains(nil)
        else { return false }
        let head = TreeHead(size: second, root: right)
        return words[0] == "inclusion"
            ? head.includes(left, at: first, proof: proof.compactMap(\.self))
            : head.isConsistent(with: TreeHead(size: first, root: left), proof: proof.compactMap(\.self))
    }

    private static let sizeMax = 260

    @Test func `roots and proofs of all small trees are those of the definition`() throws {
        let leaves = (0..<Self.sizeMax).map { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let (naive, kept) = (NaiveTree(leaves: leaves), try KeptTree(leaves))
        // All sizes up to 40 with everything in them; above that every size with some of it.
        for size in 0...Self.sizeMax {
            #expect(try kept.tree(size).root() == naive.root(0..<size))
            let step = size <= 40 ? 1 : 37
            for position in stride(from: size % step, to: size, by: step) {
                #expect(try kept.tree(size).inclusionProof(Int64(position)) == naive.path(position, 0..<size))
            }
            for older in stride(from: 1 + size % step, through: size, by: step) where older <= size {
                #expect(try kept.tree(size).consistencyProof(from: Int64(older)) == naive.subproof(older, 0..<size, true))
            }
        }
    }

    @Test func `every leaf of every small tree is proved, and at no other position`() throws {
        let leaves = (0..<130).map { [UInt8($0)] }
        let kept = try KeptTree(leaves)
        for size in 1...130 {
            let head = try kept.head(size)
            for position in 0..<size {
                let proof = try kept.tree(size).inclusionProof(Int64(position))
                #expect(head.includes(.leaf(leaves[position]), at: Int64(position), proof: proof))
                #expect(!head.includes(.leaf(leaves[position]), at: Int64((position + 1) % (size + 1)), proof: proof))
            }
        }
    }

    @Test func `every small tree is shown to hold every older one`() throws {
        let kept = try KeptTree((0..<130).map { [UInt8($0)] })
        let heads = try (0...130).map(kept.head)
        for size in 0...130 {
            for older in 0...size {
                let proof = try kept.tree(size).consistencyProof(from: Int64(older))
                #expect(heads[size].isConsistent(with: heads[older], proof: proof))
                if older > 0, older < size { #expect(!heads[older].isConsistent(with: heads[size], proof: proof), "it can't go back") }
            }
        }
    }

    @Test(arguments: UInt64(0)..<200)
    func `a proof that was changed in any way proves nothing`(seed: UInt64) throws {
        var chance = SplitMix(seed: seed)
        let size = Int.random(in: 2...300, using: &chance)
        let leaves = (0..<size).map { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8), UInt8(truncatingIfNeeded: seed)] }
        let kept = try KeptTree(leaves)
        let (position, older) = (Int.random(in: 0..<size, using: &chance), Int.random(in: 1..<size, using: &chance))
        let (head, before) = (try kept.head(size), try kept.head(older))
        for proof in Self.forged(try kept.tree(size).inclusionProof(Int64(position)), &chance) {
            #expect(!head.includes(.leaf(leaves[position]), at: Int64(position), proof: proof))
        }
        for proof in Self.forged(try kept.tree(size).consistencyProof(from: Int64(older)), &chance) {
            #expect(!head.isConsistent(with: before, proof: proof))
        }
    }

    @Test(arguments: UInt64(0)..<60)
    func `a log that was forged, reordered or cut is not one that holds the older tree`(seed: UInt64) throws {
        var chance = SplitMix(seed: seed)
        let size = Int.random(in: 3...200, using: &chance)
        let older = Int.random(in: 2..<size, using: &chance)
        let leaves = (0..<size).map { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let before = try KeptTree(leaves).head(older)
        let place = Int.random(in: 0..<older, using: &chance)
        var forged = leaves, reordered = leaves, cut = leaves
        forged[place][0] ^= 0x80
        reordered.swapAt(place, (place + 1) % older)
        cut.remove(at: place)
        for other in [forged, reordered, cut] {
            let kept = try KeptTree(other)
            guard other.count > older else { continue }
            let proof = try kept.tree(other.count).consistencyProof(from: Int64(older))
            #expect(try !kept.head(other.count).isConsistent(with: before, proof: proof))
        }
    }

    private static func forged(_ proof: [MerkleHash], _ chance: inout SplitMix) -> [[MerkleHash]] {
        var all = [proof + [.empty], [.empty] + proof]
        guard !proof.isEmpty else { return all }
        let place = Int.random(in: proof.indices, using: &chance)
        var changed = proof, shorter = proof
        var bytes = proof[place].bytes
        bytes[Int.random(in: 0..<32, using: &chance)] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
        changed[place] = MerkleHash(bytes)!
        shorter.remove(at: place)
        all += [changed, shorter, Array(proof.dropLast())]
        if proof.count > 1 { all.append(Array(proof.reversed())) }
        return all
    }
}
