internal import CityModel
internal import Foundation

/// Times in the city's zone and a reader's language.
struct ClockText: Sendable {
    private let zone: TimeZone
    private let locale: Locale
    private let comma: String

    init(zone: String, language: Language) {
        self.zone = TimeZone(identifier: zone) ?? .gmt
        locale = Locale(identifier: language.locale)
        comma = language.scriptText("comma")
    }

    /// `14:05`.
    func clock(_ moment: Instant) -> String {
        let local = Instant(seconds: moment.seconds + Int64(zone.secondsFromGMT(for: instant(moment)))).utc
        return Self.twoDigits(local.hour) + ":" + Self.twoDigits(local.minute)
    }

    /// `Friday 20 November`, in the language's order.
    func day(_ moment: Instant) -> String { style.weekday(.wide).day().month(.wide).format(instant(moment)) }

    /// `20 Nov 2026, 14:05`.
    func dateTime(_ moment: Instant) -> String { date(moment) + comma + clock(moment) }

    /// `20 Nov 2026`.
    func date(_ moment: Instant) -> String { style.day().month(.abbreviated).year().format(instant(moment)) }

    private var style: Date.FormatStyle {
        var style = Date.FormatStyle(locale: locale, calendar: Calendar(identifier: .gregorian))
        style.timeZone = zone
        return style
    }

    private func instant(_ moment: Instant) -> Date { Date(timeIntervalSince1970: Double(moment.seconds)) }
    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
