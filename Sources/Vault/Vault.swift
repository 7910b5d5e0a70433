internal import Crypto
package import Primitives
package import Records
internal import Synchronization

/// The sealed objects and the private keys of one institution: everything in `HOME/vault` and `HOME/keys`.
///
/// Owned by the agent for as long as it runs; safe to call from any thread. Reading and sealing run on the caller's
/// thread, storing on a thread of the vault's own.
package final class Vault: Sendable {
    /// Sizes of files.
    ///
    /// Production uses ``standard``.
    package struct Limits: Hashable, Sendable {
        package var segmentBytesMax: UInt64
        /// Space kept back for tidying a full disk; 0 for none.
        package var reserveBytes: UInt64

        package static let standard = Limits(segmentBytesMax: 128 << 20, reserveBytes: 128 << 20)

        package init(segmentBytesMax: UInt64, reserveBytes: UInt64) {
            precondition((1 << 10...1 << 30).contains(segmentBytesMax), "offsets in a segment have 32 bits")
            self.segmentBytesMax = segmentBytesMax
            self.reserveBytes = reserveBytes
        }
    }

    /// Largest canonical content of a record in bytes.
    package static let contentBytesMax = RecordCipher.contentBytesMax

    package let keys: HomeKeys
    private let lock: HomeLock?
    let store: SegmentStore
    let dataKeys: DataKeyPages
    /// This institution's part of the shared pseudonym key.
    package let pseudonyms: PseudonymShares
    let cipher = RecordCipher()
    private let queue: CommitQueue
    private let nextSequence: Atomic<UInt64>
    private let protectionKey: SymmetricKey
    private let tagKey: [UInt8]

    package var institution: InstitutionID { self.keys.institution }

    /// Opens the vault of a home and recovers whatever the last run left unfinished.
    ///
    /// Takes the home's lock.
    ///
    /// - Throws: `homeInUse`, the errors of ``HomeKeys/open(home:passphrase:files:)``, `inputOutput` or `diskFull`.
    package static func open(
        home: String,
        passphrase: [UInt8]?,
        limits: Limits = .standard
    ) throws(VaultError) -> Vault {
        let lock = try HomeLock(home: home)
        let keys = try HomeKeys.open(home: home, passphrase: passphrase)
        return try Vault(home: home, keys: keys, lock: lock, files: PosixFileSystem(), limits: limits)
    }

    /// Opens a vault on any file system.
    ///
    /// The vault keeps `lock` until it goes away.
    package init(
        home: String,
        keys: HomeKeys,
        lock: HomeLock?,
        files: any FileSystem,
        limits: Limits
    ) throws(VaultError) {
        let folder = home + "/vault"
        let incidents = IncidentLog()
        let reserve = ReserveFile(folder: folder, size: limits.reserveBytes, files: files)
        let sign: @Sendable ([UInt8]) -> Signature = { keys.sign($0) }
        let store = try whileDoing("opening the vault") { () throws(FileError) in
            try files.makeFolder(folder)
            let recovery = SegmentRecovery(
                folder: folder + "/segments",
                files: files,
                institution: keys.institution,
                incidents: incidents,
                reserve: reserve,
                sign: sign
            )
            return SegmentStore(
                opened: try recovery.run(),
                folder: recovery.folder,
                files: files,
                institution: keys.institution,
                incidents: incidents,
                reserve: reserve,
                segmentBytesMax: limits.segmentBytesMax,
                sign: sign
            )
        }
        let dataKeys = try DataKeyPages(
            vault: folder,
            root: keys.localKey("data-keys"),
            files: files,
            incidents: incidents,
            reserve: reserve
        )
        try whileDoing("opening the vault") { () throws(FileError) in
            try files.syncFolder(folder)
            try files.syncFolder(home)
        }
        if !reserve.ensure() { incidents.note(.reserveMissing, file: "reserve") }
        self.keys = keys
        self.lock = lock
        self.store = store
        self.dataKeys = dataKeys
        self.pseudonyms = try PseudonymShares(
            folder: folder,
            key: keys.localKey("pseudonym-shares"),
            institution: keys.institution,
            files: files
        )
        self.nextSequence = Atomic(store.nextOwnSequence)
        self.protectionKey = keys.localKey("protect")
        self.tagKey = keys.localKey("tag").bytes
        // Keys first: a record that is found again after a crash can then be opened.
        self.queue = CommitQueue { (items) throws(VaultError) in
            try dataKeys.put(items.flatMap(\.keys))
            try store.commit(items.flatMap(\.objects))
        }
    }

    /// Makes everything queued durable and refuses appends from then on.
    ///
    /// The home stays locked until the vault goes away.
    package func close() async { await self.queue.close() }

    // MARK: Objects

    /// Whether an object is stored and was not found damaged.
    package func contains(_ address: ContentAddress) throws(VaultError) -> Bool { try self.store.contains(address) }

    /// The object stored under `address`, after checking it against the address.
    ///
    /// The check runs on every read: disks corrupt data silently, and the result must be exactly what its author sealed.
    ///
    /// - Throws: `notFound`; `damaged`, after which ``contains(_:)`` is false and a new copy can be appended.
    package func read(_ address: ContentAddress) throws(VaultError) -> SealedObject { try self.store.read(address) }

    /// Stores objects and returns when they are durable.
    ///
    /// An object that is stored already is not stored again.
    ///
    /// - Throws: `diskFull`, `inputOutput` or `closed`: then each of them is either stored whole or not at all. `notOwn` for
    ///   an object of this institution that this home has not made: a peer made it up.
    package func append(
        _ objects: [SealedObject],
        _ urgency: Urgency = .interactive
    ) async throws(VaultError) {
        // A number that was not given out yet would be given out again, or push the next ones out of reach.
        let next = self.nextSequence.load(ordering: .relaxed)
        guard objects.allSatisfy({ $0.header.origin != self.institution || $0.header.sequence < next }) else {
            throw VaultError(.notOwn, "an object claims to be this institution's own and is not")
        }
        try await self.queue.append(CommitQueue.Item(objects: objects, keys: []), urgency)
    }

    /// Stores own records together with their data keys and returns when both are durable.
    package func append(
        _ records: [SealedRecord],
        _ urgency: Urgency = .interactive
    ) async throws(VaultError) {
        let keys = records.map { DataKeyPages.NewKey(sequence: $0.object.header.sequence, key: $0.dataKey) }
        try await self.queue.append(CommitQueue.Item(objects: records.map(\.object), keys: keys), urgency)
    }

    /// Up to `limit` objects of a kind (all kinds for `nil`) behind `position`, in the order in which they were stored,
    /// and the position to go on from.
    ///
    /// None at the end. Damaged objects are left out.
    package func objects(
        of kind: ObjectKind?,
        from position: StorePosition,
        limit: Int
    ) throws(VaultError) -> (objects: [SealedObject], next: StorePosition) {
        try self.store.objects(of: kind, from: position, limit: limit)
    }

    package func statistics() throws(VaultError) -> StoreStatistics { try self.store.statistics() }

    /// Reads every byte of every file of the vault and checks it: frames against their addresses, footers against
    /// frames and signature, data keys against the records they belong to.
    package func verifyAll() throws(VaultError) -> (objects: Int, problems: [StorageIncident]) {
        var result = try self.store.verify(signedBy: self.keys.verifyingKey) { object in
            guard object.header.kind == .record, object.header.origin == self.institution else { return [] }
            if (try? self.dataKeys.isDestroyed(object.header.sequence)) == true { return [] }
            let key = try? self.dataKeys.key(object.header.sequence)
            guard let key, RecordCipher.keyCommitment(key) == object.header.keyCommitment else {
                return [StorageIncident(.dataKeyMissing, file: "record \(object.address)")]
            }
            return []
        }
        result.problems += try self.dataKeys.verify()
        return result
    }

    // MARK: Making objects

    /// The next number among the institution's own objects.
    func takeSequence() -> UInt64 { self.nextSequence.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// An object of the institution's own that is not encrypted, such as a manifest.
    ///
    /// It is not stored yet.
    package func makeObject(_ kind: ObjectKind, body: [UInt8]) throws(VaultError) -> SealedObject {
        precondition(kind != .record, "a record is sealed")
        guard body.count <= SealedObject.bodyBytesMax else {
            throw VaultError(.tooLarge, "an object is over \(SealedObject.bodyBytesMax) bytes")
        }
        let header = ObjectHeader(
            suite: .international,
            kind: kind,
            origin: self.institution,
            sequence: self.takeSequence(),
            keyCommitment: .zero
        )
        return SealedObject(header: header, body: body)
    }

    // MARK: Local secrets

    /// Encrypts a secret for a database of this home.
    ///
    /// `label` names the place: it must be given again to read it.
    package func protect(_ bytes: [UInt8], label: String) -> [UInt8] {
        Seal.close(bytes, key: self.protectionKey, associated: Array(label.utf8))
    }

    /// - Throws: `sealBroken` for anything ``protect(_:label:)`` of this home did not return for this label.
    package func unprotect(_ bytes: [UInt8], label: String) throws(VaultError) -> [UInt8] {
        guard let plain = Seal.open(bytes, key: self.protectionKey, associated: Array(label.utf8)) else {
            throw VaultError(.sealBroken, "a local secret (\(label)) was changed or belongs to another home")
        }
        return plain
    }

    /// 32 bytes that stay the same for as long as the home does, one for each use.
    package func localSalt(_ use: String) -> [UInt8] { self.keys.localKey("salt/\(use)").bytes }

    /// A tag by which equal inputs are recognised inside this home and nowhere else.
    package func localTag(_ bytes: [UInt8]) -> Primitives.Digest {
        MessageAuthentication.code(key: self.tagKey, message: bytes)
    }
}
