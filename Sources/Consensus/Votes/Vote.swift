package import Primitives

/// What a vote or a certificate says about a view.
///
/// The numbers are those of the encoding.
package enum VoteKind: UInt8, Hashable, Sendable, CaseIterable {
    /// The block may be extended.
    case notarize = 1
    /// The view ends without a block from this signer's side; blocks may be built over it.
    case nullify = 2
    /// The block and all its ancestors are decided.
    case finalize = 3

    package var use: SignatureUse {
        switch self {
        case .notarize: .notarize
        case .nullify: .nullify
        case .finalize: .finalize
        }
    }
}

/// The statement that a validator signs.
package struct VoteBody: Hashable, Sendable {
    package let kind: VoteKind
    package let epoch: Epoch
    package let view: View
    /// The block; `nil` exactly for `nullify`.
    package let hash: Digest?

    private init(kind: VoteKind, epoch: Epoch, view: View, hash: Digest?) {
        self.kind = kind
        self.epoch = epoch
        self.view = view
        self.hash = hash
    }

    package static func notarize(_ hash: Digest, view: View, epoch: Epoch) -> VoteBody {
        VoteBody(kind: .notarize, epoch: epoch, view: view, hash: hash)
    }

    package static func nullify(view: View, epoch: Epoch) -> VoteBody {
        VoteBody(kind: .nullify, epoch: epoch, view: view, hash: nil)
    }

    package static func finalize(_ hash: Digest, view: View, epoch: Epoch) -> VoteBody {
        VoteBody(kind: .finalize, epoch: epoch, view: view, hash: hash)
    }

    /// The bytes under the signature.
    ///
    /// The kind and the epoch are in the common prefix.
    package func signedBytes(chain: ChainID) -> [UInt8] {
        var encoder = CanonicalEncoder(reservingCapacity: 40)
        encoder.encode(self.view)
        if let hash = self.hash { encoder.encode(hash) }
        return SignedBytes.make(chain: chain, use: self.kind.use, epoch: self.epoch, body: encoder.bytes)
    }
}

extension VoteBody: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.kind.rawValue)
        encoder.encode(self.epoch)
        encoder.encode(self.view)
        if let hash = self.hash { encoder.encode(hash) }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let kind = VoteKind(rawValue: try decoder.decode()) else { throw .invalid }
        self.kind = kind
        self.epoch = try decoder.decode()
        self.view = try decoder.decode()
        self.hash = kind == .nullify ? nil : try decoder.decode(Digest.self)
    }
}

/// A signed statement of one validator.
package struct Vote: Hashable, Sendable, CanonicalCodable {
    package let body: VoteBody
    /// Index of the signer in the epoch's validator set.
    package let signer: UInt16
    package let signature: Signature

    package init(body: VoteBody, signer: UInt16, signature: Signature) {
        self.body = body
        self.signer = signer
        self.signature = signature
    }

    package func isValid(in context: EpochContext, checker: SignatureChecker) -> Bool {
        context.isValid(self.signature, of: self.signer, over: self.body, checker: checker)
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.body)
        encoder.encode(self.signer)
        encoder.encode(self.signature)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.body = try decoder.decode()
        self.signer = try decoder.decode()
        self.signature = try decoder.decode()
    }
}

/// Two votes that one honest validator never casts: same signer, kind, epoch and view, different blocks.
package struct VoteConflict: Hashable, Sendable {
    package let first: Vote
    package let second: Vote
}
