package import Formats
package import Primitives
package import Records

extension LocatorSummary {
    /// The line by which `exam` is listed: under the catalogue's code, if its own stands for `item`.
    package init(
        of exam: Exam,
        item: CatalogueItem? = nil,
        record: ContentAddress,
        recordBytes: Int,
        supersedes: ContentAddress?,
        identity: IdentityLevel = .match
    ) {
        let coding =
            item.map { Coding(system: $0.code.system, code: $0.code.code, display: $0.display) } ?? exam.code.primary
        let series = exam.imaging.flatMap(\.series)
        let counted = exam.imaging.compactMap(\.numberOfInstances).reduce(0) { $0 &+ $1 }
        let site =
            series.lazy.compactMap { $0.bodySite?.display ?? $0.bodySite?.code }.first
            ?? exam.specimens.lazy.compactMap { $0.type?.label ?? $0.display }.first ?? ""
        self.init(
            record: record,
            kind: exam.kind,
            status: exam.status,
            itemSystem: coding?.system ?? "",
            itemCode: coding?.code ?? "",
            display: (exam.code.label ?? exam.imaging.first?.description ?? "").composed,
            bodySite: site.composed,
            examTime: exam.time?.earliest,
            reportTime: exam.issued?.earliest,
            recordBytes: UInt32(clamping: recordBytes),
            imageCount: counted > 0 ? counted : UInt32(clamping: series.reduce(0) { $0 + $1.instances.count }),
            supersedes: supersedes,
            identity: identity
        )
    }
}
