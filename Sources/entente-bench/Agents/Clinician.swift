import AgentAPI
import Foundation
import Primitives
import Vault

/// Somebody who looks exams up and opens them at one agent.
struct Clinician: Sendable {
    private let key: PersonalKey
    private let credential: Data
    private let client: AgentClient

    /// Makes a key in `folder` and has the agent's institution sign for it.
    init(at client: AgentClient, folder: URL, name: String = "clinician") async throws {
        self.key = try PersonalKey.create(folder.appending(path: name).path)
        var request = Entente_Api_V1_AddClinicianRequest()
        request.clinician = "bench"
        request.name = "Bench"
        request.department = "Bench"
        request.publicKey = Data(self.key.verifyingKey.bytes)
        request.validDays = 1
        self.credential = try await client.addClinician(request).credential
        self.client = client
    }

    func find(_ patient: SyntheticPatient, order: String = "") async throws -> Entente_Api_V1_FindReply {
        var request = Entente_Api_V1_FindRequest()
        request.order.item = order
        request.patient = patient.identifier
        request.credential = self.credential
        return try await self.client.find(request)
    }

    func fetch(_ record: Data, wantsEvidence: Bool = false) async throws -> Entente_Api_V1_FetchReply {
        var prepare = Entente_Api_V1_PrepareFetchRequest()
        prepare.record = record
        prepare.purpose = "TREAT"
        prepare.credential = self.credential
        let prepared = try await self.client.prepareFetch(prepare)
        var request = Entente_Api_V1_FetchRequest()
        request.request = prepared.request
        request.signature = Data(self.key.sign(Array(prepared.toSign)).bytes)
        request.credential = self.credential
        request.wantsEvidence = wantsEvidence
        return try await self.client.fetch(request)
    }

    /// Whether the record opens now.
    func opens(_ record: Data) async throws -> Bool {
        do {
            _ = try await self.fetch(record)
            return true
        } catch let error as AgentAPIError
            where [.notFound, .denied, .revokedOrExpired, .staleOrOffline].contains(error.exitStatus)
        { return false }
    }
}

/// What a story of reading needs: exams of one hospital, and a patient of whom another one may read.
struct ReadingScene: Sendable {
    let clients: [AgentClient]
    let names: [String]
    let clinician: Clinician
    let patient: SyntheticPatient
    /// The patient's exams.
    let records: [Data]

    /// Imports exams at the first agent and looks a patient of them up at the second.
    init(_ clients: [AgentClient], names: [String], folder: URL, exams: Int) async throws {
        let input = folder.appending(path: "input.ndjson")
        _ = try ExamFiles.writeBundles(exams, seed: 1, to: input)
        var request = Entente_Api_V1_ImportRequest()
        request.format = "auto"
        request.paths = [input.path]
        try await clients[0].importFiles(request) { _ in }
        try await Waiting.until("the second agent lists the exams") {
            try await clients[1].status(Entente_Api_V1_StatusRequest()).locatorEntries >= UInt64(exams)
        }
        self.clients = clients
        self.names = names
        self.clinician = try await Clinician(at: clients[1], folder: folder)
        for index in 0..<max(1, exams / ExamGenerator.examsPerPatient) {
            let patient = SyntheticPatient(index)
            let found = try await self.clinician.find(patient).results
            guard found.count > 1 else { continue }
            self.patient = patient
            self.records = found.map(\.record)
            return
        }
        throw BenchFailure("no patient has several exams")
    }

    /// A clinician at the agent of this place, whose key file has a name of its own.
    func clinician(at index: Int, folder: URL) async throws -> Clinician {
        let clinician = try await Clinician(at: self.clients[index], folder: folder, name: "clinician-\(index)")
        _ = try await clinician.find(self.patient)
        return clinician
    }

    /// The third agent witnesses that the patient lets others read, the second one unless told otherwise; returns the grant.
    func grant(to readers: [String]? = nil) async throws -> Data {
        var wish = Entente_Api_V1_PrepareGrantRequest()
        wish.patient = self.patient.identifier
        wish.grantees = readers ?? [self.names[1]]
        wish.purpose = "TREAT"
        wish.leaseSeconds = 3600
        wish.witnessEvidence = Data(repeating: 1, count: 32)
        let prepared = try await self.clients[2].prepareGrant(wish)
        _ = try await self.submit(prepared)
        return prepared.subject
    }

    func revoke(_ grant: Data) async throws {
        var wish = Entente_Api_V1_PrepareRevocationRequest()
        wish.grant = grant
        wish.witnessEvidence = Data(repeating: 1, count: 32)
        _ = try await self.submit(try await self.clients[2].prepareRevocation(wish))
    }

    private func submit(_ prepared: Entente_Api_V1_PreparedTransaction) async throws -> UInt64 {
        var request = Entente_Api_V1_SubmitTransactionRequest()
        request.transaction = prepared.transaction
        return try await self.clients[2].submitTransaction(request).height
    }
}
