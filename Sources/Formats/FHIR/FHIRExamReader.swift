package import Records

/// Reads an exam again from the original bytes it was read from.
package enum FHIRExamReader {
    /// Reads the exam whose report, study or observation is the first of `parts`.
    package static func exam(fromParts parts: [RecordContent.Part]) -> Result<Exam, FHIRRefusal> {
        self.read(parts).map(\.exam).mapError(\.fault.refusal)
    }

    /// What is wrong with parts, and with which of them.
    package struct PartFault: Error, Hashable, Sendable {
        /// Index in the parts.
        package var part: Int
        /// Its offset counts from the start of that part.
        package var fault: FHIRFault
    }

    /// Reads the exam and its subject from parts that may not have been read together before.
    package static func read(_ parts: [RecordContent.Part]) -> Result<ParsedExam, PartFault> {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parts.reduce(0) { $0 + $1.bytes.count })
        var ends: [Int] = []
        for part in parts {
            bytes += part.bytes
            ends.append(bytes.count)
        }
        var graph = ResourceGraph()
        for (index, part) in parts.enumerated() {
            let start = index == 0 ? 0 : ends[index - 1]
            do throws(JSONError) {
                let root = try JSONReader.read(bytes, in: start..<ends[index]).root
                let role = part.type.split(separator: " ", maxSplits: 1)
                guard root.kind == .object, let type = ExamBuilder.type(of: root), role.first ?? "" == type.rawValue
                else { return .failure(Self.fault(.notAResource, offset: start, ends)) }
                graph.append(root, type: type, fullURL: role.count == 2 ? String(role[1]) : nil, bundleIndex: nil)
            } catch {
                return .failure(Self.fault(FHIRRefusal(error.code), offset: error.offset, ends))
            }
        }
        guard let first = graph.entries.first, first.type.isExam else {
            return .failure(Self.fault(.notAResource, offset: 0, ends))
        }
        var builder = ExamBuilder(graph)
        do throws(FHIRFault) {
            return .success(try builder.exam(0))
        } catch {
            return .failure(Self.fault(error, ends))
        }
    }

    private static func fault(_ refusal: FHIRRefusal, offset: Int, _ ends: [Int]) -> PartFault {
        self.fault(FHIRFault(refusal, offset: offset, element: "resourceType"), ends)
    }

    private static func fault(_ fault: FHIRFault, _ ends: [Int]) -> PartFault {
        let part = min(ends.firstIndex { fault.offset < $0 } ?? 0, max(ends.count - 1, 0))
        var fault = fault
        fault.offset -= part == 0 ? 0 : ends[part - 1]
        return PartFault(part: part, fault: fault)
    }
}
