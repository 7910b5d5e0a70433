import Ledger
import Records

/// Who may read, by brute force over what happened: every rule is a sentence of its own, all are tried on every grant,
/// and only then is it asked which failed first.
struct AccessOracle {
    enum Verdict: Equatable {
        case own
        /// The grant's place in the story.
        case allowed(Int, hidden: Set<String>, uses: UInt32?)
        case refused(Int)
    }

    let story: AccessStory

    /// `order`: of the grants' names, by which ties are broken.
    func verdict(order: [Int]) -> Verdict {
        guard self.story.reader != self.story.custodian else { return .own }
        var allowed: [(index: Int, hidden: Set<String>, uses: UInt32?)] = []
        var refused = [1]
        for (index, grant) in self.story.grants.enumerated() where grant.made <= self.story.height {
            let failed = self.failures(grant, uses: self.story.uses[index])
            if let first = failed.min() {
                refused.append(first)
            } else {
                let scopes = self.scopes(grant)
                allowed.append(
                    (index, Set(scopes.flatMap(\.hidden)), scopes.compactMap(\.uses).sorted().first)
                )
            }
        }
        guard !allowed.isEmpty else { return .refused(refused.max() ?? 1) }
        let fewest = allowed.map(\.hidden.count).min() ?? 0
        var best = allowed.filter { $0.hidden.count == fewest }
        if best.contains(where: { $0.uses == nil }) { best.removeAll { $0.uses != nil } }
        let chosen = order.first { index in best.contains { $0.index == index } } ?? 0
        let found = best.first { $0.index == chosen }
        return .allowed(chosen, hidden: found?.hidden ?? [], uses: found?.uses)
    }

    private func isPast(_ height: UInt64?) -> Bool { height.map { $0 <= self.story.height } ?? false }

    /// All scopes in force: the grant's, those of its narrowings so far, and the delegation's.
    private func scopes(_ grant: AccessStory.Grant) -> [AccessStory.Scope] {
        var scopes = [grant.scope]
        for narrowed in grant.narrowed where self.isPast(narrowed.height) { scopes.append(narrowed.scope) }
        if let mandate = grant.mandate { scopes += [mandate.scope] + (mandate.other.map { [$0.scope] } ?? []) }
        return scopes
    }

    private func failures(_ grant: AccessStory.Grant, uses: UInt32) -> [Int] {
        var failed: [Int] = []
        var readers = grant.readers
        for group in grant.groups {
            for move in self.story.groups[group] where self.isPast(move.joined) && !self.isPast(move.left) {
                readers.append(move.institution)
            }
        }
        if !readers.contains(self.story.reader) { failed.append(1) }
        if !grant.custodians.isEmpty, !grant.custodians.contains(self.story.custodian) { failed.append(2) }
        if !self.isInside(grant.scope) { failed.append(3) }
        if !Set(self.story.sensitive).subtracting(grant.scope.sensitive).isEmpty { failed.append(4) }
        if !self.isReader(grant.scope) { failed.append(5) }
        if self.isPast(grant.revoked) { failed.append(6) }
        for narrowed in grant.narrowed where self.isPast(narrowed.height) {
            if narrowed.withoutReaders.contains(self.story.reader) { failed.append(7) }
            if narrowed.withoutCustodians.contains(self.story.custodian) { failed.append(7) }
            if self.isBeyond(narrowed.scope, grant) { failed.append(7) }
        }
        if let mandate = grant.mandate {
            let isStanding = self.isPast(mandate.made) && !self.isPast(mandate.ended)
            if mandate.isForged || !isStanding || mandate.until <= self.story.now { failed.append(8) }
            if self.isBeyond(mandate.scope, grant) { failed.append(9) }
            if let other = mandate.other {
                if self.isBeyond(other.scope, grant) { failed.append(9) }
                let isSettled = self.isPast(other.decided) && !other.isUpheld
                if self.isPast(other.objected), !isSettled { failed.append(10) }
            }
        }
        for referral in self.scopes(grant).compactMap(\.referral) {
            guard let state = self.story.referrals[referral] else {
                failed.append(11)
                continue
            }
            if !self.isPast(state.opened) || self.isPast(state.closed) { failed.append(11) }
        }
        if grant.until <= self.story.now { failed.append(12) }
        guard self.story.stage == .open else { return failed }
        if self.story.now < grant.from { failed.append(13) }
        if let purpose = self.story.purpose, purpose != grant.scope.purpose { failed.append(14) }
        if grant.scope.purpose == .emergency, !self.story.declared.contains(where: self.isExtent) { failed.append(15) }
        for scope in self.scopes(grant) {
            if let max = scope.uses, uses >= max { failed.append(16) }
            if self.story.silence.map({ $0 > Int64(scope.lease) * 1000 }) ?? true { failed.append(17) }
        }
        return failed
    }

    private func isBeyond(_ scope: AccessStory.Scope, _ grant: AccessStory.Grant) -> Bool {
        !self.isInside(scope) || !Set(self.story.sensitive).isSubset(of: scope.sensitive) || !self.isReader(scope)
            || scope.purpose != grant.scope.purpose
    }

    private func isExtent(_ scope: AccessStory.Scope) -> Bool {
        self.isInside(scope) && Set(self.story.sensitive).isSubset(of: scope.sensitive)
    }

    private func isInside(_ scope: AccessStory.Scope) -> Bool {
        let isTimed = scope.from != nil || scope.until != nil
        let isInTime =
            self.story.time.map { time in time >= scope.from ?? .min && time < scope.until ?? .max } ?? !isTimed
        return isInTime && (scope.kinds.isEmpty || scope.kinds.contains(self.story.kind))
            && (scope.items.isEmpty || scope.items.contains(self.story.item))
            && (scope.records.isEmpty || scope.records.contains(self.story.record))
    }

    private func isReader(_ scope: AccessStory.Scope) -> Bool {
        if self.story.stage == .release { return true }
        if scope.roles.isEmpty, scope.people.isEmpty { return true }
        return scope.roles.contains(self.story.role)
            || scope.people.contains {
                $0.institution == self.story.reader && $0.clinician == self.story.clinician
            }
    }
}
