// swift-tools-version: 6.2
import PackageDescription

let shared: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Values in, values out: no clock, random source, file, socket or log.
///
/// `Scripts/check` enforces what it may import.
func core(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: shared + [.strictMemorySafety()])
}

/// Performs effects: files, sockets, clocks, randomness.
func edge(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: shared)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: shared)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: shared)
}

func product(_ name: String, _ package: String) -> Target.Dependency {
    .product(name: name, package: package)
}

let crypto = product("Crypto", "swift-crypto")
let cryptoExtras = product("CryptoExtras", "swift-crypto")
let logging = product("Logging", "swift-log")
let grpcCore = product("GRPCCore", "grpc-swift-2")
let grpcTransport = product("GRPCNIOTransportHTTP2Posix", "grpc-swift-nio-transport")
let grpcProtobuf = product("GRPCProtobuf", "grpc-swift-protobuf")
let protobuf = product("SwiftProtobuf", "swift-protobuf")
let x509 = product("X509", "swift-certificates")
let asn1 = product("SwiftASN1", "swift-asn1")
let serviceLifecycle = product("ServiceLifecycle", "swift-service-lifecycle")
let argumentParser = product("ArgumentParser", "swift-argument-parser")
let httpClient = product("AsyncHTTPClient", "async-http-client")

