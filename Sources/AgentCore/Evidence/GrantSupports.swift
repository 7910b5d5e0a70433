import Ledger
import Primitives
import Records

/// What a grant in an evidence file leans on, proved to stand in the certified state.
struct GrantSupports {
    private(set) var groups: [GroupState] = []
    private var delegation: DelegationState?
    private var referrals: [ReferralState] = []

    /// Returns `nil` unless everything that the grant leans on is there and in the state under `root`.
    init?(_ file: EvidenceFile.Grant, _ state: GrantState, root: Digest) {
        if let support = file.group {
            guard let group = try? GroupState(canonicalBytes: support.state), state.grant.groups.contains(group.id),
                Self.proves(support, .group(group.id), root)
            else { return nil }
            self.groups = [group]
        }
        if case .delegate(_, let id) = state.grant.grantor {
            guard let support = file.delegation, Self.proves(support, .delegation(id), root),
                let delegation = try? DelegationState(canonicalBytes: support.state)
            else { return nil }
            self.delegation = delegation
        } else if file.delegation != nil {
            // Every bit of a file is covered by a check, so nothing is carried that none reads.
            return nil
        }
        let bound = Set(([file.scope] + file.narrowings).compactMap(\.referral))
        for support in file.referrals {
            guard let referral = try? ReferralState(canonicalBytes: support.state),
                Self.proves(support, .referral(referral.referral.id), root)
            else { return nil }
            self.referrals.append(referral)
        }
        guard bound.isSubset(of: self.referrals.map(\.referral.id)) else { return nil }
    }

    /// Whether neither the delegation nor a referral had ended.
    func hold(at height: Height, time: Timestamp) -> Bool {
        let isMandated = self.delegation.map { delegation in
            delegation.createdHeight <= height && delegation.endedHeight.map { height < $0 } ?? true
                && time < delegation.delegation.notAfter
        }
        return isMandated ?? true && self.referrals.allSatisfy { $0.isOpen(at: height) }
    }

    private static func proves(_ support: EvidenceFile.Support, _ key: StateKey, _ root: Digest) -> Bool {
        support.proof.verify(key: key.digest, value: support.state, root: root)
    }
}
