package import Crypto
package import Primitives
package import Records

/// A record's plaintext and its sealed form (Documentation/Protocol/SealedRecord.md).
package struct RecordCipher: Sendable {
    private let compressors = CompressorPool()

    package init() {}

    /// Largest canonical content: its padded form still fits a sealed object.
    package static let contentBytesMax = SealedObject.bodyBytesMax - SealedObject.bodyBytesMax / 8

    /// `canonicalBytes`: of the content, where the caller has them already.
    package func seal(
        _ content: RecordContent,
        canonicalBytes: [UInt8]? = nil,
        dataKey: SymmetricKey,
        origin: InstitutionID,
        sequence: UInt64
    ) throws(VaultError) -> SealedRecord {
        let plain = canonicalBytes ?? content.canonicalBytes
        guard plain.count <= Self.contentBytesMax, content.parts.count <= RecordContent.partsMax,
            content.parts.allSatisfy({ $0.type.utf8.count <= RecordContent.Part.typeBytesMax })
        else { throw VaultError(.tooLarge, "the exam is over the limit of \(Self.contentBytesMax) bytes") }
        let suite = SuiteID.international
        let salt = RandomBytes.make(RecordContent.saltBytes)
        let commitment = RecordContent.commitment(suite: suite, salt: salt, canonicalContent: plain)
        let header = ObjectHeader(
            suite: suite,
            kind: .record,
            origin: origin,
            sequence: sequence,
            keyCommitment: Self.keyCommitment(dataKey)
        )
        let payload = self.payload(plain, salt: salt, CompressionID(content.format))
        let body = ChunkStream.seal(payload, key: Self.payloadKey(dataKey, header))
        return SealedRecord(
            object: SealedObject(header: header, body: body),
            salt: salt,
            commitment: commitment,
            plainBytes: plain.count,
            dataKey: dataKey
        )
    }

    package func open(_ object: SealedObject, dataKey: SymmetricKey) throws(VaultError) -> OpenedRecord {
        let header = object.header
        guard header.suite == .international, header.kind == .record else {
            throw VaultError(.unsupported, "the object is not a record of a suite this build knows")
        }
        guard Self.keyCommitment(dataKey) == header.keyCommitment else {
            throw VaultError(.sealBroken, "the data key is not the one the record was sealed with")
        }
        guard let payload = ChunkStream.open(object.body, key: Self.payloadKey(dataKey, header)),
            let (salt, plain) = self.plain(payload), let content = try? RecordContent(canonicalBytes: plain)
        else { throw VaultError(.sealBroken, "the record's content is not well sealed: its origin made it wrong") }
        let commitment = RecordContent.commitment(suite: header.suite, salt: salt, canonicalContent: plain)
        return OpenedRecord(content: content, salt: salt, commitment: commitment)
    }

    /// `salt32 ‖ compression1 ‖ plain length4 ‖ data`, zero-padded.
    private func payload(_ plain: [UInt8], salt: [UInt8], _ compression: CompressionID) -> [UInt8] {
        let compressed = self.compressors.compress(plain, compression)
        let data = compressed ?? plain
        var encoder = CanonicalEncoder(reservingCapacity: Padding.size(data.count + 64))
        encoder.encode(fixed: salt)
        encoder.encode((compressed == nil ? CompressionID.none : compression).rawValue)
        encoder.encode(UInt32(plain.count))
        encoder.encode(bytes: data)
        let padding = Padding.size(encoder.bytes.count) - encoder.bytes.count
        encoder.encode(fixed: [UInt8](repeating: 0, count: padding))
        return encoder.bytes
    }

    private func plain(_ payload: [UInt8]) -> (salt: [UInt8], plain: [UInt8])? {
        guard payload.count <= SealedObject.bodyBytesMax else { return nil }
        var decoder = CanonicalDecoder(payload)
        do {
            let salt = try decoder.decode(fixed: RecordContent.saltBytes)
            guard let compression = CompressionID(rawValue: try decoder.decode()) else { return nil }
            let plainBytes = Int(try decoder.decode(UInt32.self))
            let data = try decoder.decodeBytes(max: Self.contentBytesMax)
            guard plainBytes <= Self.contentBytesMax, payload.count == Padding.size(decoder.position),
                payload[decoder.position...].allSatisfy({ $0 == 0 })
            else { return nil }
            switch compression {
            case .none: return data.count == plainBytes ? (salt, data) : nil
            case .zstdFHIR, .zstd:
                return self.compressors.decompress(data, compression, plainBytes: plainBytes).map { (salt, $0) }
            }
        } catch { return nil }
    }

    /// `HKDF-Expand(data key, "kc/1")`: AES-GCM alone does not bind a ciphertext to one key (Len, Grubbs, Ristenpart:
    /// Partitioning Oracle Attacks, 2021).
    static func keyCommitment(_ dataKey: SymmetricKey) -> Primitives.Digest {
        guard let digest = Primitives.Digest(dataKey.expand(Array("kc/1".utf8)).bytes) else {
            preconditionFailure("the commitment is 32 bytes")
        }
        return digest
    }

    /// `HKDF-Expand(data key, "payload/1" ‖ header)`: a body never opens under another header.
    private static func payloadKey(_ dataKey: SymmetricKey, _ header: ObjectHeader) -> SymmetricKey {
        dataKey.expand(Array("payload/1".utf8) + header.canonicalBytes)
    }
}
