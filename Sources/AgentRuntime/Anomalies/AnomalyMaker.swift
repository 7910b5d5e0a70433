package import LedgerStore
package import Primitives
package import Records
package import Vault

/// Makes anomalies: what the chain is told, and the detail that stays sealed in this home.
package struct AnomalyMaker: Sendable {
    static let detailUse = "anomaly"

    private let vault: Vault

    package init(vault: Vault) { self.vault = vault }

    /// `about`: an emergency access or an entry of the local chain.
    package func anomaly(
        _ kind: AnomalyKind,
        about: [Primitives.Digest],
        _ facts: [AnomalyDetail.Fact],
        now: Timestamp
    ) -> NewAnomaly {
        let records = about.prefix(Anomaly.recordsMax).map(ContentAddress.init)
        return self.anomaly(kind, count: UInt32(clamping: about.count), records: records, facts, now: now)
    }

    /// `records`: those of `count` that are named, at most ``Anomaly/recordsMax``.
    func anomaly(
        _ kind: AnomalyKind,
        count: UInt32,
        records: [ContentAddress],
        _ facts: [AnomalyDetail.Fact],
        now: Timestamp
    ) -> NewAnomaly {
        let salt = GrantDesk.random(count: AnomalyDetail.saltBytes)
        let detail = AnomalyDetail(facts)
        return NewAnomaly(
            anomaly: Anomaly(
                kind: kind,
                count: count,
                records: records,
                commitment: detail.commitment(salt: salt),
                time: now
            ),
            sealed: self.vault.protect(salt + detail.canonicalBytes, label: Self.detailUse)
        )
    }
}
