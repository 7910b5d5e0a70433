package import LedgerStore
package import Primitives
package import Records
package import Vault

/// Makes anomalies about emergency accesses, as imports make those about exams.
package struct EmergencyAnomalies: Sendable {
    private static let detailUse = "anomaly"

    private let vault: Vault

    package init(vault: Vault) { self.vault = vault }

    /// `about`: an emergency access or an entry of the local chain.
    package func anomaly(
        _ kind: AnomalyKind,
        about: [Primitives.Digest],
        _ facts: [AnomalyDetail.Fact],
        now: Timestamp
    ) -> NewAnomaly {
        // The system's generator: on Linux it is the kernel's.
        let salt = (0..<AnomalyDetail.saltBytes).map { _ in UInt8.random(in: .min ... .max) }
        let detail = AnomalyDetail(facts)
        return NewAnomaly(
            anomaly: Anomaly(
                kind: kind,
                count: UInt32(clamping: about.count),
                records: about.prefix(Anomaly.recordsMax).map(ContentAddress.init),
                commitment: detail.commitment(salt: salt),
                time: now
            ),
            sealed: self.vault.protect(salt + detail.canonicalBytes, label: Self.detailUse)
        )
    }
}
