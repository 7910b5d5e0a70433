/// The live feeds that an agent was told to run.
package struct FeedConfiguration: Sendable {
    /// Files for TLS on the MLLP port.
    package struct TLS: Sendable {
        /// PEM: the certificate of this side and those between it and its authority.
        package var certificate: String
        /// PEM; nobody else may read it.
        package var key: String
        /// PEM: senders must show a certificate of one of these authorities.
        package var clientAuthority: String?

        package init(certificate: String, key: String, clientAuthority: String?) {
            self.certificate = certificate
            self.key = key
            self.clientAuthority = clientAuthority
        }
    }

    /// A PACS whose studies are imported as they come.
    package struct DICOMWeb: Sendable {
        package static let intervalSecondsDefault = 30
        package static let settleSecondsDefault = 60
        package static let daysDefault = 7

        /// The base of its DICOMweb services, such as `https://pacs.example.org/dicom-web`.
        package var url: String
        /// PEM: the authorities of which one must have signed the server's certificate; the system's if there is none.
        package var authority: String?
        /// A file with `bearer TOKEN` or `basic USER:PASSWORD`; nobody else may read it.
        package var credentials: String?
        /// Between two looks.
        package var intervalSeconds: Int
        /// A study is read when it was the same for so long.
        package var settleSeconds: Int
        /// Studies of so many days before today are looked at; 0 for all.
        package var days: Int

        package init(
            url: String,
            authority: String? = nil,
            credentials: String? = nil,
            intervalSeconds: Int = intervalSecondsDefault,
            settleSeconds: Int = settleSecondsDefault,
            days: Int = daysDefault
        ) {
            self.url = url
            self.authority = authority
            self.credentials = credentials
            self.intervalSeconds = intervalSeconds
            self.settleSeconds = settleSeconds
            self.days = days
        }
    }

    /// Where HL7 messages are listened for: `HOST:PORT`.
    package var mllp: String?
    package var tls: TLS?
    /// A folder whose files are imported as they come.
    package var watchedFolder: String?
    package var dicomWeb: DICOMWeb?

    package init(
        mllp: String? = nil,
        tls: TLS? = nil,
        watchedFolder: String? = nil,
        dicomWeb: DICOMWeb? = nil
    ) {
        self.mllp = mllp
        self.tls = tls
        self.watchedFolder = watchedFolder
        self.dicomWeb = dicomWeb
    }
}
