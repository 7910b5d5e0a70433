package import Ledger
import LedgerStore
import Primitives
package import Records
import Synchronization

/// Judges an opening of one record, and sees to it that counted openings are counted.
package final class OpeningJudge: Sendable {
    /// An answer with what it was drawn from.
    package struct Judged: Sendable {
        package var answer: AccessAnswer
        /// The grant that allows, or that came nearest.
        package var terms: AccessTerms?
        package var uses: [GrantID: UInt32]
        package var isErased: Bool
    }

    private let context: AgentContext
    private let judge: AccessJudge
    /// Held from the count of earlier openings until the new one is durable.
    private let counting = Mutex(())

    package init(context: AgentContext, judge: AccessJudge) {
        self.context = context
        self.judge = judge
    }

    /// The answer, whichever it is.
    ///
    /// `uses`: as counted before, where an opening has been written down since.
    ///
    /// - Throws: ``AgentFailure`` `recordUnknown`, where even that the record exists is not for this clinician to know.
    package func answer(
        _ location: RecordLocation,
        _ credential: ClinicianCredential,
        _ purpose: PurposeOfUse,
        _ tip: ChainBoard.Tip,
        uses: [GrantID: UInt32]? = nil
    ) throws -> Judged {
        let grants = self.judge.grants(
            on: location.pseudonym,
            for: self.context.institution,
            in: tip.state
        )
        let uses = try uses ?? self.judge.uses(of: location.pseudonym, under: grants)
        let facts = self.judge.facts(location.summary)
        let question = self.judge.opening(
            of: facts,
            about: location.pseudonym,
            at: location.row.institution,
            by: credential,
            purpose: purpose,
            tip: tip,
            uses: uses
        )
        let answer = AccessRule.answer(question, under: grants)
        let isHidden = self.judge.isHidden(location.pseudonym)
        guard AccessRule.isListed(answer, exam: facts, isPatientHidden: isHidden) else { throw RecordIndex.unknown }
        let named: GrantID? =
            switch answer {
            case .own: nil
            case .allowed(let permission): permission.grant
            case .refused(_, let nearest): nearest
            }
        return Judged(
            answer: answer,
            terms: grants.first { $0.id == named },
            uses: uses,
            isErased: tip.state.isErased(location.row.leaf.record, of: location.row.institution)
        )
    }

    /// The access, or the failure that says why there is none.
    package func judged(
        _ location: RecordLocation,
        _ credential: ClinicianCredential,
        _ purpose: PurposeOfUse,
        _ tip: ChainBoard.Tip,
        uses: [GrantID: UInt32]? = nil
    ) throws -> Judged {
        let judged = try self.answer(location, credential, purpose, tip, uses: uses)
        if let failure = judged.answer.failure { throw failure }
        // Only whoever could open it learns what became of it.
        if judged.isErased { throw ErasureDesk.erased }
        return judged
    }

    /// The emergency, declared here without contact, under which the judged opening happens; `nil` for any other opening.
    package func emergency(
        _ judged: Judged,
        _ location: RecordLocation,
        _ credential: ClinicianCredential
    ) -> OfflineChain.Case? {
        guard case .allowed = judged.answer, let terms = judged.terms, terms.scope.purpose == .emergency,
            !terms.isEmergency
        else { return nil }
        return self.context.offline.covering(
            self.judge.facts(location.summary),
            of: location.pseudonym,
            user: self.judge.user(credential)
        )
    }

    /// Writes an opening down, unless others have used the grant up meanwhile.
    package func counted<Receipt>(
        _ judged: Judged,
        _ location: RecordLocation,
        _ write: () throws -> Receipt
    ) throws -> Receipt {
        guard case .allowed(let permission) = judged.answer, let max = permission.usesMax, let terms = judged.terms
        else { return try write() }
        return try self.counting.withLock { _ in
            let uses = try self.judge.uses(of: location.pseudonym, under: [terms])[terms.id] ?? 0
            guard uses < max else {
                throw AccessAnswer.refused(.usedUp, nearest: terms.id).failure ?? RecordIndex.unknown
            }
            return try write()
        }
    }
}