let targets: [Target] = [
    // Row 1 to 4: below the I/O line.
    core("Primitives", [crypto]),
    core("Records", ["Primitives"]),
    // iconv is part of the C library; it turns bytes into bytes.
    .systemLibrary(name: "CIconv", path: "Sources/CIconv"),
    // libxml2 is given bytes and reads nothing else.
    .systemLibrary(name: "CXML", path: "Sources/CXML", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    core("Formats", ["Primitives", "Records", "CIconv", "CXML", "CZlib"]),
    core("Recognition", ["Primitives", "Records"]),
    // libsodium is given numbers and returns numbers; nothing here draws randomness from it.
    .systemLibrary(
        name: "CSodium",
        path: "Sources/CSodium",
        pkgConfig: "libsodium",
        providers: [.apt(["libsodium-dev"])]
    ),
    core("Oblivious", ["Primitives", "CSodium"]),
    core("Ledger", ["Primitives", "Records", "Oblivious"]),
    core("Consensus", ["Primitives"]),
    core("Replication", ["Primitives", "Records"]),
    core("AgentCore", ["Primitives", "Records", "Ledger", "Consensus"]),
    // Row 5.
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", path: "Sources/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    edge("LedgerStore", ["Primitives", "Records", product("GRDB", "GRDB.swift")]),
    edge("Vault", ["Primitives", "Oblivious", "Records", "CZlib", "CZstd", crypto, cryptoExtras]),
    edge(
        "PeerLink",
        [
            "Primitives", grpcCore, grpcTransport, x509, asn1, crypto, logging, serviceLifecycle,
            product("NIOCore", "swift-nio"), product("NIOPosix", "swift-nio"), product("NIOTLS", "swift-nio"),
            product("NIOSSL", "swift-nio-ssl"), product("NIOHTTP2", "swift-nio-http2"),
            product("NIOHPACK", "swift-nio-http2"),
        ]
    ),
    edge(
        "AgentAPI",
        [
            grpcCore, grpcTransport, grpcProtobuf, protobuf,
            product("NIOCore", "swift-nio"), product("NIOPosix", "swift-nio"),
        ],
        exclude: ["Protos"]
    ),
    // Row 6.
    edge(
        "AgentRuntime",
        [
            "Primitives", "Oblivious", "Records", "Formats", "Recognition", "Ledger", "Consensus", "Replication",
            "AgentCore", "LedgerStore", "Vault", "PeerLink", "ImportPipeline", "AgentAPI", serviceLifecycle, logging, grpcCore, grpcTransport,
            protobuf, product("NIOCore", "swift-nio"), product("NIOPosix", "swift-nio"),
            product("NIOSSL", "swift-nio-ssl"), product("NIOHTTP1", "swift-nio"), httpClient,
        ]
    ),
    edge("ImportPipeline", ["Primitives", "Records", "Formats", "CZlib", product("GRDB", "GRDB.swift")]),
    edge("SimulationKit", ["Primitives", "Records", "Ledger", "Consensus", "AgentCore", crypto]),
    // Row 7.
    // The C library's allocator, which the agent sets up for one heap a core.
    .systemLibrary(name: "CMalloc", path: "Sources/CMalloc"),
    program(
        "entente",
        [
            "CMalloc", "Primitives", "Records", "Formats", "Recognition", "Ledger", "AgentCore", "Vault", "AgentAPI",
            "AgentRuntime", argumentParser, logging, serviceLifecycle, product("UnixSignals", "swift-service-lifecycle"),
            product("Yams", "Yams"),
        ]
    ),
    program("entente-sim", ["SimulationKit", argumentParser]),
    program(
        "entente-bench",
        [
            "Primitives", "Oblivious", "Records", "Recognition", "Ledger", "AgentCore", "LedgerStore", "Vault", "AgentAPI",
            "AgentRuntime", argumentParser, logging,
        ]
    ),
    // Tests.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: shared),
    // Real agents on loopback, for the targets that run whole stories.
    .target(
        name: "AgentTestSupport",
        dependencies: ["entente", "TestSupport"],
        path: "Tests/AgentTestSupport",
        swiftSettings: shared
    ),
    tests("PrimitivesTests", ["Primitives", "TestSupport", crypto]),
    tests("ObliviousTests", ["Oblivious", "Primitives", "TestSupport"]),
    tests("RecordsTests", ["Records", "Primitives", "TestSupport"]),
    tests("FormatsTests", ["Formats", "Records", "Primitives", "TestSupport"]),
    tests(
        "RecognitionTests",
        ["Recognition", "Formats", "Records", "Primitives", "TestSupport", product("Yams", "Yams")]
    ),
    tests("LedgerTests", ["Ledger", "Oblivious", "Records", "Primitives", "TestSupport", crypto]),
    tests("ConsensusTests", ["Consensus", "Primitives", "TestSupport", crypto]),
    tests("ReplicationTests", ["Replication", "Records", "Primitives", "TestSupport"]),
    tests(
        "AgentCoreTests",
        ["AgentCore", "Ledger", "Consensus", "Records", "Primitives", "TestSupport", crypto]
    ),
    tests(
        "LedgerStoreTests",
        ["LedgerStore", "Records", "Primitives", "TestSupport", product("GRDB", "GRDB.swift")]
    ),
    tests("VaultTests", ["Vault", "Oblivious", "Records", "Primitives", "TestSupport", crypto]),
    tests(
        "PeerLinkTests",
        [
            "PeerLink", "Primitives", "TestSupport", crypto, x509, logging, serviceLifecycle,
            product("NIOCore", "swift-nio"), product("NIOPosix", "swift-nio"), product("NIOSSL", "swift-nio-ssl"),
        ]
    ),
    tests("AgentAPITests", ["AgentAPI", "TestSupport", grpcCore, grpcTransport, protobuf]),
    tests("ImportPipelineTests", ["ImportPipeline", "Formats", "Records", "Primitives", "TestSupport"]),
    tests("SimulationTests", ["SimulationKit"]),
    tests(
        "AgentRuntimeTests",
        [
            "AgentRuntime", "AgentAPI", "Formats", "Ledger", "Oblivious", "Vault", "LedgerStore", "Records",
            "Consensus", "Primitives", "TestSupport", crypto,
            protobuf, logging,
        ]
    ),
    tests(
        "IntegrationTests",
        [
            "entente", "AgentAPI", "AgentTestSupport", "Formats", "Primitives", "Vault", "TestSupport", crypto, x509, asn1,
            product("NIOCore", "swift-nio"), product("NIOPosix", "swift-nio"), product("NIOSSL", "swift-nio-ssl"),
        ]
    ),
    tests(
        "LeakTests",
        [
            "entente", "AgentAPI", "AgentRuntime", "AgentTestSupport", "Ledger", "Primitives", "Records", "Vault",
            "TestSupport", grpcCore, protobuf,
        ]
    ),
]

let package = Package(
    name: "entente",
    products: [.executable(name: "entente", targets: ["entente"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: targets,
    swiftLanguageModes: [.v6]
)
