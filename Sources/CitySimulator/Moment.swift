internal import CityModel

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// What is the same for the whole metropolis at one second, computed once and used by every sensor that reports then.
package struct Moment: Sendable {
    let time: CityTime
    let weather: Weather
    package let sineOfSun: Double
    package var incidents: [Incident]
    /// How much traffic there is, about 1 at the busiest hour of a working day.
    let traffic: Double

    var instant: Instant { Instant(seconds: time.seconds) }
}

/// The habits of the city over day and week.
enum Rhythm {
    /// Share of the peak load on roads; variant 0 flows in to work, 1 flows out of it, 2 has no direction.
    static let roads: [WeekProfile] = [(1.0, 0.72), (0.68, 1.0), (0.86, 0.9)].map { morning, evening in
        WeekProfile(
            weekday: DayProfile(base: 0.05, [(8, 1.0, morning * 0.72), (13, 3.2, 0.44), (17.7, 1.5, evening * 0.66), (21, 1.8, 0.14)]),
            saturday: DayProfile(base: 0.06, [(11.5, 2.4, 0.5), (17, 2.8, 0.45), (22.5, 2, 0.16)]),
            sunday: DayProfile(base: 0.05, [(11.5, 2.4, 0.34), (18, 2.6, 0.4)]))
    }

    /// Occupied share of car parks: beside offices, beside shops, among homes.
    static let parking: [WeekProfile] = [
        WeekProfile(
            weekday: DayProfile(base: 0.08, [(10.5, 1.7, 0.5), (14, 2.2, 0.58)]), saturday: DayProfile(base: 0.1, [(13, 3, 0.18)]),
            sunday: DayProfile(base: 0.08, [(13, 3, 0.07)])),
        WeekProfile(
            weekday: DayProfile(base: 0.06, [(11.3, 1.5, 0.42), (17.3, 1.9, 0.62)]),
            saturday: DayProfile(base: 0.07, [(12, 1.9, 0.52), (16.3, 2, 0.66)]),
            sunday: DayProfile(base: 0.07, [(12, 2, 0.2)])),
        WeekProfile(
            weekday: DayProfile(base: 0.9, [(12.5, 3.3, -0.46)]), saturday: DayProfile(base: 0.88, [(14, 3, -0.22)]),
            sunday: DayProfile(base: 0.9, [(14, 3, -0.15)])),
    ]

    /// Share of docks with a bicycle: among homes, beside work, mixed.
    static let bikes: [WeekProfile] = [
        WeekProfile(
            weekday: DayProfile(base: 0.74, [(10.5, 2, -0.38), (14.5, 2.4, -0.34)]), saturday: DayProfile(base: 0.68, [(15, 3, -0.2)]),
            sunday: DayProfile(base: 0.7, [(15.5, 3, -0.22)])),
        WeekProfile(
            weekday: DayProfile(base: 0.2, [(10.5, 2, 0.42), (14.5, 2.4, 0.36)]), saturday: DayProfile(base: 0.3, [(15, 3, 0.12)]),
            sunday: DayProfile(base: 0.3, [(15, 3, 0.08)])),
        WeekProfile(
            weekday: DayProfile(base: 0.5, [(9, 1.4, -0.12), (18, 1.6, 0.1)]), saturday: DayProfile(base: 0.48, [(14, 3, 0.1)]),
            sunday: DayProfile(base: 0.48, [(14, 3, 0.08)])),
    ]

    /// Electric load: blocks of homes, offices and schools.
    static let electricity: [WeekProfile] = [
        WeekProfile(
            weekday: DayProfile(base: 0.55, [(7.5, 1.2, 0.45), (13, 2.5, 0.3), (19.8, 2, 0.95)]),
            saturday: DayProfile(base: 0.55, [(10, 2, 0.4), (13.5, 2, 0.4), (20, 2.2, 0.85)]),
            sunday: DayProfile(base: 0.55, [(10.5, 2, 0.45), (13.5, 2, 0.45), (20, 2.2, 0.85)])),
        WeekProfile(
            weekday: DayProfile(base: 0.45, [(9.5, 1.6, 0.8), (14.5, 2.3, 1.0)]), saturday: DayProfile(base: 0.45, [(12, 2.5, 0.15)]),
            sunday: DayProfile(base: 0.44, [(13, 3, 0.05)])),
    ]

    static let water: [WeekProfile] = [
        WeekProfile(
            weekday: DayProfile(base: 0.3, [(7.3, 1, 1.9), (12.8, 1.8, 0.7), (19.7, 1.9, 1.4)]),
            saturday: DayProfile(base: 0.3, [(9.3, 1.7, 1.6), (13.5, 2, 0.8), (20, 2, 1.2)]),
            sunday: DayProfile(base: 0.3, [(9.8, 1.8, 1.6), (13.5, 2, 0.8), (20, 2, 1.2)])),
        WeekProfile(
            weekday: DayProfile(base: 0.28, [(9.5, 1.6, 1.2), (14, 2.2, 1.3)]), saturday: DayProfile(base: 0.28, [(12, 2.5, 0.2)]),
            sunday: DayProfile(base: 0.28, [])),
    ]

    /// When people throw things away, and when they report what is wrong.
    static let waste = DayProfile(base: 0.15, [(8, 1.5, 0.9), (13, 2.5, 0.5), (19.5, 2.2, 1.2)])
    static let reporting = DayProfile(base: 0.08, [(9.5, 2, 0.8), (13, 2.5, 0.5), (18.5, 2.5, 0.9)])
}
