import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Clocks and certificates", .serialized)
    struct ClockTests {}
}

extension IntegrationTests.ClockTests {
    /// A library that shows the process that loads it a wall clock `seconds` off, and leaves timers alone, as a machine
    /// whose clock was set wrong has them. (libfaketime also shifts timers that have nothing to do with the wall clock.)
    static func clock(_ seconds: Int, _ hospitals: Consortium) throws -> [String: String] {
        let source = """
            #define _GNU_SOURCE
            #include <sys/syscall.h>
            #include <sys/time.h>
            #include <time.h>
            #include <unistd.h>
            int clock_gettime(clockid_t id, struct timespec *now) {
                long result = syscall(SYS_clock_gettime, id, now);
                if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += \(seconds);
                return (int)result;
            }
            int gettimeofday(struct timeval *restrict now, void *restrict zone) {
                long result = syscall(SYS_gettimeofday, now, zone);
                if (result == 0) now->tv_sec += \(seconds);
                return (int)result;
            }
            time_t time(time_t *now) {
                struct timespec real;
                clock_gettime(CLOCK_REALTIME, &real);
                if (now) *now = real.tv_sec;
                return real.tv_sec;
            }
            """
        let file = try hospitals.write(source, to: "clock.c")
        let library = hospitals.path("clock.so")
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // Comes with the Swift toolchain.
        compiler.arguments = ["clang", "-shared", "-fPIC", "-o", library, file]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        return ["LD_PRELOAD": library]
    }

    @Test("One clock an hour off stops nobody: the chain goes on, its agent serves", arguments: [3600, -3600])
    func wrongClock(seconds: Int) throws {
        let hospitals = try Consortium(["a", "b", "c", "d"], starting: false)
        try hospitals.start("a", environment: Self.clock(seconds, hospitals))
        for name in ["b", "c", "d"] { try hospitals.start(name) }
        // More than one turn of each leader, the one with the wrong clock among them.
        for patient in 0..<6 {
            _ = try hospitals.grant(ExamFile.patient(patient), witnessedBy: "b", ["--to", "b"])
        }
        _ = try hospitals.importing("b", hospitals.write(ExamFile.lines(count: 6, patients: 6), to: "b.ndjson"))
        let own = ExamFile.lines(count: 3, patients: 1, source: "a")
        #expect(try hospitals.importing("a", hospitals.write(own, to: "a.ndjson"))["committed"].int == 3)
        #expect(try hospitals.settle() >= 8)
        let clocks = try ["a", "b"].compactMap { name in
            try hospitals.command(name, ["doctor", "--json"]).json["checks"].list.first { $0["name"].string == "clock" }
        }
        #expect(clocks.map { $0["ok"].bool } == [false, true])
        let direction = seconds > 0 ? "ahead of the peers'" : "behind the peers'"
        #expect(clocks[0]["detail"].string.hasSuffix(direction))
        let reader = try hospitals.reader("b")
        let records = try reader.find(ExamFile.patient(0)) { $0.count == 4 }
        for record in records { try reader.fetch(record["record"].string) { $0.status == 0 } }
        // With the right time again it is a member like the others.
        hospitals.stop("a")
        try hospitals.start("a")
        _ = try hospitals.grant(ExamFile.patient(0), witnessedBy: "a", ["--to", "c"])
        try hospitals.settle()
    }

    @Test("A transport certificate is renewed while the agents talk, and again after a restart")
    func rotation() throws {
        let hospitals = try Consortium(["a", "b", "c", "d"])
        _ = try hospitals.grant(ExamFile.patient(0), witnessedBy: "b", ["--to", "b"])
        let process = hospitals.agents["a"]
        try hospitals.succeed("a", ["certificate", "rotate"])
        // The new key is on the chain; connections made before it end or stay, and new ones use it.
        for name in ["b", "c", "d"] {
            hospitals.kill(name)
            try hospitals.start(name)
        }
        try hospitals.status("a") { $0["peers"].list.allSatisfy { $0["connected"].bool } }
        for patient in 1..<5 { _ = try hospitals.grant(ExamFile.patient(patient), witnessedBy: "a", ["--to", "b"]) }
        #expect(hospitals.agents["a"] === process && process?.isRunning == true)
        hospitals.kill("a")
        try hospitals.start("a")
        _ = try hospitals.grant(ExamFile.patient(5), witnessedBy: "a", ["--to", "b"])
        for name in ["b", "c", "d"] {
            try hospitals.status(name) { $0["peers"].list.allSatisfy { $0["connected"].bool } }
        }
        try hospitals.settle()
    }
}
