internal import CityModel
internal import Synchronization

/// What large request bodies take together while they are worked on. A body and what is made of it take many times its bytes of memory, and each of a thousand
/// connections may send one; a client that is told to come again costs nothing.
final class LargeBodies: Sendable {
    /// Smaller ones do not count.
    static let byteCountMin = 1 << 20

    private let byteCountMax: Int
    private let byteCount = Atomic(0)

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// One that is alone is taken whatever its size.
    /// - Returns: what has to be given back.
    func take(_ count: Int) throws(CityError) -> Int {
        guard count > Self.byteCountMin else { return 0 }
        let (others, together) = byteCount.add(count, ordering: .relaxed)
        guard others == 0 || together <= byteCountMax else {
            giveBack(count)
            throw .overloaded("large bodies of other requests are being worked on; come again in a second, or send less at once")
        }
        return count
    }

    func giveBack(_ count: Int) { byteCount.subtract(count, ordering: .relaxed) }
}
