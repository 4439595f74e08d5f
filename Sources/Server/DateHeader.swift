internal import Foundation
internal import HTTPTypes
internal import Synchronization

/// The moment as answers tell it, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7): written once a second.
final class DateHeader: Sendable {
    private let last = Mutex<(second: time_t, field: HTTPField)?>(nil)

    var field: HTTPField {
        let now = time(nil)
        return last.withLock { last in
            if let last, last.second == now { return last.field }
            let field = HTTPField(name: .date, value: Self.text(now))
            last = (now, field)
            return field
        }
    }

    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func text(_ second: time_t) -> String {
        var (second, parts) = (second, tm())
        gmtime_r(&second, &parts)
        func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(1900 + parts.tm_year)"
        return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
    }
}
