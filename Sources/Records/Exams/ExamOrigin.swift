/// Where the results of an exam come from, as far as its source says so.
///
/// It is read from the original like everything else of an exam: a source that leaves out a device makes it look typed, and
/// nothing here proves that a named device measured anything.
package enum ExamOrigin: String, CaseIterable, Hashable, Sendable {
    /// Devices are named, and no person.
    case device
    /// A person answers for it, and no device is named.
    case person
    /// A person answers for what named devices made.
    case both
    case unknown
}

extension Exam {
    /// Of more, the first in the exam's order.
    package static let devicesMax = 32

    /// The devices that the source names for results or series, each once, in the exam's order.
    package var devices: [String] {
        var devices: [String] = []
        var seen: Set<String> = []
        for series in self.imaging.flatMap(\.series) { Self.add(series.device, &devices, &seen) }
        for item in self.items { Self.add(item, &devices, &seen) }
        return devices
    }

    private static func add(_ item: ExamItem, _ devices: inout [String], _ seen: inout Set<String>) {
        self.add(item.device, &devices, &seen)
        for component in item.components { self.add(component, &devices, &seen) }
    }

    private static func add(_ device: String?, _ devices: inout [String], _ seen: inout Set<String>) {
        guard let device, devices.count < self.devicesMax, seen.insert(device).inserted else { return }
        devices.append(device)
    }

    package var origin: ExamOrigin {
        switch (self.devices.isEmpty, self.namesPerson) {
        case (false, false): .device
        case (false, true): .both
        case (true, true): .person
        case (true, false): .unknown
        }
    }
}
