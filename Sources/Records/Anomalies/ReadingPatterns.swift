package import Primitives

/// Finds what is unusual about how clinicians read: many patients, at unusual hours, or one neighbour after the other
/// (`Documentation/Protocol/Anomalies.md`).
///
/// Readings are given in the order in which they were made; the same readings give the same findings. It says what a person
/// should look at and never that somebody did wrong.
package struct ReadingPatterns: Sendable {
    /// What counts as usual.
    package struct Limits: Hashable, Sendable {
        /// Patients that one clinician opens on one day.
        package var patientsADay = 60
        /// Minutes since midnight; the hours pass midnight if the end is not after the start.
        package var quietStart = 0
        package var quietEnd = 5 * 60
        /// Patients in the quiet hours of one night by a clinician who does not use to read then.
        package var quietPatients = 3
        /// Patients whose records stand one behind the other.
        package var runLength = 8
        /// Places from one record of a run to the next: a patient may have several.
        package var runStep: Int64 = 4
        /// Between two readings of a run, in milliseconds.
        package var runPause: Int64 = 30 * 60_000

        package init() {}
    }

    /// A reading, as far as its pattern goes.
    package struct Reading: Hashable, Sendable {
        package var clinician: String
        package var patient: Int64
        /// Place of an own record in the order of import; `nil` for another institution's.
        package var place: Int64?
        package var isEmergency: Bool
        package var time: Timestamp
        /// Of the clock on the wall, in seconds east of UTC.
        package var offset: Int64

        package init(
            clinician: String,
            patient: Int64,
            place: Int64?,
            isEmergency: Bool,
            time: Timestamp,
            offset: Int64
        ) {
            self.clinician = clinician
            self.patient = patient
            self.place = place
            self.isEmergency = isEmergency
            self.time = time
            self.offset = offset
        }
    }

    /// What a reading made unusual.
    package struct Finding: Hashable, Sendable {
        package var kind: AnomalyKind
        /// How many patients it is about.
        package var patients: Int
        /// More than this, or as many, is unusual.
        package var limit: Int
        /// Days since 1970-01-01, on the wall; of a night the day on which the quiet hours began.
        package var day: Int64

        package init(kind: AnomalyKind, patients: Int, limit: Int, day: Int64) {
            self.kind = kind
            self.patients = patients
            self.limit = limit
            self.day = day
        }
    }

    /// Days with readings, and nights, that are remembered of a clinician.
    package static let daysKept = 28
    /// From so many days on a clinician has a usual day.
    package static let usualDaysMin = 5
    /// Who read in the quiet hours of so many nights uses to.
    package static let usualNightsMin = 2
    private static let daySeconds: Int64 = 86_400

    private let limits: Limits
    private var readers: [String: Reader] = [:]

    package init(limits: Limits = Limits()) { self.limits = limits }

    private struct Reader {
        var day: Int64?
        var patients: Set<Int64> = []
        /// Patients of each day before, newest last.
        var counts: [Int] = []
        var night: Int64?
        var nightPatients: Set<Int64> = []
        /// Nights before with readings in the quiet hours, newest last.
        var nights: [Int64] = []
        var last: (patient: Int64, place: Int64, time: Timestamp)?
        var isUpward = true
        var run = 1

        /// Of the days before; 0 while too few are known.
        var usual: Int {
            guard self.counts.count >= ReadingPatterns.usualDaysMin else { return 0 }
            return self.counts.sorted()[self.counts.count / 2]
        }
    }

    /// What becomes unusual by this reading: of each kind once a day, night or run.
    package mutating func add(_ reading: Reading) -> [Finding] {
        var reader = self.readers[reading.clinician] ?? Reader()
        let findings = [
            self.bulk(reading, &reader), self.hours(reading, &reader), self.neighbours(reading, &reader),
        ]
        self.readers[reading.clinician] = reader
        return findings.compactMap(\.self)
    }

    private static func seconds(_ reading: Reading) -> Int64 {
        let time = reading.time.milliseconds
        return time / 1000 - (time % 1000 < 0 ? 1 : 0) + reading.offset
    }

    private static func day(_ seconds: Int64) -> Int64 {
        seconds / self.daySeconds - (seconds % self.daySeconds < 0 ? 1 : 0)
    }

    private func bulk(_ reading: Reading, _ reader: inout Reader) -> Finding? {
        let day = Self.day(Self.seconds(reading))
        // Also when the clock was set back: what was counted under a wrong day does not weigh on the right one.
        if reader.day != day {
            if reader.day != nil { reader.counts = (reader.counts + [reader.patients.count]).suffix(Self.daysKept) }
            reader.day = day
            reader.patients = []
        }
        let limit = max(self.limits.patientsADay, 2 * reader.usual)
        guard reader.patients.insert(reading.patient).inserted, reader.patients.count == limit + 1 else { return nil }
        return Finding(kind: .readingBulk, patients: limit + 1, limit: limit, day: day)
    }

    private func hours(_ reading: Reading, _ reader: inout Reader) -> Finding? {
        // Emergencies have no hours, and are reviewed one by one.
        guard !reading.isEmergency else { return nil }
        let minute = Int((Self.seconds(reading) - Self.daySeconds * Self.day(Self.seconds(reading))) / 60)
        let (start, end) = (self.limits.quietStart, self.limits.quietEnd)
        let isQuiet = start < end ? start <= minute && minute < end : start <= minute || minute < end
        guard isQuiet else { return nil }
        let night = Self.day(Self.seconds(reading) - Int64(start) * 60)
        if reader.night != night {
            if let old = reader.night { reader.nights = (reader.nights + [old]).suffix(Self.daysKept) }
            reader.night = night
            reader.nightPatients = []
        }
        let limit = self.limits.quietPatients
        guard reader.nightPatients.insert(reading.patient).inserted, reader.nightPatients.count == limit else {
            return nil
        }
        let known = reader.nights.count { night - Int64(Self.daysKept) <= $0 && $0 < night }
        guard known < Self.usualNightsMin else { return nil }
        return Finding(kind: .readingHours, patients: limit, limit: limit, day: night)
    }

    private func neighbours(_ reading: Reading, _ reader: inout Reader) -> Finding? {
        guard let place = reading.place else { return nil }
        let last = reader.last
        reader.last = (reading.patient, place, reading.time)
        guard let last, last.patient != reading.patient else { return nil }
        let step = place - last.place
        let pause = reading.time.milliseconds - last.time.milliseconds
        guard step != 0, abs(step) <= self.limits.runStep, pause <= self.limits.runPause else {
            reader.run = 1
            return nil
        }
        reader.run = reader.run > 1 && (step > 0) == reader.isUpward ? reader.run + 1 : 2
        reader.isUpward = step > 0
        guard reader.run == self.limits.runLength else { return nil }
        return Finding(
            kind: .readingNeighbours,
            patients: reader.run,
            limit: self.limits.runLength,
            day: Self.day(Self.seconds(reading))
        )
    }
}
