package import Records

/// The exams of one Bundle, of one resource, or of resources that were given together.
///
/// Exams are made one at a time when asked for, in the order in which their resources stand, so that a large Bundle
/// with many reports of one patient does not have to be in memory once for each. What is wrong with one exam leaves
/// the others as they are.
package struct FHIRInput: Sendable {
    /// One exam, or one piece that is none.
    package enum Output: Sendable {
        case exam(ParsedExam)
        case refused(RefusedPiece)
    }

    /// Resources that are no part of any exam, by type.
    package private(set) var skipped: [String: Int] = [:]
    private var refused: [RefusedPiece] = []
    private var builder: ExamBuilder
    private let roots: [Int]
    private var nextRoot = 0
    /// Exams together may hold this much more than the input: they share patients and results, but not without end.
    private var budget: Budget

    private static let sharingFactorMax = 64

    private struct Budget {
        var bytes: Int
        var items: Int
    }

    /// Reads one JSON text: a Bundle or any other resource.
    package init(document bytes: [UInt8], in range: Range<Int>? = nil) {
        let range = range ?? 0..<bytes.count
        do throws(JSONError) {
            self.init([try JSONReader.read(bytes, in: range).root])
        } catch {
            self.init([])
            self.refused = [RefusedPiece(error, range: range)]
        }
    }

    /// Takes resources that may refer to each other, Bundles among them.
    package init(_ resources: [JSONValue]) {
        var collector = Collector()
        for resource in resources { collector.add(resource: resource, fullURL: nil, bundleIndex: nil) }
        self.refused = collector.refused.reversed()
        self.skipped = collector.skipped
        let size = resources.reduce(0) { $0 + $1.range.count }
        self.budget = Budget(
            bytes: (64 << 20) + size * Self.sharingFactorMax,
            items: 10_000 + collector.graph.entries.count * Self.sharingFactorMax
        )
        self.roots = ExamRoots(collector.graph).indices
        self.builder = ExamBuilder(collector.graph)
    }

    /// The next exam or refusal; `nil` after the last.
    package mutating func next() -> Output? {
        if let piece = self.refused.popLast() { return .refused(piece) }
        if self.nextRoot < self.roots.count {
            let root = self.roots[self.nextRoot]
            self.nextRoot += 1
            let entry = self.builder.graph.entries[root]
            do throws(FHIRFault) {
                guard self.budget.bytes > 0, self.budget.items > 0 else {
                    throw FHIRFault(.tooLarge, at: entry.value, entry.type.rawValue)
                }
                // A refused exam has cost its reading too.
                defer { self.budget.items -= self.builder.items.count }
                let parsed = try self.builder.exam(root)
                self.budget.bytes -= parsed.parts.reduce(0) { $0 + $1.bytes.count }
                return .exam(parsed)
            } catch {
                return .refused(RefusedPiece(error, range: entry.value.range, bundleIndex: entry.bundleIndex))
            }
        }
        return nil
    }

    /// The patients, whether or not an exam is theirs; malformed ones are left out.
    package var patients: [PatientDemographics] {
        var builder = self.builder
        var patients: [PatientDemographics] = []
        for (index, entry) in builder.graph.entries.enumerated() where entry.type == .patient {
            if let patient = try? builder.patient(index) { patients.append(patient) }
        }
        return patients
    }
}

// MARK: - Collecting resources

extension FHIRInput {
    /// Takes texts apart into resources.
    private struct Collector {
        var graph = ResourceGraph()
        var skipped: [String: Int] = [:]
        var refused: [RefusedPiece] = []

        private mutating func add(bundle: JSONValue) {
            guard let type = bundle.present(FHIRKey.type) else {
                return self.refuse(.bundleTypeMissing, bundle, element: "type", bundleIndex: nil)
            }
            switch type.string {
            case "document", "message", "transaction", "transaction-response", "batch", "batch-response", "searchset",
                "collection":
                break
            default:
                // A history holds versions that were replaced or deleted.
                return self.refuse(.bundleTypeUnsupported, bundle, element: "type", bundleIndex: nil)
            }
            guard let entries = bundle.present(FHIRKey.entry) else { return }
            guard entries.kind == .array else {
                return self.refuse(.badStructure, bundle, element: "entry", bundleIndex: nil)
            }
            for (index, entry) in entries.elements.enumerated() {
                guard entry.kind == .object else {
                    self.refuse(.badStructure, entry, element: "entry", bundleIndex: index)
                    continue
                }
                // An entry may hold only a request or a response.
                guard let resource = entry.present(FHIRKey.resource) else { continue }
                self.add(resource: resource, fullURL: entry[FHIRKey.fullURL]?.string, bundleIndex: index)
            }
        }

        mutating func add(resource: JSONValue, fullURL: String?, bundleIndex: Int?) {
            guard resource.kind == .object, let name = resource[FHIRKey.resourceType]?.string else {
                return self.refuse(.notAResource, resource, element: "resourceType", bundleIndex: bundleIndex)
            }
            if name == "Bundle" {
                // The answer to a search inside the answer to a batch.
                self.add(bundle: resource)
            } else if let type = ResourceType(rawValue: name) {
                self.graph.append(resource, type: type, fullURL: fullURL, bundleIndex: bundleIndex)
            } else if ResourceType.all.contains(name) {
                self.skipped[name, default: 0] += 1
            } else {
                self.refuse(.unknownResourceType, resource, element: "resourceType", bundleIndex: bundleIndex)
            }
        }

        private mutating func refuse(_ refusal: FHIRRefusal, _ value: JSONValue, element: String, bundleIndex: Int?) {
            self.refused.append(
                RefusedPiece(
                    FHIRFault(refusal, at: value, element),
                    range: value.range,
                    bundleIndex: bundleIndex
                )
            )
        }
    }
}
