package import CityModel
internal import Foundation

extension Instant {
    /// What the system's clock says. For the edges; everything below is told the time.
    package static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
