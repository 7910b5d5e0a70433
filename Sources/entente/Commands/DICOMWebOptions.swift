import AgentRuntime
import ArgumentParser

/// Which PACS an agent reads studies from, and how often.
struct DICOMWebOptions: ParsableArguments {
    @Option(
        name: .customLong("dicomweb"),
        help: "Import the studies of the PACS whose DICOMweb services are at this URL."
    )
    var url: String?

    @Option(
        name: .customLong("dicomweb-authority"),
        help: "PEM authorities, one of which signed the certificate of the PACS; else those of the system."
    )
    var authority: String?

    @Option(
        name: .customLong("dicomweb-credentials"),
        help: "A file of mode 0600 with one line: bearer TOKEN or basic USER:PASSWORD."
    )
    var credentials: String?

    @Option(name: .customLong("dicomweb-interval"), help: "Seconds between two looks at the PACS (default: 30).")
    var interval: Int?

    @Option(
        name: .customLong("dicomweb-settle"),
        help: "Read a study when it was the same for so many seconds (default: 60)."
    )
    var settle: Int?

    @Option(
        name: .customLong("dicomweb-days"),
        help: "Look at studies of so many days before today; 0 for all (default: 7)."
    )
    var days: Int?

    /// `nil` without a PACS.
    func configuration() throws(CommandFailure) -> FeedConfiguration.DICOMWeb? {
        guard let url = self.url else {
            let hasMore =
                self.authority != nil || self.credentials != nil || self.interval != nil || self.settle != nil
                || self.days != nil
            guard !hasMore else {
                throw CommandFailure.usage(
                    "dicomweb",
                    "options for a PACS need --dicomweb URL",
                    hint: "See entente agent --help."
                )
            }
            return nil
        }
        return FeedConfiguration.DICOMWeb(
            url: url,
            authority: self.authority,
            credentials: self.credentials,
            intervalSeconds: self.interval ?? FeedConfiguration.DICOMWeb.intervalSecondsDefault,
            settleSeconds: self.settle ?? FeedConfiguration.DICOMWeb.settleSecondsDefault,
            days: self.days ?? FeedConfiguration.DICOMWeb.daysDefault
        )
    }
}
