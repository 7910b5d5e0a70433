package import Primitives

// The exact bytes under each signature that an evidence file carries. The epoch is 0: these keys do not change with the
// validator set.

extension ClinicianCredential {
    /// What the institution signs.
    package func signedBytes(chain: ChainID) -> [UInt8] {
        SignedBytes.make(chain: chain, use: .credential, epoch: Epoch(0), body: self.signedBody)
    }
}

extension FetchRequest {
    /// What the clinician signs.
    package func signedBytes(chain: ChainID) -> [UInt8] {
        SignedBytes.make(chain: chain, use: .fetchRequest, epoch: Epoch(0), body: self.canonicalBytes)
    }
}

extension FetchReceipt {
    /// What the institution signs.
    package func signedBytes(chain: ChainID) -> [UInt8] {
        SignedBytes.make(chain: chain, use: .fetchReceipt, epoch: Epoch(0), body: self.signedBody)
    }
}
