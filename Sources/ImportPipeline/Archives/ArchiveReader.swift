import CZlib
import Foundation

/// How several files, or a compressed one, are packed into one.
enum ArchiveKind: Hashable {
    case gzip
    case zip

    init?(startOf bytes: [UInt8]) {
        if bytes.starts(with: [0x1f, 0x8b, 0x08]) {
            self = .gzip
        } else if bytes.starts(with: [0x50, 0x4b, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4b, 0x05, 0x06]) {
            self = .zip
        } else {
            return nil
        }
    }
}

/// Unpacks an archive, an entry at a time, into files of the run's own folder.
///
/// What is read may have to be read again when exams are joined, so the files stay until the run removes the folder.
struct ArchiveReader {
    enum Entry {
        /// A file in the folder, and the name by which the user knows it.
        case file(path: String, name: String)
        case refused(name: String, FileRefusal)
    }

    /// A file may unpack to this, an archive to four times as much: more is a bomb, or is better imported unpacked.
    private static let entryBytesMax: Int64 = 64 << 30
    private static let archiveBytesMax: Int64 = 256 << 30
    private static let inputBytes = 1 << 18

    private let file: InputFile
    private let name: String
    private let folder: URL
    private var zip: [ZipDirectory.Entry] = []
    private var isGzipLeft = false
    private var bytesLeft = archiveBytesMax

    /// `name`: of the archive, for the names of what is in it.
    ///
    /// - Throws: ``FileRefusalError`` when it is no whole archive.
    init(_ kind: ArchiveKind, _ file: InputFile, named name: String, into folder: URL) throws {
        self.file = file
        self.name = name
        self.folder = folder
        switch kind {
        case .gzip: self.isGzipLeft = true
        case .zip: self.zip = try ZipDirectory(file).entries.filter { !$0.name.hasSuffix("/") }.reversed()
        }
    }

    mutating func next() throws -> Entry? {
        if self.isGzipLeft {
            self.isGzipLeft = false
            return try self.entry(named: self.name) { try $0.unpackGzip(into: &$1) }
        }
        guard let entry = self.zip.popLast() else { return nil }
        return try self.entry(named: "\(self.name)!/\(entry.name)") { try $0.unpack(entry, into: &$1) }
    }

    private mutating func entry(
        named name: String,
        _ unpack: (ArchiveReader, inout Output) throws -> Void
    ) throws -> Entry {
        var output = try Output(in: self.folder, bytesMax: min(Self.entryBytesMax, self.bytesLeft))
        do {
            try unpack(self, &output)
            try output.close()
        } catch let error as FileRefusalError {
            output.discard()
            return .refused(name: name, error.refusal)
        } catch {
            output.discard()
            throw error
        }
        self.bytesLeft -= output.size
        return .file(path: output.path, name: name)
    }

    private func unpackGzip(into output: inout Output) throws {
        guard let inflater = Inflater(.gzip) else { throw FileRefusalError(.archiveUnsupported) }
        var offset: Int64 = 0
        // Whether a member has ended and no other has begun: zeros that fill up a tape's block begin none.
        var isBetween = false
        while true {
            // gzip files may be joined end to end (RFC 1952 section 2.2).
            while !isBetween, try self.drain(inflater, into: &output, sizeMax: output.bytesMax) {
                inflater.restart()
                isBetween = !inflater.unconsumed.contains { $0 != 0 }
            }
            let bytes = try self.file.read(at: offset, count: Self.inputBytes)
            guard !bytes.isEmpty else {
                guard isBetween else { throw FileRefusalError(.archiveDamaged) }
                return
            }
            offset += Int64(bytes.count)
            inflater.feed(bytes)
            if isBetween {
                guard inflater.unconsumed.contains(where: { $0 != 0 }) else { return }
                isBetween = false
            }
        }
    }

    /// Writes what the input given so far unpacks to; whether the stream ended in it.
    private func drain(_ inflater: Inflater, into output: inout Output, sizeMax: Int64) throws -> Bool {
        while true {
            guard let step = inflater.step() else { throw FileRefusalError(.archiveDamaged) }
            try output.write(inflater.output)
            guard output.size <= sizeMax else { throw FileRefusalError(.archiveDamaged) }
            if step != .going { return step == .ended }
        }
    }

    private func unpack(_ entry: ZipDirectory.Entry, into output: inout Output) throws {
        guard !entry.isEncrypted else { throw FileRefusalError(.archiveEncrypted) }
        guard entry.size <= output.bytesMax else { throw FileRefusalError(.archiveTooLarge) }
        var offset = try ZipDirectory.dataOffset(of: entry, in: self.file)
        let end = offset + entry.compressedSize
        func read() throws -> [UInt8] {
            let bytes = try self.file.read(at: offset, count: Int(min(Int64(Self.inputBytes), end - offset)))
            offset += Int64(bytes.count)
            return bytes
        }
        switch entry.method {
        case 0:
            while offset < end {
                let bytes = try read()
                guard !bytes.isEmpty else { throw FileRefusalError(.archiveDamaged) }
                try output.write(bytes)
            }
        case 8:
            guard let inflater = Inflater(.raw) else { throw FileRefusalError(.archiveUnsupported) }
            while entry.compressedSize > 0, try !self.drain(inflater, into: &output, sizeMax: entry.size) {
                let bytes = try read()
                guard !bytes.isEmpty else { throw FileRefusalError(.archiveDamaged) }
                inflater.feed(bytes)
            }
        default: throw FileRefusalError(.archiveUnsupported)
        }
        guard output.size == entry.size, output.checksum == entry.checksum else {
            throw FileRefusalError(.archiveDamaged)
        }
    }

    /// A new file of the run's folder.
    private struct Output {
        let path: String
        let bytesMax: Int64
        private let handle: FileHandle
        private(set) var size: Int64 = 0
        /// CRC-32, as ZIP uses it.
        private(set) var checksum: UInt32 = 0

        init(in folder: URL, bytesMax: Int64) throws {
            self.path = folder.appending(path: UUID().uuidString).path
            self.bytesMax = bytesMax
            guard
                FileManager.default.createFile(
                    atPath: self.path,
                    contents: nil,
                    attributes: [.posixPermissions: 0o600]
                )
            else { throw CocoaError(.fileWriteUnknown) }
            self.handle = try FileHandle(forWritingTo: URL(fileURLWithPath: self.path))
        }

        mutating func write(_ bytes: [UInt8]) throws {
            guard !bytes.isEmpty else { return }
            self.size += Int64(bytes.count)
            guard self.size <= self.bytesMax else { throw FileRefusalError(.archiveTooLarge) }
            self.checksum = UInt32(crc32(uLong(self.checksum), bytes, uInt(bytes.count)))
            try self.handle.write(contentsOf: bytes)
        }

        func close() throws { try self.handle.close() }

        func discard() {
            try? self.handle.close()
            try? FileManager.default.removeItem(atPath: self.path)
        }
    }
}
