/// Which known name somebody meant who wrote one that is not known.
package enum Spelling {
    /// The one of `names` that takes the fewest insertions, deletions, replacements and swaps of neighbours to become `name`.
    package static func nearest(to name: String, in names: [String]) -> String? {
        let folded = Array(name.lowercased().utf8.prefix(64))
        return names.min { distance(Array($0.lowercased().utf8), folded) < distance(Array($1.lowercased().utf8), folded) }
    }

    /// The optimal string alignment distance.
    package static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before = [Int](repeating: 0, count: right.count + 1)
        var previous = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                var cost = min(
                    previous[column + 1] + 1, current[column] + 1, previous[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, before[column - 1] + 1)
                }
                current.append(cost)
            }
            (before, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
