import Foundation
import GRDB

/// Collects pieces of exams that stand anywhere in an input, on disk, and gives them exam by exam: rows of an order, files
/// of a study.
///
/// The file has no name once it is open: a killed run leaves nothing of a patient behind.
final class GroupSpool {
    struct Piece {
        /// What the piece is, in the words of who put it in.
        var type: String
        var bytes: [UInt8]
        var file: Int
        var offset: Int64
        var line: Int
    }

    /// All pieces of one exam.
    struct Group {
        var pieces: [Piece]
        /// Whether there are more than were asked for.
        var isCut: Bool
    }

    /// Rows a transaction: enough to make a commit cheap, little enough to hold.
    private static let batchMax = 4096

    private let database: DatabaseQueue
    private var pending: [(group: String, piece: Piece)] = []

    /// Creates the spool in `folder`, which must exist.
    init(in folder: URL) throws {
        let url = folder.appending(path: UUID().uuidString)
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            try database.execute(
                sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768"
            )
        }
        self.database = try DatabaseQueue(path: url.path, configuration: configuration)
        try self.database.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE piece (sequence INTEGER PRIMARY KEY, exam TEXT NOT NULL, type TEXT NOT NULL,
                        bytes BLOB NOT NULL, file INTEGER NOT NULL, offset INTEGER NOT NULL, line INTEGER NOT NULL)
                    """
            )
        }
        try FileManager.default.removeItem(at: url)
    }

    func append(_ piece: Piece, to group: String) throws {
        self.pending.append((group, piece))
        if self.pending.count >= Self.batchMax { try self.flush() }
    }

    private func flush() throws {
        let pending = self.pending
        self.pending.removeAll(keepingCapacity: true)
        try self.database.write { database in
            let insert = try database.cachedStatement(
                sql: "INSERT INTO piece (exam, type, bytes, file, offset, line) VALUES (?, ?, ?, ?, ?, ?)"
            )
            for (group, piece) in pending {
                try insert.execute(arguments: [
                    group, piece.type, Data(piece.bytes), piece.file, piece.offset, piece.line,
                ])
            }
        }
    }

    /// Gives the groups in the order of their first pieces, and each one's pieces in the order of the input.
    ///
    /// Of a group at most `piecesMax` pieces and about `bytesMax` bytes are held and given.
    func forEachGroup(piecesMax: Int, bytesMax: Int, _ visit: (String, Group) throws -> Void) throws {
        try self.flush()
        try self.database.write { database in
            // Sorted once, when all rows are there.
            try database.execute(sql: "CREATE INDEX pieceByExam ON piece (exam)")
        }
        try self.database.read { database in
            let pieces = try database.makeStatement(
                sql: "SELECT type, bytes, file, offset, line FROM piece WHERE exam = ? ORDER BY sequence"
            )
            let groups = try String.fetchCursor(
                database,
                sql: "SELECT exam FROM piece GROUP BY exam ORDER BY min(sequence)"
            )
            while let name = try groups.next() {
                var group = Group(pieces: [], isCut: false)
                var size = 0
                let rows = try Row.fetchCursor(pieces, arguments: [name])
                while let row = try rows.next() {
                    guard group.pieces.count < piecesMax, size < bytesMax else {
                        group.isCut = true
                        break
                    }
                    let bytes: Data = row[1]
                    size += bytes.count
                    group.pieces.append(
                        Piece(type: row[0], bytes: Array(bytes), file: row[2], offset: row[3], line: row[4])
                    )
                }
                try visit(name, group)
            }
        }
    }
}
