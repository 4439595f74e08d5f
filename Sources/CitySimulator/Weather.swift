#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The weather at one place and moment. One set of slow noises drives everything, so that pressure, cloud, rain, wind,
/// temperature and humidity agree; a place further downwind gets the same weather later.
struct Weather: Sendable {
    /// Celsius.
    let temperature: Double
    /// 0...1.
    let humidity: Double
    /// Hectopascals at sea level.
    let pressure: Double
    /// Metres per second.
    let windSpeed: Double
    /// Degrees clockwise from north, where the wind comes from.
    let windDirection: Double
    /// 0...1.
    let cloud: Double
    /// Millimetres an hour.
    let rainRate: Double

    /// - Parameter delaySeconds: how much later than at the middle of the metropolis the weather comes by.
    init(_ time: CityTime, delaySeconds: Double = 0, seed: UInt64) {
        let seconds = Double(time.seconds) - delaySeconds
        let days = seconds / 86400
        let front = 0.7 * Chance.noise(days / 2.8, seed &+ 1) + 0.3 * Chance.noise(days / 1.1, seed &+ 2)
        let wetness = 0.5 * Chance.noise(days / 0.35, seed &+ 3) - 0.8 * front
        let sunHeight = max(0, Sun.sineOfElevation(time))
        cloud = Chance.ramp(wetness, -0.75, 0.55)
        rainRate = Self.rain(wetness, seconds, seed)
        pressure = 1015.5 + 15 * front + 0.8 * cos((time.hour - 10) * .pi / 6)

        let summer = time.summer
        let swing = (3.3 + 1.5 * summer) * (1 - 0.65 * cloud)
        let warmth = 13.2 + 7 * summer + 3 * Chance.noise(days / 3.3, seed &+ 4)
        temperature = warmth + swing * cos((time.hour - 15) * .pi / 12) - min(1.8, rainRate * 0.5)

        let calm = 0.5 + 0.5 * Chance.noise(days / 0.9, seed &+ 5)
        let gust = 1 + 0.22 * Chance.noise(seconds / 700, seed &+ 6)
        windSpeed = (1.1 + 4.6 * calm * calm + 2.6 * max(0, -front) + 2.2 * sunHeight * (1 - cloud)) * gust
        let turned = 235 + 115 * Chance.noise(days / 1.7, seed &+ 7) + 14 * Chance.noise(seconds / 1500, seed &+ 8)
        windDirection = turned < 0 ? turned + 360 : turned >= 360 ? turned - 360 : turned

        let airDew = warmth - 4.2 + 2.4 * Chance.noise(days / 2.3, seed &+ 9) + 2.5 * wetness
        let dew = min(airDew, temperature - 0.3 - 2 * (1 - cloud))
        let ratio = Self.vapour(dew) / Self.vapour(temperature)
        humidity = max(ratio, rainRate > 0.1 ? 0.88 : 0).clamped(0.18, 1)
    }

    private static func rain(_ wetness: Double, _ seconds: Double, _ seed: UInt64) -> Double {
        guard wetness > 0.42 else { return 0 }
        let shower = 0.55 + 0.45 * Chance.noise(seconds / 900, seed &+ 10)
        return min(14, (wetness - 0.42) * 11 * shower)
    }

    /// Magnus's formula, without its constant factor.
    private static func vapour(_ celsius: Double) -> Double { exp(17.62 * celsius / (243.12 + celsius)) }
}
