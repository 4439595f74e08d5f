/// The hours in which a city office works: of each weekday, but for holidays, in civil time.
package struct WorkingCalendar: Hashable, Sendable {
    /// A part of a day, in minutes since midnight of civil time: from 0 to 1440, the end after the beginning.
    package struct Hours: Hashable, Sendable {
        package let begin: Int
        package let end: Int
        package init(begin: Int, end: Int) { (self.begin, self.end) = (begin, end) }
    }

    package enum Weekday: String, Hashable, Sendable, CaseIterable { case monday, tuesday, wednesday, thursday, friday, saturday, sunday }

    package enum Holiday: Hashable, Sendable {
        /// Every year.
        case yearly(month: Int, day: Int)
        case once(year: Int, month: Int, day: Int)
        /// So many days after Easter Sunday of the Gregorian calendar; before it where negative.
        case easter(dayOffset: Int)
    }

    /// IANA name.
    package let zone: String
    /// In order and apart; a day that has none is free.
    package let hours: [Weekday: [Hours]]
    package let holidays: [Holiday]

    package init(zone: String, hours: [Weekday: [Hours]], holidays: [Holiday] = []) { (self.zone, self.hours, self.holidays) = (zone, hours, holidays) }
}
