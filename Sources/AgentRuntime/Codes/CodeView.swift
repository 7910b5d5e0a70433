import Formats
import LedgerStore
import Primitives
import Records
import Synchronization

/// One version of the code map, prepared for exams; safe to use from any thread.
///
/// A hospital has a few thousand distinct codes, so each is looked up once and then remembered: what an exam costs is a
/// look into one table for each of its codes.
final class CodeView: Sendable {
    /// What a map makes of an exam.
    struct Reading: Sendable {
        /// For the record; `nil` while no catalogue is loaded.
        var note: CodeNote?
        /// What the exam's own code stands for.
        var item: CatalogueItem?
        /// Codes that somebody has to look at.
        var reviewed: [ReviewedCode] = []
    }

    /// Answers that are remembered; codes beyond it, which nobody's laboratory has, are looked up each time.
    private static let rememberedMax = 65_536

    let index: CodeMapIndex?
    let version: String
    let digest: Digest
    private let answers = Mutex<[ExamCodes.Question: ExamCodes.Answer]>([:])
    private let source: String

    init(index: CodeMapIndex?, digest: Digest, source: String) {
        self.index = index
        self.version = index?.map.version ?? ""
        self.digest = digest
        self.source = source
    }

    /// Reads the codes of an exam of this institution.
    func read(_ exam: Exam) -> Reading {
        let subjects = ExamCodes.subjects(of: exam)
        let answers = self.answers(to: subjects)
        var reading = Reading()
        var lines: [CodeNote.Line] = []
        var next = 0
        for (position, subject) in subjects.enumerated() {
            let own = answers[next..<next + subject.questions.count]
            next += subject.questions.count
            guard let first = subject.questions.first else { continue }
            var reason = ReviewedCode.Reason.unmapped
            var isFound = false
            search: for answer in own {
                switch answer {
                case .item(let item, let line, let hasUnitFault):
                    isFound = !hasUnitFault
                    if hasUnitFault { reason = .unit }
                    if position == 0 { reading.item = item }
                    if let line, lines.count < CodeNote.linesMax, !lines.contains(line) { lines.append(line) }
                    break search
                case .ambiguous: reason = .ambiguous
                case .unknown: break
                }
            }
            if !isFound { reading.reviewed.append(self.reviewed(first, subject.name, reason)) }
        }
        if self.index != nil { reading.note = CodeNote(version: self.version, digest: self.digest, lines: lines) }
        return reading
    }

    /// What this map makes of an exam of another's, or of an old one: no more than a reader's help.
    func lines(for exam: Exam, source: String) -> [CodeNote.Line] {
        guard let index = self.index else { return [] }
        var lines: [CodeNote.Line] = []
        for question in ExamCodes.subjects(of: exam).flatMap(\.questions) {
            guard case .item(_, let line?, _) = index.answer(question, source: source),
                lines.count < CodeNote.linesMax, !lines.contains(line)
            else { continue }
            lines.append(line)
        }
        return lines
    }

    private func answers(to subjects: [ExamCodes.Subject]) -> [ExamCodes.Answer] {
        guard let index = self.index else {
            return Array(repeating: .unknown, count: subjects.reduce(0) { $0 + $1.questions.count })
        }
        var answers: [ExamCodes.Answer?] = []
        answers.reserveCapacity(subjects.count)
        self.answers.withLock { table in
            for subject in subjects { for question in subject.questions { answers.append(table[question]) } }
        }
        guard answers.contains(where: { $0 == nil }) else { return answers.compactMap { $0 } }
        let questions = subjects.flatMap(\.questions)
        return zip(questions, answers).map { question, known in
            if let known { return known }
            let answer = index.answer(question, source: self.source)
            self.answers.withLock { table in
                if table.count < Self.rememberedMax { table[question] = answer }
            }
            return answer
        }
    }

    private func reviewed(
        _ question: ExamCodes.Question,
        _ name: String?,
        _ reason: ReviewedCode.Reason
    ) -> ReviewedCode {
        ReviewedCode(
            source: self.source,
            system: question.system,
            code: question.code,
            specimen: question.specimen,
            name: name,
            unit: question.unit?.text,
            reason: reason
        )
    }
}
