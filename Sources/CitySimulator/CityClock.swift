internal import CityModel

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// What clock and calendar show in the metropolis, which keeps UTC all year (it lies five degrees west).
struct CityTime {
    /// Seconds since 1970.
    let seconds: Int64
    let day: Int64
    let secondOfDay: Double
    /// 0 is Monday.
    let weekday: Int
    /// Radians of the year since the first of January, the mean year taken as 365.2425 days.
    let yearAngle: Double

    init(_ seconds: Int64) {
        self.seconds = seconds
        day = CityTime.day(of: seconds)
        secondOfDay = Double(seconds - day * 86400)
        weekday = CityTime.weekday(day)
        let years = Double(seconds) / (365.2425 * 86400)
        yearAngle = 2 * .pi * (years - years.rounded(.down))
    }

    var hour: Double { secondOfDay / 3600 }
    var days: Double { Double(seconds) / 86400 }
    /// 1 in mid July, -1 in mid January.
    var summer: Double { cos(yearAngle - 2 * .pi * 196 / 365.2425) }

    static func day(of seconds: Int64) -> Int64 { (seconds >= 0 ? seconds : seconds - 86399) / 86400 }
    /// The first of January 1970 was a Thursday.
    static func weekday(_ day: Int64) -> Int { Int(((day + 3) % 7 + 7) % 7) }
}

/// The sun over the metropolis, by the usual short series (declination and equation of time to about half a minute).
enum Sun {
    /// The sine of the sun's height over the horizon.
    static func sineOfElevation(_ time: CityTime) -> Double {
        let angle = time.yearAngle
        let declination =
            0.006918 - 0.399912 * cos(angle) + 0.070257 * sin(angle) - 0.006758 * cos(2 * angle) + 0.000907 * sin(2 * angle)
        let equationMinutes =
            229.18 * (0.000075 + 0.001868 * cos(angle) - 0.032077 * sin(angle) - 0.014615 * cos(2 * angle) - 0.04089 * sin(2 * angle))
        let solarHour = time.hour + equationMinutes / 60 + Globe.longitude / 15
        let latitude = Globe.latitude * .pi / 180
        return sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos((solarHour - 12) * .pi / 12)
    }
}

/// How something goes up and down over the day, in 96 quarter hours, with the integral up to each.
struct DayProfile: Sendable {
    private let rates: [Double]
    private let sums: [Double]

    /// A sum of bells over the hours (`hour`, `width`, `height`) on a ground of `base`.
    init(base: Double, _ bells: [(hour: Double, width: Double, height: Double)]) {
        let rates = (0...96).map { quarter -> Double in
            let hour = Double(quarter) / 4
            return bells.reduce(base) { sum, bell in
                // Distance around the clock, so that a late bell reaches over midnight.
                let apart = abs(hour - bell.hour)
                let u = min(apart, 24 - apart) / bell.width
                return sum + bell.height * exp(-u * u / 2)
            }
        }
        self.rates = rates
        var total = 0.0
        sums = [0] + (0..<96).map { quarter in
            total += (rates[quarter] + rates[quarter + 1]) / 2 * 900
            return total
        }
    }

    func rate(_ secondOfDay: Double) -> Double {
        let position = secondOfDay / 900, quarter = min(Int(position), 95)
        return rates[quarter] + (rates[quarter + 1] - rates[quarter]) * (position - Double(quarter))
    }

    /// The integral from midnight, in units times seconds.
    func sum(_ secondOfDay: Double) -> Double {
        let position = secondOfDay / 900, quarter = min(Int(position), 95)
        let u = position - Double(quarter)
        let slope = rates[quarter + 1] - rates[quarter]
        return sums[quarter] + (rates[quarter] * u + slope * u * u / 2) * 900
    }

    var total: Double { sums[96] }
}

/// Seven day profiles.
struct WeekProfile: Sendable {
    private let days: [DayProfile]
    /// Integral from Monday to the beginning of each day.
    private let sums: [Double]

    init(_ days: [DayProfile]) {
        self.days = days
        var total = 0.0
        sums = [0] + days.map { day in
            total += day.total
            return total
        }
    }

    init(weekday: DayProfile, saturday: DayProfile, sunday: DayProfile) {
        self.init([weekday, weekday, weekday, weekday, weekday, saturday, sunday])
    }

    func rate(_ time: CityTime) -> Double { days[time.weekday].rate(time.secondOfDay) }

    /// The integral since Monday, 29 December 1969, as days of the average rate.
    func elapsedDays(_ time: CityTime) -> Double {
        let week = (time.day + 3 - Int64(time.weekday)) / 7
        let inWeek = sums[time.weekday] + days[time.weekday].sum(time.secondOfDay)
        return Double(week) * 7 + inWeek / (sums[7] / 7)
    }
}
