import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import SwiftASN1
import TestSupport
import Testing
import X509

import enum Crypto.P256

extension IntegrationTests.FeedTests {
    /// A certificate that is its own authority, and its key, as PEM files.
    private struct Identity {
        let certificate: String
        let key: String

        init(_ name: String, in folder: TemporaryFolder) throws {
            let key = P256.Signing.PrivateKey()
            let subject = try DistinguishedName { CommonName(name) }
            let certificate = try Certificate(
                version: .v3,
                serialNumber: Certificate.SerialNumber(),
                publicKey: Certificate.PrivateKey(key).publicKey,
                notValidBefore: Date().addingTimeInterval(-3600),
                notValidAfter: Date().addingTimeInterval(3600),
                issuer: subject,
                subject: subject,
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                },
                issuerPrivateKey: Certificate.PrivateKey(key)
            )
            self.certificate = folder.file("\(name).pem").path
            self.key = folder.file("\(name).key").path
            try certificate.serializeAsPEM().pemString.write(
                toFile: self.certificate,
                atomically: true,
                encoding: .utf8
            )
            try key.pemRepresentation.write(toFile: self.key, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: self.key)
        }
    }

    /// Sends one message over TLS and returns its answer; `nil` if the connection ended without one.
    private static func exchange(
        _ message: String,
        port: UInt16,
        trusting root: Identity,
        as client: Identity? = nil
    ) async throws -> Answer? {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(root.certificate))
        configuration.certificateVerification = .noHostnameVerification
        if let client {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(client.certificate).map {
                .certificate($0)
            }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: client.key, format: .pem))
        }
        let security = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: Int(port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: security, serverHostname: nil)
                    )
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try? await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: MLLPSender.frame(Array(message.utf8))))
            var received: [UInt8] = []
            for try await buffer in inbound {
                received += buffer.readableBytesView
                if received.suffix(2) == [0x1c, 0x0d] { return Answer(Array(received.dropFirst().dropLast(2))) }
            }
            return nil
        }
    }

    @Test("Over TLS only senders that the authority named are answered")
    func tls() async throws {
        let folder = try TemporaryFolder()
        let own = try Identity("agent", in: folder)
        let known = try Identity("lis", in: folder)
        let stranger = try Identity("stranger", in: folder)
        let hospital = try FeedHospital([
            "--mllp-certificate", own.certificate, "--mllp-key", own.key, "--mllp-client-authority", known.certificate,
        ])
        let answer = try await Self.exchange(HL7.result(1), port: hospital.port, trusting: own, as: known)
        #expect(answer?.code == "AA")
        #expect(try await Self.exchange(HL7.result(2), port: hospital.port, trusting: own, as: stranger) == nil)
        #expect(try await Self.exchange(HL7.result(3), port: hospital.port, trusting: own) == nil)
        let plain = try hospital.sender()
        try plain.send(MLLPSender.frame(Array(HL7.result(4).utf8)))
        #expect(plain.answer() == nil)
        #expect(try hospital.exams() == 1)
        hospital.stop()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: own.key)
        #expect(throws: AgentProcess.Ended.self) { try hospital.start() }
    }
}
