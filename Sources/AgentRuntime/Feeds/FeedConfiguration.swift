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

    /// Where HL7 messages are listened for: `HOST:PORT`.
    package var mllp: String?
    package var tls: TLS?
    /// A folder whose files are imported as they come.
    package var watchedFolder: String?

    package init(mllp: String? = nil, tls: TLS? = nil, watchedFolder: String? = nil) {
        self.mllp = mllp
        self.tls = tls
        self.watchedFolder = watchedFolder
    }
}
