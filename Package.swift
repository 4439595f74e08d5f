// swift-tools-version: 6.2
import PackageDescription

// One target a room; dependencies point down only (ARCHITECTURE.md has the drawing).
// Every room is compiled in language mode 6 and may not warn.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let orderedCollections: Target.Dependency = .product(name: "OrderedCollections", package: "swift-collections")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHTTPTypesHTTP2: Target.Dependency = .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")

let package = Package(
    name: "conurb",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "conurb", targets: ["conurb"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries from Debian
        .systemLibrary(name: "CGEOS", providers: [.apt(["libgeos-dev"])]),
        .systemLibrary(name: "CPROJ", pkgConfig: "proj", providers: [.apt(["libproj-dev"])]),
        .systemLibrary(name: "CMosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CSimdjson", providers: [.apt(["libsimdjson-dev"])]),
        .systemLibrary(name: "CGD", providers: [.apt(["libgd-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),

        // Rooms, lowest first
        .target(name: "CityModel", dependencies: ["CJSONTape", orderedCollections], swiftSettings: strict),
        .target(name: "CJSONTape", dependencies: ["CSimdjson"], linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("stdc++")]),
        .target(name: "LinkedData", dependencies: ["CityModel", orderedCollections], swiftSettings: strict),
        .target(name: "Series", dependencies: ["CZstd"], swiftSettings: strict),
        .target(name: "Ledger", dependencies: [crypto], swiftSettings: strict),
        .target(name: "Query", dependencies: ["CityModel", "CGEOS", "Series", orderedCollections], swiftSettings: strict),
        // How the allocator of the whole program is set.
        .target(name: "CMemory"),
        // The shipped policy and the services that are examples, embedded like the pages' files.
        .target(name: "CDeclarationFiles"),
        .target(name: "Declarations", dependencies: ["CDeclarationFiles", "CityModel", orderedCollections, yams], swiftSettings: strict),
        .target(
            name: "Policy", dependencies: ["CityModel", "Declarations", "Query", orderedCollections], swiftSettings: strict),
        .target(name: "Photos", dependencies: ["CGD"], swiftSettings: strict),
        .target(name: "Services", dependencies: ["CityModel", "Declarations", "Query"], swiftSettings: strict),
        .target(
            name: "Store", dependencies: ["CityModel", "Ledger", "LinkedData", "Policy", "Query", "Series", deque, orderedCollections, crypto, grdb, sqlite], swiftSettings: strict),
        .target(name: "Trust", dependencies: ["CityModel", "Declarations", "Ledger", "LinkedData", "Policy", "Store", crypto, cryptoExtras, orderedCollections], swiftSettings: strict),
        .target(
            name: "Broker", dependencies: ["CityModel", "LinkedData", "Policy", "Query", "Series", "Store", "Trust", orderedCollections],
            swiftSettings: strict),
        .target(
            name: "Cases", dependencies: ["Broker", "CityModel", "Declarations", "LinkedData", "Policy", "Query", "Services", "Store", "Trust", orderedCollections],
            swiftSettings: strict),
        .target(
            name: "Door", dependencies: ["CityModel", "Trust", orderedCollections, hummingbird, httpTypes, logging, nio], swiftSettings: strict),
        .target(
            name: "Subscriptions",
            dependencies: ["Broker", "CityModel", "LinkedData", "Policy", "Query", "Store", "Trust", orderedCollections], swiftSettings: strict),
        .target(
            name: "Federation",
            dependencies: ["Broker", "CityModel", "LinkedData", "Policy", "Query", "Store", "Subscriptions", "Trust", orderedCollections],
            swiftSettings: strict),
        .target(
            name: "NGSILD",
            dependencies: [
                "Broker", "CityModel", "Door", "Federation", "LinkedData", "Policy", "Query", "Store", "Subscriptions", "Trust", orderedCollections, hummingbird,
                httpTypes, nio,
            ], swiftSettings: strict),
        .target(
            name: "History",
            dependencies: ["Broker", "CityModel", "Door", "LinkedData", "Policy", "Query", "Trust", orderedCollections, hummingbird, httpTypes, nio],
            swiftSettings: strict),
        .target(
            name: "Sources",
            dependencies: [
                "Broker", "Cases", "CityModel", "CPROJ", "CZlib", "Declarations", "Door", "LinkedData", "Query", "Services", "Store", "Trust",
                orderedCollections, hummingbird, httpTypes, nio,
            ], swiftSettings: strict),
        // The pages' files, embedded with C23 #embed: no bundle beside the executable.
        .target(name: "CSiteFiles"),
        .target(
            name: "Site",
            dependencies: [
                "Broker", "Cases", "CityModel", "CSiteFiles", "CZlib", "Door", "Ledger", "LinkedData", "Photos", "Policy", "Query", "Services", "Store", "Trust", orderedCollections, hummingbird,
                httpTypes, logging, nio, crypto, mustache, lifecycle,
            ], exclude: ["Resources"], swiftSettings: strict),
        .target(
            name: "Transparency",
            dependencies: ["CityModel", "Door", "Ledger", "Store", "Trust", orderedCollections, hummingbird, httpTypes, logging, nio], swiftSettings: strict),
        .target(
            name: "Open311",
            dependencies: ["Broker", "Cases", "CityModel", "Door", "Query", "Services", "Store", "Trust", orderedCollections, hummingbird, httpTypes, nio],
            swiftSettings: strict),
        .target(name: "CitySimulator", dependencies: ["CityModel", orderedCollections], swiftSettings: strict),
        .target(
            name: "Server",
            dependencies: [
                "Broker", "Cases", "CMosquitto", "CityModel", "Declarations", "Door", "Federation", "History", "LinkedData", "Mail", "NGSILD", "Open311", "Photos", "Policy", "Query",
                "Scanner", "Services", "Site", "Sources", "Store",
                "Subscriptions", "Transparency", "Trust", deque, orderedCollections, hummingbird, hummingbirdCore, httpTypes, logging, nio, nioPosix, nioHTTP1, nioHTTP2, nioHTTPTypes,
                nioHTTPTypesHTTP2, nioSSL, nioTLS, asyncHTTPClient, lifecycle, unixSignals,
            ], swiftSettings: strict),
        .target(name: "Scanner", dependencies: [nio, nioPosix], swiftSettings: strict),
        .target(name: "Mail", dependencies: ["CCurl", "CityModel"], swiftSettings: strict),
        .executableTarget(
            name: "conurb",
            dependencies: [
                "Broker", "CMemory", "CityModel", "CitySimulator", "Declarations", "Ledger", "LinkedData", "Mail", "Policy", "Query", "Scanner", "Series", "Server", "Services", "Sources", "Store", "Trust", orderedCollections, logging, nio,
                nioHTTP1,
                asyncHTTPClient, lifecycle, unixSignals, .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),
        .testTarget(name: "CityModelTests", dependencies: ["CityModel"], swiftSettings: strict),
        .target(name: "RandomEntities", dependencies: ["CityModel", orderedCollections], path: "Tests/RandomEntities", swiftSettings: strict),
        .testTarget(name: "LinkedDataTests", dependencies: ["CityModel", "LinkedData", "RandomEntities", orderedCollections], swiftSettings: strict),
        .testTarget(name: "DoorTests", dependencies: ["CityModel", "Door", hummingbird, httpTypes], swiftSettings: strict),
        .testTarget(
            name: "NGSILDTests",
            dependencies: [
                "Broker", "CityModel", "Door", "Federation", "NGSILD", "Store", "Subscriptions", "Trust", hummingbird, httpTypes, logging, nio,
            ], swiftSettings: strict),
        .testTarget(name: "LedgerTests", dependencies: ["Ledger", "RandomEntities"], exclude: ["Vectors"], swiftSettings: strict),
        .testTarget(name: "SeriesTests", dependencies: ["RandomEntities", "Series"], swiftSettings: strict),
        .testTarget(name: "QueryTests", dependencies: ["CityModel", "Query", "RandomEntities", orderedCollections], swiftSettings: strict),
        .testTarget(
            name: "StoreTests", dependencies: ["CityModel", "Ledger", "LinkedData", "Policy", "Query", "RandomEntities", "Series", "Store", orderedCollections, crypto, grdb], swiftSettings: strict),
        .testTarget(
            name: "TrustTests", dependencies: ["CityModel", "Ledger", "LinkedData", "Policy", "Store", "Trust", crypto, cryptoExtras, orderedCollections], swiftSettings: strict),
        .testTarget(
            name: "BrokerTests",
            dependencies: ["Broker", "CityModel", "Federation", "LinkedData", "Query", "RandomEntities", "Series", "Store", "Trust", orderedCollections],
            swiftSettings: strict),
        .testTarget(
            name: "SubscriptionsTests",
            dependencies: ["Broker", "CityModel", "LinkedData", "Policy", "Query", "Store", "Subscriptions", "Trust", orderedCollections, grdb],
            swiftSettings: strict),
        .testTarget(
            name: "SiteTests",
            dependencies: [
                "Broker", "CityModel", "Door", "Policy", "Site", "Store", "Trust", orderedCollections, hummingbird, httpTypes, logging, nio,
            ], swiftSettings: strict),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Broker", "CityModel", "Door", "LinkedData", "Policy", "Ledger", "Query", "RandomEntities", "Server", "Store", "Trust", orderedCollections, hummingbird, httpTypes, logging, nio,
                nioHTTP1, nioEmbedded, asyncHTTPClient, lifecycle,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "Open311Tests",
            dependencies: ["Broker", "Cases", "CityModel", "Door", "Open311", "Query", "Services", "Store", "Trust", orderedCollections, hummingbird, httpTypes, logging, nio],
            swiftSettings: strict),
        .testTarget(name: "CitySimulatorTests", dependencies: ["CityModel", "CitySimulator", orderedCollections], swiftSettings: strict),
        .testTarget(name: "SourcesTests", dependencies: ["Cases", "CityModel", "CZlib", "Declarations", "Query", "Services", "Sources", orderedCollections], swiftSettings: strict),
        .testTarget(name: "PolicyTests", dependencies: ["CityModel", "Declarations", "LinkedData", "Policy", "Query", "RandomEntities", orderedCollections], swiftSettings: strict),
        .testTarget(name: "ScannerTests", dependencies: ["Scanner"], swiftSettings: strict),
        .testTarget(name: "MailTests", dependencies: ["CityModel", "Mail"], swiftSettings: strict),
        .testTarget(name: "PhotosTests", dependencies: ["CGD", "Photos"], swiftSettings: strict),
        .testTarget(name: "ServicesTests", dependencies: ["CityModel", "Declarations", "Query", "RandomEntities", "Services", orderedCollections], swiftSettings: strict),
        .testTarget(
            name: "CasesTests", dependencies: ["Broker", "Cases", "CityModel", "Query", "RandomEntities", "Services", "Store", "Trust", orderedCollections], swiftSettings: strict),
        .testTarget(name: "DeclarationsTests", dependencies: ["CityModel", "Declarations"], swiftSettings: strict),
        // Parsers that meet the outside, for inputs that nobody would write.
        .target(
            name: "Fuzzing",
            dependencies: [
                "Broker", "CityModel", "Declarations", "Door", "Federation", "Ledger", "LinkedData", "Mail", "Photos", "Policy", "Query", "Series", "Server", "Services", "Sources", "Store",
                "Subscriptions", "Trust", orderedCollections, httpTypes, hummingbird, logging, nio,
            ], path: "Tests/Fuzzing", exclude: ["corpora"], swiftSettings: strict),
        .executableTarget(name: "fuzz", dependencies: ["Fuzzing"], path: "Tests/FuzzCommand", swiftSettings: strict),
        .testTarget(name: "FuzzingTests", dependencies: ["Fuzzing"], swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)
